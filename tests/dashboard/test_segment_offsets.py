"""Where a player begins when a segment is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.readers import TrackInfo, segment_start
from mess.audio.decoding import SEGMENT_SECONDS, segment_bounds


@given(st.integers(1000, 200_000))
def test_a_segment_is_heard_from_where_it_was_cut(milliseconds: int) -> None:
    track = TrackInfo("a", "A", "w", "a.wav", milliseconds / 1000)
    bounds = segment_bounds(milliseconds, round(SEGMENT_SECONDS * 1000))
    for segment, (begin, _) in enumerate(bounds):
        assert abs(segment_start(track, segment) - begin / 1000) < 1e-6
    assert segment_start(track, -1) == 0.0
    assert segment_start(None, 3) == 0.0
