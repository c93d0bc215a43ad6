"""Bad files cost one clear line each, and the rest of the batch nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from layouts import write_piece
from made_records import made_targets_entry, made_targets_header
from tones import tone, write_tone

from mess.datasets import Track, load_dataset
from mess.errors import MessError
from mess.records.targets import TargetsEntry
from mess.storage.store import Store
from pipelines.batch import run_steps
from pipelines.compute_targets import compute_dataset_targets
from pipelines.engine import LocalEngine
from pipelines.extract_features import extract_features
from pipelines.options import INCOMPLETE
from pipelines.steps import BatchSummary, Step, count_together

# What each bad file is called, and what its line says.
BAD = {
    "empty.wav": "is empty",
    "text.wav": "is no audio that can be decoded",
    "text.m4a": "is no audio that can be decoded",
    "cut.flac": "is damaged or truncated",
    "half.wav": "is truncated (49% of it is there)",
    "half.ogg": "is truncated (it ends within a page)",
    "one hertz.wav": "states a sample rate of 1 Hz",
    "nan.wav": "holds samples that are not finite",
    "silence.wav": "is silent",
    "short.wav": "is only 0.2 s long",
    'it\'s "bad" 🎹 $(x).wav': "is empty",
}
PASSED_OVER = [
    "mine: not read: dangling.flac (a link that leads nowhere)",
    "mine: not read: folder.wav (a folder, without recordings in it)",
]
GOOD = [
    "8 kHz.wav",
    "96 kHz, six channels.wav",
    'it\'s "fine" 🎹 $(x); .wav',
    "dots.. ...flac",
    "a%2Fb.ogg",
    "sub/album/piece.wav",
]
OPPOSITE = "opposite channels.wav"
GOOD.append(OPPOSITE)


def write_bad(root: Path) -> None:
    root.mkdir(parents=True)
    for name in ("empty.wav", 'it\'s "bad" 🎹 $(x).wav'):
        (root / name).touch()
    for name in ("text.wav", "text.m4a"):
        (root / name).write_text("Dear diary,\n" * 900)
    whole = write_tone(root / "cut.flac", 3.0).read_bytes()
    (root / "cut.flac").write_bytes(whole[: len(whole) // 2])
    for name in ("half.wav", "half.ogg"):
        whole = write_tone(root / name, 3.0).read_bytes()
        (root / name).write_bytes(whole[: len(whole) // 2])
    whole = write_tone(root / "one hertz.wav", 3.0).read_bytes()
    (root / "one hertz.wav").write_bytes(whole[:24] + b"\1\0\0\0" + whole[28:])
    samples = tone(3.0)
    samples[1000] = np.nan
    soundfile.write(root / "nan.wav", samples, 22_050, subtype="FLOAT")
    soundfile.write(root / "silence.wav", np.zeros(66_150), 22_050)
    write_tone(root / "short.wav", 0.2)
    (root / "dangling.flac").symlink_to(root / "gone.flac")
    (root / "folder.wav").mkdir()


def write_good(root: Path) -> None:
    write_tone(root / GOOD[0], 6.0, sample_rate=8_000)
    wide = np.stack([tone(3.0, sample_rate=96_000, seed=seed) for seed in range(6)], axis=1)
    soundfile.write(root / GOOD[1], wide, 96_000, subtype="PCM_24")
    soundfile.write(root / OPPOSITE, np.stack([tone(3.0), -tone(3.0)], axis=1), 22_050)
    for number, name in enumerate(set(GOOD[2:]) - {OPPOSITE}):
        write_tone(root / name, 3.0, seed=number)


@pytest.fixture
def store(data_root: Path) -> Store:
    root = data_root / "audio" / "mine"
    write_bad(root)
    write_good(root)
    return Store(data_root)


def test_the_command_names_every_bad_file_and_does_the_rest(store: Store) -> None:
    command = ["-m", "pipelines.cli", "extract", "--dataset", "mine", "--encoder", "spectral"]
    ended = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert ended.returncode == INCOMPLETE
    assert "Traceback" not in ended.stderr
    assert f"extract: {len(GOOD)} made, 0 up to date, {len(BAD)} failed" in ended.stdout
    summary = [line for line in ended.stdout.splitlines() if line.startswith("  failed: ")]
    assert len(summary) == len(BAD)
    root = store.audio_dir("mine")
    for name, reason in BAD.items():
        path = root / name
        assert len([line for line in summary if f"{path}: {reason}" in line]) == 1, name
        assert len([line for line in ended.stderr.splitlines() if f"{path}: " in line]) == 1
    assert [line for line in ended.stderr.splitlines() if "not read: " in line] == PASSED_OVER

    note = f"{root / OPPOSITE}: its channels cancel each other: channel 1 alone is measured"
    assert ended.stdout.count(note) == 1
    manifest = store.features.manifest("mine", "spectral")
    noted = {name for name, entry in manifest.done().items() if entry.notes}
    assert noted == {Path(OPPOSITE).stem}

    done = store.features.read("mine", "spectral").tracks
    assert done == sorted(str(Path(name).with_suffix("")) for name in GOOD)
    assert [path.name for path in store.root.parent.iterdir()] == ["data"]


def test_targets_fail_on_the_same_files_for_the_same_reasons(store: Store) -> None:
    extracted = extract_features(dataset="mine", encoder="spectral", workers=2)
    measured = compute_dataset_targets(dataset="mine", workers=2)
    assert measured.failed == extracted.failed
    assert measured.made == len(GOOD)
    table = store.targets.read("mine")
    assert (
        sorted(table.index.get_level_values("track"))
        == store.features.read("mine", "spectral").tracks
    )


def test_a_bad_file_is_tried_again_and_a_mended_one_taken_in(store: Store) -> None:
    extract_features(dataset="mine", encoder="spectral")
    manifest = store.features.manifest("mine", "spectral")
    assert "is empty" in manifest.failed()["empty"]
    write_piece(store.audio_dir("mine") / "empty.wav", 0, seconds=3.0)
    again = extract_features(dataset="mine", encoder="spectral")
    assert (again.made, again.skipped, len(again.failed)) == (1, len(GOOD), len(BAD) - 1)


def test_a_good_file_that_goes_bad_is_reported_and_its_features_are_dropped(store: Store) -> None:
    extract_features(dataset="mine", encoder="spectral")
    (store.audio_dir("mine") / "sub/album/piece.wav").write_bytes(b"")
    again = extract_features(dataset="mine", encoder="spectral")
    assert "is empty" in again.failed["sub/album/piece"]
    assert "sub/album/piece" not in store.features.read("mine", "spectral").tracks


def test_a_file_that_is_too_large_or_that_an_encoder_refuses_fails_alone(store: Store) -> None:
    dataset = load_dataset("mine", root=store.audio_dir("mine"))
    manifest = store.targets.resume("mine", header=made_targets_header())
    large, refused = "8 kHz", "96 kHz, six channels"

    def measure(track: Track) -> int:
        if track.id == refused:
            raise MessError("has six channels")
        return np.empty(1 << 62 if track.id == large else 3, dtype=np.uint8).size

    step: Step[int, TargetsEntry] = Step(
        "measure",
        manifest,
        keep=lambda _track, _size, source: made_targets_entry(
            source, values_crc32=0, descriptors_crc32=0, fingerprint_crc32=0
        ),
        has_files=lambda _track, _entry: True,
    )
    engine = LocalEngine[int, int](prepare=lambda track, _: measure(track), workers=2)
    run_steps(dataset, [step], stage="measure", engine=engine)
    summary = step.summary
    assert "needs more memory than is free" in summary.failed[large]
    assert "8 kHz.wav" in summary.failed[large]
    path = store.audio_dir("mine") / f"{refused}.wav"
    assert summary.failed[refused] == f"{path}: has six channels"
    # What lies there and cannot be opened fails before it is measured.
    unread = {name for name in summary.failed if "cannot be read" in summary.failed[name]}
    assert set(summary.failed) == {large, refused} | unread
    assert summary.made == len(dataset) - len(summary.failed) > len(GOOD)


def test_a_locked_file_fails_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = store.audio_dir("mine") / GOOD[0]
    locked.chmod(0)
    if os.access(locked, os.R_OK):  # root reads everything: let the system's call refuse instead
        really_open = Path.open

        def refuse(self: Path, *how: object, **more: object) -> object:
            if self == locked:
                raise PermissionError(13, "Permission denied", str(self))
            return really_open(self, *how, **more)  # type: ignore[call-overload]

        monkeypatch.setattr(Path, "open", refuse)
    summary = extract_features(dataset="mine", encoder="spectral")
    assert summary.failed["8 kHz"] == f"{locked}: cannot be read; change its permissions"
    assert summary.made == len(GOOD) - 1


def test_names_that_cannot_be_printed_cost_one_line(data_root: Path) -> None:
    root = data_root / "audio" / "mine"
    write_piece(root / "good.wav", 0, seconds=3.0)
    (root / "two\nlines.wav").touch()
    try:
        (root / os.fsdecode(b"\xe9t\xe9.wav")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    command = ["-m", "pipelines.cli", "extract", "--dataset", "mine", "--encoder", "spectral"]
    ended = subprocess.run([sys.executable, *command], capture_output=True, check=False)
    assert ended.returncode == INCOMPLETE
    assert b"Traceback" not in ended.stderr
    assert len([line for line in ended.stdout.splitlines() if b"  failed: " in line]) == 2
    assert b"1 made, 0 up to date, 2 failed" in ended.stdout


def test_a_recording_that_failed_in_one_of_two_steps_is_counted_once() -> None:
    both = [
        BatchSummary(made=8, failed={"cut": "is cut", "empty": "is empty"}),
        BatchSummary(made=1, skipped=8, failed={"long": "is too long"}),
        BatchSummary(skipped=9, failed={"cut": "is cut"}),
    ]
    failed, done = count_together(both)
    assert (sorted(failed), done) == (["cut", "empty", "long"], 7)


@pytest.mark.long
def test_targets_are_checked_without_a_damaged_recording(data_root: Path) -> None:
    root = data_root / "audio" / "mine"
    root.mkdir(parents=True)
    for number in range(3):
        write_tone(root / f"{number}.wav", 3.0, seed=number)
    (root / "damaged.wav").write_bytes(b"no audio")
    words = ["check-targets", "--dataset", "mine", "--changed-tracks", "0"]
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words], capture_output=True, text=True, check=False
    )
    assert ended.returncode == INCOMPLETE
    assert f"failed: {root / 'damaged.wav'}: is no audio that can be decoded" in ended.stderr
    assert "3 of 4 recordings done; 1 could not be used" in ended.stderr
    assert Store(data_root).reliability.read("mine").tracks == 3
