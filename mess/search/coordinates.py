"""From features and targets to the coordinates that search ranks by.

`mess.search.coordinate_index` says what a coordinate is and how it is searched.

Examples
--------
>>> import numpy as np
>>> import pandas as pd
>>> features = np.random.default_rng(0).standard_normal((30, 2, 8))
>>> course = pd.DataFrame(index=range(30))
>>> made = make_coordinates(
...     features, features[:, 0, :1], np.arange(30), names=["tempo"], course=course
... )
>>> [(column.name, column.kind) for column in made.columns]
[('tempo', 'probe'), ('tempo', 'direct'), ('tempo', 'probe_octaves'), ('tempo', 'probe_octaves'), \
('tempo', 'direct_octaves'), ('tempo', 'direct_octaves')]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing.folds import NO_PARTS
from mess.probing.max_t import significance_of_predictions
from mess.probing.metrics import defined
from mess.probing.ridge import Array
from mess.probing.stacking import SegmentProbes, Segments, Stacked, Table, stack
from mess.records.index import Column
from mess.search.aspects import ASPECTS
from mess.search.coordinate_map import CoordinateMap, combine
from mess.search.layer_index import unit_layers
from mess.search.spaces import Reduction, fit_reduction, fit_whitening, standardise
from mess.search.tempo import ON_CIRCLE, TEMPO, circle_r2, octave_targets, scale_of
from mess.search.through_time import NOTHING, CourseMap, Courses

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of every track.

    Attributes
    ----------
    columns : list of Column
    values : ndarray [shape=(n, columns)]
        NaN where a value is unknown.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    projection : CoordinateMap
        The map from the features of a recording outside the index to the same coordinates; NaN in
        the columns "direct".
    fold : ndarray [shape=(n,), dtype=int]
        The fold that was fitted without the work of the track; −1 if none was fitted with it.
    of_segments : SegmentProbes or None
        The probes of segments, if there were segments: the targets in the order of ``names``, then
        the values that are known of whole tracks only.
    names : list of str
    """

    columns: list[Column]
    values: Array
    overall: Array
    projection: CoordinateMap
    fold: NDArray[np.int64]
    of_segments: SegmentProbes | None
    names: list[str]


