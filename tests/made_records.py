"""Records as the pipelines write them, with the few fields that a test is about."""

from collections.abc import Sequence
from typing import Any

from mess.probing.results import Cell, Combined, TargetSummary
from mess.records.discovery import DiscoveryRecord, Influence, ProbeSettings
from mess.records.features import FeaturesEntry, FeaturesHeader
from mess.records.targets import TargetsEntry, TargetsHeader
from mess.targets import targets_version
from mess.versions import FEATURES_VERSION

_DONE = {"size": 1, "mtime_ns": 1, "sha256": "1", "path": "a.wav", "work": "w"}


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


def made_header(**known: Any) -> FeaturesHeader:
    """Return the header of features of two layers."""
    usual: dict[str, Any] = {
        "dataset": "d",
        "encoder": "e",
        "revision": "",
        "weights_sha256": "",
        "licence": "",
        "sample_rate": 16_000,
        "layers": 2,
        "dim": 4,
        "layer_names": ["0", "1"],
        "normalise": "track",
        "settings": {},
        "segment_seconds": 5.0,
        "code_version": FEATURES_VERSION,
    }
    return FeaturesHeader(**(usual | known))


def made_entry(*parts: object, **known: Any) -> FeaturesEntry:
    """Return the entry of a track that has features, made of what was written of it."""
    usual: dict[str, Any] = {"duration": 5.0, "segments": 1, "raw_bytes": 0}
    return FeaturesEntry.of(*parts, **(_DONE | usual | known))


def made_targets_header(**known: Any) -> TargetsHeader:
    """Return the header of targets."""
    usual: dict[str, Any] = {
        "dataset": "d",
        "code_version": targets_version(),
        "targets": [],
        "sample_rate": 22_050,
        "segment_seconds": 5.0,
        "curves": [],
        "curves_version": 1,
    }
    return TargetsHeader(**(usual | known))


def made_targets_entry(*parts: object, **known: Any) -> TargetsEntry:
    """Return the entry of a measured track, made of what was written of it."""
    usual: dict[str, Any] = {"curves_crc32": 0, "midi_stat": None}
    return TargetsEntry.of(*parts, **(_DONE | usual | known))
