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
from numpy.typing import ArrayLike, NDArray

from mess.probing.folds import by_missing_rows

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
) -> NDArray[np.int32]:
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
    ndarray [shape=(permutations, n), dtype=int32]
    """
    names, membership, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(membership, kind="stable")  # rows, work by work
    first = np.cumsum(sizes) - sizes
    number = np.empty(len(groups), dtype=np.int64)  # of each row within its work
    number[order] = np.arange(len(groups)) - np.repeat(first, sizes)
    source = np.argsort(keys[:, names], axis=1)  # [permutations, works]
    begin = np.random.default_rng(seed).integers(0, 2**31, size=source.shape)
    out = np.empty((len(keys), len(groups)), dtype=np.int32)
    for rows, sources, begins in zip(out, source, begin, strict=True):
        of_row = sources[membership]
        rows[:] = order[first[of_row] + (number + begins[membership]) % sizes[of_row]]
    return out


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


def significance_of_predictions(
    y: Array,
    predicted: Array,
    groups: ArrayLike,
    *,
    fold: NDArray[np.int64],
    permutations: int = 999,
    seed: int = 0,
) -> Array:
    """Test whether out-of-fold predictions follow the truth, over all targets.

    Works exchange their true values as in the max-T test; the predictions stay. A prediction that
    was made without its fold is, if anything, opposite to a truth that it knows nothing of, because
    the mean of the other folds is. So the test is not too lenient.

    Parameters
    ----------
    y, predicted : ndarray [shape=(n, t)]
        NaN where unknown.
    groups : array_like [shape=(n,)]
        The work of each row.
    fold : ndarray [shape=(n,), dtype=int]
        −1 where nothing was predicted out of fold.
    permutations, seed : int

    Returns
    -------
    ndarray [shape=(t,)]
        The family-wise p value; NaN where a target has too few rows.
    """
    _, works = np.unique(np.asarray(groups), return_inverse=True)
    truth = np.where(np.isfinite(predicted) & (fold >= 0)[:, None], y, np.nan)
    keys = shuffle_keys(int(works.max()) + 1, permutations=permutations, seed=seed)
    observed = np.full(y.shape[1], np.nan)
    null = np.full((permutations, y.shape[1]), np.nan)
    for columns, rows in by_missing_rows(truth, works, fold):
        values, guesses = truth[np.ix_(rows, columns)], predicted[np.ix_(rows, columns)]
        values = values - values.mean(axis=0)
        guesses = guesses - truth[np.ix_(rows, columns)].mean(axis=0)
        power = np.square(values).sum(axis=0)
        varies = power > 0
        order = shuffled_rows(works[rows], keys=keys, seed=seed)
        for place, column in enumerate(columns):
            if not varies[place]:
                continue
            moved = values[order, place]  # [permutations, rows]
            error = np.square(moved - guesses[:, place]).sum(axis=1)
            total = np.square(moved - moved.mean(axis=1, keepdims=True)).sum(axis=1)
            null[:, column] = 1 - error / np.maximum(total, 1e-12 * power[place])
            own = np.square(values[:, place] - guesses[:, place]).sum()
            observed[column] = 1 - own / power[place]
    return significance(observed, null).p_family


def false_discovery_rate(p: Array) -> Array:
    """Return Benjamini and Hochberg's q of every p, in the order given."""
    order = np.argsort(p)[::-1]
    ranked = p[order] * len(p) / np.arange(len(p), 0, -1)
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(ranked), 1.0)
    return q
