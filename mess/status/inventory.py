"""The inventory of a dataset: how many recordings, how many bytes, which changes.

Only manifests are opened. Sizes and changes come from the file system.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from mess.as_text import duration, size
from mess.datasets import Dataset, load_dataset
from mess.encoders import PRESETS
from mess.errors import ArtifactError, MessError
from mess.records.manifest import FailedEntry
from mess.records.targets import TargetsEntry
from mess.storage.manifest import AnyManifest
from mess.storage.store import Store


@dataclass(frozen=True)
class Changes:
    """How recordings differ from what a manifest remembers.

    Attributes
    ----------
    new : int
        Recordings that were not there.
    gone : int
    changed : int
        Of another size.
    touched : int
        Of the same size and another time: edited in place, or copied. A run compares hashes.
    midi : int
        Whose MIDI has another size or time, came or went.
    """

    new: int = 0
    gone: int = 0
    changed: int = 0
    touched: int = 0
    midi: int = 0


@dataclass(frozen=True)
class Inventory:
    """How much there is of a dataset by one encoder.

    Attributes
    ----------
    tracks, works : int
    seconds : float
        Of audio.
    failed : dict of str to str
        Why a track has no features, by its id.
    doubtful : dict of str to str
        What is doubtful about the file of a track that has features, by its id.
    licence : str
        Of the recordings; "" where the dataset does not say.
    weights_licence : str
        Of the encoder's weights.
    sizes : dict of str to int
        Bytes of each kind of artifact; a kind that is not there is left out.
    """

    tracks: int = 0
    works: int = 0
    seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    licence: str = ""
    weights_licence: str = ""
    sizes: dict[str, int] = field(default_factory=dict)


def find_recordings(store: Store, dataset: str) -> Dataset | None:
    """Return the recordings of a dataset, None where they are not on this machine."""
    try:
        return load_dataset(dataset, root=store.audio_dir(dataset))
    except (MessError, OSError):
        return None


def why_unread(store: Store, dataset: str) -> str:
    """Return why the recordings of a dataset cannot be listed, in a line; "" if they can."""
    try:
        load_dataset(dataset, root=store.audio_dir(dataset))
    except (MessError, OSError) as error:
        return str(error)
    return ""


def find_changes(recordings: Dataset, manifest: AnyManifest) -> Changes:
    """Compare a dataset's files with a manifest, by size and time alone."""
    new = gone = changed = touched = midi = 0
    for track in recordings:
        entry = manifest.tracks.get(track.id)
        if entry is None:
            new += 1
            continue
        if isinstance(entry, FailedEntry):
            continue
        size, time = _stat(track.path)
        gone += size < 0
        changed += size not in (-1, entry.size)
        touched += size == entry.size and time != entry.mtime_ns
        if isinstance(entry, TargetsEntry):
            now = _stat(track.midi_path) if track.midi_path else None
            midi += now != entry.midi_stat
    gone += len(manifest.tracks.keys() - {track.id for track in recordings})
    return Changes(new=new, gone=gone, changed=changed, touched=touched, midi=midi)


def take_inventory(
    store: Store, dataset: str, encoder: str, *, recordings: Dataset | None
) -> Inventory:
    """Count what there is of a dataset by an encoder, and its bytes on disk.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    recordings : Dataset or None
        What `find_recordings` found.
    """
    preset = PRESETS.get(encoder)
    weights_licence = preset.licence if preset else ""
    try:
        manifest = store.features.manifest(dataset, encoder)
        done, failed = manifest.done(), manifest.failed()
        weights_licence = manifest.header.licence or weights_licence
    except ArtifactError:
        done, failed = {}, {}
    return Inventory(
        tracks=len(done),
        works=len({entry.work for entry in done.values()}),
        seconds=sum(entry.duration for entry in done.values()),
        failed=failed,
        doubtful={track: "; ".join(entry.notes) for track, entry in done.items() if entry.notes},
        licence=recordings.licence if recordings else "",
        weights_licence=weights_licence,
        sizes=_sizes(store, dataset, encoder, recordings),
    )


def _sizes(store: Store, dataset: str, encoder: str, recordings: Dataset | None) -> dict[str, int]:
    """Return the bytes of each kind of artifact, the audio (with its MIDI) first."""
    if recordings is None:
        sizes = {"audio": _folder_size(store.audio_dir(dataset))}
    else:  # wherever links lead
        files = {path for track in recordings for path in (track.path, track.midi_path) if path}
        sizes = {"audio": sum(_size(path) for path in files)}
    for kind, paths in store.artifact_paths(dataset, encoder).items():
        sizes[kind] = sum(_size(path) for path in paths)
    return {kind: size for kind, size in sizes.items() if size}


def _size(path: Path) -> int:
    return _folder_size(path) if path.is_dir() else max(0, _stat(path)[0])


def _folder_size(folder: Path) -> int:
    total = 0
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    total += _folder_size(Path(entry.path))
                elif entry.is_file():
                    total += entry.stat().st_size
    except OSError:
        return total
    return total


def _stat(path: Path) -> tuple[int, int]:
    """Return size and time of a file, −1 where there is none."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


# In words --------------------------------------------------------------------------------------


def describe_amount(found: Inventory) -> str:
    """Return hours, tracks, works and bytes in one line."""
    return (
        f"{duration(found.seconds)} of audio, {found.tracks} tracks of {found.works} works, "
        f"{size(sum(found.sizes.values()))} on disk"
    )


def describe_licences(found: Inventory, encoder: str) -> list[str]:
    """Return a line on the licence of the recordings, and one on the weights'."""
    lines = [f"the recordings: {found.licence}"] if found.licence else []
    weights = f"the weights of {encoder}: {found.weights_licence}"
    return lines + ([weights] if found.weights_licence else [])


def readable(name: str) -> str:
    """Return a name with what cannot be printed or sent, bytes that are no UTF-8, replaced.

    >>> readable("caf\\udce9")
    'caf?'
    """
    return name.encode(errors="replace").decode()
