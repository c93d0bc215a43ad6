"""Any tree of audio files as a dataset: names are ids, the folder above is the work.

Nothing is known of the music but where its files lie. Files of one subfolder count as one work
(an album, a session, a sonata's movements), so that folds never split what was recorded
together; files directly in the root each stand alone.
"""

from collections import Counter
from pathlib import Path

from mess.audio import AUDIO_SUFFIXES
from mess.datasets.base import Dataset, Track
from mess.errors import ArtifactError

LICENCE = "your own recordings"


def load_folder(root: Path, *, name: str = "folder") -> Dataset:
    """Read every audio file below ``root``; hidden files are left out.

    Raises
    ------
    ArtifactError
        If there is none.
    """
    paths = [
        path
        for path in sorted(root.rglob("*"))
        if path.suffix.lower() in AUDIO_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    if not paths:
        raise ArtifactError(
            f"dataset {name!r}",
            f"has no audio below {root}: put files there (or `mess add {name} FOLDER`), then",
            f"mess extract --dataset {name}",
        )
    stems = Counter(path.relative_to(root).with_suffix("").as_posix() for path in paths)
    tracks = []
    for path in paths:
        relative = path.relative_to(root)
        stem = relative.with_suffix("").as_posix()
        track_id = stem if stems[stem] == 1 else relative.as_posix()
        midi = path.with_suffix(".mid")
        tracks.append(
            Track(
                id=_printable(track_id),
                path=path,
                work=_printable(relative.parent.as_posix()) if len(relative.parts) > 1 else "",
                title=_printable(path.stem),
                midi_path=midi if midi.is_file() else None,
            )
        )
    return Dataset(name, root, tuple(tracks), LICENCE)


def _printable(name: str) -> str:
    """Replace bytes that are no UTF-8, so that a name can be printed and stored."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
