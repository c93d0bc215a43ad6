"""Files that are replaced together: the name of each has its checksum.

A record names the checksums, so it names the files. New files are written beside the old ones, then
the record is replaced, then the old files are removed. So a process that is killed in between
leaves the old files with the old record.
"""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from mess.storage.files import has_bytes, matching, remove, write_bytes


def sealed(name: str, checksum: int) -> str:
    """Return a file name with the checksum of the file in it.

    >>> sealed("layer-00.faiss", 255)
    'layer-00.000000ff.faiss'
    """
    path = Path(name)
    return f"{path.stem}.{checksum:08x}{path.suffix}"


def write_sealed(folder: Path, contents: Mapping[str, bytes]) -> dict[str, int]:
    """Write files beside those of the same names; return the checksum of each by its plain name.

    A file that is there already is not written again.
    """
    checksums = {}
    for name, content in contents.items():
        checksums[name] = zlib.crc32(content)
        path = folder / sealed(name, checksums[name])
        if not has_bytes(path, checksums[name]):
            write_bytes(path, content)
    return checksums


def drop_others(folder: Path, patterns: Iterable[str], *, kept: Iterable[str]) -> None:
    """Remove the files of some patterns that no record names any more."""
    kept = set(kept)
    for pattern in patterns:
        for path in matching(folder, pattern):
            if path.name not in kept:
                remove(path)
