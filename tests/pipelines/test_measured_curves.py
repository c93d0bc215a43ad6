"""`mess targets` keeps the curves beside the scalar targets, and tells when they are damaged."""

from pathlib import Path

import numpy as np
from layouts import SMD_IDS, write_smd

from mess.audio.moments import moment_grid
from mess.curves import CURVES
from mess.status.steps import survey
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
