"""Reliability: how repeatable the targets themselves are, before a probe of them is interpreted.

*Split-half reliability* is the agreement of a target between two halves of a recording. The music
may differ between the halves, so it is not an upper bound for a probe. *Invariance* is the
agreement before and after a change that leaves the music the same: ±12 dB of gain, MP3 at
128 kbit/s, another sample rate.

Examples
--------
>>> import numpy as np
>>> a = np.random.default_rng(0).standard_normal(200)
>>> float(round(concordance(a, a), 2)), float(round(concordance(a, a + 3), 2))
(1.0, 0.17)
"""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal, decode, scratch_dir
from mess.targets.analysis import TARGET_SAMPLE_RATE, analyse
from mess.targets.measuring import compute_targets
from mess.targets.registry import TARGETS

Array = NDArray[np.float64]
TRUSTED = 0.7  # targets below this value are marked
CHANGES = ("gain +12 dB", "gain −12 dB", "MP3 at 128 kbit/s", "22.05 kHz and back")
_MP3_RATE, _MP3_LEVEL = 44_100, 0.62  # libsndfile's compression level that gives 128 kbit/s
_LOW_RATE = 22_050
_GAIN = 10.0 ** (12.0 / 20.0)


def concordance(a: Array, b: Array) -> float:
    """Return Lin's concordance of two measurements: 1 if equal, less if they differ in any way.

    2 cov(a, b) / (var a + var b + (mean a − mean b)²), over pairs of known values; NaN for fewer
    than three pairs, or if neither varies.

    References
    ----------
    L. I. Lin: A concordance correlation coefficient to evaluate reproducibility. Biometrics 45,
    1989.
    """
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 3:
        return float("nan")
    scale = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    if scale <= 1e-12 * max(np.square(a).mean(), 1e-300):
        return float("nan")
    return float(2 * np.mean((a - a.mean()) * (b - b.mean())) / scale)


def split_half(first: Array, second: Array) -> float:
    """Return the reliability of the whole from the correlation r of its halves: 2r / (1 + r).

    NaN for fewer than three pairs, or if one half does not vary. A negative r counts as 0.

    References
    ----------
    W. Brown, C. Spearman: British Journal of Psychology 3, 1910 (both, independently).
    """
    known = np.isfinite(first) & np.isfinite(second)
    first, second = first[known], second[known]
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    r = max(float(np.corrcoef(first, second)[0, 1]), 0.0)
    return 2 * r / (1 + r)


def measure_halves(signal: Signal) -> tuple[dict[str, float], dict[str, float]]:
    """Measure all targets on two halves of a recording.

    A target of level "segment" is averaged over the even segments and over the odd ones. Any other
    target is measured on the first and on the second half.
    """
    values = compute_targets(signal)
    music = analyse(signal).sounding()
    middle = music.duration / 2
    stretches = music.cut(0.0, middle), music.cut(middle, music.duration)
    halves: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for name, target in TARGETS.items():
        for half in range(2):
            if target.level == "segment":
                of_half = values.segments[name][half::2]
                known = of_half[np.isfinite(of_half)]
                halves[half][name] = float(known.mean()) if known.size else float("nan")
            else:
                halves[half][name] = target.function(stretches[half])
    return halves


def measure_changed(path: Path) -> dict[str, dict[str, float]]:
    """Measure all targets of a recording after each of `CHANGES`."""
    import soundfile
    import soxr

    signal = decode(path, TARGET_SAMPLE_RATE)
    low = soxr.resample(signal.samples, TARGET_SAMPLE_RATE, _LOW_RATE)
    back = soxr.resample(low, _LOW_RATE, TARGET_SAMPLE_RATE)
    with tempfile.TemporaryDirectory(dir=scratch_dir()) as folder:
        coded = Path(folder) / "coded.mp3"
        soundfile.write(
            coded,
            decode(path, _MP3_RATE).samples,
            _MP3_RATE,
            format="MP3",
            bitrate_mode="CONSTANT",
            compression_level=_MP3_LEVEL,
        )
        changed = (
            _signal(signal.samples * np.float32(_GAIN)),
            _signal(signal.samples / np.float32(_GAIN)),
            decode(coded, TARGET_SAMPLE_RATE),
            _signal(back),
        )
    return {
        name: compute_targets(signal).track for name, signal in zip(CHANGES, changed, strict=True)
    }


def _signal(samples: NDArray[np.float32]) -> Signal:
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    return Signal(samples, TARGET_SAMPLE_RATE, float(samples.mean()), float(samples.std()))
