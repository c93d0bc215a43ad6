"""Discovery: probe every layer for every target, cross-validated with works kept together.

Task: given hidden states [n, layers, dim] of n tracks (or segments) and their proxy targets, report
how well a ridge probe on each layer predicts each target for unseen works, how sure that score is,
and which layers may be the best.

Conventions
-----------
* A fold never splits a work. The standardisation and, by default, the penalty are chosen inside the
  training folds (leave one work out, on a logarithmic grid).
* R² is pooled over all rows against the mean of the training rows: 1 − Σ(y − ŷ)² / Σ(y − ȳ_train)².
  A probe that predicts that mean has an R² of 0; a worse probe has a negative R².
* A row whose target is undefined (NaN) is left out of the cells of that target only.
* The work is the unit of intervals (`mess.probing.statistics`) and of significance
  (`mess.probing.max_t`).

Metrics of a cell: `r2`; `spearman`, of predicted and true values (None if the probe predicts only
the mean); `rmse`, in the target's unit; and the R² of every fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.errors import MessError
from mess.probing import statistics
from mess.probing.folds import assign_folds, by_missing_rows
from mess.probing.layers import CombinedProbes, combine_layers
from mess.probing.max_t import shuffle_keys, shuffled_rows, significance
from mess.probing.metrics import (
    defined,
    is_only_mean,
    r2_score,
    spearman_beyond_mean,
    training_means,
)
from mess.probing.probes import ErrorOf, out_of_fold
from mess.probing.results import (
    Alpha,
    Cell,
    Combined,
    Discovery,
    DiscoverySettings,
    TargetSummary,
)
from mess.probing.ridge import DEFAULT_ALPHAS, Array
from mess.probing.threads import side_by_side

_USUAL = DiscoverySettings()


def discover(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    settings: DiscoverySettings = _USUAL,
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
    settings : DiscoverySettings
        Penalty, folds, seed, and the numbers of shuffles and of bootstrap draws.
    on_layer : callable, optional
        Called with the number of each finished layer.

    Returns
    -------
    Discovery

    References
    ----------
    R. Castellon, C. Donahue, P. Liang: Codified audio language modeling learns useful
    representations for music information retrieval. ISMIR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> features = rng.standard_normal((60, 2, 8))  # 60 tracks, 2 layers, 8 values in each
    >>> tempo = features[:, 1, 0] + 0.1 * rng.standard_normal(60)  # the second layer knows it
    >>> works = np.repeat(np.arange(20), 3)
    >>> found = discover(features, tempo[:, None], works, names=["tempo"])
    >>> [cell.r2 > 0.9 for cell in found.cells]
    [False, True]
    """
    y = np.asarray(targets, dtype=np.float64)
    _, works = np.unique(np.asarray(groups), return_inverse=True)
    grid = _grid(settings.alpha)
    seed = settings.seed
    fold = assign_folds(groups, folds=settings.folds, seed=seed, part_of=settings.part_of)
    layers, n_folds = features.shape[1], int(fold.max()) + 1
    patterns = by_missing_rows(y, works, fold)
    keys = shuffle_keys(int(works.max()) + 1, permutations=settings.permutations, seed=seed)
    shuffled = [shuffled_rows(works[rows], keys=keys, seed=seed) for _, rows in patterns]
    predicted = np.full((layers, *y.shape), np.nan)
    chosen = np.full((layers, n_folds, y.shape[1]), np.nan)
    inner = np.full((layers, n_folds, *y.shape), np.nan, dtype=np.float32)
    null = np.full((settings.permutations, layers, y.shape[1]), np.nan)
    tested = np.full((layers, y.shape[1]), np.nan)
    without = np.full((len(ErrorOf), layers, n_folds, int(works.max()) + 1, y.shape[1]), np.nan)

    def probe(layer: int) -> int:
        x = np.asarray(features[:, layer], dtype=np.float64)
        for (columns, rows), sources in zip(patterns, shuffled, strict=True):
            probes = out_of_fold(
                x if len(rows) == len(x) else x[rows],
                y[np.ix_(rows, columns)],
                works[rows],
                fold=fold[rows],
                alphas=grid,
                shuffled=sources,
            )
            present = np.unique(fold[rows])
            predicted[layer][np.ix_(rows, columns)] = probes.predicted
            chosen[layer][np.ix_(present, columns)] = probes.alphas
            inner[layer][np.ix_(present, rows, columns)] = probes.inner
            null[:, layer, columns] = probes.shuffled.null
            tested[layer, columns] = probes.shuffled.true
            known = np.ix_(present, np.unique(works[rows]), columns)
            for error_of in ErrorOf:
                without[error_of, layer][known] = probes.without[error_of]
        return layer

    for layer in side_by_side(probe, range(layers), size=min(len(y), features.shape[2])):
        if on_layer is not None:
            on_layer(layer)
    baseline = training_means(y, predicted, fold)
    cells = [
        _cell(
            y[:, column],
            predicted[layer, :, column],
            works,
            fold,
            baseline[:, column],
            layer=layer,
            target=name,
            alpha=chosen[layer, :, column],
        )
        for layer in range(layers)
        for column, name in enumerate(names)
    ]
    combined = combine_layers(y, predicted, inner, fold)
    # The nested probe counts as one more layer: in each fold it is the layer that the fold chose.
    nested = np.take_along_axis(without, combined.choice[None, None, :, None, :], axis=1)
    scores = _Scores.of(
        y,
        np.concatenate(
            [predicted, combined.nested.predicted[None], combined.weighted.predicted[None]]
        ),
        baseline,
        np.concatenate([without, nested], axis=1),
        bootstrap=settings.bootstrap,
        seed=seed,
    )
    cells = _with_significance(cells, null, tested, scores)
    summaries = [
        summary
        for column, name in enumerate(names)
        if (
            summary := _summary(
                name, column, scores, y, combined, baseline, cells[column :: len(names)]
            )
        )
        is not None
    ]
    return Discovery(
        cells,
        summaries,
        predicted,
        fold,
        combined.nested.predicted,
        scores.influence[:, scores.nested],
    )


