"""Moments follow each other through a recording, and their means are those of its states."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mess.audio.moments import moment_grid

RATE = 100


@given(st.integers(1, 5_000))
def test_moments_cover_a_recording_without_counting_any_of_it_twice(samples: int) -> None:
    grid = moment_grid(samples, RATE)
    ends = grid.start + grid.seconds
    steps = np.diff(grid.start)
    assert grid.start[0] == 0
    assert samples / RATE - grid.seconds / 2 <= ends[-1] + 1e-9
    assert ends[-1] <= samples / RATE + 1e-9
    assert (steps > grid.seconds / 2 - 1e-9).all()
    assert (steps < 1.5 * grid.seconds + 1e-9).all()
    assert (np.diff(grid.segment) >= 0).all()
    assert grid.seconds < 1.0
