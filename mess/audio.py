"""From an audio file to mono float32 samples at one rate, and from those to segments.

Conventions: samples lie in [-1, 1] nominally; several channels are averaged; resampling is
band-limited (soxr, very high quality). A file is decoded block by block, so that what is held
at once is the mono signal at the wanted rate, and for a long file not even that (it goes to a
temporary file that is mapped into memory).

Examples
--------
>>> from mess.audio import decode, segment_bounds
>>> signal = decode("piece.flac", sample_rate=24_000)            # doctest: +SKIP
>>> [signal.samples[a:b].shape for a, b in segment_bounds(signal.samples.size, 120_000)]
... # doctest: +SKIP
"""

import io
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from mess.errors import AudioError, MissingDependency

# What may be a recording by its name; what is decoded, and by what, the content decides.
AUDIO_SUFFIXES = frozenset(
    {
        *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".aiff", ".aif", ".aifc", ".au", ".snd"),
        *(".caf", ".flac", ".mp3", ".mp2", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".mp4"),
        *(".aac", ".wma", ".webm", ".mka", ".wv", ".ape"),
    }
)
SEGMENT_SECONDS = 5.0
MIN_SECONDS = 1.0
SILENCE_PEAK = 1e-4  # −80 dBFS; of the swing around the middle: an offset is no sound
_BLOCK_FRAMES = 1 << 18
_IN_MEMORY_SECONDS = 20 * 60
_PREROLL_SECONDS = 1.0  # a decoder needs some frames before it is right
_PYAV_SUFFIXES = frozenset({".m4a", ".m4b", ".mp4", ".aac", ".wma", ".webm", ".mka", ".wv", ".ape"})

Samples = NDArray[np.float32]


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
    """

    samples: Samples
    sample_rate: int
    mean: float
    std: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.sample_rate


def decode(path: str | Path, sample_rate: int) -> Signal:
    """Read a recording as mono float32 at ``sample_rate``.

    Parameters
    ----------
    path : str or Path
        wav, flac, mp3, ogg, opus or aiff (libsndfile); m4a and wma (PyAV, extra ``ml``).
    sample_rate : int
        Hz of the result.

    Raises
    ------
    AudioError
        If the file is unreadable, damaged, silent, holds values that are not finite, or is
        shorter than one second. The message names the file, the reason and the way out.
    """
    return decode_at(path, (sample_rate,))[sample_rate]


def decode_at(
    path: str | Path, sample_rates: Iterable[int], *, max_seconds: float = math.inf
) -> dict[int, Signal]:
    """Read a recording once, as mono float32 at each of several rates.

    Each is resampled from the file's own rate, so that it is, bit for bit, what `decode` gives
    at that rate alone.

    Parameters
    ----------
    path : str or Path
    sample_rates : iterable of int
        Hz.
    max_seconds : float
        Longer recordings are refused as soon as that is known, whatever their header says.

    Returns
    -------
    dict of int to Signal
        By rate.

    Raises
    ------
    AudioError
        As of `decode`.
    """
    path = Path(path)
    gathered = {rate: _Gathered(path, rate) for rate in sample_rates}
    seconds = 0.0
    for block, native_rate in native_blocks(path):
        seconds += len(block) / native_rate
        if seconds > max_seconds:
            raise AudioError(
                path, f"is longer than {max_seconds / 60:g} minutes", "cut it into parts"
            )
        mono = downmix(block)
        for one in gathered.values():
            one.add(mono, native_rate)
    return {rate: one.finish() for rate, one in gathered.items()}


class _Gathered:
    """What has been read of a recording, at one rate; the resampler keeps its state."""

    def __init__(self, path: Path, rate: int) -> None:
        self._path, self._rate = path, rate
        self._length, self._total, self._squares = 0, 0.0, 0.0
        self._lowest, self._highest = math.inf, -math.inf
        self._resampler: soxr.ResampleStream | None = None
        self._sink: io.BytesIO | tempfile._TemporaryFileWrapper[bytes] = io.BytesIO()

    def add(self, mono: Samples, native_rate: int) -> None:
        # As the file has it: a resampler rings where an offset begins.
        self._lowest = min(self._lowest, float(mono.min(initial=math.inf)))
        self._highest = max(self._highest, float(mono.max(initial=-math.inf)))
        if native_rate == self._rate:
            self._keep(mono)
            return
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(
                native_rate, self._rate, num_channels=1, dtype="float32", quality="VHQ"
            )
        self._keep(self._resampler.resample_chunk(mono))

    def _keep(self, block: Samples) -> None:
        if not np.isfinite(block).all():
            raise AudioError(
                self._path, "holds samples that are not finite (NaN)", "export it again"
            )
        self._length += block.size
        self._total += float(block.sum(dtype=np.float64))
        self._squares += float(np.square(block, dtype=np.float64).sum())
        if isinstance(self._sink, io.BytesIO) and self._length > _IN_MEMORY_SECONDS * self._rate:
            self._sink = _spill(self._sink)
        try:
            self._sink.write(np.ascontiguousarray(block, dtype=np.float32).data)
        except OSError as error:  # a full disk: say which
            raise OSError(error.errno, error.strerror, str(scratch_dir())) from None

    def finish(self) -> Signal:
        if self._resampler is not None:
            rest = np.empty(0, dtype=np.float32)
            self._keep(self._resampler.resample_chunk(rest, last=True))
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
            samples=_as_array(self._sink),
            sample_rate=self._rate,
            mean=mean,
            std=max(self._squares / self._length - mean**2, 0.0) ** 0.5,
        )


def segment_bounds(n_samples: int, segment_samples: int) -> list[tuple[int, int]]:
    """Return where the segments of a track begin and end, in samples.

    Segments follow each other without a gap. The last one is shifted back to end with the
    track rather than padded with zeros; a track shorter than one segment is one segment.

    >>> segment_bounds(12, 5)
    [(0, 5), (5, 10), (7, 12)]
    >>> segment_bounds(3, 5)
    [(0, 3)]
    """
    if n_samples <= segment_samples:
        return [(0, n_samples)]
    starts = list(range(0, n_samples - segment_samples + 1, segment_samples))
    if starts[-1] + segment_samples < n_samples:
        starts.append(n_samples - segment_samples)
    return [(start, start + segment_samples) for start in starts]


def probe_duration(path: str | Path) -> float | None:
    """Return the length in seconds that the file's header states, or None."""
    try:
        return float(soundfile.info(str(path)).duration)
    except (soundfile.SoundFileError, OSError):
        return None