def make_coordinates(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    works: ArrayLike,
    *,
    names: Sequence[str],
    course: "pd.DataFrame",
    segments: Segments | None = None,
    extremes: NDArray[np.floating[Any]] | None = None,
    courses: Courses | None = None,
    folds: int = 10,
    seed: int = 0,
    part_of: Mapping[str, str] = NO_PARTS,
) -> Coordinates:
    """Predict the targets, standardise them, and reduce them to subspaces.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, 2 · dim)]
        Means and standard deviations over time. Each layer gives two predictors, the means alone
        and both together; a probe mixes all predictors.
    targets : array_like [shape=(n, t)]
        NaN where a value is unknown.
    works : array_like [shape=(n,)]
    names : sequence of str, length t
    course : DataFrame [shape=(n, c)]
        From `describe_course`; its columns are added to the subspaces.
    segments : Segments, optional
        With the targets ``names``; probes fitted on segments are added to the mixture.
    extremes : ndarray [shape=(n, layers, 2 · dim)], optional
        The least and the greatest mean of a segment: each layer's means with them are one more
        predictor.
    courses : Courses, optional
        The targets as they are read through time, by the folds of `mess.probing.stacking.folds_of`;
        they are added to the mixture.
    folds, seed, part_of
        See `mess.probing.folds.assign_folds`.

    Raises
    ------
    MessError
        If the tracks with a known target belong to fewer than three works.
    """
    y = np.asarray(targets, dtype=np.float64)
    octaves = octave_targets(y, names)
    beside = np.hstack([octaves, course.to_numpy(dtype=np.float64)])  # known for whole tracks only
    every = np.hstack([y, beside])
    half = features.shape[2] // 2
    parts = [np.arange(half), np.arange(2 * half)]
    whole = features
    if extremes is not None:
        whole = np.concatenate([features, extremes], axis=2)
        parts.append(np.r_[np.arange(half), np.arange(2 * half, 4 * half)])
    predictors = [whole[:, layer, part] for layer in range(features.shape[1]) for part in parts]
    if segments is not None:
        unknown = np.full((len(segments.owner), beside.shape[1]), np.nan)
        segments = replace(segments, targets=np.hstack([segments.targets, unknown]))
    more = [_widen(table, beside.shape[1]) for table in courses.tables] if courses else []
    stacked = stack(
        predictors,
        every,
        works,
        segments=segments,
        more=more,
        folds=folds,
        seed=seed,
        part_of=part_of,
    )
    linear = len(stacked.weights) - len(more)
    weights, intercepts = combine(
        stacked.weights[:linear], stacked.intercepts, parts=parts, shape=whole.shape[1:]
    )
    through_time = stacked.shares[:, linear:]
    course_map = _weigh(courses, through_time) if courses else NOTHING
    p_family = significance_of_predictions(
        y, stacked.predicted[:, : len(names)], works, fold=stacked.fold, seed=seed
    )
    columns: list[Column] = []
    values: list[Array] = []
    maps: list[tuple[NDArray[np.float32], float]] = []
    of_targets: list[Array] = []  # how each coordinate follows from what is read through time

    def add(column: Column, x: Array, *, source: int) -> None:
        """Append one standardised coordinate and its linear map from the features."""
        columns.append(column)
        values.append(x)
        own, shift = weights[:, source] / column.deviation, intercepts[source] - column.mean
        through = (np.arange(len(names)) == source) / column.deviation
        if column.kind in ("direct", "direct_octaves"):
            own, shift, through = np.zeros_like(own), np.nan, np.zeros(len(names))
        maps.append((own, shift / column.deviation))
        of_targets.append(through)

    both: tuple[tuple[Literal["probe", "direct"], Array], ...] = (
        ("probe", stacked.predicted),
        ("direct", every),
    )
    for kind, table in both:
        x, mean, deviation = standardise(table[:, : len(names)])
        for number, name in enumerate(names):
            known = x[np.isfinite(x[:, number]), number]
            if not known.size or np.ptp(known) == 0:
                continue
            column = Column(name, kind, float(mean[number]), float(deviation[number]))
            if kind == "probe":
                column = replace(
                    column,
                    r2=defined(stacked.r2[number]),
                    p_family=defined(p_family[number]),
                    through_time=defined(np.nan_to_num(through_time[number]).sum()),
                )
            add(column, x[:, number], source=number)
    for kind, table in both:
        for source, column in _octave_columns(
            table, stacked.r2, kind=kind, first=len(names), count=octaves.shape[1]
        ):
            x = (table[:, source] - column.mean) / column.deviation
            add(column, x, source=source)
    for aspect, sources in _subspaces(names, octaves.shape[1], list(course.columns)).items():
        kept, reduction = _reduce(stacked, every, sources)
        reduced = reduction.apply(stacked.predicted[:, kept])
        columns += [Column(aspect, "subspace") for _ in range(reduced.shape[1])]
        values += list(reduced.T)
        shifts = reduction.apply(intercepts[None, kept])[0]
        through = np.zeros((len(names), reduction.directions.shape[1]))
        of_known = [number for number, column in enumerate(kept) if column < len(names)]
        through[[kept[number] for number in of_known]] = reduction.directions[of_known]
        of_targets += list(through.T)
        maps += list(zip((weights[:, kept] @ reduction.directions).T, shifts, strict=True))
    centres = features[:, :, :half].mean(axis=0, dtype=np.float64)
    vectors = unit_layers(features[:, :, :half], centres).reshape(len(y), -1)
    whitening = fit_whitening(vectors.astype(np.float64))
    projection = CoordinateMap(
        weights=np.array([own for own, _ in maps], dtype=np.float32).reshape(-1, len(weights)).T,
        intercepts=np.array([shift for _, shift in maps]),
        centres=centres,
        whitening=whitening,
        course=course_map,
        names=tuple(names),
        of_targets=np.array(of_targets).reshape(-1, len(names)).T,
    )
    return Coordinates(
        columns,
        np.array(values).reshape(-1, len(y)).T,
        whitening.apply(vectors),
        projection,
        stacked.fold,
        stacked.of_segments,
        list(names),
    )


