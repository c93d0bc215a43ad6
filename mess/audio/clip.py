"""Clips: a short part of a recording, in a format that every browser plays."""

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from mess.audio.addresses import as_path
from mess.audio.channels import audible, downmix
from mess.audio.decoding import native_blocks
from mess.errors import AudioError

RATE = 44_100


def read_clip(path: str | Path, *, start: float = 0.0, seconds: float = 30.0) -> bytes:
    """Return a part of a recording as a mono FLAC of 16 bits at 44.1 kHz.

    FLAC plays in every current browser and is written fifteen times faster than MP3.

    Parameters
    ----------
    path : str or Path
    start : float
        Seconds from the beginning.
    seconds : float
        Length of the clip; it is shorter if the recording ends before.

    Raises
    ------
    AudioError
        If the file is unreadable or has no sound at ``start``.
    """
    return as_flac(read_samples(path, start=start, seconds=seconds))


def read_samples(
    path: str | Path, *, start: float, seconds: float, fade: float = 0.0
) -> NDArray[np.float32]:
    """Return a part of a recording as one channel at `RATE` [samples].

    Parameters
    ----------
    path, start, seconds
        As of `read_clip`.
    fade : float
        Seconds at both ends in which the sound comes and goes, so that the cut is not heard.

    Raises
    ------
    AudioError
        As `read_clip`.
    """
    path = as_path(path)
    blocks: list[NDArray[np.float32]] = []
    rate, got = RATE, 0
    for block, rate in native_blocks(path, start=start):
        blocks.append(block)
        got += len(block)
        if got >= seconds * rate:
            break
    if not blocks:
        raise AudioError(path, f"has no sound at {start:g} s", "choose an earlier time")
    if len({block.shape[1] for block in blocks}) == 1:
        samples = audible(np.concatenate(blocks))[: round(seconds * rate)]
    else:  # joined files with different numbers of channels
        samples = np.concatenate([downmix(block) for block in blocks])[: round(seconds * rate)]
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    length = min(round(fade * RATE), len(samples) // 2)
    if length:
        ramp = np.sin(0.5 * np.pi * (np.arange(length) + 0.5) / length).astype(np.float32) ** 2
        samples = samples.copy()
        samples[:length] *= ramp
        samples[-length:] *= ramp[::-1]
    return samples


def as_flac(samples: NDArray[np.float32]) -> bytes:
    """Return samples at `RATE` as a FLAC of 16 bits; what lies beyond ±1 is cut off."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
