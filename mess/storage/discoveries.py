"""Discoveries on disk: how well each layer predicts each target, and the predictions.

::

    processed/discovery/<dataset>/<encoder>.json                  the record
    processed/discovery/<dataset>/<encoder>.predictions.parquet   out-of-fold predictions
    processed/discovery/<dataset>/<encoder>.curves.npz            the probes of curves

The record names the checksums of the files beside it. The probes of curves are drawn from what the
record is drawn from, so they are stale when it is.

A discovery on segments has ``.segments`` before ``.json``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, ArtifactStale, MessError
from mess.probing.curve_probes import CurveProbes
from mess.records.discovery import DiscoveryRecord, Level
from mess.storage.arrays import read_arrays, write_arrays
from mess.storage.files import missing_files, modified, remove
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record
from mess.storage.tables import read_table, write_table

if TYPE_CHECKING:  # imported where it is used: many readers need no tables
    import pandas as pd


@dataclass(frozen=True)
class DiscoveryFiles:
    """The discoveries of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str, level: Level) -> Path:
        """Return the path of the record."""
        suffix = "" if level == "track" else ".segments"
        return processed(self.root, "discovery", dataset, f"{encoder_slug(encoder)}{suffix}.json")

    def paths(self, dataset: str, encoder: str) -> list[Path]:
        """Return all files of the discoveries on tracks and on segments."""
        records = [self.path(dataset, encoder, level) for level in get_args(Level)]
        beside = [_predictions_path(path) for path in records]
        return records + beside + [_probes_path(path) for path in records]

    def write(
        self,
        dataset: str,
        encoder: str,
        *,
        record: DiscoveryRecord,
        predictions: "pd.DataFrame",
        curve_probes: CurveProbes | None = None,
    ) -> Path:
        """Write out-of-fold predictions and probes of curves, then the record that names them."""
        path = self.path(dataset, encoder, record.settings.level)
        checksum = write_table(_predictions_path(path), predictions)
        record = replace(record, predictions_crc32=checksum)
        if curve_probes is not None:
            checksum = write_arrays(_probes_path(path), _as_arrays(curve_probes))
            record = replace(record, curve_probes_crc32=checksum)
        write_record(path, record)
        if curve_probes is None:
            remove(_probes_path(path))  # of an earlier discovery
        return path

    def read(self, dataset: str, encoder: str, *, level: Level = "track") -> DiscoveryRecord:
        """Read the record of a discovery.

        Raises
        ------
        ArtifactError
            If it is missing or damaged.
        """
        path = self.path(dataset, encoder, level)
        command = command_for("probe", dataset, encoder, level=level)
        record = read_record(path, DiscoveryRecord, command=command)
        if record.predictions_crc32 is None:
            raise ArtifactStale(str(path), "names no table of predictions", command)
        return record

    def read_predictions(
        self, dataset: str, encoder: str, *, level: Level = "track"
    ) -> "pd.DataFrame":
        """Read out-of-fold predictions: track, segment, target, layer, fold, true, predicted.

        Rows of layer −1 hold the predictions of the layer that each training fold chose.
        """
        record = self.read(dataset, encoder, level=level)
        return read_table(
            _predictions_path(self.path(dataset, encoder, level)),
            command=command_for("probe", dataset, encoder, level=level),
            checksum=record.predictions_crc32,
        )

    def read_curve_probes(self, dataset: str, encoder: str) -> CurveProbes:
        """Read the probes of curves that the discovery on whole tracks kept.

        Raises
        ------
        ArtifactError
            If they are missing or damaged.
        MessError
            If no curve could be probed; the message says why.
        """
        record, command = self.read(dataset, encoder), command_for("probe", dataset, encoder)
        if record.curve_probes_crc32 is None:
            if record.in_time is not None and record.in_time.why:
                raise MessError(f"no curves by {encoder!r}: {record.in_time.why}")
            of = f"the probes of curves of {dataset!r} by {encoder!r}"
            raise ArtifactError(of, "are not kept", command)
        path = _probes_path(self.path(dataset, encoder, "track"))
        arrays = read_arrays(path, checksum=record.curve_probes_crc32, command=command)
        try:
            return _from_arrays(arrays)
        except KeyError:
            reason = "was made by another version of the code"
            raise ArtifactStale(str(path), reason, command) from None

    def missing(
        self, dataset: str, encoder: str, record: DiscoveryRecord, *, whole: bool
    ) -> list[str]:
        """Return the files beside a record that are missing or, with ``whole``, damaged."""
        path = self.path(dataset, encoder, record.settings.level)
        return missing_files(path.parent, dict(_beside(path, record)), whole=whole)

    def modified(self, dataset: str, encoder: str, level: Level) -> float:
        """Return when a discovery was written, 0 if there is none."""
        return modified(self.path(dataset, encoder, level))


def _predictions_path(path: Path) -> Path:
    return path.with_suffix(".predictions.parquet")


def _probes_path(path: Path) -> Path:
    return path.with_suffix(".curves.npz")


def _beside(path: Path, record: DiscoveryRecord) -> Iterator[tuple[str, int]]:
    """Yield name and checksum of every file that the record names."""
    yield _predictions_path(path).name, record.predictions_crc32 or 0
    if record.curve_probes_crc32 is not None:
        yield _probes_path(path).name, record.curve_probes_crc32


def _as_arrays(probes: CurveProbes) -> dict[str, NDArray[Any]]:
    return {
        "curves": np.array(probes.curves),
        "tracks": np.array(probes.tracks),
        "works": np.array(probes.works),
        "fold": probes.fold,
        "weights": probes.weights,
        "intercepts": probes.intercepts,
    }


def _from_arrays(arrays: dict[str, NDArray[Any]]) -> CurveProbes:
    return CurveProbes(
        curves=tuple(arrays["curves"].tolist()),
        tracks=tuple(arrays["tracks"].tolist()),
        works=tuple(arrays["works"].tolist()),
        fold=arrays["fold"],
        weights=arrays["weights"],
        intercepts=arrays["intercepts"],
    )
