"""Windows of time: means and variances of hidden states over equal parts of a segment.

Conventions: a *division* by n cuts a segment of T frames into n windows. The edges are n + 1
equally spaced points, rounded to frames. So lengths differ by one frame if T is not a multiple of
n. The variance is the mean square less the square of the mean. It is computed about the mean of
the segment, because a hidden state can be many deviations away from zero.

Examples
--------
>>> import numpy as np
>>> states = np.arange(6, dtype=np.float32).reshape(1, 1, 6, 1)  # batch, layers, time, dim
>>> whole, halves = pool_frames(states, divisions=(1, 2))
>>> whole.mean.ravel().tolist(), halves.mean.ravel().tolist()
([2.5], [1.0, 4.0])
>>> round(float(halves.mean_square.ravel()[0]), 6)  # of 0, 1, 2
1.666667
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class WindowStates:
    """Hidden states over windows of time.

    Attributes
    ----------
    mean : ndarray [shape=(batch, windows, layers, dim)]
        float32 or float64; float16 where there are no variances.
    variance : ndarray of the same shape, or None
        None where it was not asked for.
    """

    mean: NDArray[np.floating[Any]]
    variance: NDArray[np.floating[Any]] | None

    @property
    def mean_square(self) -> NDArray[np.float64]:
        """The means of the squares, in float64."""
        if self.variance is None:
            raise ValueError("the variances were left out")
        return np.square(self.mean, dtype=np.float64) + self.variance


def window_edges(frames: int, windows: int) -> NDArray[np.int64]:
    """Return the first frame of each window, and the number of frames.

    >>> window_edges(7, 3).tolist()
    [0, 2, 5, 7]
    """
    return np.rint(np.linspace(0, frames, windows + 1)).astype(np.int64)


def averaging(frames: int, divisions: Sequence[int]) -> NDArray[np.float32]:
    """Return the matrix by which frames become the means of all windows, [windows, frames].

    A division by more windows than there are frames has no rows.

    >>> averaging(4, [1, 2, 9]).tolist()
    [[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    rows = []
    for windows in divisions:
        edges = window_edges(frames, windows) if windows <= frames else np.zeros(1, np.int64)
        for first, last in pairwise(edges):
            row = np.zeros(frames, dtype=np.float32)
            row[first:last] = 1 / (last - first)
            rows.append(row)
    return np.array(rows, dtype=np.float32).reshape(-1, frames)


def pool_tensor(states: "torch.Tensor", matrix: "torch.Tensor") -> "torch.Tensor":
    """Return means and variances of states on their device, in float32.

    Parameters
    ----------
    states : Tensor [shape=(..., time, dim)]
        Of any precision.
    matrix : Tensor [shape=(windows, time)]
        From `averaging`, float32.

    Returns
    -------
    Tensor [shape=(2, ..., windows, dim)]
        Means, then variances. Not finite if a state is not.
    """
    import torch

    exact = states.float().contiguous()  # one order of summation, wherever states come from
    mean = exact.mean(dim=-2, keepdim=True)
    centred = exact - mean
    moved = torch.matmul(matrix, centred)
    squares = torch.matmul(matrix, centred.square_())
    return torch.stack([mean + moved, (squares - moved.square()).clamp_min_(0)])


def split_divisions(
    pooled: NDArray[np.float32],
    *,
    frames: int,
    divisions: Sequence[int],
    rounded: NDArray[np.float16] | None = None,
) -> list[WindowStates | None]:
    """Return the windows of each division; None for one with more windows than frames.

    Parameters
    ----------
    pooled : ndarray [shape=(2, batch, windows, layers, dim)]
        Means and variances, in the order of the rows of `averaging`.
    frames : int
    divisions : sequence of int
    rounded : ndarray [shape=(1, batch, windows, layers, dim)], optional
        The means of the windows that follow, without variances.
    """
    found: list[WindowStates | None] = []
    first, exact = 0, pooled.shape[2]
    for windows in divisions:
        if windows > frames:
            found.append(None)
        elif first < exact:
            mean, variance = pooled[:, :, first : first + windows]
            found.append(WindowStates(mean, variance))
            first += windows
        else:
            assert rounded is not None  # noqa: S101 (else all are in ``pooled``)
            found.append(WindowStates(rounded[0, :, first - exact : first - exact + windows], None))
            first += windows
    return found


def pool_frames(
    states: NDArray[np.float32], *, divisions: Sequence[int]
) -> list[WindowStates | None]:
    """Return means and variances of states that are in memory, in float64.

    Parameters
    ----------
    states : ndarray [shape=(batch, layers, time, dim)]
    divisions : sequence of int

    Returns
    -------
    list of WindowStates or None
        One for each division; None where there are fewer frames than windows.
    """
    found: list[WindowStates | None] = []
    frames = states.shape[2]
    for windows in divisions:
        if windows > frames:
            found.append(None)
            continue
        edges = window_edges(frames, windows)
        counts = np.diff(edges)[:, np.newaxis]
        means, variances = [], []
        for segment in states:  # one at a time, for the sake of memory
            mean = np.add.reduceat(segment, edges[:-1], axis=1, dtype=np.float64) / counts
            centred = segment - np.repeat(mean, counts[:, 0], axis=1)
            square = np.add.reduceat(np.square(centred), edges[:-1], axis=1) / counts
            means.append(mean.swapaxes(0, 1))
            variances.append(square.swapaxes(0, 1))
        found.append(WindowStates(np.stack(means), np.stack(variances)))
    return found
