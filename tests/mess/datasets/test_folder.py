"""Any tree of audio is a dataset; its names may be anything."""

from pathlib import Path

import pytest
from tones import write_tone

from mess.datasets import available_datasets, load_dataset
from mess.datasets.base import Dataset, Track
from mess.errors import ArtifactError, MessError, UnknownName
from mess.store import Store
from pipelines.add_folder import add_folder


def test_every_audio_file_is_a_track_and_its_folder_the_work(tmp_path: Path) -> None:
    names = ["solo.wav", "album/one.flac", "album/two.mp3", "album/bonus/three.ogg", "Big.WAV"]
    for name in names:
        write_tone(tmp_path / name, 1.2)
    (tmp_path / "cover.jpg").write_bytes(b"no audio")
    write_tone(tmp_path / ".trash" / "gone.wav", 1.2)
    (tmp_path / "solo.mid").write_bytes(b"MThd")
    found = load_dataset("mine", root=tmp_path)
    assert {track.id: track.work_key for track in found} == {
        "solo": "solo",
        "Big": "Big",
        "album/one": "/album",
        "album/two": "/album",
        "album/bonus/three": "/album/bonus",
    }
    assert found.track("solo").midi_path == tmp_path / "solo.mid"
    assert found.track("album/one").duration == pytest.approx(1.2, abs=1e-3)


def test_two_formats_of_a_name_are_two_tracks(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", 1.2)
    write_tone(tmp_path / "a.flac", 1.2)
    write_tone(tmp_path / "b.flac", 1.2)
    assert [track.id for track in load_dataset("mine", root=tmp_path)] == ["a.flac", "a.wav", "b"]


@pytest.mark.parametrize("name", ["two words", 'it\'s "quoted"', "🎹 été", "a..b", "100% $HOME;"])
def test_odd_names_are_kept(tmp_path: Path, name: str) -> None:
    write_tone(tmp_path / f"{name}.wav", 1.2)
    assert load_dataset("mine", root=tmp_path).track(name).label == name


def test_a_name_of_undecodable_bytes_can_be_printed(tmp_path: Path) -> None:
    content = write_tone(tmp_path / "good.wav", 1.2).read_bytes()
    try:
        (tmp_path / "\udce9t\udce9.wav").write_bytes(content)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    ids = [track.id for track in load_dataset("mine", root=tmp_path)]
    assert len(ids) == 2
    assert all(track_id.encode("utf-8") for track_id in ids)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(ArtifactError, match=r"has no audio below .*put files there") as caught:
        load_dataset("mine", root=tmp_path)
    assert caught.value.command == "mess extract --dataset mine"


def test_an_unknown_dataset_names_the_nearest_folder(tmp_path: Path) -> None:
    write_tone(tmp_path / "jazz" / "a.wav", 1.2)
    with pytest.raises(UnknownName, match="unknown dataset 'jaz': did you mean 'jazz'"):
        load_dataset("jaz", root=tmp_path / "jaz")
    assert available_datasets(tmp_path) == ["demo", "smd", "maestro", "folder", "jazz"]


def test_a_folder_is_added_by_a_link(tmp_path: Path) -> None:
    write_tone(tmp_path / "Music" / "a.wav", 1.2)
    store = Store(tmp_path / "data")
    assert add_folder(name="mine", folder=tmp_path / "Music", store=store) == 1
    assert [t.id for t in load_dataset("mine", root=store.audio_dir("mine"))] == ["a"]
    with pytest.raises(MessError, match="is there already"):
        add_folder(name="mine", folder=tmp_path / "Music", store=store)
    with pytest.raises(MessError, match="is no folder"):
        add_folder(name="other", folder=tmp_path / "Musik", store=store)
    with pytest.raises(MessError, match="is no dataset name"):
        add_folder(name="../out", folder=tmp_path / "Music", store=store)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MessError, match="has no audio"):
        add_folder(name="empty", folder=tmp_path / "empty", store=store)
    assert sorted(path.name for path in store.audio_dir("").iterdir()) == ["mine"]


def test_an_id_is_unique(tmp_path: Path) -> None:
    twice = Track(id="a", path=tmp_path / "a.wav")
    with pytest.raises(MessError, match="two files give the track id 'a'"):
        Dataset("mine", tmp_path, (twice, twice), "none")
