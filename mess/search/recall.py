"""How many cells a query must read: measured on queries as people ask them.

For each kind of query (what is weighed, and whether all of it is wanted alike) the answer from some
cells is compared with that from all rows. A row counts as right if its score is within `EPSILON` of
the exact tenth's: many segments are equal but for rounding. The number of cells is chosen on one
half of the queries and its recall reported on the other.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.search.cells import Cells

KINDS = (
    "one aspect",
    "several aspects",
    "aspects, some unlike",
    "overall",
    "overall, unlike",
    "overall and aspects",
    "overall and aspects, some unlike",
)
WANTED = 0.99
EPSILON = 1e-5  # of a score; weights add up to 1
_TOP = 10
_STEPS = (16, 64, 128, 256, 512, 1024, 2048, 4096)
_BLOCK = 100_000

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """How one kind of query is answered.

    Attributes
    ----------
    cells : int
        How many are read.
    recall : float
        Of the ten best.
    exact : bool
        Whether that is all of them, because fewer would not do.
    milliseconds : float
        A query on the machine that built the index.
    queries : int
        By which recall was measured.
    """

    cells: int
    recall: float
    exact: bool
    milliseconds: float
    queries: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def kind_of(query: Floats, *, columns: int, unlike: bool) -> str:
    """Return the kind of a query.

    Parameters
    ----------
    query : ndarray [shape=(2 · columns + m,)]
    columns : int
    unlike : bool
        Whether a weight is negative or something is to be unlike.
    """
    used = int(((query[:columns] != 0) | (query[columns : 2 * columns] != 0)).sum())
    overall = bool(query[2 * columns :].any())
    if not overall:
        if unlike and used > 1:
            return "aspects, some unlike"
        return "one aspect" if used == 1 else "several aspects"
    what = "overall and aspects" if used else "overall"
    return what + ((", some unlike" if used else ", unlike") if unlike else "")


def draw_query(
    kind: str, x: Floats, overall: Floats, *, rng: np.random.Generator
) -> tuple[Floats, int]:
    """Return a query of one kind from a row drawn at random, and the row.

    Parameters
    ----------
    kind : str
    x : ndarray [shape=(n, columns)]
    overall : ndarray [shape=(n, m)]
    rng : Generator
    """
    row, columns = int(rng.integers(len(x))), x.shape[1]
    weights, of_overall = np.zeros(columns), 0.0
    if "aspect" in kind:
        fewest = 1 if kind != "several aspects" and kind != "aspects, some unlike" else 2
        most = 1 if kind == "one aspect" else max(fewest, min(columns, int(rng.choice([3, columns]))))
        chosen = rng.choice(columns, min(columns, int(rng.integers(fewest, most + 1))), replace=False)
        weights[chosen] = rng.uniform(0.1, 1, len(chosen))
        if "unlike" in kind:
            sign = rng.choice([-1.0, 1.0], len(chosen))
            sign[0] = -1
            weights[chosen] *= sign
        if kind == "one aspect":
            weights *= rng.choice([-1.0, 1.0])
    if "overall" in kind:
        of_overall = rng.uniform(0.2, 1)
        if "unlike" in kind and (kind == "overall, unlike" or rng.random() < 0.5):
            of_overall = -of_overall
    total = np.abs(weights).sum() + abs(of_overall)
    weights, of_overall = weights / total, of_overall / total
    return (
        np.concatenate([weights * x[row], -weights / 2, of_overall * overall[row]]).astype(
            np.float32
        ),
        row,
    )


def measure_recall(
    x: Floats,
    overall: Floats,
    *,
    by_aspects: Cells | None,
    by_overall: Cells,
    seed: int = 0,
    queries: int = 100,
) -> dict[str, Measured]:
    """Find the fewest cells that each kind of query must read.

    Parameters
    ----------
    x : ndarray [shape=(n, columns)]
    overall : ndarray [shape=(n, m)]
    by_aspects, by_overall : Cells
    seed : int
    queries : int
        How many choose, and how many measure.
    """
    found = {}
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng([seed, number])
        cells = by_overall if "overall" in kind else by_aspects
        if cells is None or ("aspect" in kind and not x.shape[1]):
            continue
        if kind not in ("one aspect", "overall", "overall, unlike") and x.shape[1] < 2:
            continue
        drawn = [draw_query(kind, x, overall, rng=rng) for _ in range(2 * queries)]
        tenth = _exact_tenth(x, overall, drawn)
        choose, test = slice(0, queries), slice(queries, None)
        steps = [step for step in _STEPS if step < cells.count] + [cells.count]
        for step in steps:
            recall, spent = _recall(cells, step, drawn[choose], tenth[choose])
            if recall >= WANTED or step == cells.count:
                break
        recall, spent = _recall(cells, step, drawn[test], tenth[test])
        found[kind] = Measured(
            cells=step,
            recall=round(recall, 4),
            exact=step == cells.count,
            milliseconds=round(1e3 * spent, 3),
            queries=queries,
        )
    return found


def _recall(
    cells: Cells, step: int, drawn: Sequence[tuple[Floats, int]], tenth: NDArray[np.float64]
) -> tuple[float, float]:
    """Return recall and the median seconds of a query."""
    right, times = 0, []
    for (query, row), least in zip(drawn, tenth, strict=True):
        began = time.perf_counter()
        _, scores = cells.search(query, k=_TOP, cells=step, exclude=(row, row + 1))
        times.append(time.perf_counter() - began)
        right += int((scores >= least - EPSILON).sum())
    return right / (_TOP * len(drawn)), float(np.median(times))


def _exact_tenth(
    x: Floats, overall: Floats, drawn: Sequence[tuple[Floats, int]]
) -> NDArray[np.float64]:
    """Return the tenth best score of each query over all rows but its own."""
    columns = x.shape[1]
    asked = np.stack([query for query, _ in drawn], axis=1)
    best = np.full((0, len(drawn)), -np.inf, dtype=np.float32)
    for first in range(0, len(x), _BLOCK):
        rows = slice(first, first + _BLOCK)
        scores = x[rows] @ asked[:columns] + np.square(x[rows]) @ asked[columns : 2 * columns]
        scores += overall[rows] @ asked[2 * columns :]
        for number, (_, row) in enumerate(drawn):
            if first <= row < first + len(scores):
                scores[row - first, number] = -np.inf
        top = min(_TOP, len(scores))
        best = np.concatenate([best, np.partition(scores, -top, axis=0)[-top:]])
    return np.asarray(np.sort(best, axis=0)[-min(_TOP, len(best))], dtype=np.float64)
