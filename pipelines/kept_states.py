"""Hidden states that stay in memory from one step to the next, so that none is computed twice."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mess.curves.frames import FEWEST_PER_SECOND

MEMORY = 3e9  # bytes, of one encoder
BYTES = 2  # of a value in float16
States = NDArray[np.float16]
Encoded = tuple[States, int]  # [layers, segments, frames, dim], and the samples of the recording


@dataclass
class KeptStates:
    """The states of recordings by an encoder; where they do not fit, none are kept.

    Attributes
    ----------
    by_track : dict of str to Encoded
    """

    by_track: dict[str, Encoded] = field(default_factory=dict)
    _bytes: int = 0
    _full: bool = False

    @property
    def full(self) -> bool:
        """Whether no more states are kept: then no frame has to leave the encoder."""
        return self._full

    def put(self, track_id: str, segments: list[States], *, samples: int, seconds: float) -> None:
        """Keep the states of a recording, a segment of which takes so many seconds.

        States that are too rare for a beat, or not finite in float16, are not kept.
        """
        if self._full or segments[0].shape[1] < FEWEST_PER_SECOND * seconds:
            return
        states = np.stack(segments, axis=1)
        if not np.isfinite(states).all():
            return
        self._bytes += states.nbytes
        self.by_track[track_id] = states, samples
        if self._bytes > MEMORY:
            self._full = True
            self.by_track.clear()
