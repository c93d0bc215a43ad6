"""The scores of the probes of curves on shuffled works, for the max-T test.

Task: say what R² the probes of one layer reach when works have exchanged their curves. A probe and
its errors need only sums over moments. So the moments are gone through once for each shuffle, to
multiply them with the shuffled curves, and no moment is predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.max_t import shuffled_rows
from mess.probing.metrics import share_told
from mess.probing.moments import MOMENT_ALPHAS, Sums, scale_of, total_of

Array = NDArray[np.float64]
_SHUFFLED_VALUES = 20_000_000  # of shuffled curves that are held at a time


def null_of_curves(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    works: NDArray[np.int64],
    fold: NDArray[np.int64],
    *,
    alphas: Array,
    keys: Array,
    seed: int = 0,
) -> Array:
    """Return the R² of the probes on shuffled works [shape=(shuffles, curves)].

    Parameters
    ----------
    x, y, fold
        See `predict_curves`.
    works : ndarray [shape=(n,), dtype=int]
        Numbers that index ``keys``.
    alphas : ndarray [shape=(folds, curves)]
        That the true curves chose.
    keys : ndarray [shape=(shuffles, works)]
        From `mess.probing.max_t.shuffle_keys`.
    seed : int
    """
    x = np.asarray(x, dtype=np.float32)
    centre = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows = [np.flatnonzero(fold == k) for k in range(int(fold.max()) + 1)]
    bases = _bases([Sums.of(x[of] - centre, np.empty((len(of), 0))) for of in rows], centre)
    centred = np.asarray(y - y.mean(axis=0), dtype=np.float32)
    chosen = np.median(alphas, axis=0)
    step = max(1, _SHUFFLED_VALUES // centred.size)
    return np.concatenate(
        [
            _null_of_some(
                x,
                centre,
                centred[shuffled_rows(works, keys=some, seed=seed)],
                rows,
                bases,
                chosen,
            )
            for some in (keys[first : first + step] for first in range(0, len(keys), step))
        ]
    )


@dataclass(frozen=True)
class _Basis:
    """The eigenbasis of a training fold's states, and sums over the held-out states in it.

    Attributes
    ----------
    mean, scale : ndarray [shape=(dim,)]
        The standardisation of the training fold.
    values : ndarray [shape=(dim,)]
    vectors : ndarray [shape=(dim, dim), dtype=float32]
    held : ndarray [shape=(dim,)]
        Sum of the held-out states.
    products : ndarray [shape=(dim, dim), dtype=float32]
        Sums of products of the held-out states, standardised, in the eigenbasis.
    """

    mean: Array
    scale: Array
    values: Array
    vectors: NDArray[np.float32]
    held: Array
    products: NDArray[np.float32]


def _bases(parts: Sequence[Sums], centre: NDArray[np.float32]) -> list[_Basis]:
    """Return the basis of each training fold, from sums over the centred states of each fold."""
    whole, found = total_of(parts), []
    for part in parts:
        training = whole - part
        mean = training.x / training.n
        about = training.xx - training.n * np.outer(mean, mean)
        scale = scale_of(centre + mean, np.maximum(np.diag(about) / training.n, 0.0))
        both = np.outer(scale, scale)
        values, vectors = np.linalg.eigh(about / both)
        shift = np.outer(mean, part.x)
        held = (part.xx - shift - shift.T + part.n * np.outer(mean, mean)) / both
        vectors = vectors.astype(np.float32)
        products = vectors.T @ held.astype(np.float32) @ vectors
        found.append(_Basis(mean, scale, np.maximum(values, 0.0), vectors, part.x, products))
    return found


def _null_of_some(
    x: NDArray[np.float32],
    centre: NDArray[np.float32],
    moved: NDArray[np.float32],
    rows: Sequence[NDArray[np.int64]],
    bases: Sequence[_Basis],
    chosen: Array,
) -> Array:
    """Return the R² of shuffled curves [shuffles, n, curves].

    Errors on the held-out moments follow from sums over them: ‖h‖² − 2 wᵀ Zᵀh + wᵀ ZᵀZ w. So no
    moment is predicted.
    """
    shuffles, n, curves = moved.shape
    flat = moved.transpose(1, 0, 2).reshape(n, -1)
    # A fold is centred when its turn comes: all of them would be in memory twice.
    cross = [(x[of] - centre).T @ flat[of] for of in rows]
    sums = [flat[of].sum(axis=0, dtype=np.float64) for of in rows]
    squares = [np.einsum("nc,nc->c", flat[of], flat[of]).astype(np.float64) for of in rows]
    total, sum_all = np.sum(cross, axis=0), np.sum(sums, axis=0)
    error, deviation = np.zeros((2, flat.shape[1])), np.zeros(flat.shape[1])
    penalties = (np.tile(chosen, shuffles), np.full(flat.shape[1], MOMENT_ALPHAS[-1]))
    for k, (of, basis) in enumerate(zip(rows, bases, strict=True)):
        size, sum_y = len(of), sum_all - sums[k]
        base = sum_y / (n - size)

        def in_basis(
            products: NDArray[np.floating[Any]], basis: _Basis = basis
        ) -> NDArray[np.float32]:
            scaled = (products / basis.scale[:, None]).astype(np.float32)
            return basis.vectors.T @ scaled

        trained = in_basis(total - cross[k] - np.outer(basis.mean, sum_y))
        held = in_basis(
            cross[k] - np.outer(basis.mean, sums[k] - size * base) - np.outer(basis.held, base)
        )
        own = np.maximum(squares[k] - 2 * base * sums[k] + size * base**2, 0.0)
        deviation += own
        for place, alphas in enumerate(penalties):
            shrunk = trained / (basis.values[:, None] + alphas).astype(np.float32)
            change = basis.products @ shrunk - 2 * held
            error[place] += own + np.einsum("dc,dc->c", shrunk, change)
    return share_told(error.min(axis=0), deviation).reshape(shuffles, curves)
