"""Probes in time: how well a layer tells a curve, and scalar targets by way of it.

Task: from the states of moments and the measured curves, say for every layer and curve how well a
probe predicts the curve of works that it never saw, how sure that is and whether it could be
chance; and read scalar targets from the predicted curves.

Conventions
-----------
* R² is pooled over all moments against the mean of the training moments, as everywhere. *Within
  tracks*, both curves are taken less their track's mean: 0 for a probe that knows how bright or
  loud a track is and not when.
* The unit is the work. Intervals come from the whole experiment without each work, fits included
  (a jackknife), of many works from `GROUPS` groups of them left out one after another. Only layers
  that a training fold chose for the curve get one. Curves are smooth, and moments of a track are
  never taken as independent.
* A shuffle gives each work the curves of another, from a random moment on and going round, so a
  shuffled curve is as smooth as a true one. A shuffle takes the better of the penalty that the true
  curve chose and the heaviest; it is tested on all layers and curves at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing import statistics
from mess.probing.max_t import shuffle_keys, significance
from mess.probing.metrics import defined, share_told
from mess.probing.moments import PredictedCurves, Sums, total_of
from mess.probing.shuffled_curves import null_of_curves

Array = NDArray[np.float64]
GROUPS = 20  # of works that are left out one after another


@dataclass(frozen=True)
class CurveCell:
    """How well one layer tells one curve.

    Attributes
    ----------
    layer : int
    curve : str
    r2, within : float or None
        Pooled over all moments, and within tracks; None where the curve does not vary.
    correlation : float or None
        Pearson's r within a track, mean over tracks in which both vary.
    low, high : float or None
        95 % interval of ``r2`` by works; None under ten works, and where no fold chose the layer.
    p, p_family, q : float or None
        Chance of such an R² on shuffled works; see `mess.probing.results.Cell`.
    n, tracks, works : int
        Moments, tracks and works that took part.
    """

    layer: int
    curve: str
    r2: float | None
    within: float | None
    correlation: float | None
    n: int
    tracks: int
    works: int
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_family: float | None = None
    q: float | None = None


@dataclass(frozen=True)
class CurveScores:
    """Scores of one layer's predictions, by curve [shape=(curves,)] each."""

    r2: Array
    within: Array
    correlation: Array


