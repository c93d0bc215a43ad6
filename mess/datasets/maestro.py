"""MAESTRO v3: performances of the International Piano-e-Competition, audio and aligned MIDI.

``maestro-v3.0.0.csv`` lists every recording with composer, title, split, year and the files in
one folder a year.

References
----------
C. Hawthorne et al.: Enabling Factorized Piano Music Modeling and Generation with the MAESTRO
Dataset. ICLR 2019.
"""

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from mess.datasets.base import Dataset, Track
from mess.errors import ArtifactError, MessError

LICENCE = "CC BY-NC-SA 4.0"
HOMEPAGE = "https://magenta.tensorflow.org/datasets/maestro"
INDEX = "maestro-v3.0.0.csv"
_COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
_CATALOGUE = re.compile(
    r"\b(op|bwv|woo|hob|kv|k|d|l|s|rv|wq|sz|h)(?:\b\.?\s*|(?=\d))"
    r"([ivxlc]+\s*[:/]\s*\d+|\d+[a-z]?)(?:\s*,?\s*(?:no\.?|/)\s*(\d+))?",
    re.IGNORECASE,
)


def work_of(title: str) -> str:
    """Return the composition that a title names, so that spellings of one work agree.

    The catalogue number decides where there is one; else the title up to its first movement,
    without case and punctuation.

    >>> work_of('Sonata No. 21, Op. 53, "Waldstein", I. Allegro con brio')
    'op 53'
    >>> work_of("Etude Op. 10 No. 4") == work_of("Etude Op. 10, No. 4 in C-sharp minor")
    True
    """
    found = _CATALOGUE.search(title)
    if found:
        name, number, part = found.groups()
        name = {"kv": "k"}.get(name.lower(), name.lower())
        number = re.sub(r"\s*[:/]\s*", ":", number.lower())
        return f"{name} {number}" + (f" no {part}" if part else "")
    return " ".join(re.findall(r"\w+", title.split(",")[0].casefold()))


def load_maestro(root: Path) -> Dataset:
    """Read those recordings of ``maestro-v3.0.0.csv`` in ``root`` whose audio is there.

    Raises
    ------
    ArtifactError
        If the list or all of the audio is missing.
    MessError
        If the list is damaged, lacks a column or names a file outside ``root``.
    """
    index = root / INDEX
    if not index.is_file():
        raise _missing(f"needs {index}")
    types = dict.fromkeys(_COLUMNS, str) | {"duration": float}
    try:
        table = pd.read_csv(index, dtype=types, keep_default_na=False)
    except ValueError:  # of parsing, decoding or a duration
        raise MessError(f"{index}: is damaged; download the list again") from None
    absent = [column for column in _COLUMNS if column not in table]
    if absent:
        raise MessError(f"{index}: has no column {absent[0]!r}; download the list again")
    tracks = []
    for row in table.to_dict("records"):
        path, midi = _inside(root, row["audio_filename"]), _inside(root, row["midi_filename"])
        if not path.is_file():
            continue
        tracks.append(
            Track(
                id=PurePosixPath(row["audio_filename"]).stem,
                path=path,
                stated_duration=float(row["duration"]),
                composer=row["canonical_composer"],
                work=work_of(row["canonical_title"]),
                title=row["canonical_title"],
                midi_path=midi if midi.is_file() else None,
                extra={"split": row["split"], "year": row["year"]},
            )
        )
    if not tracks:
        raise _missing(f"has none of its {len(table)} recordings below {root}")
    return Dataset("maestro", root, tuple(tracks), LICENCE, HOMEPAGE)


def _inside(root: Path, name: str) -> Path:
    parts = PurePosixPath(str(name)).parts
    if not parts or ".." in parts or PurePosixPath(*parts).is_absolute():
        raise MessError(f"{root / INDEX}: {name!r} leads outside the dataset; download it again")
    return root.joinpath(*parts)


def _missing(reason: str) -> ArtifactError:
    return ArtifactError(
        "dataset 'maestro'",
        f"{reason}: its authors publish it at {HOMEPAGE}; unpack maestro-v3.0.0 there, then",
        "mess extract --dataset maestro",
    )
