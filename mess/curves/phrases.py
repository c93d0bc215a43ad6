"""Phrasing over time: what is predicted of each moment, and the targets read from it.

Task: phrases are told by how much the music after a moment differs from that before it, in harmony,
timbre and loudness. No state of half a second knows both sides. So the features that are compared
are predicted of each moment, and the targets are computed from them by the definitions of the
measured ones (`mess.targets.phrasing`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.curves.windows import Floats, Windows
from mess.targets import phrasing
from mess.targets.analysis import Analysis

READ = ("num_phrases", "phrase_regularity")  # the targets that are read


def phrase_columns(analysis: Analysis, windows: Windows) -> NDArray[np.float16]:
    """Measure harmony, timbre and loudness at each moment.

    Parameters
    ----------
    analysis : Analysis
        Of the whole track.
    windows : Windows
        Its moments.

    Returns
    -------
    ndarray [shape=(moments, 29), dtype=float16]
        See `mess.targets.phrasing.phrase_features`; NaN before the first sound and after the last.
    """
    features = phrasing.phrase_features(analysis.sounding())
    out = np.full((len(windows.start), features.shape[1]), np.nan, dtype=np.float16)
    if not len(features):
        return out
    inside = windows.within(analysis.start, analysis.stop)
    times = analysis.start + np.arange(len(features)) / phrasing.NOVELTY_RATE
    for column, values in enumerate(features.T):
        out[inside, column] = np.interp(windows.centre[inside], times, values)
    return out


def read_phrases(columns: NDArray[np.floating[Any]], start: Floats) -> tuple[float, ...]:
    """Return the targets of `READ` from predicted features.

    Parameters
    ----------
    columns : ndarray [shape=(n, 29)]
        Of consecutive moments.
    start : ndarray [shape=(n,)]
        When each begins, in seconds.
    """
    times = np.arange(start[0], start[-1] + 1e-6, 1 / phrasing.NOVELTY_RATE)
    features = np.stack([np.interp(times, start, values) for values in columns.T], axis=1)
    curve = phrasing.novelty_of(features)
    return phrasing.phrases_in(curve), phrasing.regularity_of(curve)