def score_curves(
    y: NDArray[np.floating[Any]],
    predicted: NDArray[np.floating[Any]],
    owner: NDArray[np.int64],
    fold: NDArray[np.int64],
) -> CurveScores:
    """Score predicted curves [n, curves] against measured ones.

    Parameters
    ----------
    y, predicted : ndarray [shape=(n, curves)]
    owner, fold : ndarray [shape=(n,), dtype=int]
        The track of each moment, and the fold in which it was held out.
    """
    truth, guess = np.asarray(y, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    base = np.empty_like(truth)
    for k in np.unique(fold):
        base[fold == k] = truth[fold != k].mean(axis=0)
    error, total = np.square(truth - guess).sum(axis=0), np.square(truth - base).sum(axis=0)
    centred, moved = (one - _track_means(one, owner) for one in (truth, guess))
    spread = np.square(centred).sum(axis=0)
    missed = np.square(centred - moved).sum(axis=0)
    tracks = int(owner.max()) + 1
    sums = [
        np.stack([np.bincount(owner, weights=column, minlength=tracks) for column in one.T], axis=1)
        for one in (centred * moved, centred**2, moved**2)
    ]
    norm = np.sqrt(sums[1] * sums[2])
    varies = norm > 1e-12 * np.maximum(sums[1], 1e-300)
    r = np.divide(sums[0], norm, out=np.full(norm.shape, np.nan), where=varies)
    told = np.isfinite(r)
    mean_r = np.where(told, r, 0).sum(axis=0) / np.maximum(told.sum(axis=0), 1)
    return CurveScores(
        share_told(error, total),
        share_told(missed, spread),
        np.where(told.any(axis=0), mean_r, np.nan),
    )


def _track_means(values: Array, owner: NDArray[np.int64]) -> Array:
    count = np.maximum(np.bincount(owner), 1)
    means = np.stack([np.bincount(owner, weights=one) / count for one in values.T], axis=1)
    return np.asarray(means[owner])


def influence_of_works(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    works: NDArray[np.int64],
    fold: NDArray[np.int64],
    alphas: Array,
) -> tuple[Array, Array]:
    """Return log(1 − R²) [curves], and how much each group of works moves it [groups, curves].

    Each group of works is left out of the whole experiment, fits included; the penalties
    ``alphas`` [folds, curves] stay.
    """
    names = np.unique(works)
    group = np.arange(len(names)) % GROUPS if len(names) > GROUPS else np.arange(len(names))
    of = group[np.searchsorted(names, works)]
    folds, groups, curves = int(fold.max()) + 1, int(group.max()) + 1, y.shape[1]
    parts: dict[tuple[int, int], Sums] = {}
    for k in range(folds):
        for g in np.unique(of[fold == k]):
            rows = (fold == k) & (of == g)
            parts[k, int(g)] = Sums.of(x[rows], y[rows])
    by_fold = [
        total_of([one for (k, _), one in parts.items() if k == fold_]) for fold_ in range(folds)
    ]
    whole = total_of(by_fold)
    error, total = np.zeros((2, groups + 1, curves))
    for k in range(folds):
        training = whole - by_fold[k]
        for g in range(groups + 1):
            fit, test = training, by_fold[k]
            for (other, number), part in parts.items():
                if number == g:
                    fit, test = (fit, test - part) if other == k else (fit - part, test)
            if test.n < 1:
                continue
            weights, shift = _fit_each(fit, alphas[k])
            error[g] += test.errors(weights[None], shift[None])[0]
            total[g] += test.yy - 2 * fit.y / fit.n * test.y + test.n * (fit.y / fit.n) ** 2
    shares = np.log(np.maximum(error, 1e-300) / np.maximum(total, 1e-300))
    return shares[-1], statistics.influence(shares[-1], shares[:-1])


def _fit_each(sums: Sums, alphas: Array) -> tuple[Array, Array]:
    """Return weights [dim, curves] and intercepts, each curve by its own penalty."""
    used = np.unique(alphas)
    weights, shifts = sums.fit(used.tolist())
    place, columns = np.searchsorted(used, alphas), np.arange(len(alphas))
    return weights[place, :, columns].T, shifts[place, columns]


@dataclass(frozen=True)
class ProbedCurves:
    """What the probes of all layers tell of some curves.

    Attributes
    ----------
    cells : list of CurveCell
        Layer by layer.
    nested : ndarray [shape=(n, curves)]
        Each moment by the layer that its training folds chose.
    nested_scores : CurveScores
    chosen : ndarray [shape=(folds, curves), dtype=int]
        The layer that each fold chose.
    """

    cells: list[CurveCell]
    nested: NDArray[np.float32]
    nested_scores: CurveScores
    chosen: NDArray[np.int64]


def probe_curves(
    layers: Sequence[NDArray[np.floating[Any]]],
    found: Sequence[PredictedCurves],
    y: NDArray[np.floating[Any]],
    *,
    names: Sequence[str],
    owner: NDArray[np.int64],
    works: NDArray[np.int64],
    fold: NDArray[np.int64],
    shuffles: int = 0,
    resamples: int = 1000,
    seed: int = 0,
) -> ProbedCurves:
    """Score the probes of all layers, with intervals and significance.

    Parameters
    ----------
    layers : sequence of ndarray [shape=(n, dim)]
        The states that ``found`` was predicted from. One is asked for at a time and not kept, so a
        sequence may read them from a disk.
    found : sequence of PredictedCurves
    y : ndarray [shape=(n, curves)]
    names : sequence of str
        Of the curves.
    owner, works, fold : ndarray [shape=(n,), dtype=int]
        Track, work and fold of each moment; works count from 0.
    shuffles : int
        0 leaves out significance.
    resamples : int
        Draws behind the intervals; 0 leaves them out.
    seed : int
    """
    scores = [score_curves(y, one.predicted, owner, fold) for one in found]
    r2 = np.stack([one.r2 for one in scores])
    p, p_family, q = list(np.full((3, *r2.shape), np.nan))
    if shuffles:
        keys = shuffle_keys(int(works.max()) + 1, permutations=shuffles, seed=seed)
        null = [
            null_of_curves(layers[layer], y, works, fold, alphas=one.alphas, keys=keys, seed=seed)
            for layer, one in enumerate(found)
        ]
        found_p = significance(r2.ravel(), np.stack(null, axis=1).reshape(shuffles, -1))
        p, p_family, q = (one.reshape(r2.shape) for one in (found_p.p, found_p.p_family, found_p.q))
    chosen = np.argmin(np.stack([one.inner_error for one in found]), axis=0)
    bounds = np.full((2, *r2.shape), np.nan)
    if resamples and len(np.unique(works)) >= statistics.FEWEST_WORKS:
        for layer, one in enumerate(found):
            some = np.flatnonzero((chosen == layer).any(axis=0))
            if not some.size:
                continue
            share, moves = influence_of_works(
                layers[layer], y[:, some], works, fold, one.alphas[:, some]
            )
            draws = statistics.works_drawn(len(moves), bootstrap=resamples, seed=seed)
            bounds[:, layer, some] = statistics.interval(
                statistics.resampled_r2(share, moves, draws=draws)
            )
    cells = [
        CurveCell(
            layer=layer,
            curve=names[curve],
            r2=defined(r2[layer, curve]),
            within=defined(scores[layer].within[curve]),
            correlation=defined(scores[layer].correlation[curve]),
            n=len(y),
            tracks=len(np.unique(owner)),
            works=len(np.unique(works)),
            low=defined(bounds[0, layer, curve]),
            high=defined(bounds[1, layer, curve]),
            p=defined(p[layer, curve]),
            p_family=defined(p_family[layer, curve]),
            q=defined(q[layer, curve]),
        )
        for layer, curve in np.ndindex(*r2.shape)
    ]
    nested = np.empty(y.shape, dtype=np.float32)
    for k in range(len(chosen)):
        held = fold == k
        for curve in range(y.shape[1]):
            nested[held, curve] = found[chosen[k, curve]].predicted[held, curve]
    return ProbedCurves(cells, nested, score_curves(y, nested, owner, fold), chosen)
