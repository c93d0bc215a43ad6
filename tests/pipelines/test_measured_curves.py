"""`mess targets` keeps the curves beside the scalar targets, and tells when they are damaged."""

from pathlib import Path

import numpy as np
import pytest
from layouts import SMD_IDS, write_smd

from mess.audio.moments import moment_grid
from mess.curves import CURVES
from mess.errors import ArtifactStale
from mess.records.targets import TargetsEntry, TargetsHeader
from mess.status.steps import survey
from mess.storage.arrays import write_arrays
from mess.storage.manifest import Manifest
from mess.storage.store import Store
from pipelines.compute_targets import compute_dataset_targets


def test_curves_are_kept_and_made_anew_where_they_are_damaged(data_root: Path) -> None:
    write_smd(data_root / "audio" / "smd", seconds=7.0)
    store = Store(data_root)
    assert compute_dataset_targets(dataset="smd", store=store).made == 8
    kept = list(store.curves.read("smd", store.targets.manifest("smd")))
    assert [one.track for one in kept] == sorted(SMD_IDS)
    for one in kept:
        np.testing.assert_allclose(one.start, moment_grid(7 * 24_000, 24_000).start)
        assert one.values.shape == (len(one.start), len(CURVES))
        assert np.isfinite(one.values[:, list(CURVES).index("level")]).sum() > 8
    path = store.curves.path("smd", SMD_IDS[1])
    path.write_bytes(path.read_bytes()[:-9])
    assert survey(store, "smd", "spectral")[1].state == "ready", "at a glance"
    assert survey(store, "smd", "spectral", whole=("targets",))[1].state == "damaged"
    made = compute_dataset_targets(dataset="smd", store=store)
    assert (made.made, made.skipped) == (1, 7)
    path.unlink()
    assert survey(store, "smd", "spectral")[1].state == "damaged"
    assert compute_dataset_targets(dataset="smd", store=store).made == 1


def test_curves_of_an_older_version_are_refused_with_the_command_that_mends_it(
    data_root: Path,
) -> None:
    store = Store(data_root)
    path = store.curves.path("smd", "one")
    path.parent.mkdir(parents=True)
    older = {"start": np.zeros(4), "values": np.zeros((4, len(CURVES)), np.float32)}
    header = TargetsHeader(
        dataset="smd",
        code_version=1,
        curves_version=1,
        targets=[],
        curves=[],
        sample_rate=24_000,
        segment_seconds=5.0,
    )
    entry = TargetsEntry(
        path="one.wav",
        work="one",
        size=1,
        mtime_ns=1,
        sha256="0",
        values_crc32=0,
        descriptors_crc32=0,
        fingerprint_crc32=0,
        curves_crc32=write_arrays(path, older),
        midi_stat=None,
    )
    manifest = Manifest(store.root / "smd.json", header, {"one": entry})
    for read in (
        lambda: list(store.curves.read("smd", manifest)),
        lambda: store.curves.read_beats("smd", "one", entry),
    ):
        with pytest.raises(ArtifactStale, match="mess targets --dataset smd"):
            read()
