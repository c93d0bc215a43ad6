"""A batch goes on where it stopped, does what has changed and nothing else."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from layouts import SMD, SMD_IDS, write_piece, write_smd

from mess.encoders import load_encoder
from mess.storage.paths import file_stem
from mess.storage.store import Store
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_features
from pipelines.steps import BatchSummary

# Runs `mess` and sends itself a signal while it writes the second of its fourth track's four files.
INTERRUPTED = """
import os, signal, sys
import mess.storage.store
number, calls, write_array = getattr(signal, sys.argv.pop(1)), 0, mess.storage.features.write_array

def write_and_stop(path, array):
    global calls
    calls += 1
    if calls == 14:
        os.kill(os.getpid(), number)
    return write_array(path, array)

mess.storage.features.write_array = write_and_stop
from pipelines.cli import main
main()
"""


@pytest.fixture
def store(data_root: Path) -> Store:
    write_smd(data_root / "audio" / "smd", seconds=6.0)
    return Store(data_root)


def extract(*, force: bool = False, raw: bool = False) -> BatchSummary:
    return extract_features(dataset="smd", encoder="spectral", force=force, raw=raw, workers=2)


def features(store: Store, kind: str = "aggregated") -> dict[str, Path]:
    folder = store.root / "processed/features/smd/spectral" / kind
    return {track: folder / f"{file_stem(track)}.npy" for track in SMD_IDS}


def times(files: dict[str, Path]) -> dict[str, int]:
    return {track: path.stat().st_mtime_ns for track, path in files.items()}


def changed(before: dict[str, int], files: dict[str, Path]) -> set[str]:
    return {track for track, time in times(files).items() if time != before[track]}


def interrupt(signal: str) -> subprocess.CompletedProcess[str]:
    command = ["extract", "--dataset", "smd", "--encoder", "spectral", "--workers", "2"]
    return subprocess.run(
        [sys.executable, "-c", INTERRUPTED, signal, *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_run_does_nothing(store: Store) -> None:
    assert (first := extract()).made == len(SMD)
    assert not first.failed
    before = times(features(store))
    again = extract()
    assert (again.made, again.skipped, again.failed) == (0, len(SMD), {})
    assert changed(before, features(store)) == set()


def test_force_redoes_everything(store: Store) -> None:
    extract()
    before = times(features(store))
    assert extract(force=True).made == len(SMD)
    assert changed(before, features(store)) == set(SMD_IDS)


def test_a_changed_recording_is_redone_alone(store: Store) -> None:
    extract()
    before = times(features(store))
    digest = store.features.manifest("smd", "spectral").digest()
    write_piece(store.audio_dir("smd") / f"{SMD[2]}.wav", 11, seconds=6.0)
    again = extract()
    assert (again.made, again.skipped) == (1, len(SMD) - 1)
    assert changed(before, features(store)) == {SMD_IDS[2]}
    assert store.features.manifest("smd", "spectral").digest() != digest


def test_a_new_file_time_alone_is_no_change(store: Store) -> None:
    extract()
    before = times(features(store))
    os.utime(store.audio_dir("smd") / f"{SMD[2]}.wav", (1, 1))
    assert extract().made == 0
    assert changed(before, features(store)) == set()


@pytest.mark.parametrize("kind", ["aggregated", "segments"])
def test_a_damaged_or_missing_file_is_redone_alone(store: Store, kind: str) -> None:
    extract()
    files = features(store, kind)
    whole = {track: path.read_bytes() for track, path in files.items()}
    files[SMD_IDS[1]].write_bytes(whole[SMD_IDS[1]][:200])
    files[SMD_IDS[4]].unlink()
    assert extract().made == 2
    assert {track: path.read_bytes() for track, path in files.items()} == whole


def test_other_settings_redo_everything(store: Store) -> None:
    extract()
    manifest = store.features.manifest("smd", "spectral")
    header = replace(manifest.header, code_version=-1)
    store.features.resume("smd", "spectral", header=header).close()
    assert extract().made == len(SMD)


def test_a_recording_that_is_gone_is_forgotten(store: Store) -> None:
    extract()
    (store.audio_dir("smd") / f"{SMD[0]}.wav").unlink()
    assert extract().skipped == len(SMD) - 1
    assert store.features.read("smd", "spectral").tracks == sorted(SMD_IDS[1:])


def test_raw_features_hold_every_frame(store: Store) -> None:
    assert extract(raw=True).made == len(SMD)
    model = load_encoder("spectral")
    pooled = np.load(features(store, "segments")[SMD_IDS[0]])
    raw = np.load(features(store, "raw")[SMD_IDS[0]], mmap_mode="r", allow_pickle=False)
    assert raw.dtype == np.float16
    assert raw.shape[:2] == (2, model.layers)  # 6 s: the second segment begins at 1 s
    assert raw.shape[3] == model.dim
    np.testing.assert_allclose(raw.mean(axis=2, dtype=np.float32), pooled, rtol=0.01, atol=0.01)


def test_raw_features_are_added_where_they_are_missing_stale_or_cut(store: Store) -> None:
    extract()
    assert not features(store, "raw")[SMD_IDS[0]].exists()
    assert extract(raw=True).made == len(SMD)
    assert extract(raw=True).made == 0
    assert extract().made == 0

    raw = features(store, "raw")
    raw[SMD_IDS[3]].write_bytes(raw[SMD_IDS[3]].read_bytes()[:-2])
    write_piece(store.audio_dir("smd") / f"{SMD[5]}.wav", 9, seconds=6.0)
    old = raw[SMD_IDS[5]].read_bytes()
    assert extract().made == 1
    assert not raw[SMD_IDS[5]].exists()  # it was that of the old recording
    assert extract(raw=True).made == 2
    assert raw[SMD_IDS[5]].read_bytes() != old


def test_a_kill_costs_the_track_in_work_and_no_other(store: Store) -> None:
    killed = interrupt("SIGKILL")
    assert killed.returncode == -9
    assert len(store.features.read("smd", "spectral").tracks) == 3
    done = [track for track, path in features(store, "segments").items() if path.exists()]
    before = times({track: features(store)[track] for track in done})
    assert len(done) == 3

    again = extract()
    assert (again.made, again.skipped) == (len(SMD) - 3, 3)
    assert changed(before, {track: features(store)[track] for track in done}) == set()
    interrupted = store.features.read("smd", "spectral").values
    folder = store.root / "processed/features/smd/spectral"
    assert not list(folder.rglob("*.tmp"))
    assert not list(folder.rglob("*.journal*"))
    extract(force=True)
    np.testing.assert_array_equal(interrupted, store.features.read("smd", "spectral").values)


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interruption_says_that_the_same_command_goes_on(store: Store, signal: str) -> None:
    stopped = interrupt(signal)
    assert stopped.returncode == 130
    assert stopped.stderr.splitlines() == ["stopped; the same command goes on from here"]
    assert len(store.features.read("smd", "spectral").tracks) == 3
    assert extract().skipped == 3


def test_targets_go_on_in_the_same_way(store: Store) -> None:
    assert compute_dataset_targets(dataset="smd", workers=2).made == len(SMD)
    table = store.targets.read("smd")
    values = store.root / "processed/targets/smd"
    (values / f"{SMD_IDS[1]}.json").write_text('{"track": {"tempo"')
    (values / f"{SMD_IDS[2]}.json").unlink()
    write_piece(store.audio_dir("smd") / f"{SMD[6]}.wav", 10, seconds=6.0)
    again = compute_dataset_targets(dataset="smd", workers=2)
    assert (again.made, again.skipped) == (3, len(SMD) - 3)
    fresh = store.targets.read("smd")
    same = table.index.get_level_values("track") != SMD_IDS[6]
    np.testing.assert_array_equal(table[same].to_numpy(), fresh[same].to_numpy())
    assert not table.equals(fresh)
    assert compute_dataset_targets(dataset="smd", workers=2).made == 0
    assert compute_dataset_targets(dataset="smd", workers=2, force=True).made == len(SMD)
