"""Ridge regression for many targets and many penalties from one eigendecomposition.

A probe is a ridge regression from one layer to one target. For fixed features and rows, the fits of
all targets, all penalties and all leave-one-group-out residuals follow from one symmetric
eigendecomposition: of Z Zᵀ if there are fewer rows than dimensions, of Zᵀ Z otherwise. So a whole
discovery takes one decomposition per layer and fold.

Conventions: features are standardised with the mean and deviation of the training rows. A held-out
value is at most as far from the mean as one of n training values can be, √(n − 1) deviations; so a
feature that hardly varied in training cannot throw a prediction. Targets are centred; the penalty
``alpha`` is that of ``sklearn.linear_model.Ridge``, so the loss is ‖y − Z w‖² + alpha ‖w‖².

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> x, y = rng.standard_normal((40, 100)), rng.standard_normal((40, 3))
>>> RidgePath(x[:30], y[:30]).predict(x[30:], alphas=[1.0, 10.0]).shape
(2, 10, 3)
"""

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_PATIENCE = 2  # a search ends after so many penalties without an improvement
_CACHED_VALUES = 800_000  # values of a block of targets, chosen to fit into the processor's cache
_ROUNDING = 1e-6  # of a value in float32, with room for the rounding of a mean
DEFAULT_ALPHAS: tuple[float, ...] = tuple(10.0**power for power in range(-2, 7))


class LeaveOut(NamedTuple):
    """What leave-one-group-out needs at one penalty: the filter, and (I − H_gg)⁻¹ by group size."""

    alpha: float
    filtered: Array
    inverses: list[tuple[NDArray[np.int64], Array]]


