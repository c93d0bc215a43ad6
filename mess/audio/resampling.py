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
