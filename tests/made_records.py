"""Records as the pipelines write them, with the few fields that a test is about."""

from collections.abc import Sequence
from typing import Any

from mess.probing.results import Cell, Combined, TargetSummary
from mess.records.discovery import DiscoveryRecord, Influence, ProbeSettings


def made_cell(layer: int, target: str, r2: float | None, **known: Any) -> Cell:
    """Return a cell of 90 rows of 45 works."""
    usual: dict[str, Any] = {"spearman": r2, "rmse": None if r2 is None else 1.0, "fold_r2": []}
    usual |= {"alpha": [], "n": 90, "works": 45}
    return Cell(layer, target, r2, **(usual | known))


def made_summary(target: str, r2: float | None, *, best: int = 0, **known: Any) -> TargetSummary:
    """Return a summary whose nested and weighted R² are the same."""
    combined = known.pop("combined", Combined(r2, r2, None, None, [1.0]))
    usual: dict[str, Any] = {"within": [best], "wins": [1.0]}
    return TargetSummary(target, best, **(usual | known), nested=combined, weighted=combined)


def made_discovery(
    cells: Sequence[Cell] = (), summaries: Sequence[TargetSummary] = (), **known: Any
) -> DiscoveryRecord:
    """Return a discovery of these cells."""
    layers = sorted({cell.layer for cell in cells})
    usual: dict[str, Any] = {
        "dataset": "d",
        "encoder": "e",
        "features": "f",
        "targets": "t",
        "code_version": 4,
        "settings": ProbeSettings(),
        "layer_names": [str(layer) for layer in layers],
        "target_names": list(dict.fromkeys(cell.target for cell in cells)),
        "n": 90,
        "works": 45,
        "groups": 45,
        "copies": {},
        "influence": Influence(groups=[], by_target={}),
        "inputs": {},
        "sensitivity": [],
        "parts": [],
    }
    return DiscoveryRecord(**(usual | {"cells": list(cells), "summaries": list(summaries)} | known))
