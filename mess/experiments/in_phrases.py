"""Targets of phrasing, read from what the states of moments predict."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mess.curves.phrases import READ, read_phrases
from mess.experiments.passes import Pass, fit_passes
from mess.probing.candidates import Candidates

Array = NDArray[np.float64]


def find_in_phrases(
    passes: Pass, targets: Array, fold: NDArray[np.int64], *, names: Sequence[str]
) -> Candidates | None:
    """Read the targets of phrasing from harmony, timbre and loudness over time.

    Parameters
    ----------
    passes : callable
        Returns the moments of each track, one after another; called twice.
    targets : ndarray [shape=(n, t)]
        NaN where undefined.
    fold : ndarray [shape=(n,), dtype=int]
        Of each track.
    names : sequence of str
        Of the targets.

    Returns
    -------
    Candidates or None
        A layer after another; None if fewer than three folds have tracks.
    """
    fitted = fit_passes(passes(), fold)
    if fitted is None:
        return None
    folds = len(fitted.present)
    values = np.full((len(fitted.layers), folds + 1, len(fold), len(READ)), np.nan)
    for track in passes():
        own = int(fitted.fold[track.row])
        for layer, fit in enumerate(fitted.layers):
            for k, columns in enumerate(fit.predict(track.states[layer], fold=own)):
                place = folds if k == own else k
                values[layer, place, track.row] = read_phrases(columns, track.start)
    return fitted.candidates(values, targets, columns=[names.index(name) for name in READ])
