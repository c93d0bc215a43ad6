"""MAESTRO, laid out as its authors publish its versions."""

import csv
import json
from pathlib import Path

import pytest
from tones import write_tone

from mess.datasets import load_dataset
from mess.datasets.maestro import work_of
from mess.errors import ArtifactError, MessError

COLUMNS = [
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
]
STEMS = [
    "2018/MIDI-Unprocessed_Chamber3_MID--AUDIO_10_R3_2018_wav--1",
    "2008/MIDI-Unprocessed_03_R2_2008_01-03_ORIG_MID--AUDIO_03_R2_2008_wav--2",
    "2017/MIDI-Unprocessed_066_PIANO066_MID--AUDIO-split_07-07-17_Piano-e_3-02_wav--3",
    "2004/MIDI-Unprocessed_SMF_02_R1_2004_01-05_ORIG_MID--AUDIO_02_R1_2004_05_Track05_wav",
]
ROWS = [
    ["Alban Berg", "Sonata Op. 1", "train", "2018", 1.2],
    ["Alexander Scriabin", "24 Preludes Op. 11, No. 13-24", "train", "2008", 1.5],
    ["Frédéric Chopin", 'Sonata No. 2 in B-flat Minor, Op. 35, "Marche", I.', "test", "2017", 1.7],
    ["Frédéric Chopin", "Sonata in B-flat minor, Op. 35 (complete)", "validation", "2004", 1.3],
]


def write_list(root: Path, rows: list[list[object]], columns: list[str] = COLUMNS) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with (root / "maestro-v3.0.0.csv").open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([columns, *rows])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = []
    for seed, (stem, row) in enumerate(zip(STEMS, ROWS, strict=True)):
        write_tone(tmp_path / f"{stem}.wav", float(row[4]), seed=seed)
        (tmp_path / f"{stem}.midi").write_bytes(b"MThd")
        rows.append([*row[:4], f"{stem}.midi", f"{stem}.wav", row[4]])
    write_list(tmp_path, rows)
    return tmp_path


def test_the_list_is_read_with_split_year_and_midi(root: Path) -> None:
    maestro = load_dataset("maestro", root=root)
    assert [track.id for track in maestro] == [Path(stem).name for stem in STEMS]
    track = maestro.tracks[2]
    assert track.composer == "Frédéric Chopin"
    assert track.title.startswith("Sonata No. 2")
    assert track.path == root / f"{STEMS[2]}.wav"
    assert track.midi_path == root / f"{STEMS[2]}.midi"
    assert track.duration == 1.7
    assert track.extra == {"split": "test", "year": "2017"}


def test_two_performances_of_a_work_stay_together(root: Path) -> None:
    tracks = load_dataset("maestro", root=root).tracks
    assert tracks[2].work_key == tracks[3].work_key
    assert len({track.work_key for track in tracks}) == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Etude Op. 10 No. 4", "Etude Op. 10, No. 4 in C-sharp minor"),
        ("Sonata in C Major, K. 330, I.", "Sonata in C major, KV 330"),
        ("Prelude and Fugue, WTC I, BWV 846", "Prelude & Fugue in C Major, BWV846"),
        ("Sonata, Hob. XVI:48", "Sonata in C Major Hob XVI/48, 2nd movement"),
        ("Mephisto Waltz", "Mephisto waltz, first version"),
    ],
)
def test_spellings_of_one_work_agree(first: str, second: str) -> None:
    assert work_of(first) == work_of(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Etude Op. 10 No. 4", "Etude Op. 10 No. 5"),
        ("Sonata Op. 53", "Sonata Op. 57"),
        ("Sonata K. 330", "Sonata Op. 330"),
        ("Islamey", "Isle joyeuse"),
        ("Sonata Hob. XVI:48", "Sonata Hob. XVI:49"),
    ],
)
def test_different_works_differ(first: str, second: str) -> None:
    assert work_of(first) != work_of(second)


def test_recordings_that_are_not_there_are_counted_in_a_line(root: Path) -> None:
    (root / f"{STEMS[0]}.wav").unlink()
    (root / f"{STEMS[3]}.wav").unlink()
    (root / f"{STEMS[1]}.midi").unlink()
    maestro = load_dataset("maestro", root=root)
    assert [track.id for track in maestro] == [Path(stem).name for stem in STEMS[1:3]]
    assert maestro.tracks[0].midi_path is None
    assert maestro.notes == (
        "maestro-v3.0.0.csv: 2 of 4 recordings are not here",
        "recordings without MIDI here: 1 of 2",
    )


