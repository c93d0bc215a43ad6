"""The curves of one recording: measured, and predicted by a layer that never saw its work."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MOMENT_SECONDS, aligned
from mess.curves.registry import CURVES
from mess.errors import MessError
from mess.probing.curve_probes import CurveProbes
from mess.storage.paths import command_for

FEWEST = 4  # moments, below which a correlation says nothing


@dataclass(frozen=True)
class MeasuredCurves:
    """The measured curves of a recording.

    Attributes
    ----------
    start : ndarray [shape=(n,)]
        When each moment begins, in seconds.
    values : ndarray [shape=(n, curves), dtype=float32]
        In the order of `CURVES`; NaN where undefined.
    """

    start: NDArray[np.float64]
    values: NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """Which moments of a recording lie in a part of it.

    Attributes
    ----------
    at : ndarray [shape=(n,)]
        The middle of each moment, in seconds.
    rows : slice
        Of the recording's moments: those whose middle is in the part, with one on either side.
    """

    at: NDArray[np.float64]
    rows: slice


def stretch_of(start: NDArray[np.float64], *, first: float, seconds: float) -> Stretch:
    """Return the moments of a part of a recording.

    Parameters
    ----------
    start : ndarray [shape=(n,)]
        When the moments of the recording begin, in seconds.
    first, seconds : float
        Where the part begins and how long it is.
    """
    centre = start + MOMENT_SECONDS / 2
    low = int(np.searchsorted(centre, first))
    high = int(np.searchsorted(centre, first + seconds, side="right"))
    rows = slice(max(low - 1, 0), high + 1)
    return Stretch(centre[rows], rows)


def predict_on(
    measured: MeasuredCurves,
    states: NDArray[np.floating[Any]],
    start: NDArray[np.float64],
    *,
    probes: CurveProbes,
    layer: int,
    fold: int,
) -> NDArray[np.float32]:
    """Predict the curves of a recording, at the moments of its measured curves.

    Parameters
    ----------
    measured : MeasuredCurves
    states : ndarray [shape=(m, dim)]
        Of its moments at ``layer``.
    start : ndarray [shape=(m,)]
        When these begin, in seconds.
    probes : CurveProbes
    layer, fold : int
        See `CurveProbes.predict`.

    Returns
    -------
    ndarray [shape=(n, curves), dtype=float32]
        In the order of `CURVES`; NaN where there is no moment or no probe.
    """
    found = np.full((len(measured.start), len(CURVES)), np.nan, dtype=np.float32)
    own, place = aligned(start, measured.start)
    columns = np.array([list(CURVES).index(name) for name in probes.curves], dtype=np.int64)
    predicted = probes.predict(states[own], layer=layer, fold=fold)
    found[np.ix_(place, columns)] = predicted
    return found


def check_probes(
    probes: CurveProbes, *, layers: int, dim: int, dataset: str, encoder: str
) -> CurveProbes:
    """Return probes that fit states of ``layers`` × ``dim``.

    Raises
    ------
    MessError
        If they are those of another encoder.
    """
    if probes.shape != (layers, dim):
        raise MessError(
            f"the probes of curves of {dataset!r} by {encoder!r} are for {probes.shape[0]} layers "
            f"of {probes.shape[1]} dimensions, and its features have {layers} of {dim}: "
            f"run `{command_for('probe', dataset, encoder)}`"
        )
    return probes


def correlation(
    measured: NDArray[np.floating[Any]], predicted: NDArray[np.floating[Any]]
) -> float | None:
    """Return Pearson's r over the moments where both are defined; None where there is none."""
    known = np.isfinite(measured) & np.isfinite(predicted)
    if known.sum() < FEWEST:
        return None
    a, b = (one[known].astype(np.float64) for one in (measured, predicted))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1e-12 else None
