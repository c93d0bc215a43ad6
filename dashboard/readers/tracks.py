"""The tracks of a dataset as lists show them; the API reads the same copies."""

from dashboard.readers.data import store
from mess.as_text import clock
from mess.audio.decoding import segment_span
from mess.search.names import Names
from mess.serving import shelf
from mess.serving.tracks import TrackInfo


def tracks(dataset: str, encoder: str) -> dict[str, TrackInfo]:
    """Return every track that has features, by id."""
    return shelf.tracks(store(), dataset, encoder)


def names(dataset: str, encoder: str) -> Names:
    """Return the names of every track that has features, made ready to be searched."""
    return shelf.names(store(), dataset, encoder)


def row_name(tracks: dict[str, TrackInfo], track: str, segment: int = -1) -> str:
    """Return a track's name, with the time at which a segment begins."""
    name = tracks[track].label if track in tracks else track
    if segment < 0:
        return name
    return f"{name}, {clock(segment_start(tracks.get(track), segment))}"


def segment_start(track: TrackInfo | None, segment: int) -> float:
    """Return where a segment of a track begins in seconds; 0 for a whole track.

    See `mess.audio.decoding.segment_span`.
    """
    if track is None or segment < 0:
        return 0.0
    return segment_span(segment, track.duration)[0]
