"""Cross-validation folds that never split a group: rows of one work are held out together."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.errors import MessError

MIN_WORKS = 3
MIN_ROWS = 6


def assign_folds(groups: ArrayLike, *, folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Assign rows to folds so that no group is split and folds are of similar size.

    Groups are shuffled, then placed from the largest to the smallest into the fold that has the
    fewest rows.

    Parameters
    ----------
    groups : array_like [shape=(n,)]
        The work of each row.
    folds : int
        Wanted number of folds; there are at most as many as groups.
    seed : int

    Returns
    -------
    ndarray [shape=(n,), dtype=int]

    Raises
    ------
    MessError
        If there are fewer than three groups or two folds.
    """
    names, membership, sizes = np.unique(
        np.asarray(groups), return_inverse=True, return_counts=True
    )
    if len(names) < MIN_WORKS:
        raise MessError(
            f"probing needs tracks of at least {MIN_WORKS} works, there are {len(names)}: "
            "add recordings of other works"
        )
    if folds < 2:
        raise MessError(f"probing needs at least 2 folds, not {folds}")
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load = np.zeros(min(folds, len(names)), dtype=np.int64)
    fold_of_group = np.empty(len(names), dtype=np.int64)
    for group in order:
        fold = int(np.argmin(load))
        fold_of_group[group] = fold
        load[fold] += sizes[group]
    return fold_of_group[membership]


def by_missing_rows(
    y: NDArray[np.float64], works: NDArray[Any], fold: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (columns, rows) for the targets that are defined on the same, sufficient rows."""
    patterns: dict[bytes, list[int]] = {}
    defined = np.isfinite(y)
    for column in range(y.shape[1]):
        patterns.setdefault(defined[:, column].tobytes(), []).append(column)
    kept = []
    for columns in patterns.values():
        rows = np.flatnonzero(defined[:, columns[0]])
        enough = len(rows) >= MIN_ROWS and len(np.unique(works[rows])) >= MIN_WORKS
        if enough and np.ptp(fold[rows]) > 0:  # a single fold leaves no rows to fit on
            kept.append((np.asarray(columns), rows))
    return kept
