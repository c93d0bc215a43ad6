"""The spectral baseline: statistics and modulations of a mel spectrogram, without weights.

Ten layers of one value per mel band describe a segment as a whole (one frame of time):

0. the linear spectrum's mean, relative to a flat one (its mean over bands is 1)
1. the log spectrum's mean
2. the log spectrum's standard deviation over time
3. the mean positive flux: how much the log spectrum rises from frame to frame
4. to 9. the log energy of the log spectrum's modulations at 0.2–1, 1–2, 2–4, 4–8, 8–16, 16–50 Hz

Conventions: powers are mean squares of the samples, so the bands of a frame (0 to 12 kHz, triangles
that sum to one) sum to its power. Logarithms are decimal, so 1 is 10 dB. Samples are normalised by
the deviation of their track. So the gain of a whole track has no effect, but a softer segment has a
lower layer 1. The floor of the logarithm is 80 dB below the mean power of the track.

References
----------
Slaney, "Auditory Toolbox", Interval Research Technical Report 1998-010 (the mel scale used here).
Dixon, "Onset detection revisited", DAFx 2006 (flux). McKinney and Breebaart, "Features for audio
and music classification", ISMIR 2003 (modulation bands).
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mess.encoders.catalogue import MODULATION_BANDS, PRESETS, SPECTRAL_LAYERS
from mess.encoders.windows import WindowStates, pool_frames
from mess.errors import MessError

if TYPE_CHECKING:
    from mess.audio.decoding import Signal

SAMPLE_RATE = 24_000
BANDS = 128
WINDOW = 1024  # samples: 43 ms, 23 Hz
HOP = 240  # samples: 100 frames a second
POWER_FLOOR = 1e-8  # −80 dB under the track's mean power
MODULATION_FLOOR = 1e-6  # 10 log₁₀ units²/Hz: the modulation of an unchanging band
_VERSION = 1  # raise with any change of what `encode` returns
_MODULATION_POINTS = 512

Values = NDArray[np.float32]


class SpectralEncoder:
    """The spectral pyramid as an `Encoder`: [batch, samples] to [batch, 10, 1, 128]."""

    def __init__(self) -> None:
        preset = PRESETS["spectral"]
        self.id = preset.name
        self.sample_rate = SAMPLE_RATE
        self.layers = preset.layers
        self.dim = BANDS
        self.layer_names = list(SPECTRAL_LAYERS)
        self.licence = preset.licence
        self.revision = ""
        self.normalise = True
        self.settings: dict[str, str | int | float | bool] = {
            "version": _VERSION,
            "window": WINDOW,
            "hop": HOP,
            "power_floor": POWER_FLOOR,
            "modulation_floor": MODULATION_FLOOR,
        }
        recipe = json.dumps(["spectral", self.settings, MODULATION_BANDS])
        self.weights_hash = hashlib.sha256(recipe.encode()).hexdigest()

    def track_scale(self, signal: "Signal") -> tuple[float, float]:
        """Return the track's mean and standard deviation."""
        return signal.mean, max(signal.std, 1e-7)

    def encode(self, segments: Values) -> Values:
        """Return the pyramid of each segment.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            Mono, float32, at 24 kHz, with zero mean and unit variance over their track.

        Returns
        -------
        ndarray [shape=(batch, 10, 1, 128)]
            float32.

        Raises
        ------
        ValueError
            If ``segments`` is not of that shape.
        MessError
            If a segment is shorter than two frames (53 ms).
        """
        segments = np.asarray(segments, dtype=np.float32)
        if segments.ndim != 2:
            raise ValueError(f"segments must be [batch, samples], not of shape {segments.shape}")
        if segments.shape[1] < WINDOW + HOP:
            raise MessError(
                f"a segment of {segments.shape[1]} samples is too short for the spectral encoder; "
                "give at least a second"
            )
        pyramids = np.empty((len(segments), self.layers, 1, self.dim), dtype=np.float32)
        for index, samples in enumerate(segments):
            pyramids[index, :, 0] = pyramid(mel_power(samples))
        return pyramids

    def pool(
        self, segments: Values, *, divisions: Sequence[int] = (1,)
    ) -> list[WindowStates | None]:
        """Return means and variances over windows of time: a segment is one frame."""
        return pool_frames(self.encode(segments), divisions=divisions)


