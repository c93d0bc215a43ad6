"""The scores of the probes of one layer on shuffled works, for the max-T test.

Task: say what R² the probes reach when works have exchanged their targets, a thousand times.

The statistic
-------------
Each row is predicted by the probe without its fold, exactly as the true targets are. Only the
choice of the penalty is a cheaper one. For the true targets each training fold leaves out one work
at a time. Here a fold takes the penalty with the least out-of-fold error on all *other* folds. So
no fold judges its own penalty, and no further fit is needed. The true targets get the same score as
one more shuffle (`ShuffledScores.true`). So the permutation test is exact (B. Phipson, G. Smyth:
Permutation P-values should never be zero. SAGMB 9, 2010), and `benchmarks.validate` counts how
often it decides as the dearer choice would.

The computation
---------------
What a probe predicts of its fold is a matrix times the targets of the other folds. This matrix
depends neither on the targets nor on the shuffle. If rows are many, the targets are first expressed
in an orthonormal basis of all rows (its coordinates are sums over rows, so those of a training set
are the sums over its folds). Then all shuffles take two matrix products a fold, in single
precision; double, if the training rows of a fold do not span what all rows span.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.probing.ridge import Array, RidgePath

_PATIENCE = 2  # a search ends after so many penalties without an improvement
_HELD_VALUES = 2_000_000  # values of shuffled targets that are held in memory at once …
_FEWEST_COLUMNS = 256  # … but so many columns at least, or matrix products are slow
_MANY_ROWS = 4 / 3  # as a share of the dimensions: from there on a basis of all rows saves time
_AMPLIFIED = 100.0  # of the rounding of single precision: from there on double is used
_NO_WEIGHT = 1e-10  # of the largest eigenvalue: a direction in which training rows do not vary

Floats = NDArray[np.floating[Any]]


class ShuffledScores(NamedTuple):
    """R² of the probes of one layer.

    Attributes
    ----------
    null : ndarray [shape=(permutations, t)]
        On shuffled works; NaN where the target does not vary.
    true : ndarray [shape=(t,)]
        On the true targets, with penalties chosen in the same way.
    """

    null: Array
    true: Array


class SharedBasis:
    """An orthonormal basis of all rows of a layer, and of the constant.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]

    Attributes
    ----------
    rows : ndarray [shape=(n, k)]
        The rows of the orthonormal basis; the last column is constant.
    directions : ndarray [shape=(k - 1, d)]
        The standardised features are ``rows[:, :-1] @ directions``.
    mean, scale : ndarray [shape=(d,)]
    """

    def __init__(self, x: Array) -> None:
        self.mean, scale = x.mean(axis=0), x.std(axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        z = x - self.mean
        z /= self.scale
        eigenvalues, vectors = np.linalg.eigh(z.T @ z)
        kept = eigenvalues > _NO_WEIGHT * max(float(eigenvalues[-1]), 1e-300)
        lengths = np.sqrt(eigenvalues[kept])
        self.directions = (vectors[:, kept] * lengths).T
        self.rows = np.empty((len(x), int(kept.sum()) + 1))
        np.matmul(z, vectors[:, kept] / lengths, out=self.rows[:, :-1])
        self.rows[:, -1] = 1.0 / np.sqrt(len(x))


class _Fold(NamedTuple):
    """The probe of one fold, apart from targets and penalty.

    It predicts rows · (eigenvalues + alpha)⁻¹ · mixing · c + mean · c of the rows of its fold, from
    the coordinates c of the targets of the other folds.
    """

    rows: Array
    eigenvalues: Array
    mixing: Array
    mean: Array

    def predictor(self, alpha: float, precision: type[np.floating[Any]]) -> Floats:
        """Return the matrix [m, k] that predicts the fold at one penalty."""
        shrunk = (self.rows / (self.eigenvalues + alpha)).astype(precision)
        return np.asarray(shrunk @ self.mixing.astype(precision) + self.mean.astype(precision))


class ShuffledProbes:
    """Scores shuffled targets by the probes of one layer.

    Give it the probe of every fold (`add`), then ask for `scores`.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    fold : ndarray [shape=(n,), dtype=int]
    alphas : sequence of float
        The penalties to choose from.
    """

    def __init__(self, x: Array, fold: NDArray[np.int64], *, alphas: Sequence[float]) -> None:
        self._alphas = sorted(alphas, reverse=True)
        self._order = np.argsort(fold, kind="stable")  # fold after fold
        self._sizes = np.unique(fold, return_counts=True)[1]
        fewest = len(x) - int(self._sizes.max())
        self._shared = SharedBasis(x) if fewest > _MANY_ROWS * x.shape[1] else None
        self._folds: list[_Fold] = []
        self._precision: type[np.floating[Any]] = np.float32
        self._made: dict[tuple[int, int], Floats] = {}

    def add(self, path: RidgePath, x: Array) -> None:
        """Add the probe of the next fold, with the rows [m, d] of this fold.

        Folds come in ascending order. ``path`` was fitted on the rows of the others, in their
        order.
        """
        rows, eigenvalues, basis = path.factors(x)
        count, number = len(basis), len(self._folds)
        if self._shared is None:
            start, stop = self._slices[number]
            mixing = np.zeros((len(eigenvalues), len(self._order)))
            place = np.delete(np.arange(len(self._order)), np.s_[start:stop])
            # Training rows are in the order of x, coordinates fold after fold.
            mixing[:, place] = basis[np.argsort(np.argsort(self._order[place]))].T
            mean = np.zeros(len(self._order))
            mean[place] = 1.0 / count
        else:
            shared = self._shared
            turned, origin = path.directions(
                shared.directions, mean=shared.mean, scale=shared.scale
            )
            mixing = np.concatenate([turned, np.sqrt(len(self._order)) * origin[None]]).T
            mixing[eigenvalues <= _NO_WEIGHT * eigenvalues.max(initial=0.0)] = 0.0
            mean = np.zeros(mixing.shape[1])
            mean[-1] = np.sqrt(len(self._order)) / count
            shrunk = np.sqrt(eigenvalues) / (eigenvalues + self._alphas[-1])
            if (np.linalg.norm(mixing, axis=1) * shrunk).max(initial=0.0) > _AMPLIFIED:
                self._precision = np.float64
        self._folds.append(_Fold(rows, eigenvalues, mixing, mean))

    def scores(self, y: Array, shuffled: NDArray[np.integer[Any]]) -> ShuffledScores:
        """Return R² on shuffled targets, and on the true ones.

        Parameters
        ----------
        y : ndarray [shape=(n, t)]
        shuffled : ndarray [shape=(permutations, n), dtype=int]
            From `mess.probing.max_t.shuffled_rows`.
        """
        n, t = y.shape
        values = y - y.mean(axis=0)
        deviation = values.std(axis=0)
        values = (values / np.where(deviation > 0, deviation, 1.0)).astype(self._precision)
        basis = None
        if self._shared is not None:
            basis = self._shared.rows[self._order].astype(self._precision)
        own = np.arange(n)[None]
        held = n if basis is None else max(n, len(self._folds) * basis.shape[1])
        step = max(1, _HELD_VALUES // held, _FEWEST_COLUMNS) // t + 1
        found = [self._r2(values, own[:, self._order], basis)]
        for first in range(0, len(shuffled), step):
            sources = shuffled[first : first + step][:, self._order]
            found.append(self._r2(values, sources, basis))
        return ShuffledScores(np.concatenate(found[1:] or [np.empty((0, t))]), found[0][0])

    @property
    def _slices(self) -> list[tuple[int, int]]:
        """Where each fold begins and ends."""
        ends = np.cumsum(self._sizes)
        return list(zip((ends - self._sizes).tolist(), ends.tolist(), strict=True))

    def _r2(self, values: Floats, sources: NDArray[np.integer[Any]], basis: Floats | None) -> Array:
        """Return R² [shuffles, t] of some shuffles [shuffles, n] of the rows of ``values``."""
        y = np.take(values, sources.T, axis=0).reshape(len(values), -1)
        coordinates = self._coordinates(y, basis)
        first = min(_PATIENCE + 1, len(self._alphas))
        errors = np.empty((len(self._alphas), len(self._folds), y.shape[1]))
        errors[:first] = self._errors(y, coordinates, range(first))
        best = _best(errors[:first])
        for index in range(first, len(self._alphas)):
            live = np.flatnonzero((best >= index - _PATIENCE).any(axis=0))
            if not live.size:
                break
            some = None if coordinates is None else coordinates[:, :, live]
            errors[index, :, live] = self._errors(y[:, live], some, range(index, index + 1))[0].T
            best[:, live] = _best(errors[: index + 1, :, live])
        error = np.take_along_axis(errors, best[None], axis=0)[0].sum(axis=0)
        total = self._totals(y)
        r2 = 1.0 - np.divide(error, total, out=np.full_like(error, np.nan), where=total > 0)
        return r2.reshape(len(sources), -1)

    def _coordinates(self, y: Floats, basis: Floats | None) -> Floats | None:
        """Return the coordinates [folds, k, c] of each fold's part of the targets."""
        if basis is None:
            return None
        out = np.empty((len(self._folds), basis.shape[1], y.shape[1]), dtype=y.dtype)
        for number, (start, stop) in enumerate(self._slices):
            np.matmul(basis[start:stop].T, y[start:stop], out=out[number])
        return out

    def _errors(self, y: Floats, coordinates: Floats | None, indices: range) -> Array:
        """Return squared errors [penalties, folds, c], each fold predicted by the others."""
        total = None if coordinates is None else coordinates.sum(axis=0)
        out = np.empty((len(indices), len(self._folds), y.shape[1]))
        for number, (start, stop) in enumerate(self._slices):
            of_others = y if coordinates is None else total - coordinates[number]
            missed = (self._predictors(number, indices) @ of_others).reshape(
                len(indices), stop - start, -1
            )
            missed -= y[start:stop]
            out[:, number] = np.einsum("amc,amc->ac", missed, missed)
        return out

    def _predictors(self, number: int, indices: range) -> Floats:
        """Return the matrices that predict a fold at some penalties, one below the other.

        They are computed when they are first asked for, and kept.
        """
        key = number, indices.start
        if key not in self._made:
            fold = self._folds[number]
            made = [fold.predictor(self._alphas[index], self._precision) for index in indices]
            self._made[key] = np.concatenate(made)
        return self._made[key]

    def _totals(self, y: Floats) -> Array:
        """Return the squared deviations [c] from the mean of the training rows."""
        total, n = np.zeros(y.shape[1]), len(y)
        sums = y.sum(axis=0, dtype=np.float64)
        for start, stop in self._slices:
            own = y[start:stop].sum(axis=0, dtype=np.float64)
            mean, size = (sums - own) / (n - (stop - start)), stop - start
            squares = np.einsum("mc,mc->c", y[start:stop], y[start:stop])
            total += squares - 2 * mean * own + size * mean**2
        return np.where(total > 1e-6 * n, total, 0.0)


def _best(errors: Array) -> NDArray[np.int64]:
    """Return which penalty [folds, c] each fold takes: that with the least error on the others."""
    return np.asarray((errors.sum(axis=1, keepdims=True) - errors).argmin(axis=0))
