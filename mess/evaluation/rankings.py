"""How well a ranking follows a known number: faithfulness, leakage, and retrieval of a work.

Task: a *ranking* gives, for a query, a score of every track: the higher, the more alike. Judged is
whether tracks that rank high are indeed alike in a number that is known of each track.

Conventions
-----------
* The query's own work never takes part, except in retrieval, which looks for it.
* Faithfulness is the Spearman correlation between rank and |Δ|, the absolute difference of the
  number between query and track, with the sign that makes 1 perfect and 0 chance; the mean over
  queries.
* The top-10 ratio is the mean |Δ| of the ten highest over the mean |Δ| of all: 0 is perfect, 1 is
  chance. One minus it is how far a slider *moves* a number.

Examples
--------
>>> import numpy as np
>>> value = np.arange(12.0)
>>> judge(lambda row: -np.abs(value - value[row]), value[:, None], np.arange(12)).spearman
array([1.])
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ranking = Callable[[int], NDArray[np.floating[Any]]]
TOP = 10
_MIN_TRACKS = 3


@dataclass(frozen=True)
class Judgement:
    """What a ranking does to each number.

    Attributes
    ----------
    spearman : ndarray [shape=(t,)]
        NaN where no query has enough tracks to compare with.
    top_ratio : ndarray [shape=(t,)]
    """

    spearman: Array
    top_ratio: Array


def judge(
    ranking: Ranking,
    values: Array,
    works: NDArray[Any],
    *,
    queries: NDArray[np.int64] | None = None,
) -> Judgement:
    """Judge a ranking by every known number.

    Parameters
    ----------
    ranking : callable
        Row of a query → scores [n].
    values : ndarray [shape=(n, t)]
        NaN where a number is not known: neither query nor candidate for it.
    works : ndarray [shape=(n,)]
    queries : ndarray, optional
        Rows; by default all.
    """
    from scipy.stats import rankdata

    queries = np.arange(len(values)) if queries is None else queries
    spearman = np.full((len(queries), values.shape[1]), np.nan)
    top, usual = spearman.copy(), spearman.copy()
    for place, query in enumerate(queries):
        others = works != works[query]
        scores = np.asarray(ranking(int(query)), dtype=np.float64)[others]
        apart = np.abs(values[others] - values[query])
        for column in range(values.shape[1]):
            known = np.isfinite(apart[:, column])
            if known.sum() < _MIN_TRACKS:
                continue
            score, difference = scores[known], apart[known, column]
            if np.ptp(difference) == 0:
                continue
            flat = np.ptp(score) == 0
            ranks = np.corrcoef(rankdata(score), rankdata(-difference)) if not flat else None
            spearman[place, column] = 0.0 if ranks is None else ranks[0, 1]
            best = np.argsort(-score, kind="stable")[:TOP]
            top[place, column], usual[place, column] = difference[best].mean(), difference.mean()
    return Judgement(_mean(spearman), _mean(top) / _mean(usual))


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(total, known.sum(axis=0), out=np.full(len(total), np.nan), where=known.any(0))


@dataclass(frozen=True)
class Retrieval:
    """How well other recordings of a query's work are found.

    Attributes
    ----------
    mrr : float
        Mean over queries of 1 / rank of the first.
    recall : dict of int to float
        By k: the mean share of the other recordings among the k highest (of at most k).
    queries, works : int
    """

    mrr: float
    recall: dict[int, float]
    queries: int
    works: int


def find_same_work(
    ranking: Ranking, works: NDArray[Any], *, depths: tuple[int, ...] = (1, 5, 10)
) -> Retrieval | None:
    """Look for the other recordings of each track's work; None where no work has two.

    References
    ----------
    J. S. Downie, M. Bay, A. F. Ehmann, M. C. Jones: Audio cover song identification: MIREX
    2006-2007 results and analyses. ISMIR 2008 (MRR and recall for retrieval of a work).
    """
    reciprocal, recall, found = [], {depth: [] for depth in depths}, set()
    for query in range(len(works)):
        same = works == works[query]
        same[query] = False
        if not same.any():
            continue
        scores = np.array(ranking(query), dtype=np.float64)
        scores[query] = -np.inf
        order = np.argsort(-scores, kind="stable")[: len(works) - 1]
        hits = same[order]
        reciprocal.append(1.0 / (1 + int(np.argmax(hits))))
        for depth in depths:
            recall[depth].append(float(hits[:depth].sum()) / min(depth, int(same.sum())))
        found.add(works[query])
    if not reciprocal:
        return None
    return Retrieval(
        mrr=float(np.mean(reciprocal)),
        recall={depth: float(np.mean(values)) for depth, values in recall.items()},
        queries=len(reciprocal),
        works=len(found),
    )
