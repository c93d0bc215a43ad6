"""Codelength: how many bits a layer saves when the targets of one work after another are told.

Task: R² says how well a probe reads at last, not how much it had to be taught. A codelength holds
both. Someone who has the layer but not the targets is told the targets, block by block. Each block
is told in a code that is made for what the probe predicts, fitted on all blocks before. A probe
that learns early and reads well needs few bits.

Conventions
-----------
* The unit of the order is the work. The works are shuffled and cut into blocks of equal numbers of
  works. Everything (standardisation, penalty, spread of the errors) is fitted on earlier blocks.
* A target is told to one in 256 parts of its range, which is known. So the *uniform* model needs 8
  bits for a value. Savings do not depend on the number of parts as long as the parts are small.
* The *mean* model tells a value by the mean of the earlier blocks, the probe by its prediction.
  Both expect errors as those on left-out works, in the form of Student's t with as many degrees of
  freedom as works less one, within the range. The first block is told by the uniform model.
* The bits are means over several orders of the works. To name the best of L layers costs log₂ L
  bits more.

References
----------
E. Voita, I. Titov: Information-theoretic probing with minimum description length. EMNLP 2020.
A. P. Dawid: Statistical theory: the prequential approach. JRSS A 147, 1984.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> layer, works = rng.standard_normal((80, 1, 4)), np.arange(80)
>>> told, noise = code_online(
...     layer, np.column_stack([layer[:, 0, 0], rng.standard_normal(80)]), works, names=["a", "b"]
... )
>>> told.uniform, bool(told.bits[0] < told.mean - 80), bool(noise.bits[0] > noise.mean - 8)
(640.0, True, True)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing.folds import MIN_ROWS, MIN_WORKS
from mess.probing.probes import choose_alpha
from mess.probing.ridge import DEFAULT_ALPHAS, Array, RidgePath
from mess.probing.splits import patterns_of
from mess.probing.threads import side_by_side

PARTS = 256
BITS_A_VALUE = float(np.log2(PARTS))
BLOCKS = 16
ORDERS = 4


@dataclass(frozen=True, kw_only=True)
class Codelength:
    """The bits that it takes to tell one target of all rows; means over the orders.

    Attributes
    ----------
    target : str
    n, works : int
    uniform, mean : float
        By the uniform model, and by the mean model.
    bits : list of float
        By the probe of each layer.
    saved_least, saved_most : list of float
        The mean model's bits minus those of each layer: the least and the most over the orders.
    """

    target: str
    n: int
    works: int
    uniform: float
    mean: float
    bits: list[float]
    saved_least: list[float]
    saved_most: list[float]

    @property
    def best(self) -> int:
        """The layer with the shortest code."""
        return int(np.argmin(self.bits))

    @property
    def shortest(self) -> float:
        """The bits by the best layer, and those that name it."""
        return min(self.bits) + float(np.log2(len(self.bits)))


def code_online(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    works: ArrayLike,
    *,
    names: Sequence[str],
    orders: int = ORDERS,
    blocks: int = BLOCKS,
    alphas: Sequence[float] = DEFAULT_ALPHAS,
    seed: int = 0,
    on_order: Callable[[str], None] = lambda _: None,
) -> list[Codelength]:
    """Return the codelength of every target by every layer.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, d)]
    targets : array_like [shape=(n, t)]
        NaN where a target is undefined: such rows are not told.
    works : array_like [shape=(n,)]
    names : sequence of str, length t
    orders : int
        How many orders of the works are coded.
    blocks : int
        At most; a block has one work at least.
    alphas : sequence of float
        From which each fit chooses.
    seed : int
        Of the orders.
    on_order : callable
        Called when an order is done.

    Returns
    -------
    list of Codelength
        Of the targets that vary and have enough rows and works.
    """
    y = np.asarray(targets, dtype=np.float64)
    _, group = np.unique(np.asarray(works), return_inverse=True)
    layers, count = features.shape[1], int(group.max()) + 1
    known = np.isfinite(y)
    low = np.where(known, y, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, y, -np.inf).max(axis=0, initial=-np.inf)
    kept = [
        (columns[high[columns] > low[columns]], rows)
        for columns, rows in patterns_of(y)
        if len(rows) >= MIN_ROWS and len(np.unique(group[rows])) > MIN_WORKS
    ]
    total = np.zeros((orders, layers + 1, y.shape[1]))  # by each layer, then by the mean model
    rng = np.random.default_rng(seed)
    for order in range(orders):
        place = rng.permutation(count)
        for columns, rows in kept:
            if len(columns):
                total[order][:, columns] = _told(
                    features[rows],
                    y[np.ix_(rows, columns)],
                    place[group[rows]],
                    bounds=(low[columns], high[columns]),
                    blocks=blocks,
                    alphas=alphas,
                )
        on_order(f"order {order + 1}")
    found = []
    for columns, rows in kept:
        for column in columns:
            bits, mean = total[:, :layers, column], total[:, layers, column]
            saved = mean[:, None] - bits
            found.append(
                Codelength(
                    target=names[column],
                    n=len(rows),
                    works=len(np.unique(group[rows])),
                    uniform=BITS_A_VALUE * len(rows),
                    mean=float(mean.mean()),
                    bits=bits.mean(axis=0).tolist(),
                    saved_least=saved.min(axis=0).tolist(),
                    saved_most=saved.max(axis=0).tolist(),
                )
            )
    return sorted(found, key=lambda one: list(names).index(one.target))


def _told(
    features: NDArray[np.floating[Any]],
    y: Array,
    place: NDArray[np.int64],
    *,
    bounds: tuple[Array, Array],
    blocks: int,
    alphas: Sequence[float],
) -> Array:
    """Return the bits of all rows [layers + 1, t]; ``place`` is that of each row's work."""
    _, position = np.unique(place, return_inverse=True)
    works, layers = int(position.max()) + 1, features.shape[1]
    first = max(MIN_WORKS, round(works / blocks))
    while (position < first).sum() < MIN_ROWS:
        first += 1
    cuts = np.unique(np.linspace(first, works, max(2, min(blocks, works - first + 1))).astype(int))
    bits = np.zeros((layers + 1, y.shape[1]))
    bits += BITS_A_VALUE * (position < first).sum()
    steps = list(pairwise(cuts.tolist()))

    def tell(step: tuple[int, int]) -> Array:
        start, end = step
        before, block = position < start, (position >= start) & (position < end)
        freedom = float(len(np.unique(position[before])) - 1)
        out = np.empty((layers + 1, y.shape[1]))
        for layer in range(layers):
            path = RidgePath(features[before, layer], y[before])
            best, left_out = choose_alpha(path, y[before], position[before], alphas=alphas)
            out[layer] = code_bits(
                y[block],
                path.predict_each(features[block, layer], alphas=best),
                spread=np.sqrt(np.square(left_out - y[before]).mean(axis=0)),
                freedom=freedom,
                bounds=bounds,
            ).sum(axis=0)
        out[layers] = code_bits(
            y[block],
            np.broadcast_to(y[before].mean(axis=0), y[block].shape),
            spread=np.sqrt(np.square(_mean_errors(y[before], position[before])).mean(axis=0)),
            freedom=freedom,
            bounds=bounds,
        ).sum(axis=0)
        return out

    for one in side_by_side(tell, steps, size=min(features.shape[0], features.shape[2])):
        bits += one
    return bits


