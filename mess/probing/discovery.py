"""The experiment: every layer × every target, cross-validated with works kept together.

Task: given hidden states [n, layers, dim] of n tracks (or segments) and their proxy targets,
report how well a ridge probe on each layer predicts each target for works that it never saw.

Conventions
-----------
* A fold never splits a work. Standardisation and, by default, the penalty are chosen inside the
  training folds (leave one work out, on a logarithmic grid).
* R² is pooled over all rows against the mean of the training rows: 1 − Σ(y − ŷ)² / Σ(y − ȳ_train)².
  It is 0 for a probe that knows no more than the mean, and negative for one that does worse.
* A row whose target is undefined (NaN) is left out of that target's cells only.

Metrics of a cell: `r2`, `spearman` (of predicted and true), `rmse` (in the target's unit), and
the R² of every fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from mess.errors import MessError
from mess.probing.ridge import DEFAULT_ALPHAS, Array, RidgePath

MIN_WORKS = 3
MIN_ROWS = 6
_WORTH_THREADS = 400  # side of a matrix
Alpha = float | Literal["auto"]


@dataclass(frozen=True)
class Cell:
    """One probe: how well one layer predicts one target.

    Attributes
    ----------
    layer : int
    target : str
    r2, spearman, rmse : float or None
        None where they are undefined: too few rows, or a target that does not vary.
    fold_r2 : list of (float or None)
        R² within each fold, against the mean of its training rows.
    alpha : list of float
        The penalty that each fold used.
    n, works : int
        Rows and distinct works that took part.
    """

    layer: int
    target: str
    r2: float | None
    spearman: float | None
    rmse: float | None
    fold_r2: list[float | None]
    alpha: list[float]
    n: int
    works: int

    def as_dict(self) -> dict[str, Any]:
        """Return the cell as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Discovery:
    """All cells of an experiment and the predictions behind them.

    Attributes
    ----------
    cells : list of Cell
        Layer by layer, in the order of the targets.
    predicted : ndarray [shape=(layers, n, targets)]
        Out-of-fold predictions; NaN where the target is undefined.
    fold : ndarray [shape=(n,), dtype=int]
        The fold in which each row was held out.
    """

    cells: list[Cell]
    predicted: Array
    fold: NDArray[np.int64]


