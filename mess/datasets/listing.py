"""Which recordings and MIDI files lie in a folder, what they are called, what is passed over.

One odd name costs a line and never the dataset: what cannot be used is told by its reason, and the
rest is read. Links to folders are followed, each folder once. Names that begin with a dot, and what
macOS packs into ``__MACOSX``, are no recordings.
"""

import os
import stat
import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mess.audio.decoding import AUDIO_SUFFIXES

MIDI_SUFFIXES = frozenset({".mid", ".midi"})
# Audio by its name, in formats that are not read.
_UNREAD = frozenset(
    {
        *(".3gp", ".aa", ".aax", ".ac3", ".amr", ".dff", ".dsf", ".dts", ".gsm", ".m4p", ".mpc"),
        *(".ra", ".rm", ".shn", ".tak", ".tta", ".voc"),
    }
)
_SHOWN, _LONGEST = 3, 80  # names in a line, characters of a name


class PassedOver:
    """What is not read: the names by reason."""

    def __init__(self) -> None:
        self._names: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, name: str, reason: str) -> None:
        """Remember a name, as a path below the dataset's root."""
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
    """Look for recordings and MIDI files in ``root``, at any depth."""
    listing = _Walk(root)
    while listing.folders or listing.links:
        # Folders before links: a file is called by the folder that it lies in.
        listing.look_into(listing.folders.popleft() if listing.folders else listing.links.popleft())
    for folder in listing.named_as_audio:
        if not any(folder in path.parents for path in listing.audio):
            listing.pass_over(folder, "a folder, without recordings in it")
    return Listing(
        root, tuple(sorted(listing.audio)), tuple(sorted(listing.midi)), listing.passed_over
    )


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
            found = folder.stat()
            if (found.st_dev, found.st_ino) in self._seen:
                self.pass_over(folder, "a link to a folder that is read already")
                return
            self._seen.add((found.st_dev, found.st_ino))
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
    """Replace bytes that are no UTF-8, so that a name can be printed and stored."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def folded(name: str) -> str:
    """Return a name without regard to case and Unicode form, as some file systems compare it."""
    return unicodedata.normalize("NFC", name).casefold()


def unique_ids(names: Iterable[str]) -> list[str]:
    """Return an id for each path: without its suffix where that is enough.

    Files of one name keep their suffixes, undecodable bytes are spelt out where they alone tell two
    names apart.

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
            return [options[which] for options, which in zip(choices, level, strict=True)]
        for group in clashes:
            lowest = min(level[number] for number in group)
            for number in group:
                level[number] += level[number] == lowest


class MidiByName:
    """Finds the MIDI of a recording by its name, whatever the case of its suffix.

    Parameters
    ----------
    paths : iterable of Path
    anywhere : bool
        The MIDI may lie in another folder than the recording.
    """

    def __init__(self, paths: Iterable[Path], *, anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._exact: dict[tuple[Path | None, str], Path] = {}
        self._folded: defaultdict[tuple[Path | None, str], list[Path]] = defaultdict(list)
        for path in paths:
            place, stem = self._key(path)
            self._exact.setdefault((place, stem), path)
            self._folded[place, folded(stem)].append(path)

    def _key(self, path: Path) -> tuple[Path | None, str]:
        return None if self._anywhere else path.parent, path.stem

    def find(self, recording: Path) -> Path | None:
        """Return the MIDI of exactly this name, else the only one that differs in case or form."""
        place, stem = self._key(recording)
        alike = self._folded.get((place, folded(stem)), [])
        return self._exact.get((place, stem)) or (alike[0] if len(alike) == 1 else None)
