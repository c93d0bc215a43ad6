"""Any tree of audio is a dataset; its names may be anything."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tones import write_tone

from mess.datasets import BUILT_IN, available_datasets, is_dataset, load_dataset
from mess.datasets.base import Dataset, Track
from mess.datasets.listing import unique_ids
from mess.errors import ArtifactError, MessError, UnknownName
from mess.status.inventory import find_recordings, take_inventory
from mess.storage.store import Store
from pipelines import show_status
from pipelines.add_folder import add_folder
from pipelines.extract_features import extract_features


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
    found = ids(load_dataset("mine", root=tmp_path))
    assert len(found) == 2
    assert all(track_id.encode("utf-8") for track_id in found)


def ids(dataset: Dataset) -> list[str]:
    return [track.id for track in dataset]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_tone(tmp_path_factory.mktemp("sound") / "a.wav", 1.2).read_bytes()


def lay(root: Path, content: bytes, *names: str) -> Path:
    """Write files of one content, with the folders that they need."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_one_odd_name_costs_one_line_and_never_the_dataset(tmp_path: Path, sound: bytes) -> None:
    root = lay(tmp_path / "Music", sound, "good.wav", "album/one.wav")
    lay(root, b"\0\5\x16\7", "._good.wav", "album/._one.wav", "__MACOSX/album/._one.wav")
    lay(root, b"x", ".DS_Store", "Thumbs.db", "cover.jpg", "list.m3u", "old.dsf", "lonely.MID")
    lay(root, sound, ".trash/gone.wav")
    (root / "take.mp3").mkdir()
    lay(root, sound, "disc.flac/two.wav")
    (root / "lost.wav").symlink_to(tmp_path / "nowhere.wav")
    (root / "loop.wav").symlink_to(root / "loop.wav")
    (root / "up").symlink_to(tmp_path, target_is_directory=True)
    (root / "album" / "again").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe.wav")
    found = load_dataset("mine", root=root)
    assert ids(found) == ["album/one", "disc.flac/two", "good"]
    assert sorted(found.notes) == [
        "not read: ._good.wav, .trash, __MACOSX and 1 more (hidden)",
        "not read: album/again, up/Music (a link to a folder that is read already)",
        "not read: lonely.MID (no recording of this name beside it)",
        "not read: loop.wav, lost.wav (a link that leads nowhere)",
        "not read: old.dsf (a format that is not read: convert it)",
        "not read: pipe.wav (no regular file)",
        "not read: take.mp3 (a folder, without recordings in it)",
    ]


def test_a_linked_subfolder_is_read_once(tmp_path: Path, sound: bytes) -> None:
    elsewhere = lay(tmp_path / "disk", sound, "one.wav", "more/two.wav")
    root = lay(tmp_path / "Music", sound, "here/three.wav")
    (root / "album").symlink_to(elsewhere, target_is_directory=True)
    (root / "a-link").symlink_to(root / "here", target_is_directory=True)
    found = load_dataset("mine", root=root)
    assert {track.id: track.work_key for track in found} == {
        "album/one": "/album",
        "album/more/two": "/album/more",
        "here/three": "/here",
    }
    assert found.notes == ("not read: a-link (a link to a folder that is read already)",)


def test_names_that_are_alike_are_all_read(tmp_path: Path, sound: bytes) -> None:
    composed, apart = "\u00e9t\u00e9", "e\u0301te\u0301"
    names = ["x.wav", "x.flac", "x.wav.mp3", "x.wav.wav", "A.wav", "a.wav", "y~1.wav"]
    lay(tmp_path, sound, *names, f"{composed}.wav", f"{apart}.wav")
    found = load_dataset("mine", root=tmp_path)
    assert ids(found) == [
        *("A", "a", apart, "x.flac", "x.wav", "x.wav.mp3", "x.wav.wav", "y~1", composed)
    ]
    assert found.notes == ()


def test_names_that_only_differ_in_undecodable_bytes_are_all_read(
    tmp_path: Path, sound: bytes
) -> None:
    try:
        lay(tmp_path, sound, "\udce9.wav", "\udcea.wav")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert ids(load_dataset("mine", root=tmp_path)) == [r"\xe9.wav", r"\xea.wav"]


@given(
    names=st.sets(
        st.lists(st.sampled_from(["a", "b", ".wav", ".mp3", "~1", "/", "\udce9"]), min_size=1).map(
            "".join
        )
    )
)
def test_ids_are_unique(names: set[str]) -> None:
    found = unique_ids(sorted(names))
    assert len(set(found)) == len(names)
    assert all(name.encode() is not None for name in found)


@pytest.mark.parametrize("suffix", [".mid", ".MID", ".midi", ".Midi"])
def test_midi_is_found_whatever_its_suffix(tmp_path: Path, sound: bytes, suffix: str) -> None:
    lay(tmp_path, sound, "album/one.wav")
    lay(tmp_path, b"MThd", f"album/one{suffix}")
    track = load_dataset("mine", root=tmp_path).track("album/one")
    assert track.midi_path == tmp_path / "album" / f"one{suffix}"


