"""The values of all targets on a recording and on each of its segments."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.audio.segments import SEGMENT_SECONDS, segment_bounds
from mess.plugins import leave_out, told
from mess.targets import midi_targets
from mess.targets.analysis import Analysis, analyse
from mess.targets.descriptors import BASELINES, describe_audio
from mess.targets.midi_file import Notes
from mess.targets.registry import MIDI_TARGETS, TARGETS
from mess.targets.target import AudioTarget

_failed: set[str] = set()  # plug-ins that were told to have failed on a recording


@dataclass(frozen=True)
class TargetValues:
    """The targets of a recording.

    Attributes
    ----------
    track : dict of str to float
        The values of the whole recording.
    segments : dict of str to ndarray [shape=(segments,)]
        The values of each segment (`mess.audio.decoding.segment_bounds`), for targets of level
        "segment".
    descriptors : dict of str to ndarray [shape=(1 + segments, d)]
        Plain descriptions of the recording and of each segment; see
        `mess.targets.descriptors`.

    Examples
    --------
    >>> TargetValues(track={"tempo": 120.0}, segments={}).track["tempo"]
    120.0
    """

    track: dict[str, float]
    segments: dict[str, NDArray[np.float64]]
    descriptors: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def compute_targets(signal: Signal, *, segment_seconds: float = SEGMENT_SECONDS) -> TargetValues:
    """Compute all targets of a recording and of its segments.

    Parameters
    ----------
    signal : Signal
        At `mess.targets.TARGET_SAMPLE_RATE`.
    segment_seconds : float
        Length of a segment.

    Returns
    -------
    TargetValues
        Undefined values are NaN.

    Raises
    ------
    ValueError
        If the signal has another rate, or holds nothing but silence.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> beats = np.sin(2 * np.pi * 440 * time) * np.exp(-8 * (time % 0.5))  # 120 in a minute
    >>> soundfile.write("beats.wav", 0.3 * beats, 24_000)
    >>> from mess import TARGET_SAMPLE_RATE, decode
    >>> values = compute_targets(decode("beats.wav", TARGET_SAMPLE_RATE))
    >>> round(values.track["onset_density"])
    2
    >>> values.segments["onset_density"].shape
    (2,)
    """
    return measure_targets(analyse(signal), signal, segment_seconds=segment_seconds)


def measure_targets(
    analysis: Analysis, signal: Signal, *, segment_seconds: float = SEGMENT_SECONDS
) -> TargetValues:
    """Compute all targets of a recording that is analysed already; see `compute_targets`."""
    length = round(segment_seconds * signal.sample_rate)
    bounds = segment_bounds(signal.samples.size, length)
    music = analysis.sounding()
    segments = [
        analysis.cut(start / signal.sample_rate, stop / signal.sample_rate).sounding()
        for start, stop in bounds
    ]
    described = [describe_audio(part) for part in [music, *segments]]
    return TargetValues(
        track=track_targets(analysis),
        segments={
            name: np.array([_value(target, segment) for segment in segments], dtype=np.float64)
            for name, target in TARGETS.items()
            if target.level == "segment"
        },
        descriptors={
            name: np.stack([vectors[name] for vectors in described]) for name in BASELINES
        },
    )


def track_targets(analysis: Analysis) -> dict[str, float]:
    """Compute the targets of a whole recording alone; undefined values are NaN."""
    music = analysis.sounding()
    return {name: _value(target, music) for name, target in TARGETS.items()}


def _value(target: AudioTarget, music: Analysis) -> float:
    """Return a target's value; a plug-in that fails costs its own value, and a line once."""
    if not target.package:
        return target.function(music)
    try:
        return float(target.function(music))
    except Exception as error:  # whatever foreign code does
        if target.name not in _failed:
            _failed.add(target.name)
            leave_out(target.package, f"target {target.name!r} of what it fails on", told(error))
        return math.nan


def compute_midi_targets(notes: Notes) -> dict[str, float]:
    """Compute the MIDI targets of a whole performance.

    Examples
    --------
    >>> from mess.targets import Notes
    >>> time = np.arange(8.0)  # eight notes of half a second, one a second
    >>> notes = Notes(time, time + 0.5, np.full(8, 60.0), np.full(8, 64.0), np.empty((0, 2)))
    >>> compute_midi_targets(notes)["register"]
    60.0
    """
    return {name: midi_targets.FUNCTIONS[name](notes) for name in MIDI_TARGETS}
