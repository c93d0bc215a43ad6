"""Single files of a zip archive, from a server or from the disk.

Of an archive on a server, its directory is read first, at its end. Then the bytes of each wanted
file are downloaded, as any other download. So 101 GB need not be downloaded for three recordings.
A file is unpacked to the size that the directory states and no further, and its CRC-32 is compared.
"""

import itertools
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import requests
import urllib3
from remotezip import RangeNotSupported, RemoteZip, RemoteZipError

from mess.errors import MessError
from mess.remote.http import HEADERS, USUAL, NoParts, Patience, download, in_mb, place_of
from mess.storage.downloads import DownloadFiles, Part

_DIRECTORY_BYTES = 1 << 20  # asked for at once; that of MAESTRO has half of it
_HEADER = struct.Struct("<4s5H3I2H")
_SLACK = 1 << 17  # bytes of a file's own header, and what may follow its data
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Damaged(MessError):
    """Bytes that are not those of the archive's directory; they were not kept."""


DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # an unknown compression
    RuntimeError,  # encryption
    struct.error,
    Damaged,
)


class LocalArchive:
    """A zip archive on the disk.

    Attributes
    ----------
    members : dict of str to ZipInfo
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except DAMAGE:
            raise self.damaged() from None
        self.members = {info.filename: info for info in self._zip.infolist()}

    def cost(self, _name: str) -> int:
        """Return how many bytes must be downloaded for a file: none."""
        return 0

    @contextmanager
    def open(self, name: str, **_: object) -> Iterator[IO[bytes]]:
        """Open a file of the archive."""
        with self._zip.open(self.members[name]) as handle:
            yield handle

    def damaged(self) -> Damaged:
        """Remove the archive, and return the error that says so."""
        Part(self._path).discard()
        return Damaged(
            f"{self._path}: was no zip archive, or damaged, and is removed; run the same command "
            "again"
        )


class RemoteArchive:
    """A zip archive on a server; only its directory is read at first.

    Parameters
    ----------
    url : str
    name : str
        Of the folder of downloads.
    downloads : DownloadFiles
    patience : Patience

    Attributes
    ----------
    members : dict of str to ZipInfo

    Raises
    ------
    NoParts
        If the server sends whole files only.
    MessError
        If it is out of reach, or the file is no zip archive.
    """

    def __init__(
        self, url: str, *, name: str, downloads: DownloadFiles, patience: Patience = USUAL
    ) -> None:
        self._url, self._name = url, name
        self._downloads, self._patience = downloads, patience
        infos, directory = _read_directory(url, patience)
        starts = sorted({info.header_offset for info in infos} | {directory})
        after = dict(itertools.pairwise(starts))
        self.members = {info.filename: info for info in infos}
        self._spans = {
            info.filename: (
                info.header_offset,
                min(
                    after.get(info.header_offset, directory),
                    info.header_offset + info.compress_size + _SLACK,
                ),
            )
            for info in infos
        }

    def damaged(self) -> Damaged:
        """Return the error that says that wrong bytes came, again."""
        return Damaged(
            f"{place_of(self._url)}: what came is not what the archive's directory states, twice; "
            "nothing of it was kept; run the same command again later"
        )

    def part(self, name: str) -> Part:
        """Return what has arrived of a file."""
        first, end = self._spans[name]
        crc = self.members[name].CRC
        return self._downloads.part(self._name, f"{self._url} {first} {end} {crc}")

    def cost(self, name: str) -> int:
        """Return how many bytes must be downloaded for a file."""
        first, end = self._spans[name]
        return max(0, end - first - self.part(name).size)

    @contextmanager
    def open(
        self, name: str, *, on_bytes: Callable[[int], None] = lambda _: None
    ) -> Iterator[IO[bytes]]:
        """Download a file of the archive, and open it.

        When the block ends, what was downloaded is removed, if nothing went wrong or the bytes are
        wrong. Otherwise it stays for the next time.
        """
        part = self.part(name)
        download(
            self._url, part, span=self._spans[name], patience=self._patience, on_bytes=on_bytes
        )
        try:
            with part.path.open("rb") as handle:
                yield _opened(handle, self.members[name])
        except DAMAGE:
            part.discard()
            raise
        part.discard()


def check_members(members: Iterable[zipfile.ZipInfo], *, most: int) -> int:
    """Return the bytes of some files of an archive, unpacked.

    Raises
    ------
    MessError
        If one is encrypted or no plain file, or they are larger than ``most`` together.
    """
    total = 0
    for info in members:
        plain = info.compress_type in _METHODS and not info.flag_bits & 1 and not info.is_dir()
        if not plain:
            raise MessError(f"{info.filename}: is encrypted or no plain file; it is not unpacked")
        total += info.file_size
    if total > most:
        raise MessError(
            f"the archive unpacks to {in_mb(total)}, more than {in_mb(most)}: it is not the one "
            "that its authors described; nothing is unpacked"
        )
    return total


def _opened(handle: IO[bytes], info: zipfile.ZipInfo) -> IO[bytes]:
    """Open the file whose own header begins here."""
    fields = _HEADER.unpack(handle.read(_HEADER.size))
    if fields[0] != b"PK\x03\x04":
        raise Damaged(f"{info.filename}: the archive has other bytes in its place")
    handle.seek(fields[9] + fields[10], 1)
    return cast(IO[bytes], zipfile.ZipExtFile(handle, "r", info))


def _read_directory(url: str, patience: Patience) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the files of an archive on a server, and where its directory begins."""
    failures = 0
    while True:
        try:
            with (
                requests.Session() as session,
                RemoteZip(
                    url,
                    initial_buffer_size=_DIRECTORY_BYTES,
                    session=session,
                    headers=HEADERS,
                    timeout=patience.timeout,
                ) as archive,
            ):
                return archive.infolist(), archive.start_dir
        except RangeNotSupported:
            raise NoParts(f"{place_of(url)}: the server sends no parts of a file") from None
        except (OSError, urllib3.exceptions.HTTPError, RemoteZipError, *DAMAGE) as error:
            reason = _reason(error)
            if reason is None:
                raise MessError(
                    f"{place_of(url)}: there is no such file; the authors moved it"
                ) from None
        failures += 1
        if failures >= patience.attempts:
            raise MessError(f"{place_of(url)}: {reason}; run the same command again") from None
        patience.wait(failures)


def _reason(error: BaseException) -> str | None:
    """Return why an archive's directory was not read; None if there is no such file."""
    text = str(error)
    if text.startswith(("404", "410")):
        return None
    if isinstance(error, DAMAGE):
        return "is no zip archive, or is damaged"
    status = text.split(":")[0]
    return f"it answers {status}" if status[:3].isdecimal() else "it is out of reach"
