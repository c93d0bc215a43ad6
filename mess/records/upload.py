"""The records beside an uploaded file: its name, a request to encode it, and why that failed."""

from dataclasses import dataclass

from mess.records.base import Record


@dataclass(frozen=True, kw_only=True)
class UploadNote(Record):
    """What is known of an uploaded file.

    Attributes
    ----------
    name : str
        The original name: text, never a path.
    size : int
        Bytes.
    added : float
        Seconds since the epoch.
    """

    name: str
    size: int
    added: float


@dataclass(frozen=True, kw_only=True)
class EncodingRequest(Record):
    """By which encoder a file is to be encoded, to be compared with which dataset."""

    dataset: str
    encoder: str


@dataclass(frozen=True, kw_only=True)
class EncodingStart(Record):
    """The process that encodes a file."""

    pid: int


@dataclass(frozen=True, kw_only=True)
class EncodingProblem(Record):
    """Why a file could not be encoded, in one line."""

    message: str
