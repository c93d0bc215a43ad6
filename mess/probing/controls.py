"""Controls of an experiment: baselines, and the sensitivity of a finding to its settings.

Task: score plain descriptions of the audio on the same rows and folds as the layers of a model, and
measure how far a result depends on the grouping, on the seed and on the number of works.

Every score is the *nested* R² (the layer is chosen inside the training folds). So a baseline with
one vector and a model with many layers are compared on equal terms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.errors import MessError
from mess.probing.discovery import discover
from mess.probing.folds import MIN_WORKS, NO_PARTS, assign_folds
from mess.probing.metrics import r2_score, spearman_beyond_mean, training_means
from mess.probing.results import Alpha, BaselineScore, CurvePoint, DiscoverySettings
from mess.probing.ridge import Array

_FEW = 10  # bootstrap draws if the interval is not used
_USUAL = DiscoverySettings()


@dataclass(frozen=True, kw_only=True)
class TransferScore:
    """The score of a probe of one dataset on another.

    Attributes
    ----------
    target : str
    layer : int
        Chosen on the dataset that it was fitted on.
    r2 : float
    spearman : float or None
    """

    target: str
    layer: int
    r2: float
    spearman: float | None


def compare_baselines(
    baselines: Mapping[str, NDArray[np.floating[Any]]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    settings: DiscoverySettings = _USUAL,
) -> list[BaselineScore]:
    """Probe every baseline as the layers are probed.

    Parameters
    ----------
    baselines : mapping of str to ndarray [shape=(n, layers, d)]
        Features of each baseline; a plain description has one layer.
    targets, groups, names, settings
        See `mess.probing.discovery.discover`; works are not shuffled.
    """
    settings = replace(settings, permutations=0)
    scores = []
    for name, features in baselines.items():
        result = discover(features, targets, groups, names=names, settings=settings)
        for summary in result.summaries:
            nested = summary.nested
            scores.append(
                BaselineScore(
                    name, summary.target, nested.r2, nested.spearman, nested.low, nested.high
                )
            )
    return scores


def label_mean(
    name: str,
    labels: ArrayLike,
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    folds: int = 10,
    seed: int = 0,
    part_of: Mapping[str, str] = NO_PARTS,
) -> list[BaselineScore]:
    """Predict every row by the mean of the training rows with the same label, such as a composer.

    A row whose label does not occur in training gets the training mean. If all rows have one label,
    the prediction is the training mean, whose R² is 0.
    """
    y, labels = np.asarray(targets, dtype=np.float64), np.asarray(labels)
    fold = assign_folds(groups, folds=folds, seed=seed, part_of=part_of)
    predicted = np.full((1, *y.shape), np.nan)
    defined = np.isfinite(y)
    for column in range(y.shape[1]):
        for row in np.flatnonzero(defined[:, column]):
            training = defined[:, column] & (fold != fold[row])
            same = training & (labels == labels[row])
            chosen = same if same.any() else training
            if chosen.any():
                predicted[0, row, column] = y[chosen, column].mean()
    baseline = training_means(y, predicted, fold)
    scores = []
    for column, target in enumerate(names):
        rows = np.isfinite(predicted[0, :, column])
        if not rows.any():
            continue
        truth, guess = y[rows, column], predicted[0, rows, column]
        means = baseline[rows, column]
        score = r2_score(truth, guess, means)
        if score is not None:
            rank = spearman_beyond_mean(truth, guess, means)
            scores.append(BaselineScore(name, target, score, rank))
    return scores


def nested_scores(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    settings: DiscoverySettings = _USUAL,
) -> dict[str, float | None]:
    """Return the nested R² of every target: one cell of a sensitivity analysis."""
    settings = replace(settings, permutations=0, bootstrap=_FEW)
    discovery = discover(features, targets, groups, names=names, settings=settings)
    return {summary.target: summary.nested.r2 for summary in discovery.summaries}


def learning_curve(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
    settings: DiscoverySettings = _USUAL,
) -> list[CurvePoint]:
    """Return the nested R² on growing random subsets of the works; each subset contains the last.

    Returns
    -------
    list of CurvePoint
        One for each share that leaves enough works.
    """
    y, groups = np.asarray(targets, dtype=np.float64), np.asarray(groups)
    works = np.random.default_rng(settings.seed).permutation(np.unique(groups))
    curve: list[CurvePoint] = []
    for share in shares:
        kept = works[: round(share * len(works))]
        if len(kept) < MIN_WORKS:
            continue
        rows = np.isin(groups, kept)
        try:
            scores = nested_scores(
                features[rows], y[rows], groups[rows], names=names, settings=settings
            )
        except MessError:  # too few rows for any target
            continue
        curve.append(CurvePoint(works=len(kept), n=int(rows.sum()), r2=scores))
    return curve


def fit_elsewhere(
    features: NDArray[np.floating[Any]],
    targets: Array,
    groups: ArrayLike,
    *,
    test_features: NDArray[np.floating[Any]],
    test_targets: Array,
    names: Sequence[str],
    alpha: Alpha = "auto",
) -> list[TransferScore]:
    """Fit probes on one dataset and test them on another.

    Layer and penalty are chosen on the training dataset alone, by leaving out one work at a time.
    R² is computed against the mean of the test dataset, so a constant shift between the datasets
    counts as an error. Spearman's correlation ignores such a shift.
    """
    from mess.probing.layers import choose_layers
    from mess.probing.probes import choose_alpha
    from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath

    grid = DEFAULT_ALPHAS if isinstance(alpha, str) else (float(alpha),)
    _, works = np.unique(np.asarray(groups), return_inverse=True)
    scores = []
    for column, name in enumerate(names):
        train = np.isfinite(targets[:, column])
        test = np.isfinite(test_targets[:, column])
        if len(np.unique(works[train])) < MIN_WORKS or test.sum() < MIN_WORKS:
            continue
        y, truth = targets[train][:, [column]], test_targets[test, column]
        paths, inner, alphas = [], [], []
        for layer in range(features.shape[1]):
            path = RidgePath(features[train, layer], y)
            best, left_out = choose_alpha(path, y, works[train], alphas=grid)
            paths.append(path)
            alphas.append(best)
            inner.append(left_out[:, 0])
        layer = int(choose_layers(y[:, 0], np.array(inner)[:, None])[0])
        guess = paths[layer].predict_each(test_features[test, layer], alphas=alphas[layer])[:, 0]
        score = r2_score(truth, guess, np.full(len(truth), truth.mean()))
        if score is not None:
            fitted_mean = np.full(len(truth), y.mean())
            rank = spearman_beyond_mean(truth, guess, fitted_mean)
            scores.append(TransferScore(target=name, layer=layer, r2=score, spearman=rank))
    return scores
