"""What was picked on the map: listed, played in a row, kept, exported, searched with."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import streamlit as st

from dashboard import exports, readers
from dashboard.address.browser import link
from dashboard.address.controls import Controls
from dashboard.address.picked import Row, keep_picked
from dashboard.address.recording import choose_recording, current_recording
from dashboard.components.hits import Hit, draw_hits
from dashboard.components.player import passage_sound, track_sound
from dashboard.components.results import Action, draw_results
from dashboard.components.text import plain
from dashboard.readers import TrackInfo
from dashboard.sections.basket import keep_all, kept_tracks, toggle
from dashboard.sections.list_exports import draw_exports
from dashboard.sections.missing import results_of
from dashboard.sections.passage_list import draw_passages
from mess.audio.decoding import SEGMENT_SECONDS
from mess.errors import ArtifactError, MessError
from mess.records.basket import MOST_ITEMS
from mess.records.discovery import Level
from mess.search.aspects import OVERALL

T = TypeVar("T")
KEY = "map-picked"
AT_ONCE = 20  # rows that are drawn together
_EXAMPLES = 50  # of what is picked that a search takes
_FEWEST_EXAMPLES, _COMPARED = 10, 500_000  # pairs of recordings that it compares within seconds
_LINKED = 20  # examples that the address of Recommend takes
_RESULTS = 10


def draw_picked(
    controls: Controls,
    rows: Sequence[Row],
    tracks: Mapping[str, TrackInfo],
    *,
    level: Level,
    values: Sequence[str],
) -> None:
    """Draw what was picked, and what can be done with it.

    Parameters
    ----------
    controls : Controls
        Of the page.
    rows : sequence of (str, int)
        Track and segment of each.
    tracks : mapping of str to TrackInfo
    level : {"track", "segment"}
    values : sequence of str
        What the colour of each says.
    """
    dataset, encoder = controls.dataset, controls.encoder
    ids = list(dict.fromkeys(track for track, _ in rows))

    def starts() -> list[tuple[str, float]]:
        return [(track, readers.segment_start(tracks[track], one)) for track, one in rows]

    address = _address(controls)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"bar-{KEY}"):
        st.header(f"{len(rows)} {level}{'s' * (len(rows) != 1)} chosen", width="stretch")
        st.button("Clear", key=f"{KEY}-clear", on_click=keep_picked, args=(controls, []))
        kept = kept_tracks(dataset)
        full = len(kept.union(ids)) > MOST_ITEMS
        st.button(
            "Put into the basket",
            key=f"{KEY}-keep",
            on_click=keep_all,
            args=(dataset, ids),
            disabled=full or kept.issuperset(ids),
            help=f"A basket holds at most {MOST_ITEMS:,} recordings." if full else None,
        )
        draw_exports(
            name=f"map-{dataset}",
            csv=lambda: exports.rows_as_csv(starts(), tracks, values),
            json=lambda: exports.rows_as_json(starts(), tracks, values, search=address),
            m3u8=lambda: exports.as_m3u8(tracks[track] for track in ids),
            parameters=address,
            key=KEY,
        )
    # A pick may be long: what is asked of all of it stands above it.
    controls.switch("more", key=f"{KEY}-more")
    if st.toggle("More like these", key=f"{KEY}-more"):
        _draw_more(rows, ids, tracks, level=level, dataset=dataset, encoder=encoder)
        st.subheader("What is chosen")
    pages = -(-len(rows) // AT_ONCE)
    first = 0
    if pages > 1:
        controls.choose("part", range(1, pages + 1), key=f"{KEY}-part", usual=1)
        part = st.number_input(f"Part, 1 to {pages}", 1, pages, key=f"{KEY}-part")
        first = (int(part) - 1) * AT_ONCE
    shown = rows[first : first + AT_ONCE]
    draw_hits(
        [
            _hit(track, segment, tracks, value=value, dataset=dataset, encoder=encoder)
            for (track, segment), value in zip(shown, values[first:], strict=False)
        ],
        key=f"{KEY}-list",
        action="Make it the query",
        on_action=lambda hit: choose_recording(dataset, hit.partition(" ")[2]),
        row=True,
    )


def draw_current(tracks: Mapping[str, TrackInfo], *, dataset: str, encoder: str) -> None:
    """Say which recording has the ring, with links to where it is the query."""
    current = tracks.get(current_recording(dataset))
    if current is None:
        return
    asked = link({"dataset": [dataset], "encoder": [encoder], "track": [current.id]})
    pages = {"Recommend": "recommend", "Passages": "passages", "In time": "in_time"}
    links = " · ".join(f"[{name}]({path}{asked})" for name, path in pages.items())
    st.caption(f"In the ring: **{plain(current.label)}**, the query of {links}.")


def _address(controls: Controls) -> dict[str, list[str]]:
    own = {name: controls.value(name) for name in controls.names if controls.value(name)}
    return {"dataset": [controls.dataset], "encoder": [controls.encoder], **own}


def _hit(
    track: str,
    segment: int,
    tracks: Mapping[str, TrackInfo],
    *,
    value: str,
    dataset: str,
    encoder: str,
) -> Hit:
    info = tracks[track]
    sound = track_sound(info, dataset=dataset, encoder=encoder)
    if segment >= 0:
        start = readers.segment_start(info, segment)
        end = min(start + SEGMENT_SECONDS, info.duration)
        sound = passage_sound(info, start=start, end=end, dataset=dataset, encoder=encoder)
    label = readers.row_name(dict(tracks), track, segment)
    return Hit(id=f"{segment} {track}", label=label, score=value, about=track, sound=sound)


def _draw_more(
    rows: Sequence[Row],
    ids: Sequence[str],
    tracks: Mapping[str, TrackInfo],
    *,
    level: Level,
    dataset: str,
    encoder: str,
) -> None:
    """Draw what is most like all that is picked: passages for segments, else recordings."""
    if level == "segment":
        _draw_passages(rows, tracks, dataset=dataset, encoder=encoder)
        return
    try:
        recommender = readers.recommender(dataset, encoder)
    except ArtifactError as error:
        st.warning(plain(readers.told(error)))
        return
    most = max(_FEWEST_EXAMPLES, min(_EXAMPLES, _COMPARED // len(tracks)))
    examples = _spread(ids, most=most)
    weights = recommender.usual_weights(examples).weights or {OVERALL: 1.0}
    found = results_of(
        lambda: recommender.multi_aspect_recommendation(
            [*examples], weights, _RESULTS, exclude_duplicates=True
        )
    )
    asked = {"dataset": [dataset], "encoder": [encoder], "track": examples[:1]}
    address = link({**asked, "like": examples[1 : 1 + _LINKED]})
    st.caption(
        f"By the mean score of {len(examples)} of {len(ids)} recordings as examples, all validated "
        f"aspects alike. [Weigh the aspects on Recommend](recommend{address})"
        + ("." if len(examples) <= _LINKED + 1 else f", by the first {_LINKED + 1} of them.")
    )

    def act(_: Action, track: str) -> None:
        toggle(dataset, track)

    draw_results(
        [
            (
                one,
                tracks[one.track_id],
                track_sound(tracks[one.track_id], dataset=dataset, encoder=encoder),
            )
            for one in found
            if one.track_id in tracks
        ],
        key=f"{KEY}-more-results",
        on_action=act,
        actions=("keep",),
        kept=kept_tracks(dataset),
    )


def _draw_passages(
    rows: Sequence[Row], tracks: Mapping[str, TrackInfo], *, dataset: str, encoder: str
) -> None:
    try:
        passages = readers.passages(dataset, encoder)
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    examples = _spread(rows, most=_EXAMPLES)
    aspects = passages.get_available_aspects()
    weights = dict.fromkeys(aspects, 1.0) or {OVERALL: 1.0}
    spots = [(track, readers.segment_start(tracks[track], number)) for track, number in examples]
    found = results_of(lambda: passages.recommend(spots, weights, _RESULTS, max_per_track=1))
    st.caption(f"By the mean score of {len(examples)} of {len(rows)} segments as examples.")
    draw_passages(passages, tracks, found, key=f"{KEY}-more-passages")


def _spread(rows: Sequence[T], *, most: int) -> list[T]:
    """Return at most ``most`` rows, evenly spread over all."""
    step = max(len(rows) / most, 1.0)
    return [rows[int(number * step)] for number in range(min(len(rows), most))]
