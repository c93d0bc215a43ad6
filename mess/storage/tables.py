"""Tables on disk: Parquet files that hold their own checksum, and text about them."""

import io
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mess.errors import ArtifactError, ArtifactStale
from mess.storage.files import bring, read_bytes, write_bytes

if TYPE_CHECKING:  # imported where it is used: the runner of jobs needs no tables
    import pandas as pd

_TABLE_SEAL = re.compile(rb"mess-crc32:([0-9a-f]{8})")
_OPEN_SEAL = b"mess-crc32:00000000"


def write_table(
    path: Path, table: "pd.DataFrame", *, about: Mapping[str, str] | None = None
) -> int:
    """Write a table as Parquet, with a checksum inside. Return the checksum of the file.

    Parameters
    ----------
    path : Path
    table : DataFrame
    about : mapping of str to str, optional
        Stored with the table; `read_table_about` returns it.
    """
    import pyarrow
    from pyarrow import parquet

    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    notes = {b"mess.about": json.dumps(dict(about or {})).encode(), b"mess.checksum": _OPEN_SEAL}
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **notes})
    buffer = io.BytesIO()
    parquet.write_table(arrow, buffer, compression="zstd", write_page_checksum=True)
    content = buffer.getvalue()
    seal = b"mess-crc32:%08x" % zlib.crc32(content)
    at = content.rindex(_OPEN_SEAL)
    return write_bytes(path, content[:at] + seal + content[at + len(seal) :])


def read_table(path: Path, *, command: str, checksum: int | None = None) -> "pd.DataFrame":
    """Read a Parquet table that `write_table` wrote."""
    return read_table_about(path, command=command, checksum=checksum)[0]


def read_table_about(
    path: Path, *, command: str, checksum: int | None = None
) -> "tuple[pd.DataFrame, dict[str, str]]":
    """Read a Parquet table and the text that was stored with it.

    Raises
    ------
    ArtifactError
        If it is missing or damaged, or not the one with ``checksum``.
    """
    content = read_bytes(path, command=command, checksum=checksum)
    import pandas as pd  # where there is no table, it is not needed
    from pyarrow import parquet

    seals = list(_TABLE_SEAL.finditer(content))
    if seals:
        first, last = seals[-1].span()
        crc = zlib.crc32(memoryview(content)[:first])
        crc = zlib.crc32(memoryview(content)[last:], zlib.crc32(_OPEN_SEAL, crc))
        if crc != int(seals[-1][1], 16):
            raise ArtifactError(str(path), "is damaged", command)
    try:
        notes = parquet.read_schema(io.BytesIO(content)).metadata or {}
        table = pd.read_parquet(io.BytesIO(content), page_checksum_verification=True)
    except Exception:  # the errors of pyarrow have no common base class
        raise ArtifactError(str(path), "is damaged", command) from None
    if not seals:
        raise ArtifactStale(str(path), "is of older code and has no checksum", command)
    return table, json.loads(notes[b"mess.about"])


def table_about(path: Path) -> dict[str, str]:
    """Return the text that was stored with a table, without the table; empty if unreadable."""
    from pyarrow import parquet

    bring(path)
    try:
        notes = parquet.read_schema(path).metadata or {}
        return dict(json.loads(notes.get(b"mess.about", b"{}")))
    except Exception:  # as in `read_table_about`
        return {}
