"""Untangle readings: what is left after an erasure, what a layer saves in bits, what confounds it.

Each function takes the rows of an experiment and returns the record of its result.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mess.errors import MessError
from mess.experiments.rows import ProbingData
from mess.probing.confounds import Confound, Confounded, hold_apart
from mess.probing.discovery import discover
from mess.probing.erasure import erase_each
from mess.probing.folds import assign_folds
from mess.probing.online_code import code_online
from mess.probing.results import DiscoverySettings, TargetSummary
from mess.records.base import Parts
from mess.records.untangled import (
    CodelengthRecord,
    ConfoundsRecord,
    ErasureRecord,
    UntangleSettings,
)
from mess.storage.store import Store
from mess.targets.descriptors import BASELINES
from mess.versions import UNTANGLED_VERSION

LOUDNESS = BASELINES[0]  # "duration and loudness"
_STATED = ("instrument", "performer", "year")  # what a dataset may state beside the composer
_FEW = 200  # bootstrap draws, enough to tell whether an interval lies above 0


def find_erasure(
    data: ProbingData,
    *,
    dataset: str,
    settings: UntangleSettings,
    inputs: dict[str, Parts],
    on_target: Callable[[str], None] = lambda _: None,
) -> ErasureRecord:
    """Erase every target that is read, each from its best layer or from the one that is asked for.

    A target is read if the interval of its nested R² lies above 0; with fewer than ten works, which
    give no interval, if the R² does.

    Raises
    ------
    MessError
        If there is no such layer.
    """
    layers = len(data.features.header.layer_names)
    if settings.layer is not None and not 0 <= settings.layer < layers:
        raise MessError(f"--layer {settings.layer}: there are the layers 0 to {layers - 1}")
    experiment = DiscoverySettings(folds=settings.folds, seed=settings.seed, bootstrap=_FEW)
    found = discover(
        data.features.values, data.targets, data.works, names=data.names, settings=experiment
    )
    best = {one.target: one.best for one in found.summaries if _is_read(one)}
    columns = [place for place, name in enumerate(data.names) if name in best]
    names = [data.names[place] for place in columns]
    erased = erase_each(
        data.features.values,
        data.targets[:, columns],
        data.works,
        names=names,
        layer_of={name: best[name] if settings.layer is None else settings.layer for name in names},
        fold=assign_folds(data.works, folds=settings.folds, seed=settings.seed),
        draws=settings.draws,
        seed=settings.seed,
        on_target=on_target,
    )
    return ErasureRecord(
        **_about(data, dataset=dataset, settings=settings, inputs=inputs),
        names=names,
        unread=[name for name in data.names if name not in best],
        losses=erased.losses,
        unseen=erased.unseen,
        control=erased.control,
    )


def find_codelength(
    data: ProbingData,
    *,
    dataset: str,
    settings: UntangleSettings,
    inputs: dict[str, Parts],
    on_order: Callable[[str], None] = lambda _: None,
) -> CodelengthRecord:
    """Code every target by every layer."""
    codes = code_online(
        data.features.values,
        data.targets,
        data.works,
        names=data.names,
        orders=settings.orders,
        seed=settings.seed,
        on_order=on_order,
    )
    return CodelengthRecord(
        **_about(data, dataset=dataset, settings=settings, inputs=inputs), codes=codes
    )


def find_confounds(
    data: ProbingData,
    confounds: list[Confound],
    *,
    dataset: str,
    settings: UntangleSettings,
    inputs: dict[str, Parts],
    on_confound: Callable[[str], None] = lambda _: None,
) -> ConfoundsRecord:
    """Hold every confound apart in turn; those that cannot be are named with the reason."""
    rows: list[Confounded] = []
    levels, left_out = {}, {}
    for confound in confounds:
        if why := confound.why_not(np.asarray(data.works)):
            left_out[confound.name] = why
            continue
        levels[confound.name] = len(np.unique(confound.levels[confound.known]))
        found = hold_apart(
            data.features.values,
            data.targets,
            data.works,
            names=data.names,
            confound=confound,
            folds=settings.folds,
            seed=settings.seed,
        )
        rows += [one for one in found if one.target != confound.name]
        on_confound(confound.name)
    return ConfoundsRecord(
        **_about(data, dataset=dataset, settings=settings, inputs=inputs),
        names=data.names,
        levels=levels,
        left_out=left_out,
        rows=rows,
    )


def read_confounds(data: ProbingData, *, dataset: str, store: Store) -> list[Confound]:
    """Return what may stand behind a reading: what the dataset states, register and loudness.

    The register is that of the MIDI. The loudness is the level of the whole recording.
    """
    entries = store.targets.manifest(dataset).done()
    of_rows = [entries[track] for track in data.features.tracks]
    level = {}  # of the whole recording, dB
    for track in dict.fromkeys(data.features.tracks):
        described = store.targets.read_descriptors(dataset, track, entries[track])
        level[track] = float(described[LOUDNESS][0, 1]) if LOUDNESS in described else np.nan
    register = np.full(len(of_rows), np.nan)
    if "register" in data.names:
        register = data.targets[:, data.names.index("register")]
    return [
        Confound.of_labels("composer", [entry.composer for entry in of_rows]),
        *(
            Confound.of_labels(name, [entry.extra.get(name, "") for entry in of_rows])
            for name in _STATED
        ),
        Confound.of_numbers("register", register),
        Confound.of_numbers("loudness", [level[track] for track in data.features.tracks]),
    ]


def _is_read(summary: TargetSummary) -> bool:
    least = summary.nested.r2 if summary.nested.low is None else summary.nested.low
    return summary.beyond_mean and least is not None and least > 0


def _about(
    data: ProbingData, *, dataset: str, settings: UntangleSettings, inputs: dict[str, Parts]
) -> dict[str, Any]:
    """Return the fields that all records have."""
    header = data.features.header
    return {
        "dataset": dataset,
        "encoder": header.encoder,
        "features": data.features.digest,
        "targets": data.targets_digest,
        "inputs": inputs,
        "code_version": UNTANGLED_VERSION,
        "settings": settings,
        "n": len(data.features.tracks),
        "works": len(set(data.works)),
        "layer_names": header.layer_names,
    }
