"""Ridge regression for many targets and many penalties from one eigendecomposition.

A probe is a ridge regression from one layer to one target. For fixed features and rows, the fits of
all targets, all penalties and all leave-one-group-out residuals follow from one symmetric
eigendecomposition: of Z Zᵀ if there are fewer rows than dimensions, of Zᵀ Z otherwise. So a whole
discovery takes one decomposition per layer and fold.

Conventions: features are standardised by the training rows (`mess.probing.standardising`). Targets
are centred; the penalty ``alpha`` is that of ``sklearn.linear_model.Ridge``, so the loss is
‖y − Z w‖² + alpha ‖w‖².

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> x, y = rng.standard_normal((40, 100)), rng.standard_normal((40, 3))
>>> RidgePath(x[:30], y[:30]).predict(x[30:], alphas=[1.0, 10.0]).shape
(2, 10, 3)
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing.standardising import Products, Standard, standard_of

Array = NDArray[np.float64]
_HELD_VALUES = 4_000_000  # values of a block of groups that are held in memory at once
DEFAULT_ALPHAS: tuple[float, ...] = tuple(10.0**power for power in range(-2, 7))


class Factors(NamedTuple):
    """What predictions of new rows are made of: rows · (eigenvalues + alpha)⁻¹ · basisᵀ y.

    Attributes
    ----------
    rows : ndarray [shape=(m, r)]
        The new rows in the eigenbasis.
    eigenvalues : ndarray [shape=(r,)]
    basis : ndarray [shape=(n, r)]
        The training rows in the eigenbasis.
    """

    rows: Array
    eigenvalues: Array
    basis: Array


def _checked(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise ValueError(f"x {x.shape} and y {y.shape} must be 2-d with equal rows")
    return x, y


def predict_at(
    x: ArrayLike, y: ArrayLike, held: Sequence[tuple[ArrayLike, NDArray[np.floating[Any]]]]
) -> list[Array]:
    """Predict new rows by fits whose penalties are known: some times as fast as a `RidgePath`.

    Parameters
    ----------
    x : array_like [shape=(n, d)]
        Features of the training rows.
    y : array_like [shape=(n, t)]
    held : sequence of (array_like [shape=(m, d)], ndarray [shape=(t,)])
        New rows, and the penalty of each target for them.

    Returns
    -------
    list of ndarray [shape=(m, t)]
        As `RidgePath.predict_each` returns them.
    """
    from scipy.linalg import cho_factor, cho_solve

    x, y = _checked(x, y)
    standard = standard_of(x)
    z = standard.of_training(x)
    y_mean = y.mean(axis=0)
    centred = y - y_mean
    dual = z.shape[0] < z.shape[1]
    gram, right = (z @ z.T, centred) if dual else (z.T @ z, z.T @ centred)
    new = [standard.of_new(rows) @ z.T if dual else standard.of_new(rows) for rows, _ in held]
    out = [np.empty((len(rows), y.shape[1])) for rows in new]
    diagonal = np.arange(len(gram))
    for alpha in np.unique([alphas for _, alphas in held]):
        shifted = gram.copy()
        shifted[diagonal, diagonal] += alpha
        factor = cho_factor(shifted, lower=True, overwrite_a=True, check_finite=False)
        for rows, predicted, (_, alphas) in zip(new, out, held, strict=True):
            own = np.flatnonzero(alphas == alpha)
            if len(own):
                weights = cho_solve(factor, right[:, own], check_finite=False)
                predicted[:, own] = rows @ weights + y_mean[own]
    return out


class Probe(NamedTuple):
    """A fitted probe of some targets, which predicts rows as its `RidgePath` does.

    Attributes
    ----------
    standard : Standard
        Of the training rows.
    weights : ndarray [shape=(d, t)]
        Of standardised features.
    intercepts : ndarray [shape=(t,)]
    """

    standard: Standard
    weights: Array
    intercepts: Array

    def predict(self, x: ArrayLike) -> Array:
        """Predict new rows [m, d]: an array [m, t]."""
        return np.asarray(self.standard.of_new(x) @ self.weights + self.intercepts)


class RidgePath:
    """The ridge regressions of ``y`` on ``x`` for every penalty.

    Parameters
    ----------
    x : array_like [shape=(n, d)]
        Features of the training rows.
    y : array_like [shape=(n, t)]
        Targets; finite.
    products : Products, optional
        Those of ``x``, if they are known.

    Notes
    -----
    With Z = U S Vᵀ the fitted values are U S²/(S² + alpha) Uᵀ y. Columns of ``x`` that do not
    vary contribute nothing.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman: The Elements of Statistical Learning, 2nd ed., 2009,
    section 3.4.1 (ridge in the basis of singular vectors).
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, *, products: Products | None = None) -> None:
        x, y = _checked(x, y)
        self._standard = standard_of(x, products)
        z = self._standard.of_training(x)
        self._y_mean = y.mean(axis=0)
        self._y = y - self._y_mean
        n, d = z.shape
        self._dual = n < d
        if self._dual:
            gram = z @ z.T
        elif products is None:
            gram = z.T @ z
        else:
            scale = self._standard.scale
            gram = products.about_mean / np.outer(scale, scale)
        self._eigenvalues, vectors = np.linalg.eigh(gram)
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
        z = self._standard.of_new(x)
        projected_rows = z @ self._back
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
        z = self._standard.of_new(x)
        shrunk = self._projected / (self._eigenvalues[:, None] + alphas)
        return np.asarray((z @ self._back) @ shrunk + self._y_mean)

    def errors_without(
        self,
        x: ArrayLike,
        y: Array,
        *,
        groups: NDArray[Any],
        alphas: NDArray[np.floating[Any]],
        left_out: Array,
    ) -> Array:
        """Return the squared errors on new rows with each group removed in turn, without refitting.

        Removing the rows g changes a prediction by −s_g (y_g − ŷ_g). Here s_g are the weights of
        these rows in the prediction, and ŷ_g their predictions by the fit without them.

        Parameters
        ----------
        x : array_like [shape=(m, d)]
        y : ndarray [shape=(m, t)]
        groups : ndarray [shape=(n,)]
        alphas : ndarray [shape=(t,)]
            Each target's penalty.
        left_out : ndarray [shape=(n, t)]
            From `leave_group_out`, at these penalties.

        Returns
        -------
        ndarray [shape=(groups, t)]
            Sums over the new rows. Groups are in the order of ``np.unique(groups)``.
        """
        names, membership = np.unique(groups, return_inverse=True)
        surprise = self._y + self._y_mean - left_out
        residual = y - self.predict_each(x, alphas=alphas)
        in_basis = self._standard.of_new(x) @ self._back
        errors = np.empty((len(names), y.shape[1]))
        for alpha in np.unique(alphas):
            columns = np.flatnonzero(alphas == alpha)
            own = in_basis / (self._eigenvalues + alpha)
            few = len(names) * len(columns) < len(self._y)
            weights = None if few else (own @ self._basis.T).T  # [n, m]
            for rows in _rows_by_group_size(membership):
                step = max(1, _HELD_VALUES // (max(own.shape) * max(len(columns), rows.shape[1])))
                for some in (rows[first : first + step] for first in range(0, len(rows), step)):
                    of_groups = surprise[some][:, :, columns]  # [groups, size, columns]
                    if weights is None:
                        moved = self._basis[some].transpose(0, 2, 1) @ of_groups
                        flat = own @ moved.transpose(1, 0, 2).reshape(own.shape[1], -1)
                        shift = flat.reshape(len(own), len(some), -1).transpose(1, 0, 2)
                    else:
                        shift = weights[some].transpose(0, 2, 1) @ of_groups
                    shift = shift + of_groups.sum(axis=1, keepdims=True) / len(self._y)
                    changed = np.square(residual[:, columns] + shift).sum(axis=1)
                    errors[np.ix_(membership[some[:, 0]], columns)] = changed
        return errors

    def factors(self, x: ArrayLike) -> Factors:
        """Return what predictions of new rows [m, d] are made of."""
        return Factors(self._standard.of_new(x) @ self._back, self._eigenvalues, self._basis)

    def directions(self, x: Array, *, mean: Array, scale: Array) -> tuple[Array, Array]:
        """Return how rows that are known by coordinates lie in the eigenbasis.

        A row with the coordinates c is mean + scale · (c @ x). It lies at c @ directions + origin.

        Parameters
        ----------
        x : ndarray [shape=(k, d)]
        mean, scale : ndarray [shape=(d,)]

        Returns
        -------
        directions : ndarray [shape=(k, r)]
        origin : ndarray [shape=(r,)]
        """
        return (x * (scale / self._standard.scale)) @ self._back, (
            (mean - self._standard.mean) / self._standard.scale
        ) @ self._back

    def coefficients(self, *, alphas: NDArray[np.floating[Any]]) -> tuple[Array, Array]:
        """Return weights [d, t] and intercepts [t] on the original scale of ``x``.

        Each target has its own penalty.

        Parameters
        ----------
        alphas : ndarray [shape=(t,)]
        """
        shrunk = self._projected / (self._eigenvalues[:, None] + alphas)
        weights = (self._back @ shrunk) / self._standard.scale[:, None]
        return weights, self._y_mean - self._standard.mean @ weights

    def probe(self, *, alphas: NDArray[np.floating[Any]]) -> Probe:
        """Return the probe under each target's own penalty, without the rows it was fitted on.

        Parameters
        ----------
        alphas : ndarray [shape=(t,)]
        """
        shrunk = self._projected / (self._eigenvalues[:, None] + alphas)
        return Probe(self._standard, self._back @ shrunk, self._y_mean)

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
        out = np.empty((len(alphas), *self._y.shape))
        # Groups of the same size are solved in one call, which is faster than many small ones.
        blocks = [(rows, self._basis[rows]) for rows in _rows_by_group_size(membership)]
        filters = np.stack([self._eigenvalue_filter(alpha) for alpha in alphas])
        # One product for all penalties.
        shrunk = (filters.T[:, :, None] * self._projected[:, None]).reshape(len(filters.T), -1)
        fitted = (self._basis @ shrunk).reshape(len(self._y), len(alphas), -1)
        for index, filtered in enumerate(filters):
            residual = self._y - fitted[:, index]
            for rows, basis in blocks:
                hat = self._hat(basis, filtered)
                identity = np.eye(rows.shape[1])
                left_out = np.linalg.solve(identity - hat, residual[rows])
                out[index, rows] = self._y[rows] - left_out
        return out + self._y_mean

    def _hat(self, basis: Array, filtered: Array) -> Array:
        """Return the blocks of the hat matrix (intercept included) for rows in the eigenbasis."""
        half = basis * np.sqrt(filtered)  # a matrix times its own transpose takes half the time
        return np.asarray(half @ half.transpose(0, 2, 1) + 1.0 / len(self._y))

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
