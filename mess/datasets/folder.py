"""Any folder of audio files as a dataset: a file name is the id, the subfolder is the work.

No metadata is needed. All files of one subfolder count as one work (an album, a session, the
movements of a sonata), so that folds never split what was recorded together. A file directly in the
root is a work of its own. A MIDI file with the same name beside a recording is its MIDI.
"""

from pathlib import Path

from mess.datasets.base import Dataset, Track
from mess.datasets.listing import MidiByName, list_files, printable, unique_ids
from mess.errors import ArtifactError

LICENCE = "your own recordings"


def load_folder(root: Path, *, name: str = "folder") -> Dataset:
    """Read every audio file below ``root``; the notes of the dataset list what is skipped.

    Raises
    ------
    ArtifactError
        If there is none.
    """
    listing = list_files(root)
    if not listing.audio:
        notes = "".join(f" ({line})" for line in listing.passed_over.lines())
        raise ArtifactError(
            f"dataset {name!r}",
            f"has no audio below {root}{notes}: put files there (or `mess add {name} FOLDER`), "
            "then",
            f"mess extract --dataset {name}",
        )
    names = [listing.name(path) for path in listing.audio]
    midis = MidiByName(listing.midi)
    tracks = [
        Track(
            id=track_id,
            path=path,
            work=printable(relative.rpartition("/")[0]),
            title=printable(path.stem),
            midi_path=midis.find(path),
        )
        for path, relative, track_id in zip(listing.audio, names, unique_ids(names), strict=True)
    ]
    for path in set(listing.midi) - {track.midi_path for track in tracks}:
        listing.passed_over.add(listing.name(path), "no recording of this name beside it")
    return Dataset(name, root, tuple(tracks), LICENCE, notes=listing.passed_over.lines())
