"""Run the controls of a discovery: baselines, other groupings and seeds, the learning curve."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, MessError
from mess.experiments.rows import ProbingData
from mess.probing.beyond import find_beyond
from mess.probing.controls import (
    compare_baselines,
    label_mean,
    learning_curve,
    nested_scores,
)
from mess.probing.results import BaselineScore, BeyondScore, CurvePoint
from mess.records.discovery import ProbeSettings, Split
from mess.storage.store import Store
from mess.targets.descriptors import BASELINES

SIGNAL_FEATURES = "signal features"  # all plain descriptions together


class Baselines(NamedTuple):
    """What the layers are compared with, on the rows of an experiment.

    Attributes
    ----------
    plain : dict of str to ndarray [shape=(n, 1, d)]
        The plain descriptions of the audio.
    encoders : dict of str to ndarray [shape=(n, layers, d)]
        Other encoders, as far as their features were extracted.
    """

    plain: dict[str, NDArray[np.floating[Any]]]
    encoders: dict[str, NDArray[np.floating[Any]]]


def read_baselines(
    data: ProbingData, *, dataset: str, encoder: str, settings: ProbeSettings, store: Store
) -> Baselines:
    """Read what the layers are compared with."""
    return Baselines(
        plain=_descriptors(data, dataset, store),
        encoders=_other_encoders(data, dataset, encoder, settings, store),
    )


def find_controls(
    data: ProbingData, baselines: Baselines, *, settings: ProbeSettings
) -> list[BaselineScore]:
    """Score every available baseline on the rows of an experiment."""
    rows: list[BaselineScore] = []
    groups, experiment = data.groups, data.experiment(settings)
    for name, labels in (
        ("training mean", [""] * len(groups)),
        ("composer mean", data.labels["composer"]),
    ):
        rows += label_mean(
            name,
            labels,
            data.targets,
            groups,
            names=data.names,
            folds=settings.folds,
            seed=settings.seed,
            part_of=experiment.part_of,
        )
    return rows + compare_baselines(
        baselines.plain | baselines.encoders,
        data.targets,
        groups,
        names=data.names,
        settings=experiment,
    )


def find_beyond_baselines(
    data: ProbingData, baselines: Baselines, *, encoder: str, settings: ProbeSettings
) -> list[BeyondScore]:
    """Return what the layers tell beyond all plain descriptions, and beyond an untrained network.

    The untrained network is compared if its features were extracted.
    """
    features = data.features.values
    by_name = {SIGNAL_FEATURES: np.concatenate(list(baselines.plain.values()), axis=2)}
    untrained = baselines.encoders.get(f"random:{encoder}")
    if untrained is not None and untrained.shape == features.shape:
        by_name["untrained network"] = untrained
    return [
        score
        for name, baseline in by_name.items()
        for score in find_beyond(
            features,
            data.targets,
            data.groups,
            names=data.names,
            baseline=baseline,
            name=name,
            settings=data.experiment(settings),
        )
    ]


def _descriptors(
    data: ProbingData, dataset: str, store: Store
) -> dict[str, NDArray[np.floating[Any]]]:
    """Return the plain descriptions of the rows as features with one layer."""
    measured = store.targets.manifest(dataset).done()
    by_track = {
        track: store.targets.read_descriptors(dataset, track, measured[track])
        for track in dict.fromkeys(data.features.tracks)
    }
    rows = zip(data.features.tracks, data.features.segments.tolist(), strict=True)
    keys = [(track, segment + 1) for track, segment in rows]
    return {
        name: np.stack([by_track[track][name][row] for track, row in keys])[:, None]
        for name in BASELINES
    }


def _other_encoders(
    data: ProbingData, dataset: str, encoder: str, settings: ProbeSettings, store: Store
) -> dict[str, NDArray[np.floating[Any]]]:
    """Return the features of the encoders that serve as baselines, if they were extracted."""
    found = {}
    for other in ("spectral", f"random:{encoder}"):
        if encoder_slug(other) == encoder_slug(encoder):
            continue
        try:
            features = store.features.read(
                dataset, other, level=settings.level, pooling=settings.pooling
            )
        except ArtifactError:
            continue
        keys = zip(features.tracks, features.segments.tolist(), strict=True)
        row_of = {key: row for row, key in enumerate(keys)}
        wanted = list(zip(data.features.tracks, data.features.segments.tolist(), strict=True))
        if all(key in row_of for key in wanted):
            found[other] = features.values[[row_of[key] for key in wanted]]
    return found


def find_sensitivity(
    data: ProbingData,
    *,
    settings: ProbeSettings,
    on_run: Callable[[str], None],
) -> list[Split]:
    """Repeat the nested experiment with other groupings and other seeds."""
    runs = [(grouping, settings.seed) for grouping in settings.group_by]
    runs += [
        (settings.group_by[0], settings.seed + repeat) for repeat in range(1, settings.repeats)
    ]
    rows: list[Split] = []
    for grouping, seed in runs:
        groups = data.labels[grouping]
        try:
            scores = nested_scores(
                data.features.values,
                data.targets,
                groups,
                names=data.names,
                settings=replace(data.experiment(settings, by=grouping), seed=seed),
            )
        except MessError as error:  # fewer than three composers, say
            rows.append(Split(group_by=grouping, seed=seed, groups=0, why=str(error)))
        else:
            rows.append(Split(group_by=grouping, seed=seed, groups=len(set(groups)), r2=scores))
        on_run(f"by {grouping}, seed {seed}")
    return rows


def find_learning_curve(data: ProbingData, *, settings: ProbeSettings) -> list[CurvePoint]:
    """Return how the nested R² grows with the number of works."""
    return learning_curve(
        data.features.values,
        data.targets,
        data.groups,
        names=data.names,
        settings=data.experiment(settings),
    )
