"""Baselines of search: rankings by plain distances, without probes, over the same queries.

Hidden states are often compared by the cosine of raw vectors or by Euclidean distance, in the best
layer, in the last one, or over all layers. Such a ranking is the same for every aspect. A baseline
with one layer per target gets the best layer of the target, as the probes found it on all rows,
which favours the baseline.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mess.evaluation.rankings import Ranking
from mess.records.evaluation import BaselineFaithfulness, Metric, Over

OVER: tuple[Over, ...] = get_args(Over)
METRICS: tuple[Metric, ...] = get_args(Metric)
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Baseline:
    """One way of ranking without probes.

    Attributes
    ----------
    over : str
        Which layers are used; "all layers" is the mean over all.
    metric : str
    """

    over: Over
    metric: Metric

    @property
    def name(self) -> str:
        """The name of the baseline, as it is printed."""
        return f"{self.metric}, {self.over}"


class Baselines:
    """The baseline rankings of some tracks.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, dim)]
        Means over time, in the order of the index.
    """

    def __init__(self, features: NDArray[np.floating[Any]]) -> None:
        self._features = features
        self._layers = features.shape[1]

    def ranking(self, metric: Metric, layer: int | None) -> Ranking:
        """Return the ranking by one layer, or by the mean over all layers."""
        layers = range(self._layers) if layer is None else [layer]
        similar = [_SIMILAR[metric](self._features[:, n].astype(np.float32)) for n in layers]
        return lambda row: np.mean([similarity(row) for similarity in similar], axis=0)

    def judge(
        self, judge: Callable[[Ranking], NDArray[np.float64]], best: Mapping[int, int]
    ) -> dict[Baseline, dict[int, float]]:
        """Judge every baseline.

        Parameters
        ----------
        judge : callable
            A function from a ranking to one number for each target [t].
        best : mapping of int to int
            The best layer of each target.
        """
        scores: dict[Baseline, dict[int, float]] = {}
        for metric in METRICS:
            by_layer = {
                layer: judge(self.ranking(metric, layer))
                for layer in sorted({*best.values(), self._layers - 1})
            }
            of_all = judge(self.ranking(metric, None))
            for over in OVER:
                scores[Baseline(over, metric)] = {
                    target: float(
                        of_all[target]
                        if over == "all layers"
                        else by_layer[own if over == "best layer" else self._layers - 1][target]
                    )
                    for target, own in best.items()
                }
        return scores


Similar = Callable[[int], NDArray[np.float32]]


def _cosine(x: Floats) -> Similar:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    unit = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    return lambda row: np.asarray(unit @ unit[row])


def _euclid(x: Floats) -> Similar:
    return lambda row: -np.linalg.norm(x - x[row], axis=1)


def _centred(x: Floats) -> Floats:
    return np.asarray(x - x.mean(axis=0))


def _standardised(x: Floats) -> Floats:
    deviation = x.std(axis=0)
    return np.divide(_centred(x), deviation, out=np.zeros_like(x), where=deviation > 0)


_SIMILAR: dict[Metric, Callable[[Floats], Similar]] = {
    "cosine": _cosine,
    "centred cosine": lambda x: _cosine(_centred(x)),
    "Euclid": _euclid,
    "Euclid, standardised": lambda x: _euclid(_standardised(x)),
}


def strongest(rows: Sequence[BaselineFaithfulness]) -> BaselineFaithfulness | None:
    """Return the baseline with the highest mean faithfulness, None without any."""
    known = [(row.mean, row) for row in rows if row.mean is not None]
    return max(known, key=lambda pair: pair[0], default=(None, None))[1]
