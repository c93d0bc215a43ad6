"""Cross-validation folds that never split a group: rows of one work are held out together.

A dataset may have a split of its own, such as MAESTRO's train, validation and test. Then each part
of it has folds of its own, so that its test recordings are held out together and apart from others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.errors import MessError

MIN_WORKS = 3
MIN_ROWS = 6
NO_PARTS: Mapping[str, str] = MappingProxyType({})


def parts_of_groups(groups: Sequence[str], parts: Sequence[str]) -> dict[str, str]:
    """Return the part of a dataset's own split that each group belongs to.

    A group with rows in several parts belongs to the one that has most of its rows; on a tie, to
    the one that is larger in all. So no group is split.

    Parameters
    ----------
    groups, parts : sequence of str, length n
        The work and the part of each row; "" where there is none.

    Returns
    -------
    dict of str to str
        Empty if a row has no part, or all groups belong to the same.

    >>> parts_of_groups(["a", "a", "b", "b", "b"], ["test", "train", "test", "train", "train"])
    {}
    >>> parts_of_groups(["a", "b", "b", "b"], ["test", "test", "train", "train"])
    {'a': 'test', 'b': 'train'}
    """
    if not all(parts):
        return {}
    sizes, rows = Counter(parts), Counter(zip(groups, parts, strict=True))
    found: dict[str, str] = {}
    for (group, part), count in sorted(rows.items()):
        kept = found.get(group)
        if kept is None or (count, sizes[part]) > (rows[group, kept], sizes[kept]):
            found[group] = part
    return found if len(set(found.values())) > 1 else {}


def assign_folds(
    groups: ArrayLike, *, folds: int, seed: int = 0, part_of: Mapping[str, str] = NO_PARTS
) -> NDArray[np.int64]:
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
    part_of : mapping of str to str
        The part of the dataset's own split, for each group; see `parts_of_groups`. Each part has
        one fold at least, and folds in proportion to its rows. If there are more parts than folds,
        the smallest share one. It is left aside unless it names every group.

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
    folds = min(folds, len(names))
    load = np.zeros(folds, dtype=np.int64)
    fold_of_group = np.empty(len(names), dtype=np.int64)
    known = bool(part_of) and all(name in part_of for name in names.tolist())
    part = np.asarray([part_of[name] if known else "" for name in names.tolist()])
    folds_of = _share_folds(part, sizes, folds=folds)
    for group in order:
        own = folds_of[part[group]]
        fold = own[int(np.argmin(load[own]))]
        fold_of_group[group] = fold
        load[fold] += sizes[group]
    return fold_of_group[membership]


def _share_folds(
    part: NDArray[np.str_], sizes: NDArray[np.int64], *, folds: int
) -> dict[str, NDArray[np.int64]]:
    """Return the folds of each part, in proportion to its rows (by highest averages, d'Hondt)."""
    shared = [[name] for name in sorted(set(part.tolist()))]

    def rows_of(names: list[str]) -> int:
        return int(sizes[np.isin(part, names)].sum())

    while len(shared) > folds:
        shared.sort(key=rows_of)
        shared[:2] = [shared[0] + shared[1]]
    shared.sort()
    counts = [1] * len(shared)
    most = [int(np.isin(part, names).sum()) for names in shared]
    rows = [rows_of(names) for names in shared]
    for _ in range(folds - len(shared)):
        open_ones = [n for n in range(len(shared)) if counts[n] < most[n]]
        counts[max(open_ones, key=lambda n: rows[n] / (counts[n] + 1))] += 1
    ends = np.cumsum(counts)
    return {
        name: np.arange(end - count, end)
        for names, count, end in zip(shared, counts, ends, strict=True)
        for name in names
    }


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
