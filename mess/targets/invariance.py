"""Invariance: how far each target moves when the same music is digitised differently.

Task: a target must not depend on how a recording was digitised. Gain, offset, polarity, silence
around the music, sample rate, bit depth and number of channels are changed. The changed file is
written and read like any other file, and the targets are measured again.

Conventions: a movement is a multiple of the target's stated `Tolerance`; 1 or less is within it.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import decode, scratch_dir
from mess.targets.analysis import TARGET_SAMPLE_RATE
from mess.targets.measuring import compute_targets
from mess.targets.registry import TARGETS
from mess.targets.target import AudioTarget

Samples = NDArray[np.float32]

RATE = 48_000  # Hz, of the recording before a change
_GAIN = 100.0  # 40 dB
_LONGEST = 120.0  # seconds of a recording that are used


@dataclass(frozen=True)
class Change:
    """One way to digitise the same music differently.

    Attributes
    ----------
    name : str
    function : callable
        Samples at `RATE` → samples [frames] or [frames, channels].
    rate : int
        Hz of the file.
    subtype : str
        The sample format of the WAV file, as libsndfile names it.
    """

    name: str
    function: Callable[[Samples], Samples] = lambda samples: samples
    rate: int = RATE
    subtype: str = "FLOAT"


def _scaled(factor: float) -> Callable[[Samples], Samples]:
    return lambda samples: samples * np.float32(factor)


def _moved(offset: float) -> Callable[[Samples], Samples]:
    return lambda samples: samples + np.float32(offset)


def _drifting(samples: Samples) -> Samples:
    """Add an offset that oscillates within ±0.05 with a period of two seconds."""
    phase = np.arange(samples.size) * (np.pi / RATE)
    return samples + 0.05 * np.sin(phase).astype(np.float32)


def _surrounded(seconds: float) -> Callable[[Samples], Samples]:
    return lambda samples: np.pad(samples, round(seconds * RATE))


def _copied(channels: int) -> Callable[[Samples], Samples]:
    return lambda samples: np.repeat(samples[:, None], channels, axis=1)


UNCHANGED = Change("unchanged")
SAME_MUSIC = (
    Change("gain +40 dB", _scaled(_GAIN)),
    Change("gain −40 dB", _scaled(1 / _GAIN)),
    Change("offset 0.001", _moved(0.001)),
    Change("offset 0.05", _moved(0.05)),
    Change("offset −0.05", _moved(-0.05)),
    Change("drifting offset", _drifting),
    Change("polarity", _scaled(-1)),
    Change("5 s of silence", _surrounded(5)),
    Change("60 s of silence", _surrounded(60)),
    *(Change(f"{rate / 1000:g} kHz", rate=rate) for rate in (16_000, 22_050, 44_100, 96_000)),
    Change("192 kHz", rate=192_000),
    Change("16 bit", subtype="PCM_16"),
    Change("24 bit", subtype="PCM_24"),
    Change("2 channels", _copied(2)),
    Change("6 channels", _copied(6)),
)


def measure(samples: Samples, change: Change) -> dict[str, float]:
    """Write a recording after a change, read it, and measure its targets.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
        At `RATE`, within ±0.9, so that an offset does not clip.
    """
    import soundfile
    import soxr

    changed = change.function(samples)
    if change.rate != RATE:
        changed = soxr.resample(changed, RATE, change.rate, quality="VHQ")
    with tempfile.TemporaryDirectory(dir=scratch_dir()) as folder:
        path = Path(folder) / "changed.wav"
        soundfile.write(path, changed, change.rate, subtype=change.subtype)
        return compute_targets(decode(path, TARGET_SAMPLE_RATE)).track


def movement(target: AudioTarget, before: float, after: float) -> float:
    """Return how far a target has moved, as a multiple of its tolerance.

    It is 0 if both values are undefined, and infinite if only one is.
    """
    if np.isnan(before) and np.isnan(after):
        return 0.0
    if np.isnan(before) or np.isnan(after):
        return float("inf")
    return abs(after - before) / target.tolerance.allowed(before)


def measure_movements(path: Path) -> Mapping[str, dict[str, float]]:
    """Return the movement of every target of a recording after each of `SAME_MUSIC`.

    At most the first two minutes are read.
    """
    samples = decode(path, RATE).samples[: round(_LONGEST * RATE)]
    samples = np.asarray(samples * np.float32(0.9 / np.abs(samples).max()))
    before = measure(samples, UNCHANGED)
    movements = {}
    for change in SAME_MUSIC:
        after = measure(samples, change)
        movements[change.name] = {
            name: movement(target, before[name], after[name]) for name, target in TARGETS.items()
        }
    return movements


def movement_text(movements: Sequence[float | None], *, excused: bool) -> str:
    """Return the largest movement of a target over some tracks as a short text.

    Parameters
    ----------
    movements : sequence of float or None
        Multiples of the tolerance; None where the target is defined only before or only after.
    excused : bool
        Whether the tolerance names a reason for this change: the text is in brackets.

    Examples
    --------
    >>> movement_text([0.2, 1.3], excused=False), movement_text([0.2, None], excused=True)
    ('1.30!', '(lost)')
    """
    known = [movement for movement in movements if movement is not None]
    if len(known) < len(movements):
        return "(lost)" if excused else "lost!"
    largest = max(known, default=0.0)
    shown = f"{largest:.2f}" if largest < 100 else f"{largest:.0f}"
    return f"({shown})" if excused else shown + ("!" if largest > 1 else "")
