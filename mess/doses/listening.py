"""A change to be heard: the excerpt before and after an edit, equally loud."""

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import decode
from mess.audio.loudness import common_level, measure_loudness
from mess.datasets import Track
from mess.doses.plan import ALL_EDITS, Excerpt, Version, program_for, read_excerpt_notes
from mess.doses.rendered import NoteEdit
from mess.errors import AudioError, MessError, UnknownName

Samples = NDArray[np.float32]


def before_and_after(
    track: Track, *, edit: str, dose: float, start: float, seconds: float, rate: int
) -> tuple[Samples, Samples]:
    """Return an excerpt before and after an edit, at one loudness and without clipping.

    Parameters
    ----------
    track : Track
    edit : str
    dose : float
    start, seconds : float
        Of the excerpt.
    rate : int
        Hz, of the result; that at which the recording was changed.

    Raises
    ------
    MessError
        If there is no such edit, the recording cannot be read or rendered, or nothing sounds.
    """
    if edit not in ALL_EDITS:
        raise UnknownName("edit", edit, ALL_EDITS)
    change = ALL_EDITS[edit]
    first = round(start * rate)
    samples = np.asarray(decode(track.path, rate).samples[first : first + round(seconds * rate)])
    rendered = isinstance(change, NoteEdit)
    notes = read_excerpt_notes(track, start=start, seconds=seconds) if rendered else None
    if rendered and notes is None:
        raise MessError(f"{track.id}: has no MIDI to render")
    part = Excerpt(samples, rate, notes, program_for(track))
    before, _ = part.make(Version(rendered=rendered))
    after, _ = part.make(Version(change, dose, rendered))
    heard = [measure_loudness(_within(one), rate) for one in (before, after)]
    if not np.isfinite([one.lufs for one in heard]).all():
        raise AudioError(track.path, "has no sound in this excerpt", "choose another recording")
    level = common_level(heard)
    first_gain, second_gain = (10 ** (one.gain(level) / 20) for one in heard)
    return (
        np.asarray(_within(before) * np.float32(first_gain)),
        np.asarray(_within(after) * np.float32(second_gain)),
    )


def _within(samples: Samples) -> Samples:
    """Return samples in ±1: a change may exceed it, and loudness is matched afterwards."""
    return samples / np.float32(max(1.0, float(np.abs(samples).max(initial=0.0))))
