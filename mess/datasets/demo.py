"""The demo library: public-domain scores, performed by rule and rendered on the user's machine.

`pipelines/build_demo.py` makes the library; this module reads it. Each recording has audio, the
MIDI that it was rendered from, and the parameters of its performance in ``extra``. Some recordings
have four variants each (``variant_of``, ``changed``, ``change_value``). A variant differs from its
base in exactly one of tempo, dynamics, articulation and instrument. So the correct result of a
search or a probe for such a pair is known.
"""

import csv
from pathlib import Path

from mess.datasets.base import Dataset, Track
from mess.errors import ArtifactError
from mess.storage.demo_library import COMMAND, TABLE

LICENCE = (
    "compositions in the public domain; encodings and their terms: column 'licence' of demo.csv; "
    "rendered here with the soundfont TimGM6mb (GPL-2), not for redistribution"
)
HOMEPAGE = "https://www.music21.org"
_FIELDS = ("id", "composer", "work", "title", "movement", "duration", "audio", "midi")


def load_demo(root: Path) -> Dataset:
    """Read the demo library.

    Parameters
    ----------
    root : Path
        Folder of ``demo.csv`` and of the recordings.

    Returns
    -------
    Dataset
        Base recordings, each followed by its variants.

    Raises
    ------
    ArtifactError
        If the library was not built, or a file of it is missing or damaged.
    """
    try:
        text = (root / TABLE).read_text(encoding="utf-8-sig")  # as spreadsheets save it
    except FileNotFoundError:
        raise ArtifactError("dataset 'demo'", f"is not built in {root}", COMMAND) from None
    except (OSError, UnicodeDecodeError):
        raise ArtifactError(str(root / TABLE), "cannot be read", COMMAND) from None
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error:
        rows = []
    if not rows:
        raise ArtifactError(str(root / TABLE), "is damaged", COMMAND)
    return Dataset("demo", root, tuple(_track(root, row) for row in rows), LICENCE, HOMEPAGE)


def describe_demo(library: Dataset) -> str:
    """Return what the library holds, in one line.

    Examples
    --------
    >>> describe_demo(Dataset("demo", Path(), (), LICENCE, HOMEPAGE))
    '0 tracks of 0 works by 0 composers on 0 instruments: 0 recordings, 0 variants of 0; 0 minutes'
    """
    tracks = library.tracks
    bases = {track.extra["variant_of"] for track in tracks} - {""}
    variants = sum(bool(track.extra["variant_of"]) for track in tracks)
    minutes = sum(track.stated_duration or 0.0 for track in tracks) / 60
    return (
        f"{len(tracks)} tracks of {len({track.work_key for track in tracks})} works "
        f"by {len({track.composer for track in tracks})} composers "
        f"on {len({track.extra['instrument'] for track in tracks})} instruments: "
        f"{len(tracks) - variants} recordings, {variants} variants of {len(bases)}; "
        f"{minutes:.0f} minutes"
    )


def _track(root: Path, row: dict[str, str]) -> Track:
    try:
        audio, midi = root / row["audio"], root / row["midi"]
        track = Track(
            id=row["id"],
            path=audio,
            stated_duration=float(row["duration"]),
            composer=row["composer"],
            work=row["work"],
            title=row["title"],
            movement=row["movement"],
            midi_path=midi,
            extra={key: value for key, value in row.items() if key not in _FIELDS},
        )
    except (KeyError, TypeError, ValueError):
        raise ArtifactError(str(root / TABLE), "is damaged", COMMAND) from None
    for path in (audio, midi):
        try:
            exists = path.is_file()
        except OSError:  # a name that is too long for the file system
            raise ArtifactError(str(root / TABLE), "is damaged", COMMAND) from None
        if not exists:
            raise ArtifactError(str(path), "is missing", COMMAND)
    return track
