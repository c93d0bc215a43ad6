"""Segments: where the windows of five seconds of a recording begin and end.

Conventions: segments follow each other without a gap. The last one is shifted back, so that it ends
with the recording; none is padded.
"""

SEGMENT_SECONDS = 5.0


def segment_bounds(n_samples: int, segment_samples: int) -> list[tuple[int, int]]:
    """Return the first sample of every segment of a track, and the sample after its last one.

    Segments follow each other without a gap. The last one is shifted back to end with the
    track rather than padded with zeros; a track shorter than one segment is one segment.

    >>> segment_bounds(12, 5)
    [(0, 5), (5, 10), (7, 12)]
    >>> segment_bounds(3, 5)
    [(0, 3)]
    """
    if n_samples <= segment_samples:
        return [(0, n_samples)]
    starts = list(range(0, n_samples - segment_samples + 1, segment_samples))
    if starts[-1] + segment_samples < n_samples:
        starts.append(n_samples - segment_samples)
    return [(start, start + segment_samples) for start in starts]


def segment_span(
    number: int, duration: float, *, seconds: float = SEGMENT_SECONDS
) -> tuple[float, float]:
    """Return when a segment of a track begins and ends, in seconds, as `segment_bounds` cuts it.

    Examples
    --------
    >>> [segment_span(number, 12.0) for number in range(3)]
    [(0.0, 5.0), (5.0, 10.0), (7.0, 12.0)]
    >>> segment_span(0, 3.0)
    (0.0, 3.0)
    """
    begin = min(number * seconds, max(duration - seconds, 0.0))
    return begin, min(begin + seconds, duration)


def segment_at(
    time: float, duration: float, *, count: int, seconds: float = SEGMENT_SECONDS
) -> int:
    """Return the number of the segment that a time lies in.

    The last segment is shifted back, so it may overlap the one before. There it is the answer.

    Parameters
    ----------
    time, duration : float
        Seconds.
    count : int
        Number of segments of the track.
    seconds : float
        Length of a segment.

    Examples
    --------
    >>> [segment_at(time, 12.0, count=3) for time in (0.0, 6.0, 8.0, 12.0)]
    [0, 1, 2, 2]
    """
    is_last = time >= duration - seconds - 1e-3  # durations are rounded to milliseconds
    return count - 1 if is_last else int(time // seconds)
