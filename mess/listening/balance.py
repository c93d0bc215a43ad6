"""Balance: choose triplets about which methods disagree, so that the choice favours none.

Task: a *triplet* is X, A and B. Each method says which of A and B is closer to X, by a signed
margin. Choose triplets on which the methods do not all say the same.

Conventions
-----------
* The margins of each method are ranks among all triplets, from −1 to 1. So no unit makes one method
  look more certain than another.
* A *pattern* is which methods say the same, whichever of A and B they say. Four methods have seven
  patterns with a disagreement: each of them alone against three, and three ways of two against two.
  Triplets are chosen in rounds, and a round has one of each pattern. So each method is alone
  equally often, and each pair of methods disagrees equally often.
* Within a pattern, triplets are chosen so that all methods are about equally certain. A method that
  is only asked where it is certain, and its rival where it guesses, would win by the choice.

Examples
--------
>>> patterns(3)
[(1, -1, -1), (1, -1, 1), (1, 1, -1)]
>>> len(patterns(4))
7
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.metrics import average_ranks

Array = NDArray[np.float64]
LEAST_MARGINS = (0.25, 0.1, 0.0)  # tried in turn: how certain every method has to be
_TRIED = 400  # triplets of a pattern that are compared


def patterns(methods: int) -> list[tuple[int, ...]]:
    """Return the patterns of some methods in which not all say the same; the first says 1."""
    rest = product((-1, 1), repeat=methods - 1)
    return [(1, *signs) for signs in rest if -1 in signs]


def rank_margins(margins: Array) -> Array:
    """Return the margins of each method [triplets, methods] as signed ranks from −1 to 1."""
    ranks = [average_ranks(own) for own in np.abs(margins).T]
    return np.asarray(np.sign(margins) * np.stack(ranks, axis=1) / max(len(margins), 1))


def choose_triplets(
    margins: Array,
    members: NDArray[np.int64],
    works: NDArray[Any],
    *,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Choose about ``count`` triplets in whole rounds of all patterns.

    Parameters
    ----------
    margins : ndarray [shape=(t, methods)]
        From `rank_margins`.
    members : ndarray [shape=(t, 3), dtype=int]
        The excerpts X, A and B of each triplet.
    works : ndarray
        The work of each excerpt.
    count : int
        Rounded up to whole rounds.
    rng : Generator

    Returns
    -------
    ndarray [dtype=int]
        Rows of ``margins``; fewer than asked for, or none, where a pattern is too rare.
    """
    wanted = patterns(margins.shape[1])
    signs = np.sign(margins) * np.sign(margins[:, :1])
    certain = np.abs(margins).min(axis=1)
    rows_of = [np.flatnonzero((signs == np.array(one)).all(axis=1)) for one in wanted]
    numbers = np.unique(works, return_inverse=True)[1]
    heard = np.zeros(len(works), dtype=np.int64)
    of_work = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.int64)
    sums = np.zeros(margins.shape[1])
    chosen: list[int] = []
    for _ in range(-(-count // len(wanted))):
        this_round: list[int] = []
        for place in rng.permutation(len(wanted)):
            row = _choose_one(
                rows_of[place], margins, certain, members, numbers, heard, of_work, sums, rng=rng
            )
            if row is None:
                break
            this_round.append(row)
            sums += np.abs(margins[row])
            heard[members[row]] += 1
            np.add.at(of_work, numbers[members[row]], 1)
        if len(this_round) < len(wanted):
            break  # a part of a round would favour somebody
        chosen += this_round
    return np.array(chosen, dtype=np.int64)


def _choose_one(
    rows: NDArray[np.int64],
    margins: Array,
    certain: Array,
    members: NDArray[np.int64],
    numbers: NDArray[np.int64],
    heard: NDArray[np.int64],
    of_work: NDArray[np.int64],
    sums: Array,
    *,
    rng: np.random.Generator,
) -> int | None:
    """Return the triplet that keeps the methods most even, of works that were heard least.

    An excerpt is heard in one triplet only. Where this leaves none, there is none.
    """
    fresh = rows[heard[members[rows]].max(axis=1, initial=0) == 0]
    for least in LEAST_MARGINS:
        usable = fresh[certain[fresh] >= least]
        usable = usable[certain[usable] > 0]
        if not len(usable):
            continue
        uses = of_work[numbers[members[usable]]].sum(axis=1)
        usable = usable[uses <= uses.min() + 1]
        tried = rng.permutation(usable)[:_TRIED]
        total = sums + np.abs(margins[tried])
        return int(tried[np.argmin(np.ptp(total, axis=1))])
    return None