class RidgePath:
    """The ridge regressions of ``y`` on ``x`` for every penalty.

    Parameters
    ----------
    x : array_like [shape=(n, d)]
        Features of the training rows.
    y : array_like [shape=(n, t)]
        Targets; finite.

    Notes
    -----
    With Z = U S Vᵀ the fitted values are U S²/(S² + alpha) Uᵀ y. Columns of ``x`` that do not
    vary contribute nothing.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman: The Elements of Statistical Learning, 2nd ed., 2009,
    section 3.4.1 (ridge in the basis of singular vectors).
    """

    def __init__(self, x: ArrayLike, y: ArrayLike) -> None:
        x = np.asarray(x, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
            raise ValueError(f"x {x.shape} and y {y.shape} must be 2-d with equal rows")
        self._mean, scale = x.mean(axis=0), x.std(axis=0)
        # A column that is constant up to rounding has scale 1, as in scikit-learn's StandardScaler;
        # features are stored in float32 at best.
        flat = scale <= _ROUNDING * np.maximum(np.abs(self._mean), 1e-300)
        self._scale = np.where(flat, 1.0, scale)
        self._farthest = float(np.sqrt(max(len(x) - 1, 1)))
        z = (x - self._mean) / self._scale
        self._y_mean = y.mean(axis=0)
        self._y = y - self._y_mean
        n, d = z.shape
        self._dual = n < d
        self._eigenvalues, vectors = np.linalg.eigh(z @ z.T if self._dual else z.T @ z)
        self._eigenvalues = np.maximum(self._eigenvalues, 0.0)
        # `_basis` [n, r]: rows in the eigenbasis; `_projected` [r, t]: targets in the same.
        if self._dual:
            self._back = z.T @ vectors  # new rows z* map to z* Zᵀ U
            self._basis = vectors
        else:
            self._back = vectors
            self._basis = z @ vectors
        self._projected = self._basis.T @ self._y

    def predict(self, x: ArrayLike, *, alphas: Sequence[float]) -> Array:
        """Predict new rows under every penalty.

        Parameters
        ----------
        x : array_like [shape=(m, d)]
        alphas : sequence of float, length a
            Penalties, positive.

        Returns
        -------
        ndarray [shape=(a, m, t)]
        """
        z = self._standardised(x)
        projected_rows = z.astype(self._y.dtype, copy=False) @ self._back
        return np.stack([projected_rows @ self._shrunk(alpha) + self._y_mean for alpha in alphas])

    def predict_each(self, x: ArrayLike, *, alphas: NDArray[np.floating[Any]]) -> Array:
        """Predict new rows, each target under its own penalty.

        Parameters
        ----------
        x : array_like [shape=(m, d)]
        alphas : ndarray [shape=(t,)]

        Returns
        -------
        ndarray [shape=(m, t)]
        """
        z = self._standardised(x)
        shrunk = self._projected / (self._eigenvalues[:, None] + alphas)
        shrunk = shrunk.astype(self._y.dtype, copy=False)
        return np.asarray((z.astype(shrunk.dtype, copy=False) @ self._back) @ shrunk + self._y_mean)

    def predict_without(
        self,
        x: ArrayLike,
        *,
        groups: NDArray[Any],
        alphas: NDArray[np.floating[Any]],
        left_out: Array,
    ) -> Array:
        """Predict new rows with each group removed from the fit in turn, without refitting.

        Removing the rows g changes a prediction by −s_g (y_g − ŷ_g). Here s_g are the weights of
        these rows in the prediction, and ŷ_g their predictions by the fit without them.

        Parameters
        ----------
        x : array_like [shape=(m, d)]
        groups : ndarray [shape=(n,)]
        alphas : ndarray [shape=(t,)]
            Each target's penalty.
        left_out : ndarray [shape=(n, t)]
            From `leave_group_out`, at these penalties.

        Returns
        -------
        ndarray [shape=(groups, m, t)]
            In the order of ``np.unique(groups)``.
        """
        z = self._standardised(x)
        names, membership = np.unique(groups, return_inverse=True)
        surprise = self._y + self._y_mean - left_out
        out = np.repeat(self.predict_each(x, alphas=alphas)[None], len(names), axis=0)
        rows_of = [np.flatnonzero(membership == number) for number in range(len(names))]
        for alpha in np.unique(alphas):
            columns = np.flatnonzero(alphas == alpha)
            weights = (z @ self._back / (self._eigenvalues + alpha)) @ self._basis.T
            weights += 1.0 / len(self._y)
            for number, rows in enumerate(rows_of):
                out[number][:, columns] -= weights[:, rows] @ surprise[np.ix_(rows, columns)]
        return out

    def coefficients(self, *, alphas: NDArray[np.floating[Any]]) -> tuple[Array, Array]:
        """Return weights [d, t] and intercepts [t] on the original scale of ``x``.

        Each target has its own penalty.

        Parameters
        ----------
        alphas : ndarray [shape=(t,)]
        """
        shrunk = self._projected / (self._eigenvalues[:, None] + alphas)
        weights = (self._back @ shrunk) / self._scale[:, None]
        return weights, self._y_mean - self._mean @ weights

    def with_targets(self, y: NDArray[np.floating[Any]]) -> "RidgePath":
        """Return the fits of other targets on the same rows, in the precision of ``y``.

        Parameters
        ----------
        y : ndarray [shape=(n, t)]
        """
        other = copy(self)
        other._y_mean = y.mean(axis=0)
        other._y = y - other._y_mean
        other._basis = self._basis.astype(y.dtype, copy=False)
        other._back = self._back.astype(y.dtype, copy=False)
        other._eigenvalues = self._eigenvalues.astype(y.dtype, copy=False)
        other._projected = other._basis.T @ other._y
        return other

    def leave_group_out(self, groups: ArrayLike, *, alphas: Sequence[float]) -> Array:
        """Predict each row from a fit without the rows of its group, under every penalty.

        With the hat matrix H of the fit (intercept included), the residuals of a left-out group g
        are (I − H_gg)⁻¹ (y_g − ŷ_g). This is exact and needs no refit, except that the
        standardisation is that of all rows.

        Parameters
        ----------
        groups : array_like [shape=(n,)]
            The group of each row; at least two groups.
        alphas : sequence of float, length a

        Returns
        -------
        ndarray [shape=(a, n, t)]

        References
        ----------
        R. D. Cook, S. Weisberg: Residuals and Influence in Regression, 1982, section 3.6
        (deletion of several cases).
        """
        _, membership = np.unique(np.asarray(groups), return_inverse=True)
        out = np.empty((len(alphas), *self._y.shape), dtype=self._y.dtype)
        # Groups of the same size are solved in one call, which is faster than many small ones.
        blocks = [(rows, self._basis[rows]) for rows in _rows_by_group_size(membership)]
        for index, alpha in enumerate(alphas):
            filtered = self._eigenvalue_filter(alpha)
            residual = self._y - self._basis @ (filtered[:, None] * self._projected)
            for rows, basis in blocks:
                hat = self._hat(basis, filtered)
                identity = np.eye(rows.shape[1], dtype=hat.dtype)
                left_out = np.linalg.solve(identity - hat, residual[rows])
                out[index, rows] = self._y[rows] - left_out
        return out + self._y_mean

    def leave_out_steps(self, groups: ArrayLike, *, alphas: Sequence[float]) -> list[LeaveOut]:
        """Prepare `choose_alphas`: compute what does not depend on the targets.

        Parameters
        ----------
        groups, alphas
            See `leave_group_out`.

        Returns
        -------
        list of LeaveOut
            The largest penalty first.
        """
        _, membership = np.unique(np.asarray(groups), return_inverse=True)
        blocks = [(rows, self._basis[rows]) for rows in _rows_by_group_size(membership)]
        steps = []
        for alpha in sorted(alphas, reverse=True):
            filtered = self._eigenvalue_filter(alpha)
            inverses = []
            for rows, basis in blocks:
                own = np.eye(rows.shape[1]) - self._hat(basis, filtered)
                inverses.append((rows, np.linalg.inv(own).astype(self._y.dtype)))
            steps.append(LeaveOut(alpha, filtered[:, None], inverses))
        return steps

    def choose_alphas(self, steps: Sequence[LeaveOut]) -> Array:
        """Choose the penalty of each of very many targets by leaving one group out at a time.

        The search begins at the largest penalty and ends for a target after two penalties in a row
        without an improvement. Most shuffled targets choose the largest penalty, so this saves most
        of the cost.

        Parameters
        ----------
        steps : sequence of LeaveOut
            From `leave_out_steps` on the same features.

        Returns
        -------
        ndarray [shape=(t,)]
        """
        chosen = np.zeros(self._y.shape[1], dtype=np.int64)
        width = max(64, _CACHED_VALUES // len(self._y))
        for first in range(0, len(chosen), width):
            following = np.arange(first, min(first + width, len(chosen)))
            least = np.full(len(chosen), np.inf)
            for index, step in enumerate(steps):
                y, projected = self._y[:, following], self._projected[:, following]
                error = _left_out_error(
                    y - self._basis @ (step.filtered * projected), step.inverses
                )
                better = error < least[following]
                chosen[following[better]] = index
                least[following[better]] = error[better]
                following = following[index - chosen[following] < _PATIENCE]
                if not following.size:
                    break
        return np.array([step.alpha for step in steps], dtype=np.float64)[chosen]

    def _standardised(self, x: ArrayLike) -> Array:
        """Return held-out rows in deviations of the training rows."""
        z = (np.asarray(x, dtype=np.float64) - self._mean) / self._scale
        return np.clip(z, -self._farthest, self._farthest)

    def _hat(self, basis: Array, filtered: Array) -> Array:
        """Return the blocks of the hat matrix (intercept included) for rows in the eigenbasis."""
        blocks = (basis * filtered) @ basis.transpose(0, 2, 1) + 1.0 / len(self._y)
        return np.asarray(blocks)

    def _eigenvalue_filter(self, alpha: float) -> Array:
        """Return the diagonal f of the hat matrix B f Bᵀ in the basis B."""
        if self._dual:
            return np.asarray(self._eigenvalues / (self._eigenvalues + alpha))
        return np.asarray(1.0 / (self._eigenvalues + alpha))

    def _shrunk(self, alpha: float) -> Array:
        """Return the shrunken targets in the eigenbasis, as the coefficients of `_back`."""
        return np.asarray(self._projected / (self._eigenvalues + alpha)[:, None])


def _rows_by_group_size(membership: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return, for each group size, the rows of all groups of that size [groups, size]."""
    order = np.argsort(membership, kind="stable")
    sizes = np.bincount(membership)
    first = np.cumsum(sizes) - sizes
    return [order[first[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes)]


def _left_out_error(
    residual: NDArray[np.floating[Any]], inverses: list[tuple[NDArray[np.int64], Array]]
) -> NDArray[np.floating[Any]]:
    """Return each target's squared error when every group is left out once."""
    total = np.zeros(residual.shape[1], dtype=residual.dtype)
    for rows, inverse in inverses:
        of_groups = residual[rows]
        left_out = of_groups * inverse if rows.shape[1] == 1 else inverse @ of_groups
        flat = left_out.reshape(-1, residual.shape[1])
        total += np.einsum("ij,ij->j", flat, flat)
    return total
