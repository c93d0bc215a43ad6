"""Listing a folder: its recordings and MIDI files, their ids, and the files that are skipped.

A file that cannot be used costs one line with the reason; all other files are read. Links to
folders are followed, but each folder is read only once. Hidden files, and those that macOS packs
into ``__MACOSX``, are skipped.
"""

import os
import stat
import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mess.audio.addresses import Address
from mess.audio.decoding import AUDIO_SUFFIXES

MIDI_SUFFIXES = frozenset({".mid", ".midi"})
# Suffixes of audio formats that are not supported.
_UNREAD = frozenset(
    {
        *(".aa", ".aax", ".ac3", ".amr", ".dff", ".dsf", ".dts", ".gsm", ".m4p", ".mpc"),
        *(".ra", ".rm", ".shn", ".tak", ".tta", ".voc"),
    }
)
_SHOWN, _LONGEST = 3, 80  # names in a line, characters of a name


class PassedOver:
    """The files that are skipped: their names by reason."""

    def __init__(self) -> None:
        self._names: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, name: str, reason: str) -> None:
        """Add a name, as a path below the root of the dataset."""
        self._names[reason].append(name)

    def lines(self) -> tuple[str, ...]:
        """Return a line for each reason, with the first names."""
        return tuple(_line(reason, sorted(names)) for reason, names in self._names.items())


