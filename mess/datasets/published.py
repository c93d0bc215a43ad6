"""What `mess fetch` downloads: where the authors publish a dataset, and which files are taken.

This module opens no file and no connection. The addresses and checksums are those of the authors'
pages. A file of an archive has a CRC-32 in the archive's directory, which is compared, too.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from mess.datasets import maestro, smd
from mess.errors import MessError, UnknownName

SPLITS = ("train", "validation", "test")
_SMD_AUDIO, _SMD_MIDI = "wav_44100_stereo", "midi"  # folders of the archive
_PLAIN = re.compile(r"\d{4}/[\w.,()+ -]+\.(?:wav|midi?)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A zip file on a server.

    Attributes
    ----------
    url : str
    sha256 : str
        Of the whole file, in hexadecimal; "" where its authors state none.
    most : int
        Bytes that its unpacked files may have together. A larger archive is another one.
    whole : bool
        Whether the whole archive may be downloaded where the server sends no parts of it.
    """

    url: str
    sha256: str = ""
    most: int
    whole: bool = True


@dataclass(frozen=True, kw_only=True)
class Published:
    """A dataset as its authors publish it.

    Attributes
    ----------
    name, title, authors : str
    licence, licence_url, homepage : str
    audio, midi : Archive
        The archives that hold the recordings and the MIDI files; they may be the same.
    """

    name: str
    title: str
    authors: str
    licence: str
    licence_url: str
    homepage: str
    audio: Archive
    midi: Archive


_SMD_ARCHIVE = Archive(
    url="https://zenodo.org/records/13753319/files/SMD-piano_v2.zip", most=10_000_000_000
)
SMD = Published(
    name="smd",
    title="Saarland Music Data, MIDI-Audio Piano Music, version 2 (50 recordings)",
    authors="M. Müller, V. Konz, W. Bogler, V. Arifi-Müller",
    licence=smd.LICENCE,
    licence_url="https://creativecommons.org/licenses/by-nc-sa/3.0/",
    homepage=smd.HOMEPAGE,
    audio=_SMD_ARCHIVE,
    midi=_SMD_ARCHIVE,
)
_MAESTRO = "https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/"
MAESTRO = Published(
    name="maestro",
    title="MAESTRO v3.0.0 (1,276 recordings, 199 hours)",
    authors="C. Hawthorne et al., Google Magenta",
    licence=maestro.LICENCE,
    licence_url="https://creativecommons.org/licenses/by-nc-sa/4.0/",
    homepage=maestro.HOMEPAGE,
    audio=Archive(url=f"{_MAESTRO}maestro-v3.0.0.zip", most=140_000_000_000, whole=False),
    midi=Archive(
        url=f"{_MAESTRO}maestro-v3.0.0-midi.zip",
        sha256="70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
        most=500_000_000,
    ),
)
PUBLISHED: Mapping[str, Published] = {"smd": SMD, "maestro": MAESTRO}
MAESTRO_LIST = "maestro-v3.0.0.csv"


def smd_files(members: Iterable[str], *, midi_only: bool = False) -> dict[str, str]:
    """Return where each wanted file of SMD's archive belongs, below the folder of the dataset.

    The archive also holds copies at another rate and renderings of the MIDI. They are left out.

    >>> members = ["SMD/midi/Bach_BWV849-01_001_20090916-SMD.mid", "SMD/../x.mid", "readme.txt"]
    >>> smd_files(members, midi_only=True)
    {'SMD/midi/Bach_BWV849-01_001_20090916-SMD.mid': 'midi/Bach_BWV849-01_001_20090916-SMD.mid'}

    Raises
    ------
    MessError
        If there is none.
    """
    kinds = {_SMD_MIDI: ".mid"} if midi_only else {_SMD_AUDIO: ".wav", _SMD_MIDI: ".mid"}
    found = {}
    for name in members:
        path = PurePosixPath(name)
        wanted = kinds.get(path.parent.name)
        if wanted == path.suffix.lower() and smd.parse_name(path.stem) is not None:
            found[name] = f"{path.parent.name}/{path.name}"
    present = {path.split("/")[0] for path in found.values()}
    if absent := sorted(kinds.keys() - present):
        raise MessError(
            f"the archive of SMD has no {absent[0]}/: its authors have changed it; "
            f"get the files from {smd.HOMEPAGE}"
        )
    return found


def read_recordings(content: bytes) -> list[dict[str, str]]:
    """Return the rows of MAESTRO's list.

    Raises
    ------
    MessError
        If it is no list, or a row names a file outside the folders of the years.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        paths = [row[column] for row in rows for column in ("audio_filename", "midi_filename")]
        splits = {row["split"] for row in rows}
    except (ValueError, KeyError, csv.Error):
        raise MessError(f"{MAESTRO_LIST}: is damaged; run the same command again") from None
    odd = next((path for path in paths if not _PLAIN.fullmatch(path or "")), None)
    if odd is not None or not rows or not splits <= set(SPLITS):
        raise MessError(f"{MAESTRO_LIST}: is not MAESTRO's list ({odd!r}); nothing is unpacked")
    return rows


def choose_recordings(
    rows: Sequence[dict[str, str]], *, split: str | None = None, subset: int | None = None
) -> list[dict[str, str]]:
    """Return the recordings of a split, and ``subset`` of them.

    The subset is drawn by a hash of the file names. It is the same everywhere, and a smaller subset
    is a part of a larger one.

    Raises
    ------
    UnknownName
        If there is no such split.
    """
    if split is not None and split not in SPLITS:
        raise UnknownName("split", split, SPLITS)
    chosen = [row for row in rows if split in (None, row["split"])]
    if subset is None:
        return chosen
    by_hash = sorted(
        chosen, key=lambda row: hashlib.sha256(row["audio_filename"].encode()).hexdigest()
    )
    return by_hash[:subset]


def maestro_files(members: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Return the member of an archive of MAESTRO for each wanted path → that path.

    Raises
    ------
    MessError
        If one is missing.
    """
    by_path = {}
    for name in members:
        by_path["/".join(PurePosixPath(name).parts[1:])] = name
    paths = list(wanted)
    missing = next((path for path in paths if path not in by_path), None)
    if missing is not None:
        raise MessError(
            f"the archive of MAESTRO has no {missing}: its authors have changed it; "
            f"get the files from {maestro.HOMEPAGE}"
        )
    return {by_path[path]: path for path in paths}