def _grid(alpha: Alpha | Sequence[float]) -> tuple[float, ...]:
    grid = (
        DEFAULT_ALPHAS
        if isinstance(alpha, str)
        else tuple(np.atleast_1d(np.asarray(alpha, dtype=np.float64)).tolist())
    )
    if not grid or min(grid) <= 0 or not np.isfinite(grid).all():
        raise MessError(f"alpha must be a positive number or 'auto', not {alpha!r}")
    return grid


def _cell(
    y: Array,
    predicted: Array,
    works: NDArray[Any],
    fold: NDArray[np.int64],
    baseline: Array,
    *,
    layer: int,
    target: str,
    alpha: Array,
) -> Cell:
    rows = np.isfinite(predicted)
    y, predicted, baseline = y[rows], predicted[rows], baseline[rows]
    works, fold = works[rows], fold[rows]
    n_works = len(np.unique(works))
    if not len(y):
        return Cell(layer, target, None, None, None, [], [], 0, n_works)
    return Cell(
        layer=layer,
        target=target,
        r2=r2_score(y, predicted, baseline),
        spearman=spearman_beyond_mean(y, predicted, baseline),
        rmse=float(np.sqrt(np.square(y - predicted).mean())),
        fold_r2=[
            r2_score(y[fold == k], predicted[fold == k], baseline[fold == k])
            for k in np.unique(fold)
        ],
        alpha=alpha[np.isfinite(alpha)].tolist(),
        n=len(y),
        works=n_works,
        only_mean=is_only_mean(y, predicted, baseline),
    )


