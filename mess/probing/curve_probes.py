"""The probes of curves, kept: what a layer predicts of a recording that the fit never saw.

Task: predict the curves of any recording from the states of its moments. A recording of a
work of the experiment gets the probe of the folds without this work. Any other recording gets the
probe of all.

Conventions: a probe is a weight for each dimension and an intercept, on the original scale of the
states. 5 layers of 384 dimensions, 31 curves and 10 folds take 2.6 MB; 13 layers of 768 dimensions
13.6 MB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.moments import CurveFits


@dataclass(frozen=True)
class CurveProbes:
    """The probes of all layers for all curves.

    Attributes
    ----------
    curves : tuple of str
        Those that could be probed.
    tracks, works : tuple of str
        Of the experiment: each track, and its work.
    fold : ndarray [shape=(tracks,), dtype=int]
        In which each was held out.
    weights : ndarray [shape=(layers, folds + 1, dim, curves), dtype=float32]
        Without each fold, and at last of all folds.
    intercepts : ndarray [shape=(layers, folds + 1, curves), dtype=float32]

    Examples
    --------
    >>> probes = CurveProbes(
    ...     curves=("level",),
    ...     tracks=("a", "b"),
    ...     works=("one", "two"),
    ...     fold=np.array([0, 1]),
    ...     weights=np.array([1.0, 2.0, 3.0], dtype=np.float32).reshape(1, 3, 1, 1),
    ...     intercepts=np.zeros((1, 3, 1), dtype=np.float32),
    ... )
    >>> states = np.ones((2, 1), dtype=np.float32)
    >>> folds = [probes.fold_of("a"), probes.fold_of("c", work="two"), probes.fold_of("new")]
    >>> [probes.predict(states, layer=0, fold=fold)[0, 0].item() for fold in folds]
    [1.0, 2.0, 3.0]
    """

    curves: tuple[str, ...]
    tracks: tuple[str, ...]
    works: tuple[str, ...]
    fold: NDArray[np.int64]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int]:
        """The layers and dimensions that states must have."""
        return self.weights.shape[0], self.weights.shape[2]

    @cached_property
    def _folds(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        folds = self.fold.tolist()
        by_track = dict(zip(self.tracks, folds, strict=True))
        return by_track, dict(zip(self.works, folds, strict=True))

    def fold_of(self, track: str, *, work: str = "") -> int:
        """Return the fold whose probe never saw a track or its work; −1 if none of them did."""
        by_track, by_work = self._folds
        return by_track.get(track, by_work.get(work, -1))

    def predict(
        self, states: NDArray[np.floating[Any]], *, layer: int, fold: int
    ) -> NDArray[np.float32]:
        """Predict all curves of a recording.

        Parameters
        ----------
        states : ndarray [shape=(n, dim)]
            Of its moments at ``layer``.
        layer : int
        fold : int
            From `fold_of`; −1 for a recording that is not of the dataset.

        Returns
        -------
        ndarray [shape=(n, curves), dtype=float32]
        """
        weights, shift = self.weights[layer, fold], self.intercepts[layer, fold]
        return np.asarray(states.astype(np.float32, copy=False) @ weights + shift)


@dataclass(frozen=True)
class FittedTogether:
    """The fits of curves that are defined on the same moments.

    Attributes
    ----------
    curves : list of str
    folds : ndarray [dtype=int]
        The folds that have such moments; the others never entered a fit.
    layers : list of CurveFits
        Of each layer.
    """

    curves: list[str]
    folds: NDArray[np.int64]
    layers: list[CurveFits]


def gather_probes(
    found: Sequence[FittedTogether],
    *,
    tracks: Sequence[str],
    works: Sequence[str],
    fold: NDArray[np.int64],
) -> CurveProbes | None:
    """Return all probes of an experiment, None where no curve was probed.

    Parameters
    ----------
    found : sequence of FittedTogether
    tracks, works : sequence of str
    fold : ndarray [shape=(tracks,), dtype=int]
        From 0 without a gap.
    """
    if not found:
        return None
    count = int(fold.max()) + 1
    weights, intercepts = [], []
    for one in found:
        place = np.full(count + 1, -1)
        place[one.folds] = np.arange(len(one.folds))
        weights.append(np.stack([layer.weights[place] for layer in one.layers]))
        intercepts.append(np.stack([layer.intercepts[place] for layer in one.layers]))
    return CurveProbes(
        curves=tuple(name for one in found for name in one.curves),
        tracks=tuple(tracks),
        works=tuple(works),
        fold=fold.astype(np.int64),
        weights=np.concatenate(weights, axis=-1),
        intercepts=np.concatenate(intercepts, axis=-1),
    )
