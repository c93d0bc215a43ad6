"""What an experiment finds in time: probes of curves, and the readings of every scalar target.

A target's *reading* is how it is taken from a layer: from the mean over time, from the mean with
the extremes over segments, or through time, by way of a predicted curve. All readings stand beside
each other, and each training fold chooses one, as it chooses a layer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.curves.readings import READINGS
from mess.errors import MessError
from mess.experiments.in_frames import find_in_frames
from mess.experiments.in_phrases import find_in_phrases
from mess.experiments.moment_rows import MomentRows, load_moment_rows
from mess.experiments.passes import Pass
from mess.experiments.rows import ProbingData
from mess.probing.candidates import Candidates, choose, mix, probe_candidates
from mess.probing.curve_probes import CurveProbes, FittedTogether, gather_probes
from mess.probing.folds import MIN_WORKS, assign_folds
from mess.probing.in_time import CurveCell, probe_curves
from mess.probing.max_t import false_discovery_rate
from mess.probing.metrics import defined
from mess.probing.moments import PredictedCurves, predict_curves
from mess.probing.ridge import DEFAULT_ALPHAS
from mess.probing.through_time import SMOOTHINGS, Definition, read_scalars
from mess.records.discovery import ProbeSettings
from mess.records.in_time import CurveSummary, InTimeRecord, Reading, TargetReadings
from mess.storage.store import Store

Array = NDArray[np.float64]
CURVE_SHUFFLES = 59  # at most; each costs a refit of every curve on every layer and fold
_NONE = np.empty((0, 0, 0), dtype=np.float32)
MEAN, EXTREMES, TIME = "mean", "mean and extremes", "through time"


@dataclass
class _Curves:
    """What is found of curves, pattern by pattern."""

    cells: list[CurveCell] = field(default_factory=list)
    summaries: list[CurveSummary] = field(default_factory=list)
    fits: list[FittedTogether] = field(default_factory=list)


def find_in_time(
    data: ProbingData,
    *,
    dataset: str,
    encoder: str,
    settings: ProbeSettings,
    store: Store,
    significance: bool = True,
    passes: Pass | None = None,
    on_layer: Callable[[int], None] = lambda _: None,
    on_probes: Callable[[CurveProbes | None], None] = lambda _: None,
) -> InTimeRecord:
    """Probe curves and read every target in every way.

    Parameters
    ----------
    data : ProbingData
        Of tracks.
    dataset, encoder : str
    settings : ProbeSettings
    store : Store
    significance : bool
        Whether intervals and significance of the curves are wanted.
    passes : callable, optional
        Returns the hidden states of every track, one after another; called twice. None leaves out
        what is read from single states.
    on_layer : callable
        Called with the number of each finished layer.
    on_probes : callable
        Called with the probes of the curves, None where there are no curves.

    Returns
    -------
    InTimeRecord
        Without ``control``.
    """
    _, works = np.unique(np.asarray(data.groups), return_inverse=True)
    experiment = data.experiment(settings)
    fold = assign_folds(
        data.groups, folds=experiment.folds, seed=experiment.seed, part_of=experiment.part_of
    )
    alphas = DEFAULT_ALPHAS if isinstance(settings.alpha, str) else (float(settings.alpha),)
    with_extremes = extremes(data, dataset=dataset, encoder=encoder, store=store)
    readings = {
        name: probe_candidates(_layers(values), data.targets, works, fold, alphas=alphas)
        for name, values in ((MEAN, data.features.values), (EXTREMES, with_extremes))
    }
    found, why = _Curves(), ""
    frames = None
    if passes is not None:
        frames = find_in_frames(passes, data.targets, fold, names=data.names)
    try:
        rows = load_moment_rows(data, dataset=dataset, encoder=encoder, store=store)
    except MessError as error:
        why = str(error)
    else:
        through = np.full((rows.layers * len(SMOOTHINGS), *data.targets.shape), np.nan)
        inner = np.full(
            (len(through), int(fold.max()) + 1, *data.targets.shape), np.nan, dtype=np.float32
        )
        families = 0
        for columns, moments in rows.patterns():
            families += 1
            _probe_pattern(
                rows,
                data,
                columns,
                moments,
                works=works,
                fold=fold,
                settings=settings,
                significance=significance,
                found=found,
                through=through,
                inner=inner,
                on_layer=on_layer,
            )
        readings[TIME] = Candidates(through, inner)
        phrases = find_in_phrases(rows.phrase_passes, data.targets, fold, names=data.names)
        if phrases is not None:
            readings[TIME] = _beside(readings[TIME], phrases)
        found.cells = _over_all(found.cells, families)
    if frames is not None:
        readings[TIME] = _beside(readings.get(TIME), frames.candidates)
    on_probes(gather_probes(found.fits, tracks=data.features.tracks, works=data.works, fold=fold))
    return InTimeRecord(
        cells=found.cells,
        summaries=found.summaries,
        why=why,
        readings=[
            _tell(readings, data, fold, column, layers=data.features.values.shape[1])
            for column in range(len(data.names))
        ],
        tempo=None if frames is None else frames.tempo,
    )


def _beside(several: Candidates | None, one_each: Candidates) -> Candidates:
    """Return the candidates of every layer: several, and then the one that it also has."""
    if several is None:
        return one_each
    layers = len(one_each.predicted)
    both = [
        np.concatenate([one.reshape(layers, -1, *one.shape[1:]), other[:, None]], axis=1)
        for one, other in (
            (several.predicted, one_each.predicted),
            (several.inner, one_each.inner),
        )
    ]
    predicted, inner = (one.reshape(-1, *one.shape[2:]) for one in both)
    return Candidates(predicted, inner)


def _over_all(cells: list[CurveCell], families: int) -> list[CurveCell]:
    """Return cells whose significance counts all of them, where their shuffles were apart.

    Family-wise p is corrected for the number of families (Bonferroni), q is computed anew.
    """
    known = [cell.p for cell in cells if cell.p is not None]
    if not known:
        return cells
    rates = iter(false_discovery_rate(np.array(known)))
    return [
        cell
        if cell.p is None or cell.p_family is None
        else replace(cell, p_family=min(1.0, families * cell.p_family), q=float(next(rates)))
        for cell in cells
    ]


def _layers(values: NDArray[np.floating[Any]]) -> list[NDArray[np.floating[Any]]]:
    return [values[:, layer] for layer in range(values.shape[1])]


def extremes(
    data: ProbingData, *, dataset: str, encoder: str, store: Store
) -> NDArray[np.floating[Any]]:
    """Return the features of each track, with its least and greatest mean of a segment.

    Returns
    -------
    ndarray [shape=(n, layers, d + 2 · dim)]
        With d values of a track and dim of a segment.
    """
    found = {
        track: np.concatenate([segments.min(axis=0), segments.max(axis=0)], axis=-1)
        for track, segments in store.features.read_segments(dataset, encoder)
    }
    beside = np.stack([found[track] for track in data.features.tracks])
    return np.concatenate([data.features.values, beside], axis=-1)


class _LayersOnDisk(Sequence[NDArray[np.float32]]):
    """The states [n, dim] of every layer, each read when it is asked for: all are too many."""

    def __init__(self, rows: MomentRows, moments: NDArray[np.int64]) -> None:
        self._rows, self._moments = rows, moments

    def __len__(self) -> int:
        return self._rows.layers

    def __getitem__(self, layer: Any) -> Any:
        return self._rows.states(layer, self._moments)


def _probe_pattern(
    rows: MomentRows,
    data: ProbingData,
    columns: NDArray[np.int64],
    moments: NDArray[np.int64],
    *,
    works: NDArray[np.int64],
    fold: NDArray[np.int64],
    settings: ProbeSettings,
    significance: bool,
    found: _Curves,
    through: Array,
    inner: NDArray[np.float32],
    on_layer: Callable[[int], None],
) -> None:
    """Probe the curves that are defined on the same moments; add what is found."""
    owner = rows.owner[moments]
    present = np.unique(fold[owner])
    if len(present) < MIN_WORKS:
        return
    own_fold = np.full(int(fold.max()) + 1, -1)
    own_fold[present] = np.arange(len(present))  # folds without such moments are left out
    track_fold, y = own_fold[fold], rows.curves[moments][:, columns]
    names = [rows.names[column] for column in columns]
    definitions = [
        Definition(data.names.index(target), names.index(one.curve), one.function, one.course)
        for target, one in READINGS.items()
        if target in data.names and one.curve in names
    ]
    states = _LayersOnDisk(rows, moments)
    predictions: list[PredictedCurves] = []
    for layer in range(rows.layers):
        predictions.append(predict_curves(states[layer], y, track_fold[owner]))
        if definitions:
            scalars = read_scalars(
                predictions[-1].predicted,
                predictions[-1].inner,
                owner,
                data.targets,
                track_fold,
                definitions=definitions,
            )
            place = slice(layer * len(SMOOTHINGS), (layer + 1) * len(SMOOTHINGS))
            into = [one.target for one in definitions]
            through[place][:, :, into] = scalars.predicted
            for number, of in enumerate(present):
                inner[place, of][:, :, into] = scalars.inner[:, number]
        predictions[-1] = replace(predictions[-1], inner=_NONE)  # it was read
        on_layer(layer)
    found.fits.append(FittedTogether(names, present, [one.fits for one in predictions]))
    probed = probe_curves(
        states,
        predictions,
        y,
        names=names,
        owner=owner,
        works=works[owner],
        fold=track_fold[owner],
        shuffles=min(settings.permutations, CURVE_SHUFFLES) if significance else 0,
        resamples=settings.bootstrap if significance else 0,
        seed=settings.seed,
    )
    found.cells += probed.cells
    for curve, name in enumerate(names):
        share = np.bincount(probed.chosen[:, curve], minlength=rows.layers) / len(probed.chosen)
        scores = probed.nested_scores
        found.summaries.append(
            CurveSummary(
                curve=name,
                r2=defined(scores.r2[curve]),
                within=defined(scores.within[curve]),
                correlation=defined(scores.correlation[curve]),
                layers=share.tolist(),
            )
        )


def _tell(
    readings: dict[str, Candidates],
    data: ProbingData,
    fold: NDArray[np.int64],
    column: int,
    *,
    layers: int,
) -> TargetReadings:
    """Return what each reading of a target reaches, and the one that each training fold chose."""
    target = data.names[column]
    every = Candidates(
        np.concatenate([one.predicted for one in readings.values()]),
        np.concatenate([one.inner for one in readings.values()]),
    )
    best = choose(every, data.targets, fold, target=column)
    by: dict[str, Reading] = {}
    first = 0
    for name, candidates in readings.items():
        last = first + len(candidates.predicted)
        own = choose(candidates, data.targets, fold, target=column)
        if own is not None:
            by[name] = Reading(
                r2=own.r2,
                spearman=own.spearman,
                layers=_by_layer(own.shares, layers),
                share=0.0 if best is None else float(best.shares[first:last].sum()),
            )
        first = last
    if best is None:
        return TargetReadings(target=target, r2=None, mixed_r2=None, spearman=None, by=by)
    return TargetReadings(
        target=target,
        r2=best.r2,
        mixed_r2=mix(every, data.targets, fold, target=column),
        spearman=best.spearman,
        by=by,
    )


def _by_layer(shares: Array, layers: int) -> list[float]:
    """Return the share of each layer, whatever was smoothed how."""
    return [float(one) for one in shares.reshape(layers, -1).sum(axis=1)]