@dataclass(frozen=True)
class _Scores:
    """R² [predictors, targets], with bootstrap draws and intervals.

    The predictors are the layers, the nested probe and the weighted probe. The weighted probe has
    no draws, because its errors without a work do not follow from those of the layers.
    ``influence`` [works, predictors, targets] is the influence of each work on log(1 − R²).
    """

    r2: Array
    resampled: Array
    interval: Array
    influence: Array

    @property
    def nested(self) -> int:
        """The number of the nested probe among the predictors: it follows the layers."""
        return len(self.r2) - 2

    @property
    def weighted(self) -> int:
        """The number of the weighted probe among the predictors: the last."""
        return len(self.r2) - 1

    @classmethod
    def of(
        cls,
        y: Array,
        predicted: Array,
        baseline: Array,
        without: Array,
        *,
        bootstrap: int,
        seed: int,
    ) -> "_Scores":
        r2 = np.full((len(predicted), y.shape[1]), np.nan)
        for index in np.ndindex(r2.shape):
            guess = predicted[index[0], :, index[1]]
            rows = np.isfinite(guess)
            score = r2_score(y[rows, index[1]], guess[rows], baseline[rows, index[1]])
            r2[index] = np.nan if score is None else score
        summed = np.nansum(without, axis=2)  # over folds: [2, predictors, works, targets]
        error, total = summed[ErrorOf.PROBE], summed[ErrorOf.MEAN]
        known = np.isfinite(without[ErrorOf.PROBE]).any(axis=1) & (total > 0) & (error > 0)
        shares = np.log(np.divide(error, total, out=np.full_like(total, np.nan), where=known))
        shares = shares.transpose(1, 0, 2)
        observed = np.log(np.maximum(1.0 - r2[: shares.shape[1]], np.finfo(float).tiny))
        works = len(shares)
        moves = statistics.influence(observed.ravel(), shares.reshape(works, -1))
        draws = statistics.works_drawn(works, bootstrap=bootstrap, seed=seed)
        resampled = statistics.resampled_r2(observed.ravel(), moves, draws=draws)
        bounds = statistics.interval(resampled).reshape(2, *observed.shape)
        bounds[:, np.isfinite(shares).sum(axis=0) < statistics.FEWEST_WORKS] = np.nan
        moves = moves.reshape(works, *observed.shape)
        return cls(r2, resampled.reshape(-1, *observed.shape), bounds, moves)


def _with_significance(
    cells: list[Cell], null: Array, tested: Array, scores: _Scores
) -> list[Cell]:
    """Add intervals, and p values if works were shuffled.

    ``tested`` [layers, targets] are the scores of the true targets that compare with ``null``.
    """
    targets = null.shape[2]
    found = significance(tested.ravel(), null.reshape(len(null), -1)) if len(null) else None
    done = []
    for index, cell in enumerate(cells):
        low, high = scores.interval[:, index // targets, index % targets]
        more: dict[str, Any] = {"low": defined(low), "high": defined(high)}
        if found is not None:
            more |= {
                "p": defined(found.p[index]),
                "p_family": defined(found.p_family[index]),
                "q": defined(found.q[index]),
            }
        done.append(cell if cell.r2 is None else replace(cell, **more))
    return done


def _summary(
    name: str,
    column: int,
    scores: _Scores,
    y: Array,
    combined: CombinedProbes,
    baseline: Array,
    cells: Sequence[Cell],
) -> TargetSummary | None:
    layers = scores.nested
    r2, resampled = scores.r2[:layers, column], scores.resampled[:, :layers, column]
    best = statistics.best_layers(r2, resampled)
    if best is None:
        return None
    truth, means = y[:, column], baseline[:, column]
    low, high = scores.interval[:, scores.nested, column].tolist()
    beyond = bool(r2[best.best] > 0) and not cells[best.best].only_mean
    return TargetSummary(
        name,
        best.best,
        best.within if beyond else [],
        best.wins,
        nested=Combined(
            r2=defined(scores.r2[scores.nested, column]),
            spearman=_rank(truth, combined.nested.predicted[:, column], means),
            low=defined(low),
            high=defined(high),
            layers=combined.nested.shares[column].tolist(),
        ),
        weighted=Combined(
            r2=defined(scores.r2[scores.weighted, column]),
            spearman=_rank(truth, combined.weighted.predicted[:, column], means),
            low=None,
            high=None,
            layers=combined.weighted.shares[column].tolist(),
        ),
        beyond_mean=beyond,
    )


def _rank(truth: Array, predicted: Array, means: Array) -> float | None:
    """Return Spearman's correlation over the rows that are predicted."""
    rows = np.isfinite(predicted)
    return spearman_beyond_mean(truth[rows], predicted[rows], means[rows])
