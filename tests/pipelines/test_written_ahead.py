"""Where a GPU computes, processes read and threads write; nothing else changes."""

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from layouts import SMD, SMD_IDS, write_smd
from small_models import write_small

import pipelines.extract_features
from mess.audio.decoding import decode_at
from mess.encoders import load_encoder
from mess.errors import AudioError, MessError
from mess.storage.manifest import Manifest
from mess.storage.store import Store
from pipelines.extract_features import extract_all
from pipelines.reading import ReadingProcesses

ENCODER = "spectral"


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads write, as where a GPU computes."""
    monkeypatch.setattr(pipelines.extract_features, "_on_gpu", lambda _: True)


def contents(store: Store) -> dict[str, bytes]:
    folder = store.features.folder("smd", ENCODER)
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*.*")}


def test_threads_that_write_make_the_same_bytes(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.extract_features, "FIRST_TRACKS", 3)
    write_smd(data_root / "audio" / "smd", seconds=7.0)
    store, models = Store(data_root), {ENCODER: load_encoder(ENCODER)}
    damaged = next((data_root / "audio" / "smd").rglob(f"{SMD_IDS[2]}*.wav"))
    damaged.write_bytes(damaged.read_bytes()[:40])

    def extract() -> dict[str, str]:
        made = extract_all(
            dataset="smd", encoders=[ENCODER], store=store, models=models, force=True, workers=2
        )[ENCODER]
        assert made.made == len(SMD_IDS) - 1
        return made.failed

    failed, expected = extract(), contents(store)
    monkeypatch.setattr(pipelines.extract_features, "_on_gpu", lambda _: True)
    written_by = set[str]()
    write = pipelines.extract_features._write

    def note(*args: object, **how: object) -> object:
        written_by.add(threading.current_thread().name)
        return write(*args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(pipelines.extract_features, "_write", note)
    assert extract() == failed
    assert contents(store) == expected
    assert threading.main_thread().name not in written_by


def test_tracks_are_written_at_the_same_time_and_recorded_in_their_order(
    data_root: Path, writers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=2.0)
    together = threading.Barrier(2, timeout=60)  # broken unless two are written at a time
    write = pipelines.extract_features._write

    def wait(*args: object, **how: object) -> object:
        together.wait()
        return write(*args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(pipelines.extract_features, "_write", wait)
    recorded = list[str]()
    store, models = Store(data_root), {ENCODER: load_encoder(ENCODER)}
    record = Manifest.record

    def note(manifest: Manifest[Any, Any], track: str, entry: object) -> None:
        recorded.append(track)
        record(manifest, track, entry)

    monkeypatch.setattr(Manifest, "record", note)
    made = extract_all(dataset="smd", encoders=[ENCODER], store=store, models=models, workers=2)[
        ENCODER
    ]
    assert made.made == len(SMD_IDS)
    assert [track for n, track in enumerate(recorded) if track not in recorded[:n]] == sorted(
        SMD_IDS
    )


def test_nothing_is_written_after_a_stop(
    data_root: Path, writers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=2.0)
    store, models = Store(data_root), {ENCODER: load_encoder(ENCODER)}
    begun, go_on = threading.Event(), threading.Event()
    write = pipelines.extract_features._write

    def slow(*args: object, **how: object) -> object:
        if threading.current_thread().name.endswith("_0"):
            begun.wait(20)
            raise KeyboardInterrupt
        begun.set()
        go_on.wait(0.2)
        return write(*args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(pipelines.extract_features, "_write", slow)
    with pytest.raises(KeyboardInterrupt):
        extract_all(dataset="smd", encoders=[ENCODER], store=store, models=models, workers=2)
    there = contents(store)
    go_on.set()
    assert contents(store) == there
    monkeypatch.setattr(pipelines.extract_features, "_write", write)
    again = extract_all(dataset="smd", encoders=[ENCODER], store=store, models=models, workers=2)[
        ENCODER
    ]
    assert again.made + again.skipped == len(SMD_IDS)


def test_what_threads_cut_for_a_gpu_gives_the_same_states(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small(tmp_path / "m", "HubertModel")
    write_smd(data_root / "audio" / "smd", seconds=5.5)
    for path in (data_root / "audio" / "smd").iterdir():
        if path.stem not in SMD[:3]:
            path.unlink()
    name, store = str(tmp_path / "m"), Store(data_root)
    model = load_encoder(name, device="cpu")
    # As if it were a coarse one.
    monkeypatch.setattr(type(model), "precision_error", lambda *_: 0.01)
    found = []
    for asynchronous in (False, True):
        monkeypatch.setattr(type(model), "asynchronous", asynchronous)
        made = extract_all(
            dataset="smd", encoders=[name], store=store, models={name: model}, force=True, workers=2
        )[name]
        assert made.made == 3
        found.append(dict(store.features.read_segments("smd", name)))
        entries = store.features.manifest("smd", name).done().values()
        kept = [one.precision_error for one in entries]
        assert kept.count(0.01) == 1, "the first recording tells"
        assert kept.count(None) == 2
    for track, values in found[0].items():
        np.testing.assert_allclose(found[1][track], values, rtol=2e-3, atol=2e-3)


def test_processes_read_what_threads_read(tmp_path: Path) -> None:
    time = np.arange(3 * 44_100) / 44_100
    sound = 0.3 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "ä b.flac", np.stack([sound, -sound], axis=1), 44_100)
    (tmp_path / "bad.wav").write_bytes(b"RIFF no sound")
    with ReadingProcesses() as processes:
        expected = decode_at(tmp_path / "ä b.flac", [16_000, 24_000])
        for _ in range(2):
            found = processes.read(tmp_path / "ä b.flac", [16_000, 24_000])
            for rate, signal in expected.items():
                np.testing.assert_array_equal(found[rate].samples, signal.samples)
                assert replace(found[rate], samples=signal.samples) == signal
        assert expected[16_000].notes, "the channels cancel each other"
        with pytest.raises(MessError) as wanted:
            decode_at(tmp_path / "bad.wav", [16_000])
        with pytest.raises(MessError) as said:
            processes.read(tmp_path / "bad.wav", [16_000])
        assert str(said.value) == str(wanted.value)


def test_a_process_that_dies_costs_one_recording_and_is_replaced(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", 0.3 * np.sin(np.arange(60_000) / 9), 24_000)
    with ReadingProcesses() as processes:
        processes.read(tmp_path / "a.flac", [24_000])
        processes._idle[0]._process.kill()
        with pytest.raises(AudioError, match=r"a\.flac: ended the process that read it"):
            processes.read(tmp_path / "a.flac", [24_000])
        assert processes.read(tmp_path / "a.flac", [24_000])[24_000].duration == 2.5
        own = processes._idle[0]._process
    assert own.returncode == 0, "they end with what they are for"


def test_where_no_process_can_be_started_threads_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.flac", 0.3 * np.sin(np.arange(60_000) / 9), 24_000)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with ReadingProcesses() as processes:
        assert processes.read(tmp_path / "a.flac", [24_000])[24_000].duration == 2.5
