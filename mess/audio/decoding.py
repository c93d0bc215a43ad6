"""Decoding: from an audio file to mono float32 samples at one rate, and to segments.

Conventions: samples are nominally in [-1, 1]. Several channels are averaged unless they cancel each
other (`mess.audio.channels.Balance`). Resampling is band-limited (`mess.audio.resampling`). What a
file states about itself is checked before it is decoded (`mess.audio.containers`). A file is
decoded block by block, so only the mono signal at the wanted rate is kept in memory; the samples of
a long file are kept in a memory-mapped temporary file.

Examples
--------
>>> import soundfile
>>> from mess.audio.decoding import decode, segment_bounds
>>> time = np.arange(12 * 44_100) / 44_100
>>> soundfile.write("piece.flac", 0.3 * np.sin(2 * np.pi * 440 * time), 44_100)
>>> signal = decode("piece.flac", sample_rate=24_000)
>>> [signal.samples[a:b].size for a, b in segment_bounds(signal.samples.size, 120_000)]
[120000, 120000, 120000]
"""

import math
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mess.audio.addresses import as_path
from mess.audio.blocks import native_blocks, probe_duration
from mess.audio.channels import Balance, Samples, downmix
from mess.audio.resampling import Resampler
from mess.audio.segments import SEGMENT_SECONDS, segment_at, segment_bounds, segment_span
from mess.data_root import data_root
from mess.errors import AudioError

__all__ = [
    "AUDIO_SUFFIXES",
    "SEGMENT_SECONDS",
    "Signal",
    "decode",
    "decode_at",
    "downmix",
    "native_blocks",
    "probe_duration",
    "segment_at",
    "segment_bounds",
    "segment_span",
]

# Names of the containers that are checked and decoded: such files are listed as recordings and
# taken as uploads. The content decides how they are decoded. What libsndfile opens beside these
# (VOC, NIST, …) is left out: whether such a file is whole cannot be told.
AUDIO_SUFFIXES = frozenset(
    {
        *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".aiff", ".aif", ".aifc", ".au", ".snd"),
        *(".caf", ".flac", ".mp3", ".mp2", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".mp4"),
        *(".mp1", ".m4r", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".aac", ".adts", ".wma", ".asf"),
        *(".webm", ".weba", ".mka", ".mkv", ".wv", ".ape"),
    }
)
MIN_SECONDS = 1.0
LOUDEST = 1e12  # where 1 is full scale; power is computed in float32, and 1e20 squared is none
SILENCE_PEAK = (
    1e-4  # −80 dBFS; half the range of the samples, so a constant offset counts as silence
)
_IN_MEMORY_SECONDS = 20 * 60
_AGAIN = "export it again"


@dataclass(frozen=True)
class Signal:
    """A decoded recording.

    Attributes
    ----------
    samples : ndarray [shape=(n,)]
        Mono, float32, at ``sample_rate``.
    sample_rate : int
        Hz.
    mean, std : float
        Over all samples; what a per-track normalisation needs.
    notes : tuple of str
        Doubts about the file, and decisions that were made for it.

    Examples
    --------
    >>> import numpy as np
    >>> Signal(np.zeros(48_000, np.float32), sample_rate=24_000, mean=0.0, std=0.0).duration
    2.0
    """

    samples: Samples
    sample_rate: int
    mean: float
    std: float
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.sample_rate


def decode(path: str | Path, sample_rate: int) -> Signal:
    """Read a recording as mono float32 at ``sample_rate``.

    Parameters
    ----------
    path : str or Path
        wav, flac, mp3, ogg, opus, aiff, au, caf, w64 (libsndfile); m4a, aac, wma, webm and what
        libsndfile does not open (PyAV, extra ``ml``). The content decides, and not the suffix.
    sample_rate : int
        Hz of the result.

    Raises
    ------
    AudioError
        If the file is unreadable, damaged, truncated, silent, holds values that are not finite
        or beyond `LOUDEST`, or is shorter than one second. The message names the file, the reason
        and the way out.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> signal = decode("tone.wav", sample_rate=16_000)
    >>> signal.samples.shape, signal.samples.dtype.name
    ((96000,), 'float32')
    """
    return decode_at(path, (sample_rate,))[sample_rate]


