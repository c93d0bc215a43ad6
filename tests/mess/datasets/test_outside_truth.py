"""PercePiano and SynTheory, laid out as their authors' repositories lay them out."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from tones import write_tone

from mess.datasets import load_dataset
from mess.datasets.base import state, stated
from mess.datasets.percepiano import RATINGS, RATINGS_FILE
from mess.errors import ArtifactError
from mess.experiments.rows import stated_targets

NAMES = (
    "Beethoven_WoO80_var27_8bars_3_15",
    "Beethoven_WoO80_var27_8bars_Score_15",
    "Beethoven_WoO80_thema_8bars_18_1",
    "Schubert_D935_no.3_4bars_1_25",
    "Schubert_D960_mv3_8bars_1_25",
)


@pytest.fixture
def percepiano(tmp_path: Path) -> Path:
    """Ratings in labels/, MIDI where the authors have it, recordings beside them."""
    root = tmp_path / "percepiano"
    midi = root / "virtuoso" / "data" / "all_2rounds"
    (root / "labels").mkdir(parents=True)
    midi.mkdir(parents=True)
    ratings = {}
    for number, name in enumerate(NAMES):
        write_tone(root / f"{name}.wav", 1.2, seed=number)
        # The authors have one MIDI file whose name begins with a blank.
        (midi / f"{' ' if number == 3 else ''}{name}.mid").write_bytes(b"MThd")
        if number < 4:
            ratings[name] = [round(0.05 * (number + place), 4) for place in range(19)] + [number]
    (root / "labels" / RATINGS_FILE).write_text(json.dumps(ratings))
    return root


def test_ratings_of_percepiano_are_targets_and_passages_are_works(percepiano: Path) -> None:
    dataset = load_dataset("percepiano", root=percepiano)
    assert sorted(track.id for track in dataset) == sorted(NAMES)
    first = dataset.track(NAMES[0])
    assert (first.composer, first.work) == ("Beethoven", "WoO80_var27, segment 15")
    assert first.extra["performer"] == "3"
    assert dataset.track(NAMES[1]).work_key == first.work_key  # the same passage, another pianist
    assert dataset.track(NAMES[2]).work_key != first.work_key
    assert all(track.midi_path is not None for track in dataset)
    rated = stated(first.extra)
    assert list(rated) == list(RATINGS) and len(RATINGS) == 19
    assert rated["rated_timing_unstable"] == 0.0
    assert rated["rated_interpretation_convincing"] == 0.9  # not the pianist's number after it
    assert stated(dataset.track(NAMES[4]).extra) == {}
    assert f"recordings without ratings in {RATINGS_FILE}: 1" in dataset.notes
    values, names = stated_targets([track.extra for track in dataset])
    assert names == list(RATINGS) and values.shape == (5, 19)
    assert np.isnan(values).all(axis=1).sum() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "needs .*label_2round_mean.* authors publish ratings and MIDI at"),
        ("{", "is damaged"),
        ('{"a": [0.5]}', "is damaged"),
        ('{"a": 0.5}', "is damaged"),
        ("[]", "is damaged"),
    ],
)
def test_missing_or_damaged_ratings_are_one_line(
    percepiano: Path, content: str | None, message: str
) -> None:
    path = percepiano / "labels" / RATINGS_FILE
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ArtifactError, match=message):
        load_dataset("percepiano", root=percepiano)


def write_table(folder: Path, rows: list[dict[str, object]]) -> None:
    """Write ``info.csv`` as pandas writes it, and the files that it names."""
    folder.mkdir(parents=True)
    with (folder / "info.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        name = str(row.get("offset_file_path") or row["synth_file_path"])
        if "gone" not in name and "/" not in name:
            write_tone(folder / name, 1.2)
        (folder / str(row["midi_file_path"])).write_bytes(b"MThd")


def tonal(stem: str, program: str, **known: object) -> dict[str, object]:
    return {
        **known,
        "midi_program_num": 0,
        "midi_program_name": program,
        "midi_category": "Piano",
        "midi_file_path": f"{stem}.mid",
        "synth_file_path": f"{stem}.wav",
        "synth_soundfont": "TimGM6mb.sf2",
        "is_silent": False,
    }


@pytest.fixture
def syntheory(tmp_path: Path) -> Path:
    root = tmp_path / "syntheory"
    note = {"root_note_name": "B", "octave": 4, "root_note_is_accidental": False, "register": 1}
    note |= {"root_note_pitch_class": 11, "midi_note_val": 59}
    silent = tonal("59_1_B_1_Silent", "Silent", **note) | {"is_silent": True}
    rows = [tonal("59_1_B_0_Acoustic_Grand_Piano", "Acoustic Grand Piano", **note), silent]
    write_table(root / "notes", [*rows, tonal("gone", "Violin", **note)])
    chord = {"root_note_name": "C", "root_note_is_accidental": False, "root_note_pitch_class": 0}
    write_table(
        root / "chords",
        [
            tonal("C_aug_64_40_Violin", "Violin", chord_type="aug", inversion="64", **chord),
            tonal("../stray", "Violin", chord_type="aug", inversion="64", **chord)
            | {"midi_file_path": "stray.mid"},
        ],
    )
    click = {"click_config_name": "woodblock_light", "midi_program_num": 115}
    click |= {"midi_file_path": "95_bpm_woodblock_light.mid", "is_silent": False}
    click |= {"synth_file_path": "95_bpm_woodblock_light.wav", "bpm": 95}
    offsets = [f"95_bpm_woodblock_light_offset_{number}.wav" for number in range(2)]
    write_table(root / "tempos", [click | {"offset_file_path": name} for name in offsets])
    return root


def test_what_syntheory_states_are_targets(syntheory: Path) -> None:
    dataset = load_dataset("syntheory", root=syntheory)
    note = dataset.track("notes_59_1_B_0_Acoustic_Grand_Piano")
    assert note.work == note.extra["instrument"] == "Acoustic Grand Piano"
    assert note.midi_path is not None
    told = stated(note.extra)
    assert (told["stated_pitch"], told["stated_register"]) == (59.0, 1.0)
    assert told["stated_pitch_class_cos"] == pytest.approx(math.cos(math.pi / 6))
    assert told["stated_pitch_class_sin"] == pytest.approx(-0.5)
    chord = stated(dataset.track("chords_C_aug_64_40_Violin").extra)
    assert (chord["stated_chord_aug"], chord["stated_chord_major"]) == (1.0, 0.0)
    assert chord["stated_inversion"] == 2.0
    one, other = (dataset.track(f"tempos_95_bpm_woodblock_light_offset_{n}") for n in (0, 1))
    assert stated(one.extra) == {"stated_tempo": 95.0}
    assert one.work_key == other.work_key  # excerpts of one rendering
    assert one.midi_path is None  # which is of the whole rendering
    assert len(dataset) == 4
    assert "notes: 1 of 3 are silent and left out" in dataset.notes
    assert "notes: 1 of 3 recordings are not here" in dataset.notes
    assert "chords: 1 of 2 rows name no file" in dataset.notes


def test_without_tables_or_recordings_one_line_says_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(ArtifactError, match="needs a folder such as .*notes with info.csv"):
        load_dataset("syntheory", root=tmp_path)
    (tmp_path / "notes" / "info.csv").write_text("row_id,synth_file_path\n0,absent.wav\n")
    with pytest.raises(ArtifactError, match="has none of the recordings of its tables"):
        load_dataset("syntheory", root=tmp_path)


def test_a_stated_number_never_takes_the_place_of_a_measured_one() -> None:
    extras = [state({"tempo": 120.0, "rated_loud": 0.5}), state({"rated_loud": math.nan})]
    values, names = stated_targets(extras)
    assert names == ["rated_loud"]
    assert values[0, 0] == 0.5 and np.isnan(values[1, 0])