def code_bits(
    y: Array, predicted: Array, *, spread: Array, freedom: float, bounds: tuple[Array, Array]
) -> Array:
    """Return the bits of each value [n, t] in a code that is made for a prediction.

    −log₂ of the probability of the part of the range that holds the value. The probabilities are
    those of Student's t about the prediction, and those of all parts add up to 1.

    Parameters
    ----------
    y, predicted : ndarray [shape=(n, t)]
        A prediction outside of the range counts as its nearer end.
    spread : ndarray [shape=(t,)]
        The expected size of errors; at least a third of a part.
    freedom : float
        Degrees of freedom.
    bounds : (ndarray [shape=(t,)], ndarray [shape=(t,)])
        The range of each target.
    """
    from scipy.special import stdtr

    low, high = bounds
    part = (high - low) / PARTS
    number = np.clip(np.floor((y - low) / part), 0, PARTS - 1)
    begin = low + number * part
    centre = np.clip(predicted, low, high)
    scale = np.maximum(spread, part / 3)

    def below(value: Array) -> Array:
        return np.asarray(stdtr(freedom, (value - centre) / scale))

    # Beyond the prediction, the upper tail is exact where 1 − (nearly 1) would not be.
    above = begin > centre
    ends = np.where(above, 2 * centre - begin - part, begin)
    inside = below(ends + part) - below(ends)
    return np.asarray(-np.log2(inside / (below(high) - below(low))))


def _mean_errors(y: Array, groups: NDArray[np.int64]) -> Array:
    """Return the errors of the mean of all rows of other groups [n, t]."""
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), y.shape[1]))
    np.add.at(sums, member, y)
    return np.asarray(y - ((y.sum(axis=0) - sums) / (len(y) - sizes)[:, None])[member])
