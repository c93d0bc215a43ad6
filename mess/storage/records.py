"""The one reader and the one writer of records: JSON files that hold a result."""

from pathlib import Path
from typing import TypeVar

from mess.errors import ArtifactStale
from mess.records.base import DoesNotFit, Record
from mess.storage.files import read_json, write_json

R = TypeVar("R", bound=Record)


def read_record(
    path: Path,
    kind: type[R],
    *,
    command: str,
    checksum: int | None = None,
    sealed: bool = True,
) -> R:
    """Read a record that `write_record` wrote.

    Parameters
    ----------
    path : Path
    kind : type
        The class of the record.
    command : str
        What makes the file anew.
    checksum : int, optional
        That of the whole file, where another record names it.
    sealed : bool
        See `read_json`.

    Raises
    ------
    ArtifactError
        If the file is missing or damaged.
    ArtifactStale
        If it is whole and holds something else: another version of the code wrote it.
    """
    content = read_json(path, command=command, checksum=checksum, sealed=sealed)
    try:
        return kind.from_json(content)
    except DoesNotFit as error:
        reason = f"was made by another version of the code ({error})"
        raise ArtifactStale(str(path), reason, command) from None


def write_record(path: Path, record: Record, *, named: bool = False) -> int:
    """Write a record; return the checksum of the file.

    With ``named``, another record keeps this checksum.

    Raises
    ------
    DoesNotFit
        If a value is of another type than its field: what cannot be read is not written.
    """
    content = record.to_json()
    type(record).from_json(content)
    return write_json(path, content, record=not named)
