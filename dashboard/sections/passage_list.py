"""Five seconds picked from a recording, and the passages that are most similar to them.

The recording is a track (page Passages) or a file that was handed over (page Your audio).
"""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard.components.picker import pick_window
from dashboard.components.player import Sound, passage_sound
from dashboard.components.results import Action, Row, draw_rows
from dashboard.readers import TrackInfo
from dashboard.sections.basket import kept_tracks, toggle
from dashboard.sections.missing import results_of
from mess.as_text import as_words, clock
from mess.search.aspects import OVERALL
from mess.search.passages.recommender import Passage, PassageRecommender, Spot


def pick_segment(
    recording: Sound,
    spans: Sequence[tuple[float, float]],
    *,
    chosen: int,
    key: str,
    on_pick: Callable[[int], None],
) -> None:
    """Draw a recording, and say which segment of it is chosen.

    Parameters
    ----------
    recording : Sound
        From 0 to its end.
    spans : sequence of (float, float)
        Start and end of each segment in seconds.
    chosen : int
        The number of the chosen segment.
    key : str
        Of this place on the page.
    on_pick : callable
        Gets the number of another segment before the page is drawn again.
    """
    pick_window(recording, count=len(spans), chosen=chosen, key=key, on_pick=on_pick)
    start, end = spans[chosen]
    st.caption(f"Chosen: {clock(start)} to {clock(end)}. Click in the picture for others.")


def known_weights(passages: PassageRecommender, weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of aspects that passages can be ranked by; name the others."""
    rankable = {OVERALL, *passages.get_available_aspects()}
    if missing := [as_words(name) for name in weights if name not in rankable]:
        st.caption(f"Not validated for five seconds, so left out: {', '.join(missing)}.")
    return {name: weight for name, weight in weights.items() if name in rankable}


def search_passages(
    passages: PassageRecommender,
    query: Spot,
    weights: Mapping[str, float],
    *,
    count: int,
    exclude_same_work: bool = False,
    max_per_track: int | None = None,
) -> list[Passage]:
    """Return the most similar passages, or say why there are none.

    Parameters are those of `PassageRecommender.recommend`.
    """
    if not weights:
        st.info("Move a slider away from 0.")
        return []
    return results_of(
        lambda: passages.recommend(
            query,
            weights,
            count,
            exclude_same_work=exclude_same_work,
            max_per_track=max_per_track,
        )
    )


def draw_passages(
    passages: PassageRecommender,
    tracks: Mapping[str, TrackInfo],
    results: Sequence[Passage],
    *,
    key: str,
    on_choose: Callable[[str, float], None] | None = None,
) -> None:
    """Draw passages as a list, each with its sound.

    Parameters
    ----------
    passages : PassageRecommender
    tracks : mapping of str to TrackInfo
        By id.
    results : sequence of Passage
        Best first.
    key : str
        Of this place on the page.
    on_choose : callable, optional
        Gets the track and the moment of a passage that becomes the query. Without it, no passage
        can become the query.
    """
    kept = kept_tracks(passages.dataset)
    rows = [
        Row(
            id=f"{passage.best:g} {passage.track_id}",
            label=f"{tracks[passage.track_id].label} · {clock(passage.start)}–{clock(passage.end)}",
            about=passage.track_id,
            found=passage,
            sound=passage_sound(
                tracks[passage.track_id],
                start=passage.start,
                end=passage.end,
                dataset=passages.dataset,
                encoder=passages.encoder,
            ),
            kept=passage.track_id in kept,
        )
        for passage in results
    ]

    def choose(action: Action, row: str) -> None:
        moment, _, track = row.partition(" ")
        if action == "keep":
            toggle(passages.dataset, track)
        elif on_choose is not None:
            on_choose(track, float(moment))

    if rows:
        draw_rows(
            rows, key=key, on_action=choose, actions=("more", "keep") if on_choose else ("keep",)
        )
