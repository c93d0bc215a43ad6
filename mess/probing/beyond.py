"""What a layer tells beyond a baseline: the R² of both together, minus that of the baseline alone.

Task: a layer may predict brightness only because it holds a copy of the spectrum. So a probe is
fitted on the layer and the baseline together, another on the baseline alone, with the same rows and
folds. The difference of their nested R² is what the layer adds (conditional probing).

Conventions: columns of layer and baseline are standardised one by one, so a wide layer would drown
a narrow baseline under one penalty. Therefore every layer is tried twice: beside the baseline once,
and beside as many copies of it as make both equally wide (a column that stands m times is penalised
m times less). The baseline alone is a third candidate, and the training folds choose among all. The
interval and the test are those of two encoders (`mess.probing.differences`): by works, with Holm's
correction over the targets.

References
----------
J. Hewitt, K. Ethayarajh, P. Liang, C. Manning: Conditional probing: measuring usable information
beyond a baseline. EMNLP 2021.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> layer, baseline = rng.standard_normal((60, 1, 4)), rng.standard_normal((60, 1, 2))
>>> target = layer[:, 0, :1] + baseline[:, 0, :1]
>>> settings = DiscoverySettings(permutations=0, bootstrap=10)
>>> found = find_beyond(
...     layer, target, np.arange(60), names=["sum"], baseline=baseline, name="b", settings=settings
... )
>>> 0.3 < found[0].alone < 0.6 < 0.9 < found[0].together
True
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing.differences import Scores, compare
from mess.probing.discovery import discover
from mess.probing.metrics import defined
from mess.probing.results import BeyondScore, Discovery, DiscoverySettings

_FEW = 10  # bootstrap draws of intervals that are not used


def find_beyond(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    baseline: NDArray[np.floating[Any]],
    name: str,
    settings: DiscoverySettings,
) -> list[BeyondScore]:
    """Return what the layers tell of each target beyond a baseline.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, d)]
    targets, groups, names, settings
        See `mess.probing.discovery.discover`; works are not shuffled.
    baseline : ndarray [shape=(n, layers or 1, b)]
        Of the same rows: one vector, or one for each layer, such as those of another network.
    name : str
        Of the baseline.

    Returns
    -------
    list of BeyondScore
        Of the targets that both could be probed for.

    Raises
    ------
    MessError
        If no target can be probed.
    """
    settings = replace(settings, permutations=0, bootstrap=_FEW)
    alone, together = (
        discover(of, targets, groups, names=names, settings=settings)
        for of in (baseline, beside_each(features, baseline))
    )
    first, second = (_scores(found, names) for found in (alone, together))
    added = compare(second, first, seed=settings.seed)
    return [
        BeyondScore(
            baseline=name,
            target=target,
            alone=float(first.r2[column]),
            together=float(second.r2[column]),
            difference=float(added.difference[column]),
            low=defined(added.low[column]),
            high=defined(added.high[column]),
            p=defined(added.p_holm[column]),
        )
        for column, target in enumerate(names)
        if np.isfinite(added.difference[column])
    ]


def beside_each(
    features: NDArray[np.floating[Any]], baseline: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Return the candidates: each layer beside its baseline, in both weights, and it alone.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, d)]
    baseline : ndarray [shape=(n, layers or 1, b)]

    Returns
    -------
    ndarray [shape=(n, candidates, d + copies · b)]
        What a candidate leaves out is 0, so it contributes nothing.
    """
    n, layers, d = features.shape
    b = baseline.shape[2]
    copies = max(1, round(d / b))
    beside = np.broadcast_to(baseline, (n, layers, b))
    weights = sorted({1, copies})
    out = np.zeros((n, len(weights) * layers + baseline.shape[1], d + copies * b), np.float32)
    for place, times in enumerate(weights):
        here = out[:, place * layers : (place + 1) * layers]
        here[:, :, :d] = features
        here[:, :, d : d + times * b] = np.tile(beside, times)
    out[:, len(weights) * layers :, d : d + b] = baseline
    return out


def _scores(found: Discovery, names: Sequence[str]) -> Scores:
    nested = {summary.target: summary.nested.r2 for summary in found.summaries}
    r2 = [nested.get(name) for name in names]
    return Scores(np.array([np.nan if value is None else value for value in r2]), found.influence)
