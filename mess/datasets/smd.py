"""Saarland Music Data: solo piano recorded with MIDI on a Disklavier (Müller et al. 2011).

All metadata is in the file name: ``Beethoven_Op027No1-01_003_20090916-SMD.wav`` is movement 01 of
Op. 27 No. 1 by Beethoven, played by performer 003 on 2009-09-16.

References
----------
M. Müller, V. Konz, W. Bogler, V. Arifi-Müller: Saarland Music Data (SMD). ISMIR late-breaking
session, 2011.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mess.datasets.base import Dataset, Track
from mess.datasets.listing import MidiByName, list_files
from mess.errors import ArtifactError

LICENCE = "CC BY-NC-SA 3.0"
HOMEPAGE = "https://www.audiolabs-erlangen.de/resources/MIR/SMD/midi"
_LOSSLESS = frozenset({".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aiff", ".aif", ".aifc"})
_NAME = re.compile(
    r"(?P<composer>[^_]+)_(?P<work>.+?)(?:-(?P<movement>\d+))?"
    r"_(?P<performer>\d{3})_(?P<date>\d{8})-SMD"
)


@dataclass(frozen=True)
class SmdName:
    """The metadata in the name of an SMD file."""

    composer: str
    work: str
    movement: str
    performer: str
    date: str

    @property
    def track_id(self) -> str:
        """``Composer_Work-Movement``."""
        return f"{self.composer}_{self.work}" + (f"-{self.movement}" if self.movement else "")


def parse_name(name: str) -> SmdName | None:
    """Parse a file name without its suffix, or return None if it is not SMD's.

    >>> parse_name("Beethoven_Op027No1-01_003_20090916-SMD").track_id
    'Beethoven_Op027No1-01'
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return SmdName(**{key: value or "" for key, value in match.groupdict().items()})


def load_smd(root: Path) -> Dataset:
    """Read SMD below ``root``, at any depth; MIDI may be in the folder of the audio or elsewhere.

    Raises
    ------
    ArtifactError
        If there is no SMD recording below ``root``.
    """
    listing = list_files(root)
    midis = MidiByName(listing.midi, anywhere=True)
    named = [
        (path, name)
        for path in _one_file_each(listing.audio)
        if (name := parse_name(path.stem)) is not None
    ]
    for path in listing.audio:
        if parse_name(path.stem) is None:
            listing.passed_over.add(listing.name(path), "no name of SMD: use another dataset")
    performances = Counter(name.track_id for _, name in named)
    tracks = [
        Track(
            # If a movement was performed twice, performer and date make the ids unique.
            id=name.track_id
            + (f"_{name.performer}_{name.date}" if performances[name.track_id] > 1 else ""),
            path=path,
            composer=name.composer,
            work=name.work,
            title=f"{name.work}, {name.movement}" if name.movement else name.work,
            movement=name.movement,
            midi_path=midis.find(path),
            extra={"performer": name.performer, "date": name.date},
        )
        for path, name in named
    ]
    if not tracks:
        notes = "".join(f" ({line})" for line in listing.passed_over.lines())
        raise ArtifactError(
            "dataset 'smd'",
            f"has no recording below {root}{notes}: its authors publish it at {HOMEPAGE}; "
            "put its wav and mid files there, or download it",
            "mess fetch smd",
        )
    for path in set(listing.midi) - {track.midi_path for track in tracks}:
        listing.passed_over.add(listing.name(path), "no recording of this name")
    return Dataset("smd", root, tuple(tracks), LICENCE, HOMEPAGE, listing.passed_over.lines())


def _one_file_each(paths: Iterable[Path]) -> list[Path]:
    """Return one file for each recording, preferably a lossless one."""
    chosen: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (path.suffix.lower() not in _LOSSLESS, path)):
        chosen.setdefault(path.stem, path)
    return [chosen[stem] for stem in sorted(chosen)]