def test_midi_of_another_case_or_unicode_form_is_taken_if_it_is_the_only_one(
    tmp_path: Path, sound: bytes
) -> None:
    lay(tmp_path, sound, "\u00e9.wav", "One.wav", "two.wav", "Two.wav")
    lay(tmp_path, b"MThd", "e\u0301.mid", "one.mid", "TWO.mid", "two.mid")
    found = load_dataset("mine", root=tmp_path)
    assert {track.id: track.midi_path and track.midi_path.name for track in found} == {
        "One": "one.mid",
        "Two": None,  # two would fit
        "two": "two.mid",
        "\u00e9": "e\u0301.mid",
    }


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, sound: bytes) -> None:
    lay(tmp_path, sound, "good.wav")
    here = os.open(tmp_path, os.O_RDONLY)  # a path too long to be opened from outside
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    found = load_dataset("mine", root=tmp_path)
    assert ids(found) == ["good"]
    assert len(found.notes) == 1 and "File name too long" in found.notes[0]
    assert len(found.notes[0]) < 200


def test_what_is_not_read_is_shown(
    data_root: Path, sound: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = lay(data_root / "audio", sound, "jazz/a.wav", "my jazz/b.wav", "stray.wav")
    (audio / "unplugged").symlink_to(data_root / "disk", target_is_directory=True)
    (audio / "jazz" / "lost.wav").symlink_to(data_root / "gone.wav")
    lay(data_root / "disk2", sound, "c.wav")
    (audio / "jazz" / "more").symlink_to(data_root / "disk2", target_is_directory=True)
    (audio / "empty").mkdir()
    show_status.command()
    before = capsys.readouterr().out
    assert "dataset 'empty' has no audio below" in before
    assert "  not read: lost.wav (a link that leads nowhere)\n" in before
    assert "not read: unplugged (a link that leads nowhere)\n" in before
    assert "not read: my jazz (no name of a dataset: " in before
    assert "not read: stray.wav (in no dataset: " in before
    assert "my jazz: recordings" not in before
    extract_features(dataset="jazz", encoder="spectral")
    assert "jazz: not read: lost.wav (a link that leads nowhere)\n" in capsys.readouterr().err
    show_status.command()
    assert capsys.readouterr().out.count("not read: lost.wav") == 1
    recordings = find_recordings(Store(), "jazz")
    amount = take_inventory(Store(), "jazz", "spectral", recordings=recordings)
    assert (amount.tracks, amount.sizes["audio"]) == (2, 2 * len(sound))


@pytest.mark.parametrize("name", ["file", "too long"])
def test_a_data_root_that_is_no_folder_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root = lay(tmp_path, b"x", "file") / ("file" if name == "file" else "x" * 5000)
    monkeypatch.setenv("MESS_DATA", str(root))
    with pytest.raises(MessError, match="is no folder: name another by MESS_DATA") as caught:
        show_status.command()
    assert len(str(caught.value)) < 200


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(ArtifactError, match=r"has no audio below .*put files there") as caught:
        load_dataset("mine", root=tmp_path)
    assert caught.value.command == "mess extract --dataset mine"


def test_an_unknown_dataset_names_the_nearest_folder(tmp_path: Path) -> None:
    write_tone(tmp_path / "jazz" / "a.wav", 1.2)
    with pytest.raises(UnknownName, match="unknown dataset 'jaz': did you mean 'jazz'"):
        load_dataset("jaz", root=tmp_path / "jaz")
    assert available_datasets(tmp_path) == [*BUILT_IN, "folder", "jazz"]


def test_a_folder_is_added_by_a_link(tmp_path: Path) -> None:
    write_tone(tmp_path / "Music" / "a.wav", 1.2)
    store = Store(tmp_path / "data")
    assert len(add_folder(name="mine", folder=tmp_path / "Music", store=store)) == 1
    assert [t.id for t in load_dataset("mine", root=store.audio_dir("mine"))] == ["a"]
    with pytest.raises(MessError, match="is there already"):
        add_folder(name="mine", folder=tmp_path / "Music", store=store)
    with pytest.raises(MessError, match="is no folder"):
        add_folder(name="other", folder=tmp_path / "Musik", store=store)
    with pytest.raises(MessError, match="is no dataset name"):
        add_folder(name="../out", folder=tmp_path / "Music", store=store)
    with pytest.raises(MessError, match="is no folder"):
        add_folder(name="other", folder=tmp_path / ("x" * 5000), store=store)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MessError, match="has no audio"):
        add_folder(name="empty", folder=tmp_path / "empty", store=store)
    assert sorted(path.name for path in store.audio_dir("").iterdir()) == ["mine"]


def test_an_id_is_unique(tmp_path: Path) -> None:
    twice = Track(id="a", path=tmp_path / "a.wav")
    with pytest.raises(MessError, match="two files give the track id 'a'"):
        Dataset("mine", tmp_path, (twice, twice), "none")


@pytest.mark.parametrize(
    "name",
    [
        *BUILT_IN,
        "folder",
        "jazz",
        "linked",
        "gone",
        "file.wav",
        ".hidden",
        "",
        ".",
        "..",
        "a/b",
        "../root/jazz",
        "jazz/",
        "jazz\x00",
        "x" * 300,
        "é",
    ],
)
def test_a_name_is_that_of_a_dataset_where_the_list_has_it(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    for folder in ("jazz", ".hidden", "a/b", "é"):
        (root / folder).mkdir(parents=True)
    (root / "file.wav").write_bytes(b"")
    (root / "linked").symlink_to(root / "jazz", target_is_directory=True)
    (root / "gone").symlink_to(tmp_path / "nowhere")
    assert is_dataset(root, name) == (name in available_datasets(root))