def _widen(table: Table, columns: int) -> Table:
    """Return a table with more columns, which it knows nothing of."""

    def wider(values: NDArray[Any], filled: float = np.nan) -> NDArray[Any]:
        room = np.full((*values.shape[:-1], columns), filled, dtype=values.dtype)
        return np.concatenate([values, room], axis=-1)

    return Table(
        wider(table.predicted),
        wider(table.inner),
        wider(table.elsewhere),
        wider(table.weights, 0.0),
        wider(table.intercepts, 0.0),
    )


def _weigh(courses: Courses, shares: Array) -> CourseMap:
    """Return the map through time of other recordings, with the share of each line."""
    counts = np.zeros(len(courses.map.lines))
    for number, lines in enumerate(courses.lines):
        told = np.flatnonzero(lines >= 0)
        counts[lines[told]] = np.nan_to_num(shares[told, number])
    return courses.map.weighed(counts.tolist())


def describe_course(segments: "pd.DataFrame", tracks: Sequence[str]) -> "pd.DataFrame":
    """Return how each target changes within each track.

    Parameters
    ----------
    segments : DataFrame
        Targets of segments, with the index (track, segment).
    tracks : sequence of str, length n

    Returns
    -------
    DataFrame [shape=(n, 2 · targets)]
        ``<target>:spread``, the standard deviation over segments, and ``<target>:drift``, the mean
        of the second half minus that of the first.
    """
    import pandas as pd

    if segments.empty:
        return pd.DataFrame(index=list(tracks))
    number = segments.index.get_level_values(1).to_numpy()
    by_track = segments.groupby(level=0)
    last = by_track.transform("size").to_numpy()
    late = number >= last / 2
    spread = by_track.std(ddof=0).add_suffix(":spread")
    drift = segments[late].groupby(level=0).mean() - segments[~late].groupby(level=0).mean()
    return spread.join(drift.add_suffix(":drift")).reindex(list(tracks))


def _octave_columns(
    table: Array, r2: Array, *, kind: Literal["probe", "direct"], first: int, count: int
) -> list[tuple[int, Column]]:
    """Return the columns that tempo is compared by, each with its number in ``table``.

    These are both columns of the circle, then the density. There are none if no tempo is known, or
    if tempo does not vary.
    """
    sources = list(range(first, first + count))
    _, mean, deviation = standardise(table[:, sources])
    if not count or not np.isfinite(table[:, sources[:ON_CIRCLE]]).any():
        return []
    scale = scale_of(deviation)
    if not scale[0] > 0:
        return []
    of_circle = circle_r2(r2[sources], np.nan_to_num(deviation))
    columns = []
    for number, source in enumerate(sources):
        if not scale[number] > 0:
            continue
        own = of_circle if number < ON_CIRCLE else r2[source]
        columns.append(
            (
                source,
                Column(
                    TEMPO,
                    "probe_octaves" if kind == "probe" else "direct_octaves",
                    mean=float(mean[number]),
                    deviation=float(scale[number]),
                    r2=defined(own) if kind == "probe" else None,
                ),
            )
        )
    return columns


def _subspaces(names: Sequence[str], octaves: int, courses: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of targets and of their course that belong to each aspect.

    For tempo these are the columns of the circle, without the density.
    """
    subspaces = {}
    for aspect, targets in ASPECTS.items():
        own = [number for number, name in enumerate(names) if name in targets and name != TEMPO]
        if TEMPO in targets and octaves:
            own += [len(names) + number for number in range(ON_CIRCLE)]
        own += [
            len(names) + octaves + number
            for number, name in enumerate(courses)
            if name.partition(":")[0] in targets
        ]
        if own:
            subspaces[aspect] = own
    return subspaces


def _reduce(
    stacked: Stacked, targets: Array, columns: Sequence[int]
) -> tuple[list[int], Reduction]:
    """Return the columns of an aspect that can be predicted, and the subspace over them."""
    kept = [column for column in columns if np.nan_to_num(stacked.r2[column], nan=-1.0) > 0]
    return kept, fit_reduction(stacked.predicted[:, kept], targets[:, kept])
