"""One value a target for every row: all layers together, out of fold.

Task: give each track the value of each target that a model's layers predict for it, so that search
can rank by it. A probe is fitted on every predictor (a layer, pooled in one way) and the probes
are mixed by a convex combination that each training fold learns for itself. A row with a known
target is predicted by the fold that never saw its work; a row whose target is not known, by the
mean of all folds.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> x = rng.standard_normal((30, 4))
>>> found = stack([x, x[:, :2]], x[:, :1], np.arange(30))
>>> found.r2[0] > 0.9
np.True_
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing.folds import assign_folds, by_missing_rows
from mess.probing.layers import weigh_layers
from mess.probing.probes import out_of_fold
from mess.probing.ridge import DEFAULT_ALPHAS, Array
from mess.probing.scores import r2_score, training_means


@dataclass(frozen=True)
class Stacked:
    """Predicted targets.

    Attributes
    ----------
    predicted : ndarray [shape=(n, t)]
        In the targets' units; NaN in the columns that could not be probed.
    r2 : ndarray [shape=(t,)]
        Of the rows with a known target, against the training mean; NaN where undefined.
    shares : ndarray [shape=(t, predictors)]
        Mean weight of each predictor over the folds.
    """

    predicted: Array
    r2: Array
    shares: Array


def stack(
    predictors: Sequence[NDArray[np.floating[Any]]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    folds: int = 10,
    seed: int = 0,
    alphas: Sequence[float] = DEFAULT_ALPHAS,
) -> Stacked:
    """Predict every target of every row, out of fold.

    Parameters
    ----------
    predictors : sequence of ndarray [shape=(n, d)]
        The dimensions may differ.
    targets : array_like [shape=(n, t)]
        NaN where a target is not known.
    groups : array_like [shape=(n,)]
        The work of each row.
    folds, seed : int
        See `assign_folds`.
    alphas : sequence of float
        The grid from which each training fold chooses.

    Raises
    ------
    MessError
        If rows with a target come from fewer than three works.
    """
    y = np.asarray(targets, dtype=np.float64)
    _, works = np.unique(np.asarray(groups), return_inverse=True)
    labelled = np.isfinite(y).any(axis=1)
    fold = np.full(len(y), -1, dtype=np.int64)
    fold[labelled] = assign_folds(works[labelled], folds=folds, seed=seed)
    predicted, r2 = np.full(y.shape, np.nan), np.full(y.shape[1], np.nan)
    shares = np.full((y.shape[1], len(predictors)), np.nan)
    for columns, rows in by_missing_rows(y, works, fold):
        others = np.setdiff1d(np.arange(len(y)), rows)
        found = [
            out_of_fold(
                np.asarray(x[rows], dtype=np.float64),
                y[np.ix_(rows, columns)],
                works[rows],
                fold=fold[rows],
                alphas=alphas,
                elsewhere=np.asarray(x[others], dtype=np.float64),
            )
            for x in predictors
        ]
        by_layer = np.stack([one.predicted for one in found])
        inner = np.stack([one.inner for one in found])
        elsewhere = np.stack([one.elsewhere for one in found])
        _, place = np.unique(fold[rows], return_inverse=True)
        for number, column in enumerate(columns):
            weights = weigh_layers(y[rows, column], inner[..., number])
            shares[column] = weights.mean(axis=0)
            predicted[rows, column] = (weights[place] * by_layer[:, :, number].T).sum(axis=1)
            mixed = np.einsum("fp,pfm->fm", weights, elsewhere[..., number])
            predicted[others, column] = mixed.mean(axis=0)
    known = np.where(np.isfinite(y), predicted, np.nan)
    baseline = training_means(y, known[None], fold)
    for column in range(y.shape[1]):
        rows = np.isfinite(known[:, column])
        score = r2_score(y[rows, column], known[rows, column], baseline[rows, column])
        r2[column] = np.nan if score is None or not rows.any() else score
    return Stacked(predicted, r2, shares)
