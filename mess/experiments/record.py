"""Writing a discovery: its record, and the table of predictions beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mess.experiments.rows import ProbingData
from mess.probing.results import NESTED, BaselineScore, BeyondScore, CurvePoint, Discovery
from mess.records.base import Parts
from mess.records.discovery import DiscoveryRecord, Influence, ProbeSettings, Split
from mess.records.in_time import InTimeRecord
from mess.versions import DISCOVERY_VERSION

if TYPE_CHECKING:
    import pandas as pd


def as_record(
    data: ProbingData,
    found: Discovery,
    *,
    dataset: str,
    settings: ProbeSettings,
    inputs: Mapping[str, Parts],
    sensitivity: list[Split],
    curve: list[CurvePoint] | None,
    controls: list[BaselineScore] | None,
    beyond: list[BeyondScore] | None = None,
    in_time: InTimeRecord | None = None,
) -> DiscoveryRecord:
    """Return how a discovery was made, every cell, and what stands beside them.

    Parameters
    ----------
    data : ProbingData
        What was probed.
    found : Discovery
    dataset : str
    settings : ProbeSettings
    inputs : mapping of str to Parts
        Of features and targets.
    sensitivity, curve, controls, beyond
        From `mess.experiments.controls`.
    in_time : InTimeRecord, optional
        From `mess.experiments.in_time`.
    """
    header = data.features.header
    return DiscoveryRecord(
        dataset=dataset,
        encoder=header.encoder,
        features=data.features.digest,
        targets=data.targets_digest,
        code_version=DISCOVERY_VERSION,
        settings=settings,
        layer_names=header.layer_names,
        target_names=data.names,
        n=len(data.features.tracks),
        works=len(set(data.works)),
        groups=len(set(data.groups)),
        copies=data.copies,
        cells=found.cells,
        summaries=found.summaries,
        influence=_influence(data, found),
        inputs=dict(inputs),
        sensitivity=sensitivity,
        curve=curve,
        controls=controls,
        beyond=beyond,
        in_time=in_time,
        parts=sorted(set(data.experiment(settings).part_of.values())),
    )


def _influence(data: ProbingData, found: Discovery) -> Influence:
    """Return how much each group moves log(1 − R²) of every nested probe, to six digits."""
    return Influence(
        groups=np.unique(data.groups).tolist(),
        by_target={
            name: [float(f"{value:.6g}") for value in found.influence[:, column]]
            for column, name in enumerate(data.names)
        },
    )


def as_table(data: ProbingData, found: Discovery) -> "pd.DataFrame":
    """Return out-of-fold predictions as a long table; undefined rows are left out.

    Those of the nested probe stand in it as layer `NESTED`.
    """
    import pandas as pd

    predicted = np.concatenate([found.predicted, found.nested[None]])
    layers, n, targets = predicted.shape
    numbers = np.append(np.arange(layers - 1), NESTED)
    layer, row, target = np.meshgrid(numbers, np.arange(n), np.arange(targets), indexing="ij")
    rows, columns = row.ravel(), target.ravel()
    table = pd.DataFrame(
        {
            "track": pd.Categorical(np.asarray(data.features.tracks, dtype=object)[rows]),
            "segment": data.features.segments[rows].astype(np.int32),
            "target": pd.Categorical(np.asarray(data.names, dtype=object)[columns]),
            "layer": layer.ravel().astype(np.int16),
            "fold": found.fold[rows].astype(np.int16),
            "true": data.targets[rows, columns],
            "predicted": predicted.ravel(),
        }
    )
    return table[np.isfinite(table["predicted"])]
