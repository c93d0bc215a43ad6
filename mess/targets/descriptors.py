"""Baselines: plain descriptions of the audio, which a probe on a network's layers must exceed.

A baseline is a vector of numbers for each track and segment that needs no model. It is probed on
the same rows as the layers (`mess.probing.controls`).
"""

import numpy as np
from numpy.typing import NDArray

from mess.targets.analysis import Analysis
from mess.targets.librosa_import import import_librosa

Array = NDArray[np.float32]
_MEL_FLOOR = 1e-10
_COEFFICIENTS = 20
BASELINES = ("duration and loudness", "log-mel statistics", "MFCC", "chroma")


def describe_audio(analysis: Analysis) -> dict[str, Array]:
    """Return the vector of every baseline.

    Parameters
    ----------
    analysis : Analysis
        Of the sounding part of a track or a segment.

    Returns
    -------
    dict of str to ndarray
        ``duration and loudness``: the logarithm of the seconds, and dB of the root mean square,
        full scale being 0. ``log-mel statistics``: mean and standard deviation over time of each
        band in dB. ``MFCC``: the same of `librosa.feature.mfcc`, 20 of them. ``chroma``: the same
        of each pitch class's share. A deviation over less than two frames is 0.
    """
    librosa = import_librosa()
    level = librosa.power_to_db(analysis.mel.T.astype(np.float64) + _MEL_FLOOR, top_db=None)
    coefficients = librosa.feature.mfcc(S=level, n_mfcc=_COEFFICIENTS)
    power = analysis.chroma.sum(axis=1, keepdims=True)
    shares = np.divide(
        analysis.chroma, power, out=np.full_like(analysis.chroma, 1 / 12), where=power > 0
    )
    loudness = 10 * np.log10(analysis.power.mean() + 1e-12) if analysis.power.size else -120.0
    plain = np.array([np.log(max(analysis.duration, 1e-3)), loudness])
    vectors = (plain, _over_time(level.T), _over_time(coefficients.T), _over_time(shares))
    return {
        name: np.nan_to_num(vector).astype(np.float32)
        for name, vector in zip(BASELINES, vectors, strict=True)
    }


def _over_time(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(curves):
        return np.zeros(2 * curves.shape[1])
    return np.concatenate([curves.mean(axis=0), curves.std(axis=0)])