def assign_folds(groups: ArrayLike, *, folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Assign rows to folds so that no group is split and folds are of similar size.

    Groups are shuffled, then placed from the largest to the smallest into the fold that has the
    fewest rows.

    Parameters
    ----------
    groups : array_like [shape=(n,)]
        The work of each row.
    folds : int
        Wanted number; fewer are made when there are fewer groups.
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


def discover(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    alpha: Alpha | Sequence[float] = "auto",
    folds: int = 10,
    seed: int = 0,
    on_layer: Callable[[int], None] | None = None,
) -> Discovery:
    """Probe every layer for every target.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, dim)]
    targets : array_like [shape=(n, t)]
        NaN where a target is undefined.
    groups : array_like [shape=(n,)]
        The work of each row.
    names : sequence of str, length t
        The targets' names.
    alpha : float, "auto" or sequence of float
        A penalty for all probes, or the grid from which each training fold chooses its own by
        leaving one work out; "auto" is a grid from 10⁻² to 10⁶.
    folds, seed : int
        See `assign_folds`.
    on_layer : callable, optional
        Called with the number of each finished layer.

    Returns
    -------
    Discovery

    References
    ----------
    R. Castellon, C. Donahue, P. Liang: Codified audio language modeling learns useful
    representations for music information retrieval. ISMIR 2021.
    """
    y = np.asarray(targets, dtype=np.float64)
    works = np.asarray(groups)
    grid = _grid(alpha)
    fold = assign_folds(works, folds=folds, seed=seed)
    predicted = np.full((features.shape[1], *y.shape), np.nan)
    cells: list[Cell] = []
    for layer in range(features.shape[1]):
        x = np.asarray(features[:, layer], dtype=np.float64)
        chosen: dict[int, list[float]] = {}
        for columns, rows in _by_missing_rows(y, works, fold):
            predicted[layer][np.ix_(rows, columns)], alphas = out_of_fold(
                x[rows], y[np.ix_(rows, columns)], works[rows], fold=fold[rows], alphas=grid
            )
            chosen.update(zip(columns.tolist(), alphas.T.tolist(), strict=True))
        for column, name in enumerate(names):
            cells.append(
                _cell(
                    y[:, column],
                    predicted[layer, :, column],
                    works,
                    fold,
                    layer=layer,
                    target=name,
                    alpha=chosen.get(column, []),
                )
            )
        if on_layer is not None:
            on_layer(layer)
    return Discovery(cells, predicted, fold)


def out_of_fold(
    x: Array, y: Array, groups: NDArray[Any], *, fold: NDArray[np.int64], alphas: Sequence[float]
) -> tuple[Array, Array]:
    """Predict every row by a probe that saw no row of its fold.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    y : ndarray [shape=(n, t)]
    groups : ndarray [shape=(n,)]
        What the choice of the penalty leaves out at a time.
    fold : ndarray [shape=(n,), dtype=int]
    alphas : sequence of float
        Where there are several, each training fold chooses one per target.

    Returns
    -------
    predicted : ndarray [shape=(n, t)]
    chosen : ndarray [shape=(folds, t)]
    """
    predicted = np.empty_like(y)
    chosen = []
    # Threads that share a small matrix spend their time waiting for each other.
    with threadpool_limits(limits=1 if min(x.shape) < _WORTH_THREADS else None):
        for held_out in np.unique(fold):
            test = fold == held_out
            path = RidgePath(x[~test], y[~test])
            best = choose_alpha(path, y[~test], groups[~test], alphas=alphas)
            used = sorted(set(best.tolist()))
            by_alpha = path.predict(x[test], alphas=used)
            for column, value in enumerate(best):
                predicted[test, column] = by_alpha[used.index(value), :, column]
            chosen.append(best)
    return predicted, np.stack(chosen)


def choose_alpha(
    path: RidgePath, y: Array, groups: NDArray[Any], *, alphas: Sequence[float]
) -> Array:
    """Return the penalty of each target, [t], with the least leave-one-work-out error."""
    if len(alphas) == 1 or len(np.unique(groups)) < 2:
        return np.full(y.shape[1], alphas[len(alphas) // 2])
    error = np.square(path.leave_group_out(groups, alphas=alphas) - y).sum(axis=1)
    return np.asarray(alphas)[np.argmin(error, axis=0)]


def r2_score(y: Array, predicted: Array, baseline: Array) -> float | None:
    """Return 1 − Σ(y − ŷ)² / Σ(y − baseline)², or None where the target does not vary."""
    total = float(np.square(y - baseline).sum())
    if total <= 1e-20 * max(float(np.square(y).sum()), 1e-300) or np.ptp(y) == 0:
        return None
    return 1.0 - float(np.square(y - predicted).sum()) / total


def _grid(alpha: Alpha | Sequence[float]) -> tuple[float, ...]:
    grid = (
        DEFAULT_ALPHAS
        if isinstance(alpha, str)
        else tuple(np.atleast_1d(np.asarray(alpha, dtype=np.float64)).tolist())
    )
    if not grid or min(grid) <= 0 or not np.isfinite(grid).all():
        raise MessError(f"alpha must be a positive number or 'auto', not {alpha!r}")
    return grid


def _by_missing_rows(
    y: Array, works: NDArray[Any], fold: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (columns, rows) of targets that are defined on the same, sufficient, rows."""
    patterns: dict[bytes, list[int]] = {}
    defined = np.isfinite(y)
    for column in range(y.shape[1]):
        patterns.setdefault(defined[:, column].tobytes(), []).append(column)
    kept = []
    for columns in patterns.values():
        rows = np.flatnonzero(defined[:, columns[0]])
        enough = len(rows) >= MIN_ROWS and len(np.unique(works[rows])) >= MIN_WORKS
        if enough and np.ptp(fold[rows]) > 0:  # with one fold there is nothing to fit on
            kept.append((np.asarray(columns), rows))
    return kept


def _cell(
    y: Array,
    predicted: Array,
    works: NDArray[Any],
    fold: NDArray[np.int64],
    *,
    layer: int,
    target: str,
    alpha: list[float],
) -> Cell:
    rows = np.isfinite(predicted)
    y, predicted, works, fold = y[rows], predicted[rows], works[rows], fold[rows]
    n_works = len(np.unique(works))
    if not len(y):
        return Cell(layer, target, None, None, None, [], [], 0, n_works)
    baseline = np.empty_like(y)
    for held_out in np.unique(fold):
        baseline[fold == held_out] = y[fold != held_out].mean()
    return Cell(
        layer=layer,
        target=target,
        r2=r2_score(y, predicted, baseline),
        spearman=_spearman(y, predicted),
        rmse=float(np.sqrt(np.square(y - predicted).mean())),
        fold_r2=[
            r2_score(y[fold == k], predicted[fold == k], baseline[fold == k])
            for k in np.unique(fold)
        ],
        alpha=alpha,
        n=len(y),
        works=n_works,
    )


def _spearman(a: Array, b: Array) -> float | None:
    """Rank correlation with ties averaged, or None where one side does not vary."""
    from scipy.stats import rankdata

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
