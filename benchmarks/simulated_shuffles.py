"""Shuffled works, scored with the penalties that the true targets choose by, for `validate`.

`mess.probing.shuffled` chooses the penalty of a shuffle by the errors on other folds. The true
targets, whose R² is shown, choose by leaving one work out inside each training fold. Here shuffles
choose that way, too: a plain loop, dozens of times as slow. Both are asked about the same cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.probing.discovery import discover
from mess.probing.folds import assign_folds
from mess.probing.max_t import shuffle_keys, shuffled_rows, significance
from mess.probing.probes import choose_alpha
from mess.probing.results import DiscoverySettings
from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath
from mess.probing.statistics import SIGNIFICANT

FOLDS, SHUFFLES = 5, 199
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Decisions:
    """Which cells are found at a family-wise p ≤ 0.05 [shape=(cells,)]."""

    product: NDArray[np.bool_]
    plain: NDArray[np.bool_]


def decide(x: Array, y: Array, groups: NDArray[np.int64], *, seed: int) -> Decisions:
    """Test all cells of some features [n, layers, dim] and targets [n, t] in both ways."""
    names = [str(number) for number in range(y.shape[1])]
    how = DiscoverySettings(folds=FOLDS, seed=seed, permutations=SHUFFLES, bootstrap=10)
    found = discover(x, y, groups, names=names, settings=how)
    p = np.array([cell.p_family for cell in found.cells], dtype=np.float64)
    return Decisions(p <= SIGNIFICANT, _plain_p(x, y, groups, seed=seed) <= SIGNIFICANT)


def _plain_p(x: Array, y: Array, groups: NDArray[np.int64], *, seed: int) -> Array:
    """Return the family-wise p of all cells, every shuffle nested as the true targets are."""
    fold = assign_folds(groups, folds=FOLDS, seed=seed)
    keys = shuffle_keys(int(groups.max()) + 1, permutations=SHUFFLES, seed=seed)
    own = np.arange(len(y), dtype=np.int32)[None]
    rows = np.concatenate([own, shuffled_rows(groups, keys=keys, seed=seed)])
    moved = y[rows].transpose(1, 0, 2).reshape(len(y), -1)
    r2 = []
    for layer in range(x.shape[1]):
        error, total = np.zeros((2, moved.shape[1]))
        for held_out in range(FOLDS):
            test = fold == held_out
            path = RidgePath(x[~test, layer], moved[~test])
            best, _ = choose_alpha(path, moved[~test], groups[~test], alphas=DEFAULT_ALPHAS)
            guess = path.predict_each(x[test, layer], alphas=best)
            error += np.square(moved[test] - guess).sum(axis=0)
            total += np.square(moved[test] - moved[~test].mean(axis=0)).sum(axis=0)
        r2.append((1 - error / total).reshape(len(rows), -1))
    scores = np.concatenate(r2, axis=1)  # [shuffles, cells], layer after layer
    return significance(scores[0], scores[1:]).p_family