def decode_at(
    path: str | Path, sample_rates: Iterable[int], *, max_seconds: float = math.inf
) -> dict[int, Signal]:
    """Read a recording once, as mono float32 at each of several rates.

    Each result is resampled from the file's own rate, so it equals, bit for bit, what `decode`
    returns for that rate.

    Parameters
    ----------
    path : str or Path
    sample_rates : iterable of int
        Hz.
    max_seconds : float
        Longer recordings are refused as soon as the decoded length exceeds it.

    Returns
    -------
    dict of int to Signal
        The signal of each rate.

    Raises
    ------
    AudioError
        As for `decode`.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> {rate: signal.duration for rate, signal in decode_at("tone.wav", [16_000, 24_000]).items()}
    {16000: 6.0, 24000: 6.0}
    """
    path, rates = as_path(path), tuple(sample_rates)
    notes: list[str] = []
    balance = Balance()
    builders = {rate: _SignalBuilder(path, rate) for rate in rates}
    seconds = 0.0
    for block, native_rate in native_blocks(path, notes=notes):
        seconds += len(block) / native_rate
        if seconds > max_seconds:
            raise AudioError(
                path, f"is longer than {max_seconds / 60:g} minutes", "cut it into parts"
            )
        mono = downmix(block)
        balance.add(block)
        for builder in builders.values():
            builder.add(mono, native_rate)
    if balance.cancels:  # known only at the end: such a file is decoded twice
        loudest = balance.loudest
        builders = {rate: _SignalBuilder(path, rate) for rate in rates}
        for block, native_rate in native_blocks(path):
            for builder in builders.values():
                builder.add(np.ascontiguousarray(block[:, loudest]), native_rate)
        notes.append(f"its channels cancel each other: channel {loudest + 1} alone is measured")
    return {rate: builder.finish(tuple(notes)) for rate, builder in builders.items()}


class _SignalBuilder:
    """Collects the samples of a recording at one rate, block by block."""

    def __init__(self, path: Path, rate: int) -> None:
        self._path, self._rate = path, rate
        self._length, self._total, self._squares = 0, 0.0, 0.0
        self._lowest, self._highest = math.inf, -math.inf
        self._resampler = Resampler(rate)
        self._blocks: list[Samples] = []
        self._file: tempfile._TemporaryFileWrapper[bytes] | None = None  # of a long recording

    def add(self, mono: Samples, native_rate: int) -> None:
        # Measured before resampling: a resampler rings where an offset begins.
        self._lowest = min(self._lowest, float(mono.min(initial=math.inf)))
        self._highest = max(self._highest, float(mono.max(initial=-math.inf)))
        peak = max(self._highest, -self._lowest)
        if LOUDEST < peak < math.inf:
            raise AudioError(
                self._path, f"holds samples up to {peak:.0e}, of which none means a sound", _AGAIN
            )
        self._keep(self._resampler.resample(mono, native_rate))

    def _keep(self, block: Samples) -> None:
        exact = block.astype(np.float64)
        squares = float(np.einsum("i,i", exact, exact))
        if not math.isfinite(squares):  # no square of a float32 is too large for a float64
            raise AudioError(
                self._path, "holds samples that are not finite (NaN or infinite)", _AGAIN
            )
        self._length += block.size
        self._total += float(exact.sum())
        self._squares += squares
        self._blocks.append(np.ascontiguousarray(block, dtype=np.float32))
        if self._file is not None or self._length > _IN_MEMORY_SECONDS * self._rate:
            self._file = _spill(self._blocks, self._file)
            self._blocks = []

    def finish(self, notes: tuple[str, ...] = ()) -> Signal:
        self._keep(self._resampler.flush())
        if self._length < MIN_SECONDS * self._rate:
            raise AudioError(
                self._path,
                f"is only {self._length / self._rate:.1f} s long",
                f"at least {MIN_SECONDS:g} s is needed",
            )
        if self._highest - self._lowest < 2 * SILENCE_PEAK:
            raise AudioError(self._path, "is silent", "there is nothing to measure: leave it out")
        mean = self._total / self._length
        return Signal(
            samples=self._samples(),
            sample_rate=self._rate,
            mean=mean,
            std=max(self._squares / self._length - mean**2, 0.0) ** 0.5,
            notes=notes,
        )

    def _samples(self) -> Samples:
        if self._file is None:
            return np.concatenate(self._blocks)
        with self._file as on_disk:  # the memory map keeps the file open
            on_disk.flush()
            return np.memmap(on_disk, dtype=np.float32, mode="r")


def scratch_dir() -> str:
    """Return the folder of temporary files: the data root if it is writable.

    The results are written to the same disk. A temporary file has no name and is removed when the
    process ends.
    """
    root = str(data_root())
    return root if Path(root).is_dir() and os.access(root, os.W_OK) else tempfile.gettempdir()


def _spill(
    blocks: list[Samples], on_disk: "tempfile._TemporaryFileWrapper[bytes] | None"
) -> "tempfile._TemporaryFileWrapper[bytes]":
    """Append blocks to a temporary file, made now if there is none."""
    folder = scratch_dir()
    try:
        if on_disk is None:
            on_disk = tempfile.TemporaryFile(prefix="mess-", dir=folder)  # type: ignore[assignment]  # noqa: SIM115 (mapped later)
        for block in blocks:
            on_disk.write(block.data)  # type: ignore[union-attr]
    except OSError as error:  # a full disk: the message names it
        raise OSError(error.errno, error.strerror, str(folder)) from None
    return on_disk  # type: ignore[return-value]