def scratch_dir() -> str:
    """Return where what is too large for the memory goes: the data root if it can be written.

    Results go there as well, so it is the disk that has to have room. Such a file has no name and
    ends with the process.
    """
    from mess.places import Places

    root = str(Places().root)
    return root if os.access(root, os.W_OK) else tempfile.gettempdir()


def _spill(sink: io.BytesIO) -> "tempfile._TemporaryFileWrapper[bytes]":
    folder = scratch_dir()
    try:
        on_disk = tempfile.TemporaryFile(prefix="mess-", dir=folder)  # noqa: SIM115 (mapped later)
        on_disk.write(sink.getbuffer())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None
    return on_disk  # type: ignore[return-value]


def _as_array(sink: "io.BytesIO | tempfile._TemporaryFileWrapper[bytes]") -> Samples:
    if isinstance(sink, io.BytesIO):
        return np.frombuffer(sink.getbuffer(), dtype=np.float32)
    with sink:  # the map holds the file by itself
        sink.flush()
        return np.memmap(sink, dtype=np.float32, mode="r")


def downmix(block: Samples) -> Samples:
    """Average the channels of [frames, channels], column by column (far faster than a mean)."""
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0])
    mono = block[:, 0] + block[:, 1]
    for channel in range(2, block.shape[1]):
        mono += block[:, channel]
    mono *= np.float32(1 / block.shape[1])
    return mono


def native_blocks(path: Path, *, start: float = 0.0) -> Iterator[tuple[Samples, int]]:
    """Yield a recording as the file has it, from ``start`` seconds on.

    Yields
    ------
    block : ndarray [shape=(frames, channels)]
    rate : int
        Hz.

    Raises
    ------
    AudioError
        If the file is missing, unreadable, truncated or no audio.
    """
    try:
        if not path.is_file():
            raise AudioError(path, "is not there", "check the name and the folder")
        if path.stat().st_size == 0:
            raise AudioError(path, "is empty", "copy it again")
        if path.suffix.lower() in _PYAV_SUFFIXES:
            yield from _pyav_blocks(path, start)
        else:
            yield from _soundfile_blocks(path, start)
    except PermissionError:
        raise AudioError(path, "cannot be read", "change its permissions") from None
    except OSError as error:
        raise AudioError(
            path, f"cannot be read ({error.strerror or error})", "copy it again"
        ) from None


def _soundfile_blocks(path: Path, start: float) -> Iterator[tuple[Samples, int]]:
    got = promised = 0
    # Opening the file ourselves lets the system say why it cannot be read.
    with path.open("rb") as handle:
        try:
            with soundfile.SoundFile(handle) as audio:
                got = audio.seek(min(round(start * audio.samplerate), audio.frames))
                promised = audio.frames
                while True:
                    block = audio.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
                    if not block.size:
                        break
                    got += block.shape[0]
                    yield block, audio.samplerate
        except soundfile.SoundFileError as error:
            reason = str(error).rstrip(". ").split(": ")[-1]
            if promised:
                raise AudioError(
                    path, f"is damaged or truncated ({reason})", "copy it again"
                ) from None
            raise AudioError(
                path, f"is no audio that can be decoded ({reason})", "convert or export it again"
            ) from None
    # An MP3's header only estimates its length; the others count exactly.
    if got < promised and path.suffix.lower() != ".mp3":
        raise AudioError(
            path, f"is truncated ({got} of {promised} frames could be read)", "copy it again"
        )


def _pyav_blocks(path: Path, start: float) -> Iterator[tuple[Samples, int]]:
    try:
        import av
    except ImportError:
        raise MissingDependency("PyAV (needed for m4a and wma)", "ml") from None
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="fltp")
            skip = -1
            if start > _PREROLL_SECONDS:
                container.seek(round((start - _PREROLL_SECONDS) * av.time_base))
            for frame in container.decode(audio=0):
                for planar in resampler.resample(frame):
                    block, rate = (
                        np.asarray(planar.to_ndarray().T, dtype=np.float32),
                        planar.sample_rate,
                    )
                    if skip < 0:
                        at = frame.time or 0.0 if start > _PREROLL_SECONDS else 0.0
                        skip = max(round((start - at) * rate), 0)
                    if skip < len(block):
                        yield block[skip:], rate
                    skip = max(skip - len(block), 0)
    except PermissionError:
        raise
    except (av.error.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or "it has no audio stream"
        raise AudioError(
            path, f"is no audio that can be decoded ({reason})", "convert or export it again"
        ) from None