def _line(reason: str, names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"not read: {', '.join(map(_shown, names[:_SHOWN]))}{more} ({reason})"


def _shown(name: str) -> str:
    name = printable(name) if printable(name).isprintable() else repr(name)
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"


@dataclass(frozen=True)
class Listing:
    """The files of a folder that may be recordings or their MIDI.

    Attributes
    ----------
    root : Path
    audio, midi : tuple of Path
        Sorted.
    passed_over : PassedOver
    """

    root: Path
    audio: tuple[Path, ...]
    midi: tuple[Path, ...]
    passed_over: PassedOver

    def name(self, path: Path) -> str:
        """Return a path below the root, with ``/``."""
        return path.relative_to(self.root).as_posix()


def list_files(root: Path) -> Listing:
    """Find the recordings and MIDI files below ``root``, at any depth."""
    if isinstance(root, Address):
        return _list_address(root)
    listing = _Walk(root)
    while listing.folders or listing.links:
        # Folders before links, so that a file is named by its real folder.
        listing.look_into(listing.folders.popleft() if listing.folders else listing.links.popleft())
    for folder in listing.named_as_audio:
        if not any(folder in path.parents for path in listing.audio):
            listing.pass_over(folder, "a folder, without recordings in it")
    return Listing(
        root, tuple(sorted(listing.audio)), tuple(sorted(listing.midi)), listing.passed_over
    )


def _list_address(root: Address) -> Listing:
    audio: list[Path] = []
    midi: list[Path] = []
    passed_over = PassedOver()
    for name in root.find():
        parts = name.split("/")
        suffix = Path(name).suffix.lower()
        of_interest = suffix in AUDIO_SUFFIXES | MIDI_SUFFIXES
        if any(part.startswith(".") or part == "__MACOSX" for part in parts) or "" in parts:
            if of_interest:
                passed_over.add(name, "hidden" if "" not in parts else "no name of a file")
        elif suffix in _UNREAD:
            passed_over.add(name, "a format that is not read: convert it")
        elif of_interest:
            (audio if suffix in AUDIO_SUFFIXES else midi).append(root / name)
    return Listing(root, tuple(sorted(audio)), tuple(sorted(midi)), passed_over)


class _Walk:
    """The state of a walk through a tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders, self.links = deque([root]), deque[Path]()
        self.audio: list[Path] = []
        self.midi: list[Path] = []
        self.named_as_audio: list[Path] = []
        self.passed_over = PassedOver()
        self._seen: set[tuple[int, int]] = set()

    def pass_over(self, path: Path, reason: str) -> None:
        self.passed_over.add(path.relative_to(self.root).as_posix(), reason)

    def look_into(self, folder: Path) -> None:
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in self._seen:
                self.pass_over(folder, "a link to a folder that is read already")
                return
            self._seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.pass_over(folder, f"cannot be opened: {error.strerror}")
            return
        for entry in listed:
            self._sort(entry, folder / entry.name)

    def _sort(self, entry: "os.DirEntry[str]", path: Path) -> None:
        suffix = path.suffix.lower()
        of_interest = suffix in AUDIO_SUFFIXES | MIDI_SUFFIXES
        hidden = entry.name.startswith(".") or entry.name == "__MACOSX"
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            if not hidden:
                broken = "a link that leads nowhere"
                self.pass_over(path, broken if entry.is_symlink() else str(error.strerror))
            return
        if hidden:
            if of_interest or stat.S_ISDIR(mode):
                self.pass_over(path, "hidden")
        elif stat.S_ISDIR(mode):
            (self.links if entry.is_symlink() else self.folders).append(path)
            if suffix in AUDIO_SUFFIXES:
                self.named_as_audio.append(path)
        elif suffix in _UNREAD:
            self.pass_over(path, "a format that is not read: convert it")
        elif of_interest and not stat.S_ISREG(mode):
            self.pass_over(path, "no regular file")
        elif of_interest:
            (self.audio if suffix in AUDIO_SUFFIXES else self.midi).append(path)


# Names -------------------------------------------------------------------------------------------


def printable(name: str) -> str:
    """Replace bytes that are not UTF-8, so that a name can be printed and stored."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def case_folded(name: str) -> str:
    """Return a name in the form in which case-insensitive file systems compare it."""
    return unicodedata.normalize("NFC", name).casefold()


def unique_ids(names: Iterable[str]) -> list[str]:
    """Return a unique id for each path, without the suffix if possible.

    Files that differ only in their suffix keep it. Bytes that are not UTF-8 are escaped if two
    names would otherwise be equal.

    >>> unique_ids(["a.wav", "b.wav", "b.flac", "b.wav.mp3"])
    ['a', 'b.wav', 'b.flac', 'b.wav.mp3']
    """
    choices = [
        (
            printable(name.removesuffix(Path(name).suffix)),
            printable(name),
            name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
            f"{printable(name)}~{number}",
        )
        for number, name in enumerate(names)
    ]
    level = [0] * len(choices)
    while True:
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for number, options in enumerate(choices):
            holders[options[level[number]]].append(number)
        clashes = [group for group in holders.values() if len(group) > 1]
        if not clashes:
            return [options[index] for options, index in zip(choices, level, strict=True)]
        for group in clashes:
            lowest = min(level[number] for number in group)
            for number in group:
                level[number] += level[number] == lowest


class MidiByName:
    """Find the MIDI file of a recording by its name; the case of the suffix is ignored.

    Parameters
    ----------
    paths : iterable of Path
    anywhere : bool
        Whether the MIDI may be in another folder than the recording.
    """

    def __init__(self, paths: Iterable[Path], *, anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._exact: dict[tuple[Path | None, str], Path] = {}
        self._case_folded: defaultdict[tuple[Path | None, str], list[Path]] = defaultdict(list)
        for path in paths:
            folder, stem = self._key(path)
            self._exact.setdefault((folder, stem), path)
            self._case_folded[folder, case_folded(stem)].append(path)

    def _key(self, path: Path) -> tuple[Path | None, str]:
        return None if self._anywhere else path.parent, path.stem

    def find(self, recording: Path) -> Path | None:
        """Return the MIDI of this exact name, else the only one that differs in case or form."""
        folder, stem = self._key(recording)
        alike = self._case_folded.get((folder, case_folded(stem)), [])
        return self._exact.get((folder, stem)) or (alike[0] if len(alike) == 1 else None)
