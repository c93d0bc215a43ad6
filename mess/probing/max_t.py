"""The max-T permutation test: could a score be chance, given how many cells were tested?

Task: test all cells (layer × target) at once. Works are shuffled: each work receives the target
values of another work, and every probe is fitted again. A cell's family-wise p value is the share
of the shuffles in which the best cell of all scores at least as high (Westfall & Young 1993).

Conventions: a work stays a block, so rows of one work remain as alike as before; a shuffle breaks
only the relation between sound and target. All layers and targets share the same shuffles, so the
dependence between cells is kept.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_ROUNDING = 1e-6  # nulls are computed in single precision


@dataclass(frozen=True)
class Significance:
    """The p values of cells, against the same probes on shuffled works.

    Attributes
    ----------
    p : ndarray [shape=cells]
        The p value of each cell alone.
    p_family : ndarray [shape=cells]
        The family-wise p value: the chance that any cell scores so high.
    q : ndarray [shape=cells]
        Least false discovery rate at which the cell is a discovery.
    """

    p: Array
    p_family: Array
    q: Array


def shuffled_rows(
    groups: NDArray[Any], *, keys: NDArray[np.float64], seed: int = 0
) -> NDArray[np.int64]:
    """Return, for every shuffle, the row whose target each row receives.

    A work of m rows takes m rows of its source work. They begin at a random row, and start again
    from the first row after the last one.

    Parameters
    ----------
    groups : ndarray [shape=(n,)]
        The work of each row, as a number that indexes ``keys``.
    keys : ndarray [shape=(permutations, works)]
        Random numbers whose order is the shuffle. Targets with missing values use the order of the
        works that they have, so they share the shuffles of the other targets.
    seed : int
        Decides the first row of each source.

    Returns
    -------
    ndarray [shape=(permutations, n), dtype=int]
    """
    names, membership, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(membership, kind="stable")  # rows, work by work
    first = np.cumsum(sizes) - sizes
    number = np.empty(len(groups), dtype=np.int64)  # of each row within its work
    number[order] = np.arange(len(groups)) - np.repeat(first, sizes)
    source = np.argsort(keys[:, names], axis=1)  # [permutations, works]
    begin = np.random.default_rng(seed).integers(0, 2**31, size=source.shape)
    of_row, begins = source[:, membership], begin[:, membership]
    return order[first[of_row] + (number + begins) % sizes[of_row]]


def shuffle_keys(works: int, *, permutations: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw random numbers whose order is a shuffle of works [permutations, works]."""
    return np.random.default_rng(seed).random((permutations, works))


def significance(observed: Array, null: Array) -> Significance:
    """Test all cells against the same probes on shuffled works.

    The test statistic is R² itself. It is bounded above, so cells are comparable. The family-wise
    test asks how often the best cell of a shuffle scores as high. R² is not standardised by the
    deviation of its null, because a few very negative R² would dominate that deviation. The
    observed scores count as one of the shuffles.

    Parameters
    ----------
    observed : ndarray [shape=(cells,)]
        NaN where undefined.
    null : ndarray [shape=(permutations, cells)]
        All cells of a row come from the same shuffle, so their dependence is kept.

    References
    ----------
    P. H. Westfall, S. S. Young: Resampling-Based Multiple Testing, 1993 (single-step max-T).
    Y. Benjamini, Y. Hochberg: Controlling the false discovery rate. JRSS B 57 (1995).
    """
    p, family, q = (np.full(observed.shape, np.nan) for _ in range(3))
    usable = np.isfinite(observed) & np.isfinite(null).all(axis=0)
    if usable.any():
        height = np.vstack([observed[usable], null[:, usable]])
        p[usable] = (height >= height[0] - _ROUNDING).mean(axis=0)
        highest = height.max(axis=1)
        family[usable] = (highest[:, None] >= height[0] - _ROUNDING).mean(axis=0)
        q[usable] = false_discovery_rate(p[usable])
    return Significance(p=p, p_family=family, q=q)


def false_discovery_rate(p: Array) -> Array:
    """Return Benjamini and Hochberg's q of every p, in the order given."""
    order = np.argsort(p)[::-1]
    ranked = p[order] * len(p) / np.arange(len(p), 0, -1)
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(ranked), 1.0)
    return q
