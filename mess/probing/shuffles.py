"""Shuffled works: what a probe scores when every work has the targets of another.

Task: the null of all cells at once. A shuffle gives each work the target values of one other work,
so that a work stays a block: rows of one work are as alike as before, and what is broken is only
the bond between sound and target. The same shuffles serve all layers and targets.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shuffled_rows(
    groups: NDArray[Any], *, keys: NDArray[np.float64], seed: int = 0
) -> NDArray[np.int64]:
    """Return, for every shuffle, the row whose target each row receives.

    A work of m rows takes m rows of its source, beginning at a random one and going round if the
    source has fewer.

    Parameters
    ----------
    groups : ndarray [shape=(n,)]
        The work of each row, as a number that indexes ``keys``.
    keys : ndarray [shape=(shuffles, works)]
        Random numbers: their order is the shuffle. Rows that lack some works keep the order of
        the others, so targets with missing values share their shuffles with the rest.
    seed : int
        Of where a source begins.

    Returns
    -------
    ndarray [shape=(shuffles, n), dtype=int]
    """
    names, membership, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(membership, kind="stable")  # rows, work by work
    first = np.cumsum(sizes) - sizes
    place = np.empty(len(groups), dtype=np.int64)  # of each row in its work
    place[order] = np.arange(len(groups)) - np.repeat(first, sizes)
    source = np.argsort(keys[:, names], axis=1)  # [shuffles, works]
    begin = np.random.default_rng(seed).integers(0, 2**31, size=source.shape)
    of_row, begins = source[:, membership], begin[:, membership]
    return order[first[of_row] + (place + begins) % sizes[of_row]]


def shuffle_keys(works: int, *, shuffles: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw the numbers whose order is a shuffle of works [shuffles, works]."""
    return np.random.default_rng(seed).random((shuffles, works))
