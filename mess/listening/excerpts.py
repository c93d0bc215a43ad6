"""Excerpts as listeners hear them: cut, faded at both ends, at one loudness."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.audio.clip import as_flac, read_samples
from mess.audio.loudness import Heard
from mess.records.listening import Excerpt

FADE_SECONDS = 0.02


def read_excerpt(path: str | Path, *, start: float, seconds: float) -> NDArray[np.float32]:
    """Return an excerpt as it is measured, with soft ends [samples]; arguments of `read_samples`.

    Raises
    ------
    AudioError
        If the recording cannot be read.
    """
    return read_samples(path, start=start, seconds=seconds, fade=FADE_SECONDS)


def render(path: str | Path, excerpt: Excerpt, *, level: float) -> bytes:
    """Return an excerpt as a FLAC at a level in LUFS.

    Raises
    ------
    AudioError
        If the recording cannot be read.
    """
    samples = read_excerpt(path, start=excerpt.start, seconds=excerpt.seconds)
    gain = Heard(excerpt.lufs, excerpt.dbtp).gain(level)
    return as_flac(samples * np.float32(10 ** (gain / 20)))
