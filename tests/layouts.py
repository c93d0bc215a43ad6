"""Small datasets of rendered audio, laid out exactly as the real ones."""

import csv
import io
from functools import cache
from pathlib import Path

import soundfile
from tones import tone

SMD = [
    "Bach_BWV849-01_001_20090916-SMD",
    "Bach_BWV849-02_001_20090916-SMD",
    "Beethoven_Op027No1-01_003_20090916-SMD",
    "Beethoven_Op027No1-02_003_20090916-SMD",
    "Beethoven_WoO080_001_20081107-SMD",
    "Chopin_Op010-03_007_20100611-SMD",
    "Chopin_Op010-04_007_20100611-SMD",
    "Ravel_JeuxDEau_008_20110315-SMD",
]
SMD_IDS = [name.rsplit("_", 2)[0] for name in SMD]

_MAESTRO = [
    ("Alban Berg", "Sonata Op. 1", "train", "2018", "MIDI-Unprocessed_Chamber3_R3_2018_wav--1"),
    ("Alban Berg", "Sonata, Op. 1", "test", "2008", "MIDI-Unprocessed_03_R2_2008_wav--2"),
    ("Claude Debussy", "Isle joyeuse", "train", "2018", "MIDI-Unprocessed_R1_2018_wav--3"),
    ("Franz Liszt", "Etude S. 140 No. 3", "train", "2004", "MIDI-Unprocessed_SMF_02_R1_2004_wav"),
    ("Franz Liszt", "Etude S. 140 No. 4", "train", "2004", "MIDI-Unprocessed_SMF_03_R1_2004_wav"),
    ("Frédéric Chopin", "Ballade Op. 23", "validation", "2008", "MIDI-Unprocessed_04_R1_2008"),
    ("Frédéric Chopin", "Ballade Op. 38", "train", "2017", "MIDI-Unprocessed_066_2017_wav--3"),
    ("Modest Mussorgsky", "Pictures", "train", "2017", "MIDI-Unprocessed_067_2017_wav--4"),
]
MAESTRO_IDS = [row[4] for row in _MAESTRO]
MAESTRO_COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)


@cache
def _piece(number: int, seconds: float) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(
        buffer, tone(seconds, frequency=220.0 * 1.3**number, seed=number), 22_050, format="WAV"
    )
    return buffer.getvalue()


def write_piece(path: Path, number: int, *, seconds: float = 8.0) -> Path:
    """Write a WAV whose register and notes depend on ``number``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_piece(number, seconds))
    return path


def write_smd(root: Path, *, seconds: float = 8.0) -> Path:
    """Write eight recordings of five works with their MIDI files beside them."""
    for number, name in enumerate(SMD):
        write_piece(root / f"{name}.wav", number, seconds=seconds)
        (root / f"{name}.mid").write_bytes(b"MThd")
    return root


def write_maestro(root: Path, *, seconds: float = 8.0) -> Path:
    """Write eight recordings of seven works in year folders, and the list of them."""
    rows = []
    for number, (composer, title, split, year, stem) in enumerate(_MAESTRO):
        write_piece(root / year / f"{stem}.wav", number, seconds=seconds)
        (root / year / f"{stem}.midi").write_bytes(b"MThd")
        files = (f"{year}/{stem}.midi", f"{year}/{stem}.wav")
        rows.append((composer, title, split, year, *files, seconds))
    with (root / "maestro-v3.0.0.csv").open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([MAESTRO_COLUMNS, *rows])
    return root
