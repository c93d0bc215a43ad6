"""Onsets: the onset strength (spectral flux) of a track, and the frames at which notes begin.

Both are computed by librosa; this module prepares its input. Conventions: curves have 100 frames
per second, levels are in dB.
"""

import numpy as np
from numpy.typing import NDArray

from mess.targets.librosa_import import import_librosa

Floats = NDArray[np.float64]

LEVEL_FLOOR = -60.0  # dB below the loudest; quieter sound is treated as noise
_LAG = 3  # frames
_RISE = 0.45  # dB, mean over all bands
_BEFORE, _AFTER = 10, 7  # frames before and after an onset that it is compared with
_APART = 3  # frames on both sides in which there is no other onset
_CUT_FRAMES = 5  # a window reaches so far beyond the end of the sound
_BLOCK_FRAMES = 1 << 15


def onset_strength(mel: NDArray[np.float32]) -> Floats:
    """Return how much the spectrum rises, frame by frame.

    `librosa.onset.onset_strength` of the levels in mel bands: the half-wave rectified difference
    over 30 ms, averaged over the bands, in dB (spectral flux: Bello et al. 2005; Böck, Krebs,
    Schedl 2012). Two settings differ from librosa's defaults. A floor 60 dB below the strongest
    level removes noise far below the music. Silence is assumed before the track, so its first note
    is an onset too.

    Parameters
    ----------
    mel : ndarray [shape=(frames, bands)]

    Returns
    -------
    ndarray [shape=(frames,)]
    """
    librosa = import_librosa()
    loudest = max(float(mel.max(initial=0.0)), 1e-30)
    floor = np.float32(10 ** (LEVEL_FLOOR / 10))
    strength = np.empty(mel.shape[0])
    for first in range(0, mel.shape[0], _BLOCK_FRAMES):
        power = mel[max(first - _LAG, 0) : first + _BLOCK_FRAMES] / np.float32(loudest)
        if first == 0:
            power = np.concatenate([np.zeros((_LAG, mel.shape[1]), np.float32), power])
        levels = librosa.power_to_db(power.T + floor, top_db=None)
        strength[first : first + _BLOCK_FRAMES] = librosa.onset.onset_strength(
            S=levels, lag=_LAG, center=False
        )[_LAG:]
    return strength


def pick_onsets(strength: Floats, *, ends: float) -> NDArray[np.int64]:
    """Return the frames at which a note begins.

    `librosa.util.peak_pick`: a frame is an onset if its strength is the largest within 30 ms and
    exceeds the mean of its surroundings (100 ms before to 70 ms after) by 0.45 dB (Böck, Krebs,
    Schedl 2012). Peaks at the end of the sound are left out: a cut has a broad spectrum.

    Parameters
    ----------
    strength : ndarray [shape=(frames,)]
    ends : float
        Where the sound ends, in frames.
    """
    frames = (
        import_librosa()
        .util.peak_pick(
            strength,
            pre_max=_APART,
            post_max=_APART + 1,
            pre_avg=_BEFORE,
            post_avg=_AFTER + 1,
            delta=_RISE,
            wait=_APART,
        )
        .astype(np.int64)
    )
    return frames[np.abs(frames - ends) > _CUT_FRAMES]
