"""Resampling: the samples of a recording at another rate, block by block.

The filter is soxr's "very high quality": it keeps what lies below the lower Nyquist frequency and
removes what would alias. The resampler keeps its state from block to block, so the result does not
depend on how a recording is cut into blocks.

Examples
--------
>>> import numpy as np
>>> resampler = Resampler(24_000)
>>> blocks = [resampler.resample(np.zeros(4410, dtype=np.float32), 44_100) for _ in range(10)]
>>> sum(block.size for block in [*blocks, resampler.flush()])
24000
"""

from collections.abc import Iterator

import numpy as np
import soxr

from mess.audio.channels import Samples


class Resampler:
    """Resample one recording to one rate.

    Parameters
    ----------
    rate : int
        Hz of the result.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._stream: soxr.ResampleStream | None = None

    def resample(self, mono: Samples, native_rate: int) -> Samples:
        """Return the next samples of the result.

        Parameters
        ----------
        mono : ndarray [shape=(n,)]
            The next block, at ``native_rate``; float32.
        native_rate : int
            Hz, the same for all blocks. A block that has the wanted rate is returned as it is.
        """
        if native_rate == self._rate:
            return mono
        if self._stream is None:
            self._stream = soxr.ResampleStream(
                native_rate, self._rate, num_channels=1, dtype="float32", quality="VHQ"
            )
        return np.asarray(self._stream.resample_chunk(mono))

    def flush(self) -> Samples:
        """Return the samples that the filter still holds; call it after the last block."""
        rest = np.empty(0, dtype=np.float32)
        if self._stream is None:
            return rest
        return np.asarray(self._stream.resample_chunk(rest, last=True))


def at_one_rate(blocks: Iterator[tuple[Samples, int]]) -> Iterator[tuple[Samples, int]]:
    """Resample the blocks of joined files to the rate of the first block.

    Parameters
    ----------
    blocks : iterator of (ndarray [shape=(n, channels)], int)
        Samples and their rate. Rate and channels may change from file to file.

    Yields
    ------
    ndarray [shape=(n, channels)], int
        Samples, and the rate of the first block.
    """
    first = None
    resampler, shape = None, (0, 0)
    for block, rate in blocks:
        first = first or rate
        if resampler is not None and shape != (rate, block.shape[1]):
            yield resampler.resample_chunk(np.empty((0, shape[1]), np.float32), last=True), first
            resampler = None
        if rate == first:
            yield block, rate
            continue
        if resampler is None:
            shape = (rate, block.shape[1])
            resampler = soxr.ResampleStream(rate, first, shape[1], dtype="float32", quality="VHQ")
        yield resampler.resample_chunk(block), first
    if resampler is not None and first:
        yield resampler.resample_chunk(np.empty((0, shape[1]), np.float32), last=True), first
