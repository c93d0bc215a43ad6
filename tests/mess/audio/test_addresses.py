"""Recordings at an address are read as those in a folder, through any disturbance, or one line."""

import os
from pathlib import Path

import fsspec
import numpy as np
import pytest
from s3_server import Wire, looking_at_credentials
from tones import write_tone

from mess.audio.addresses import Address, as_path
from mess.audio.decoding import decode
from mess.datasets import available_datasets, load_dataset
from mess.errors import AudioError, MessError
from mess.storage.store import Store
from pipelines.add_folder import add_folder
from pipelines.extract_features import extract_features

RATE = 22_050


def upload(folder: Path, address: str) -> None:
    files = fsspec.filesystem(address.partition("://")[0])
    files.mkdir(address.partition("://")[2].partition("/")[0])
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            files.pipe(f"{address.partition('://')[2]}/{name}", path.read_bytes())


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    for number in range(3):
        write_tone(folder / "album" / f"{number}.wav", 1.5, seed=number, sample_rate=RATE)
    (folder / "album" / "0.mid").write_bytes(b"MThd")
    (folder / ".hidden.wav").write_bytes(b"no")
    (folder / "bad.wav").write_bytes(b"RIFF but no more")
    return folder


def test_an_address_is_a_path_that_pathlib_does_not_spoil() -> None:
    path = as_path("s3://bucket/a/one.flac")
    assert isinstance(path, Address)
    assert str(path) == "s3://bucket/a/one.flac" == str(path.absolute())
    assert str(path.parent / "two.flac") == "s3://bucket/a/two.flac"
    assert path.relative_to(as_path("s3://bucket")).as_posix() == "a/one.flac"
    assert not isinstance(as_path("a/s3/one.flac"), Address)
    assert as_path("file:///a/one.flac") == Path("/a/one.flac")


def test_a_dataset_at_an_address_gives_what_a_folder_gives(
    data_root: Path, recordings: Path, wire: Wire, tmp_path: Path
) -> None:
    upload(recordings, "s3://music/mine")
    store, local = Store(data_root), Store(tmp_path / "local")
    local.link_audio("mine", recordings)
    found = add_folder(name="mine", folder=as_path("s3://music/mine"), store=store)
    here = load_dataset("mine", root=recordings)
    assert [(one.id, one.work, one.midi_path is None) for one in found] == [
        (one.id, one.work, one.midi_path is None) for one in here
    ]
    assert found.notes == here.notes
    assert "mine" in available_datasets()
    assert store.audio_dir("mine") == as_path("s3://music/mine")

    wire.cuts = [30_000, 20_000]  # two of the connections break in the middle of a file
    made = extract_features(dataset="mine", encoder="spectral", store=store)
    assert wire.cut == 2
    extract_features(dataset="mine", encoder="spectral", store=local)
    assert (made.made, list(made.failed)) == (3, ["bad"])
    assert made.failed["bad"].startswith("s3://music/mine/bad.wav: is no audio")
    features = [one.features.read("mine", "spectral") for one in (store, local)]
    np.testing.assert_allclose(features[0].values, features[1].values, rtol=1e-5)
    entries = [one.features.manifest("mine", "spectral").tracks for one in (store, local)]
    assert [one.path for one in entries[0].values()] == [one.path for one in entries[1].values()]
    again = extract_features(dataset="mine", encoder="spectral", store=store)
    assert (again.made, again.skipped) == (0, 3)

    other = tmp_path / "other.wav"
    write_tone(other, 1.5, seed=9, sample_rate=RATE)
    fsspec.filesystem("s3").pipe("music/mine/album/1.wav", other.read_bytes())
    assert extract_features(dataset="mine", encoder="spectral", store=store).made == 1


def test_a_file_that_is_replaced_within_a_second_is_another(wire: Wire) -> None:
    """S3 states the time of a file in whole seconds."""
    files = fsspec.filesystem("s3")
    files.mkdir("music")
    seen = set()
    for content in (b"one", b"two", b"one"):
        files.pipe("music/one.wav", content)
        files.invalidate_cache()
        seen.add(as_path("s3://music/one.wav").stat().st_mtime_ns % 10**9)
    assert len(seen) == 2


@pytest.mark.long
def test_a_connection_that_always_breaks_is_one_line(
    data_root: Path, recordings: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    upload(recordings, "s3://music")
    wire.cuts = [100] * 1000  # within the head of each answer
    with pytest.raises(AudioError) as told:
        decode("s3://music/album/0.wav", RATE)
    assert str(told.value).startswith("s3://music/album/0.wav: cannot be read (")
    assert "check the" in str(told.value) and "\n" not in str(told.value)
    assert not list((data_root / "cache").rglob("*.*"))


def test_wrong_credentials_are_one_line(
    data_root: Path,
    recordings: Path,
    wire: Wire,
    s3_server: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload(recordings, "s3://music")
    with looking_at_credentials(s3_server, monkeypatch), pytest.raises(AudioError) as told:
        add_folder(name="mine", folder=as_path("s3://music"), store=Store(data_root))
    assert str(told.value).startswith("s3://music: access is denied (")
    assert str(told.value).endswith("; check the credentials")
    assert not os.path.lexists(Store(data_root).root / "audio" / "mine")


def test_a_bucket_that_is_not_there_is_one_line(data_root: Path, wire: Wire) -> None:
    with pytest.raises(MessError, match="has no audio below s3://nowhere/at/all"):
        load_dataset("mine", root="s3://nowhere/at/all")
    with pytest.raises(AudioError, match="s3://nowhere/one.wav: is not there"):
        decode("s3://nowhere/one.wav", RATE)


def test_copies_stay_within_the_bound(
    data_root: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_root.mkdir()
    upload(recordings, "memory://bound")
    monkeypatch.setenv("MESS_CACHE_GB", "0.0001")  # a file and a half
    for number in (0, 1, 2, 0):
        elsewhere = decode(f"memory://bound/album/{number}.wav", RATE)
        here = decode(recordings / "album" / f"{number}.wav", RATE)
        np.testing.assert_array_equal(elsewhere.samples, here.samples)
        assert len(list((data_root / "cache" / "audio").iterdir())) == 1
