"""Signals whose proxy targets are known beforehand; imported by the tests beside this file."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.targets import TARGET_SAMPLE_RATE as RATE
from mess.targets import Analysis, analyse, compute_targets

Wave = NDArray[np.float64]


def clock(seconds: float) -> Wave:
    return np.arange(round(seconds * RATE)) / RATE


def as_signal(wave: Wave) -> Signal:
    samples = wave.astype(np.float32)
    return Signal(samples, RATE, mean=float(samples.mean()), std=float(samples.std()))


def track(wave: Wave) -> dict[str, float]:
    return compute_targets(as_signal(wave)).track


def analysis_of(wave: Wave) -> Analysis:
    return analyse(as_signal(wave))


def sine(frequency: float, seconds: float) -> Wave:
    return 0.5 * np.sin(2 * np.pi * frequency * clock(seconds))


def noise(seconds: float, *, seed: int = 0) -> Wave:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def chord(semitones: Sequence[float], seconds: float, *, attack: float = 0.01) -> Wave:
    """Pure tones above A4 that swell and fade within ``attack`` seconds."""
    time = clock(seconds)
    tones = [np.sin(2 * np.pi * 440 * 2 ** (s / 12) * time) for s in semitones]
    ends = np.minimum(time, seconds - time) / attack
    return 0.1 * np.sum(tones, axis=0) * np.clip(ends, 0, 1)


def notes(
    onsets: Sequence[float],
    seconds: float,
    *,
    levels: Sequence[float] | None = None,
    attack: float = 0.002,
    decay: float = 0.08,
    frequency: float = 880.0,
) -> Wave:
    """Plucked notes: a rise over ``attack`` seconds, an exponential decay; levels in dB."""
    time = clock(seconds)
    wave = np.zeros_like(time)
    for onset, level in zip(onsets, levels or [0.0] * len(onsets), strict=True):
        since = time - onset
        rise = np.clip(since / attack, 0, 1)
        fall = np.exp(-np.clip(since - attack, 0, None) / decay)
        wave += 10 ** (level / 20) * rise * fall * np.sin(2 * np.pi * frequency * since)
    return 0.3 * wave


def clicks(bpm: float, seconds: float) -> Wave:
    return notes(list(np.arange(0.25, seconds - 0.1, 60 / bpm)), seconds, decay=0.02)


def sections(lengths: Sequence[float]) -> Wave:
    """Alternate two textures: low soft triads and high loud seventh chords, two a second."""
    parts = []
    for index, length in enumerate(lengths):
        played = chord([0, 4, 7], 0.5) if index % 2 == 0 else 0.5 * chord([14, 17, 21, 24], 0.5)
        parts.append(np.tile(played, round(2 * length)))
    return np.concatenate(parts)
