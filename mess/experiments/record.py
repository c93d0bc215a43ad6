"""Writing a discovery: its record, and the table of predictions beside it."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from mess.experiments.rows import ProbeSettings, ProbingData
from mess.probing.results import NESTED, Discovery
from mess.versions import DISCOVERY_VERSION


def as_record(
    data: ProbingData, found: Discovery, settings: ProbeSettings, tags: dict[str, str]
) -> dict[str, Any]:
    """Return how a discovery was made, and every cell."""
    return {
        **tags,
        "code_version": DISCOVERY_VERSION,
        "settings": asdict(settings),
        "layer_names": data.features.manifest["layer_names"],
        "target_names": data.names,
        "n": len(data.features.tracks),
        "works": len(set(data.works)),
        "groups": len(set(data.groups)),
        "copies": data.copies,
        "cells": [cell.as_dict() for cell in found.cells],
        "summaries": [summary.as_dict() for summary in found.summaries],
        "influence": _influence(data, found),
    }


def _influence(data: ProbingData, found: Discovery) -> dict[str, Any]:
    """Return how much each group moves log(1 − R²) of every nested probe, to six digits."""
    return {
        "groups": np.unique(data.groups).tolist(),
        "by_target": {
            name: [float(f"{value:.6g}") for value in found.influence[:, column]]
            for column, name in enumerate(data.names)
        },
    }


def as_table(data: ProbingData, found: Discovery) -> pd.DataFrame:
    """Return out-of-fold predictions as a long table; undefined rows are left out.

    Those of the nested probe stand in it as layer `NESTED`.
    """
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
