"""The blocks of a recording at its own rate, and how long its header says that it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mess.audio.addresses import Address, as_path
from mess.audio.channels import Samples
from mess.audio.containers import read_layout
from mess.audio.decoders import part_blocks, part_seconds
from mess.audio.parts import Layout
from mess.audio.resampling import at_one_rate
from mess.errors import AudioError, MessError


def probe_duration(path: str | Path) -> float | None:
    """Return the length in seconds that the file's header states, None if it states none.

    None, too, if the file is truncated: then the header is wrong. Files on a server are not asked.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> probe_duration("tone.wav")
    6.0
    >>> probe_duration("nothing.wav") is None
    True
    """
    path = as_path(path)
    if isinstance(path, Address):  # its header is on a server, and the whole file would be copied
        return None
    try:
        with _opened(path) as (handle, layout):
            if layout.fault:
                return None
            lengths = [part_seconds(path, handle, layout, part) for part in layout.parts]
    except MessError:
        return None
    return sum(length for length in lengths if length is not None) if all(lengths) else None


def native_blocks(
    path: Path, *, start: float = 0.0, notes: list[str] | None = None
) -> Iterator[tuple[Samples, int]]:
    """Yield the blocks of a recording at its own rate, from ``start`` seconds on.

    Several recordings in one file (joined MP3s, a chained Ogg) follow each other, at the rate of
    the first.

    Parameters
    ----------
    path : Path
    start : float
        Seconds.
    notes : list of str, optional
        Doubts about the file are appended to it.

    Yields
    ------
    block : ndarray [shape=(frames, channels)]
    rate : int
        Hz, the same for all blocks.

    Raises
    ------
    AudioError
        If the file is missing, unreadable, truncated or not audio, or states an implausible
        rate or number of channels.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> from pathlib import Path
    >>> sum(len(block) / rate for block, rate in native_blocks(Path("tone.wav")))
    6.0
    """
    notes = [] if notes is None else notes
    with _opened(path) as (handle, layout):
        if layout.fault:
            cut = "truncated" in layout.fault
            way_out = "copy it again" if cut else "convert or export it again"
            raise AudioError(path, layout.fault, way_out)
        notes += layout.notes
        yield from at_one_rate(_all_parts(path, handle, layout, start, notes))


def _all_parts(
    path: Path, handle: BinaryIO, layout: Layout, start: float, notes: list[str]
) -> Iterator[tuple[Samples, int]]:
    for number, part in enumerate(layout.parts, 1):
        if start > 0 and number < len(layout.parts):
            length = part_seconds(path, handle, layout, part)
            if length is None:
                blocks = part_blocks(path, handle, layout, part, 0.0, [])
                length = sum(len(block) / rate for block, rate in blocks)
            if start >= length:
                start -= length
                continue
        yield from part_blocks(path, handle, layout, part, start, notes)
        start = 0.0


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Layout]]:
    try:
        if not path.is_file():
            raise AudioError(path, "is not there", "check the name and the folder")
        if path.stat().st_size == 0:
            raise AudioError(path, "is empty", "copy it again")
        # Opened here, so that the system says why the file cannot be read.
        with path.open("rb") as handle:
            yield handle, read_layout(handle)
    except PermissionError:
        raise AudioError(path, "cannot be read", "change its permissions") from None
    except OSError as error:
        raise AudioError(
            path, f"cannot be read ({error.strerror or error})", "copy it again"
        ) from None
