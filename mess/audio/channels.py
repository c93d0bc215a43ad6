"""Downmixing: one channel from several, and what to do when the channels cancel each other."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_CANCELLED = 0.25  # −6 dB


def downmix(block: Samples) -> Samples:
    """Average the channels of [frames, channels], column by column (far faster than a mean).

    Examples
    --------
    >>> downmix(np.array([[0.2, 0.4], [0.0, -1.0]], dtype=np.float32)).tolist() == [
    ...     np.float32(0.3), -0.5
    ... ]
    True
    """
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0])
    mono = block[:, 0] + block[:, 1]
    for channel in range(2, block.shape[1]):
        mono += block[:, channel]
    mono *= np.float32(1 / block.shape[1])
    return mono


class Balance:
    """Tell, block by block, whether the channels of a recording cancel each other when averaged.

    Let E be the energy of a channel without its mean. The sum of C uncorrelated channels has the
    energy ΣE. The sum of C equal channels has C·ΣE. The sum of L and R = −L has none. Channels
    *cancel* if their sum, over the whole recording, has less than a quarter (−6 dB) of ΣE. For two
    equally loud channels this is a correlation below −0.75. The loudest channel then stands for
    the recording. Cancellation only in the bass, or only for a part of the time, is not detected.

    Examples
    --------
    >>> left = np.array([0.1, -0.5, 0.4], dtype=np.float32)
    >>> balance = Balance()
    >>> balance.add(np.stack([left, -left], axis=1))
    >>> balance.cancels, balance.loudest
    (True, 0)
    """

    def __init__(self) -> None:
        self._frames = 0
        self._channels = 0
        self._sums = np.zeros(1)  # of each channel, and of their mean
        self._squares = np.zeros(1)
        self._changes = False

    def add(self, block: Samples) -> None:
        """Add a block [frames, channels]."""
        channels = block.shape[1]
        if channels < 2:
            self._changes |= self._channels > 1
            return
        if channels != self._channels:
            self._changes |= self._frames > 0
            self._channels, self._frames = channels, 0
            self._sums, self._squares = np.zeros(channels + 1), np.zeros(channels + 1)
        columns = [column.astype(np.float64) for column in block.T]
        # einsum, not BLAS: the threads of BLAS would compete with those that decode.
        sums = [float(column.sum()) for column in columns]
        squares = [float(np.einsum("i,i", column, column)) for column in columns]
        together, *others = columns
        for other in others:
            together += other
        squares.append(float(np.einsum("i,i", together, together)) / channels**2)
        self._sums += [*sums, sum(sums) / channels]
        self._squares += squares
        self._frames += len(block)

    def _energies(self) -> NDArray[np.float64]:
        energies = self._squares - self._sums**2 / max(self._frames, 1)
        # For a constant signal the difference is only rounding error.
        return np.where(energies > 1e-9 * self._squares, energies, 0.0)

    @property
    def cancels(self) -> bool:
        """Whether the channels cancel each other."""
        if self._changes or not self._frames:
            return False
        *each, mean = self._energies()
        return bool(mean * len(each) ** 2 < _CANCELLED * sum(each))

    @property
    def loudest(self) -> int:
        """The number of the channel with the most energy, from 0; the first one on a tie."""
        return int(self._energies()[:-1].argmax())


def audible(block: Samples) -> Samples:
    """Return the mean of the channels of [frames, channels], or the loudest if they cancel."""
    balance = Balance()
    balance.add(block)
    if balance.cancels:
        return np.ascontiguousarray(block[:, balance.loudest])
    return downmix(block)
