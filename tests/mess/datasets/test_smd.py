"""Saarland Music Data, laid out as its authors publish it."""

from pathlib import Path

import pytest
from tones import write_tone

from mess.datasets import load_dataset
from mess.datasets.smd import parse_name
from mess.errors import ArtifactError, MessError, UnknownName

NAMES = [
    "Bach_BWV849-01_001_20090916-SMD",
    "Bach_BWV849-02_001_20090916-SMD",
    "Beethoven_Op027No1-01_003_20090916-SMD",
    "Beethoven_Op027No1-02_003_20090916-SMD",
    "Beethoven_WoO080_001_20081107-SMD",
    "Chopin_Op010-03_007_20100611-SMD",
    "Haydn_HobXVINo52-01_008_20110315-SMD",
    "Ravel_JeuxDEau_008_20110315-SMD",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        write_tone(tmp_path / f"{name}.wav", 1.2, seed=number)
        (tmp_path / f"{name}.mid").write_bytes(b"MThd")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "track_id", "composer", "work", "movement"),
    [
        ("Beethoven_Op027No1-01_003_20090916-SMD", "Beethoven_Op027No1-01", "Beethoven",
         "Op027No1", "01"),
        ("Beethoven_WoO080_001_20081107-SMD", "Beethoven_WoO080", "Beethoven", "WoO080", ""),
        ("Liszt_AnnesDePelerinage-LectureDante_002_20090916-SMD",
         "Liszt_AnnesDePelerinage-LectureDante", "Liszt", "AnnesDePelerinage-LectureDante", ""),
    ],
)  # fmt: skip
def test_a_file_name_says_everything(
    name: str, track_id: str, composer: str, work: str, movement: str
) -> None:
    parsed = parse_name(name)
    assert parsed is not None
    assert parsed.track_id == track_id
    assert (parsed.composer, parsed.work, parsed.movement) == (composer, work, movement)


@pytest.mark.parametrize("name", ["holiday", "Bach_BWV849-01", "a_b_1_20090916-SMD", "-SMD", ""])
def test_other_names_are_not_smds(name: str) -> None:
    assert parse_name(name) is None


def test_the_tracks_are_read_with_their_midi(root: Path) -> None:
    smd = load_dataset("smd", root=root)
    assert len(smd) == len(NAMES)
    track = smd.track("Beethoven_Op027No1-01")
    assert (track.composer, track.work, track.movement) == ("Beethoven", "Op027No1", "01")
    assert track.path.name == "Beethoven_Op027No1-01_003_20090916-SMD.wav"
    assert track.midi_path == track.path.with_suffix(".mid")
    assert track.duration == pytest.approx(1.2, abs=1e-3)
    assert track.extra == {"performer": "003", "date": "20090916"}
    assert "NC" in smd.licence
    assert smd.homepage.startswith("https://www.audiolabs-erlangen.de")


def test_movements_of_a_work_stay_together(root: Path) -> None:
    smd = load_dataset("smd", root=root)
    assert len({track.work_key for track in smd}) == 6
    assert (
        smd.track("Bach_BWV849-01").work_key
        == smd.track("Bach_BWV849-02").work_key
        != smd.track("Beethoven_WoO080").work_key
    )


def test_audio_and_midi_may_lie_in_folders_and_twice(root: Path) -> None:
    for folder, suffix in (("wav", ".wav"), ("midi", ".mid")):
        (root / folder).mkdir()
        for path in root.glob(f"*{suffix}"):
            path.rename(root / folder / path.name)
    write_tone(root / "mp3" / f"{NAMES[2]}.mp3", 1.2)
    (root / "notes.txt").write_text("not audio")
    write_tone(root / "wav" / "encore.wav", 1.2)
    smd = load_dataset("smd", root=root)
    assert len(smd) == len(NAMES)
    track = smd.track("Beethoven_Op027No1-01")
    assert track.path == root / "wav" / f"{NAMES[2]}.wav"
    assert track.midi_path == root / "midi" / f"{NAMES[2]}.mid"


def test_a_second_performance_is_another_track_of_the_same_work(root: Path) -> None:
    write_tone(root / "Chopin_Op010-03_002_20081107-SMD.wav", 1.2)
    smd = load_dataset("smd", root=root)
    both = [track for track in smd if track.composer == "Chopin"]
    assert [track.id for track in both] == [
        "Chopin_Op010-03_002_20081107",
        "Chopin_Op010-03_007_20100611",
    ]
    assert both[0].work_key == both[1].work_key


def test_odd_names_cost_a_line_each(root: Path) -> None:
    for name in NAMES:  # as macOS packs a folder
        (root / f"._{name}.wav").write_bytes(b"\0\5\x16\7")
        (root / f"._{name}.mid").write_bytes(b"\0\5\x16\7")
    (root / "Bach_BWV850-01_001_20090916-SMD.wav").mkdir()
    (root / "Bach_BWV851-01_001_20090916-SMD.wav").symlink_to(root / "gone.wav")
    (root / "Bach_BWV852-01_001_20090916-SMD.mid").write_bytes(b"MThd")
    write_tone(root / "encore.wav", 1.2)
    smd = load_dataset("smd", root=root)
    assert sorted(track.path.stem for track in smd) == NAMES
    assert all(track.midi_path == track.path.with_suffix(".mid") for track in smd)
    assert {line.split(" (")[1] for line in smd.notes} == {
        "hidden)",
        "a folder, without recordings in it)",
        "a link that leads nowhere)",
        "no recording of this name)",
        "no name of SMD: use another dataset)",
    }


@pytest.mark.parametrize("suffix", [".MID", ".midi", ".Mid"])
def test_midi_of_any_suffix_is_found_at_any_depth(root: Path, suffix: str) -> None:
    (root / "midi").mkdir()
    for path in root.glob("*.mid"):
        path.rename(root / "midi" / f"{path.stem}{suffix}")
    smd = load_dataset("smd", root=root)
    assert all(track.midi_path == root / "midi" / f"{track.path.stem}{suffix}" for track in smd)


def test_a_linked_folder_is_read_and_a_lossless_file_preferred(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("disk")
    for name in NAMES[:2]:
        for suffix in (".flac", ".m4a", ".ogg"):
            (elsewhere / f"{name}{suffix}").write_bytes(b"x")
        (root / f"{name}.wav").unlink()
    (root / "more").symlink_to(elsewhere, target_is_directory=True)
    smd = load_dataset("smd", root=root)
    assert len(smd) == len(NAMES)
    assert [track.path for track in smd][:2] == [root / "more" / f"{n}.flac" for n in NAMES[:2]]


def test_a_missing_dataset_says_where_it_belongs_and_who_publishes_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        load_dataset("smd", root=tmp_path / "audio" / "smd")
    message = str(caught.value)
    assert str(tmp_path / "audio" / "smd") in message
    assert "https://www.audiolabs-erlangen.de" in message
    assert "mess fetch smd" in message
    assert "\n" not in message


def test_an_unknown_dataset_or_track_names_the_nearest(root: Path) -> None:
    with pytest.raises(UnknownName, match="unknown dataset 'smdd': did you mean 'smd'"):
        load_dataset("smdd", root=root.parent / "nowhere" / "smdd")
    with pytest.raises(UnknownName, match="did you mean 'Beethoven_Op027No1-01'"):
        load_dataset("smd", root=root).track("beethoven_op27no1-01")


@pytest.mark.parametrize("name", ["../smd", "a/b", "", ".", "a b", "-x"])
def test_a_dataset_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(MessError, match="is no dataset name"):
        load_dataset(name, root=tmp_path)