def rows_of(folder: Path, *, suffix: str = ".wav") -> list[dict[str, object]]:
    """Write the recordings into ``folder``; return the rows of a list of them."""
    rows: list[dict[str, object]] = []
    for seed, (stem, row) in enumerate(zip(STEMS, ROWS, strict=True)):
        write_tone(folder / f"{stem}{suffix}", float(row[4]), seed=seed)
        (folder / f"{stem}.midi").write_bytes(b"MThd")
        values = [*row[:3], int(row[3]), f"{stem}.midi", f"{stem}.wav", row[4]]
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def columns_of(rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Lay rows out as the JSON of v3 does: a table's columns, by row number."""
    return {name: {str(number): row[name] for number, row in enumerate(rows)} for name in COLUMNS}


@pytest.mark.parametrize("version", ["v1.0.0", "v2.0.0", "v3.0.0"])
@pytest.mark.parametrize("layout", ["csv", "csv with a mark", "records", "columns"])
@pytest.mark.parametrize("nested", [False, True])
def test_every_version_lists_the_same_recordings(
    tmp_path: Path, version: str, layout: str, nested: bool
) -> None:
    root = tmp_path / "maestro"
    folder = root / f"maestro-{version}" if nested else root
    rows = rows_of(folder)
    if layout.startswith("csv"):
        with (folder / f"maestro-{version}.csv").open(
            "w", newline="", encoding="utf-8-sig" if "mark" in layout else "utf-8"
        ) as handle:
            writer = csv.DictWriter(handle, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    else:
        table = columns_of(rows) if layout == "columns" else rows
        (folder / f"maestro-{version}.json").write_text(json.dumps(table), encoding="utf-8")
    maestro = load_dataset("maestro", root=root)
    assert [track.id for track in maestro] == [Path(stem).name for stem in STEMS]
    track = maestro.tracks[2]
    assert track.composer == "Frédéric Chopin"
    assert track.midi_path == folder / f"{STEMS[2]}.midi"
    assert (track.duration, track.extra) == (1.7, {"split": "test", "year": "2017"})
    assert len({track.work_key for track in maestro}) == 3
    assert maestro.notes == ()


def test_recordings_may_be_converted(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, suffix=".FLAC")
    (tmp_path / "maestro-v2.0.0.json").write_text(json.dumps(rows))
    maestro = load_dataset("maestro", root=tmp_path)
    assert [track.path for track in maestro] == [tmp_path / f"{stem}.FLAC" for stem in STEMS]


def test_of_several_lists_that_counts_whose_recordings_are_here(tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    (tmp_path / "maestro-v2.0.0.json").write_text(json.dumps(rows))
    (tmp_path / "maestro-v3.0.0.json").write_text(json.dumps(columns_of(rows[:2])))
    (tmp_path / "maestro-v1.0.0.csv").write_bytes(b"\xff\xfe")
    maestro = load_dataset("maestro", root=tmp_path)
    assert len(maestro) == 4
    assert len(maestro.notes) == 1 and "maestro-v1.0.0.csv: is damaged" in maestro.notes[0]


def test_odd_rows_cost_a_line(tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    rows[0]["duration"] = "long"
    rows[1]["canonical_title"] = ["a", "list"]
    more = [*rows, rows[3], {}, 7]
    (tmp_path / "maestro-v2.0.0.json").write_text(json.dumps(more))
    write_tone(tmp_path / "2018" / "encore.wav", 1.2)
    maestro = load_dataset("maestro", root=tmp_path)
    assert len(maestro) == 3
    assert maestro.tracks[0].duration == pytest.approx(1.2, abs=1e-3)  # as the file says
    assert maestro.notes == (
        "maestro-v2.0.0.json: damaged rows, left out: 3",
        "maestro-v2.0.0.json: rows that name a recording again, left out: 1",
        f"not read: {STEMS[1]}.wav, 2018/encore.wav (not in maestro-v2.0.0.json)",
    )


@pytest.mark.parametrize("content", ["", "7", "[" * 100_000, '{"a": 1}', "[]", "{}"])
def test_a_damaged_json_is_one_line(root: Path, content: str) -> None:
    (root / "maestro-v3.0.0.csv").unlink()
    (root / "maestro-v3.0.0.json").write_text(content)
    with pytest.raises(
        MessError, match=r"maestro-v3\.0\.0\.json: (is damaged|has no column)"
    ) as caught:
        load_dataset("maestro", root=root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("column", [4, 5])
@pytest.mark.parametrize(
    "name",
    ["../outside.wav", "2018/../../outside.wav", "/etc/passwd", "", "/", "..", "a\0b", "x" * 5000],
)
def test_a_row_that_leads_nowhere_costs_no_other(root: Path, column: int, name: str) -> None:
    write_tone(root.parent / "outside.wav", 1.2)
    rows = [[*row[:4], f"{s}.midi", f"{s}.wav", row[4]] for s, row in zip(STEMS, ROWS, strict=True)]
    rows[0][column] = name
    write_list(root, rows)
    maestro = load_dataset("maestro", root=root)
    assert len(maestro) == (3 if column == 5 else 4)
    assert all(root in track.path.parents for track in maestro)
    assert all(track.midi_path is None or root in track.midi_path.parents for track in maestro)
    if column == 5:
        said = "damaged rows" if name == "" else "are not here"
        assert said in maestro.notes[0]


def test_a_missing_dataset_says_where_it_belongs_and_who_publishes_it(tmp_path: Path) -> None:
    root = tmp_path / "maestro"
    with pytest.raises(ArtifactError) as caught:
        load_dataset("maestro", root=root)
    for part in (str(root / "maestro-v3.0.0.csv"), "https://magenta.tensorflow.org", "run `mess"):
        assert part in str(caught.value)
    write_list(root, [[*ROWS[0][:4], "2018/a.midi", "2018/a.wav", 1.2]])
    with pytest.raises(ArtifactError, match="has none of its 1 recordings below"):
        load_dataset("maestro", root=root)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00rubbish",
        b'a,b\n"1,2\n',
        ",".join(COLUMNS).encode() + b"\n1,2,3,4,5,6,7,8,9\n1\n",
        b'"' * 200_000,
    ],
)
def test_a_damaged_list_is_one_clear_line(root: Path, content: bytes) -> None:
    write_tone(root / "2018" / "a.wav", 1.2)
    (root / "maestro-v3.0.0.csv").write_bytes(content)
    with pytest.raises(MessError) as caught:
        load_dataset("maestro", root=root)
    assert "\n" not in str(caught.value)
    assert "maestro" in str(caught.value)


def test_a_list_without_a_column_names_it(root: Path) -> None:
    write_list(root, [["a", "b"]], columns=["canonical_composer", "canonical_title"])
    with pytest.raises(MessError, match="has no column 'split'"):
        load_dataset("maestro", root=root)
