"""The inventory of a dataset: how many recordings, how many bytes, which changes.

Only manifests are opened. Sizes and changes come from the file system.
"""

from dataclasses import dataclass, field
from pathlib import Path

from mess.as_text import duration, size
from mess.datasets import Dataset, load_dataset
from mess.encoders import PRESETS
from mess.errors import ArtifactError, MessError
from mess.records.manifest import FailedEntry
from mess.records.targets import TargetsEntry
from mess.storage.files import folder_size, size_of
from mess.storage.manifest import AnyManifest
from mess.storage.store import Store


@dataclass(frozen=True)
class Changes:
    """How the recordings differ from the entries of a manifest.

    Attributes
    ----------
    new : int
        Recordings without an entry.
    gone : int
        Entries without a recording.
    changed : int
        Recordings of another size.
    touched : int
        Recordings of the same size and another time. They were edited or copied; a run compares
        hashes.
    midi : int
        Recordings whose MIDI has another size or time, or was added or removed.
    """

    new: int = 0
    gone: int = 0
    changed: int = 0
    touched: int = 0
    midi: int = 0


@dataclass(frozen=True)
class Inventory:
    """The amount of audio of a dataset, and the sizes of its artifacts by one encoder.

    Attributes
    ----------
    tracks, works : int
    seconds : float
        Of audio.
    failed : dict of str to str
        Track id → why the track has no features.
    doubtful : dict of str to str
        Track id → what is doubtful about the file of the track.
    licence : str
        The licence of the recordings; "" if the dataset does not state it.
    weights_licence : str
        The licence of the encoder's weights.
    sizes : dict of str to int
        Kind of artifact → bytes. Kinds that do not exist are left out.
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
    """Return the recordings of a dataset, None if they are not on this machine."""
    try:
        return load_dataset(dataset, root=store.audio_dir(dataset))
    except (MessError, OSError):
        return None


def why_unread(store: Store, dataset: str) -> str:
    """Return in one line why the recordings of a dataset cannot be listed, "" if they can."""
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
    """Return the inventory of a dataset by an encoder.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    recordings : Dataset or None
        From `find_recordings`.
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
    """Return the bytes of each kind of artifact. The first kind is the audio with its MIDI."""
    if recordings is None:
        sizes = {"audio": folder_size(store.audio_dir(dataset))}
    else:  # the files may lie elsewhere, behind links
        files = {path for track in recordings for path in (track.path, track.midi_path) if path}
        sizes = {"audio": sum(_size(path) for path in files)}
    for kind, paths in store.artifact_paths(dataset, encoder).items():
        sizes[kind] = sum(size_of(path) for path in paths)
    return {kind: size for kind, size in sizes.items() if size}


def _size(path: Path) -> int:
    return folder_size(path) if path.is_dir() else max(0, _stat(path)[0])


def _stat(path: Path) -> tuple[int, int]:
    """Return the size and the time of a file, −1 and −1 if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


# In words --------------------------------------------------------------------------------------


def describe_amount(inventory: Inventory) -> str:
    """Return hours, tracks, works and bytes in one line."""
    return (
        f"{duration(inventory.seconds)} of audio, {inventory.tracks} tracks of "
        f"{inventory.works} works, "
        f"{size(sum(inventory.sizes.values()))} on disk"
    )


def describe_licences(inventory: Inventory, encoder: str) -> list[str]:
    """Return a line on the licence of the recordings, and one on the weights'."""
    lines = [f"the recordings: {inventory.licence}"] if inventory.licence else []
    weights = f"the weights of {encoder}: {inventory.weights_licence}"
    return lines + ([weights] if inventory.weights_licence else [])


def readable(name: str) -> str:
    """Return a name in which bytes that are not UTF-8 are replaced, so that it can be printed.

    >>> readable("caf\\udce9")
    'caf?'
    """
    return name.encode(errors="replace").decode()