def mel_power(samples: Values) -> Values:
    """Return the mel power spectrogram of a signal at 24 kHz.

    Frames begin at 0, 10 ms, 20 ms … and lie wholly inside the signal: nothing is padded.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]

    Returns
    -------
    ndarray [shape=(frames, 128)]
        Mean squares; the bands of a frame sum to its (Hann-weighted) mean square.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * _window()
    spectrum = scipy.fft.rfft(frames, axis=1)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power @ mel_matrix()


def pyramid(power: Values) -> Values:
    """Return the ten layers of a mel power spectrogram.

    Parameters
    ----------
    power : ndarray [shape=(frames, bands)]
        Mean squares relative to the track's.

    Returns
    -------
    ndarray [shape=(10, bands)]
    """
    mean_power = power.mean(axis=0)
    log_power = np.log10(power + np.float32(POWER_FLOOR))
    mean_log = log_power.mean(axis=0)
    centred = log_power - mean_log
    rise = np.diff(log_power, axis=0)
    return np.stack(
        [
            mean_power / max(float(mean_power.mean()), POWER_FLOOR),
            mean_log,
            np.sqrt(np.square(centred).mean(axis=0)),
            np.maximum(rise, 0, out=rise).mean(axis=0),
            *modulation_energy(centred),
        ]
    ).astype(np.float32)


def modulation_energy(centred: Values) -> Values:
    """Return the log energy density of each band's modulations.

    ``log₁₀(e + floor)`` with e the mean of the Hann-windowed periodogram over a modulation
    band, in squared log₁₀ units per Hz.

    Parameters
    ----------
    centred : ndarray [shape=(frames, bands)]
        Log power less its mean over time, 100 frames a second.

    Returns
    -------
    ndarray [shape=(modulation bands, bands)]
    """
    frames = len(centred)
    # Zero-padding a tapered envelope only refines the frequency grid, so that each modulation band
    # has points even for a short segment.
    points = scipy.fft.next_fast_len(max(frames, _MODULATION_POINTS), real=True)
    fade = np.hanning(frames + 2)[1:-1].astype(np.float32)
    spectrum = scipy.fft.rfft(centred * fade[:, np.newaxis], n=points, axis=0)
    rate = SAMPLE_RATE / HOP
    density = (np.square(spectrum.real) + np.square(spectrum.imag)) * np.float32(
        2 / (rate * float(np.square(fade).sum()))
    )
    edges = [round(low * points / rate) for low, _ in MODULATION_BANDS] + [len(density)]
    energy = np.stack([density[low:high].mean(axis=0) for low, high in pairwise(edges)])
    return np.log10(energy + np.float32(MODULATION_FLOOR))


@cache
def mel_matrix() -> Values:
    """Return the map from a power spectrum to mel bands.

    It has 128 triangles, equally spaced on Slaney's mel scale from 0 to 12 kHz. They sum to one at
    every frequency, except in the outer halves of the first and the last.

    Returns
    -------
    ndarray [shape=(513, 128)]
        With the factor that makes a power spectrum a mean square.
    """
    edges = _mel_to_hz(np.linspace(0, _hz_to_mel(SAMPLE_RATE / 2), BANDS + 2))
    frequencies = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, np.newaxis]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    one_sided = 2 / (WINDOW * float(np.square(_window(), dtype=np.float64).sum()))
    return (triangles * one_sided).astype(np.float32)


@cache
def _window() -> Values:
    periodic_hann = np.hanning(WINDOW + 1)[:-1]
    return periodic_hann.astype(np.float32)


# Slaney's scale: linear to 1 kHz (3 mel per 200 Hz), then 27 mel for a factor of 6.4.
_KNEE_HZ, _KNEE_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27


def _hz_to_mel(hertz: float) -> float:
    if hertz < _KNEE_HZ:
        return hertz * 3 / 200
    return _KNEE_MEL + float(np.log(hertz / _KNEE_HZ)) / _LOG_STEP


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * 200 / 3, above)
