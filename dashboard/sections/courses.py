"""A span of a curve, and the passages of other recordings whose course is alike."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.components.finder import find_track
from dashboard.components.hits import Hit, draw_hits
from dashboard.components.picker import pick_window
from dashboard.components.player import passage_sound, player
from dashboard.readers import TrackInfo
from dashboard.sections.curve_search import (
    KEY,
    MEASURED,
    CurveSearch,
    choose_span,
    lane_choice,
    memory,
)
from dashboard.sections.missing import results_of
from mess.as_text import clock
from mess.audio.moments import MOMENT_RATE, MOMENT_SECONDS
from mess.curves.registry import CURVES
from mess.lanes.datasets import DatasetCurves
from mess.search.courses import CourseMatch, find_courses

_STEP = 1.0  # seconds between the spans that can be picked


def draw_query(
    search: CurveSearch, tracks: Mapping[str, TrackInfo], *, dataset: str, encoder: str
) -> CurveSearch:
    """Draw the query's recording and let a person choose a span; return the search with it."""
    find_track(
        dataset,
        encoder,
        label="Recording",
        key=f"{KEY}-query",
        shown=tracks[search.track].label,
        on_choose=lambda chosen: choose_span(chosen, 0.0),
    )
    track = tracks[search.track]
    length = min(search.seconds, track.duration)
    latest = max(track.duration - length, 0.0)
    count = int(np.ceil(latest / _STEP)) + 1
    chosen = min(round(search.at / _STEP), count - 1)
    start = min(chosen * _STEP, latest)
    pick_window(
        passage_sound(track, start=0.0, end=track.duration, dataset=dataset, encoder=encoder),
        count=count,
        chosen=chosen,
        key=f"{KEY}-picker",
        on_pick=lambda number: memory.change(replace(memory.now(), at=number * _STEP)),
        window=length,
        step=_STEP,
    )
    end = clock(start + length)
    st.caption(f"Chosen: {clock(start)} to {end}. Click in the picture for others.")
    player(
        passage_sound(
            track,
            start=start,
            end=start + length,
            dataset=dataset,
            encoder=encoder,
            lane=replace(lane_choice(search, dataset=dataset, encoder=encoder), folds=True),
        ),
        key=f"{KEY}-query-player",
    )
    return replace(search, at=start)


def draw_courses(
    search: CurveSearch,
    tracks: Mapping[str, TrackInfo],
    *,
    curves: DatasetCurves,
    predicted: NDArray[np.float32] | None,
    dataset: str,
    encoder: str,
) -> None:
    """Draw the passages whose course is most like that of the query's span.

    Parameters
    ----------
    search : CurveSearch
    tracks : mapping of str to TrackInfo
    curves : DatasetCurves
    predicted : ndarray [shape=(n, curves)] or None
        Beside them.
    dataset, encoder : str
    """
    column = list(CURVES).index(search.curve)
    values = curves.values if search.of == MEASURED or predicted is None else predicted
    work = tracks[search.track].work
    works = [tracks[track].work if track in tracks else "" for track in curves.tracks]
    allowed = np.array([bool(one) and (search.same_work or one != work) for one in works])
    first, end = span_rows(curves, search.track, search.at, search.seconds)
    found = results_of(
        lambda: find_courses(
            values[first:end, column],
            values[:, column],
            curves.owner,
            count=search.count,
            allowed=allowed,
            left_out=(first, end),
            groups=np.unique(np.asarray(works, dtype=object), return_inverse=True)[1],
        )
    )
    unit, choice = CURVES[search.curve].unit, lane_choice(search, dataset=dataset, encoder=encoder)
    hits = []
    for one in found:
        track, start = curves.place(one.first)
        stop = min(start + (end - first) * MOMENT_SECONDS, tracks[track].duration)
        sound = passage_sound(
            tracks[track],
            start=start,
            end=stop,
            dataset=dataset,
            encoder=encoder,
            lane=choice,
        )
        hits.append(
            Hit(
                id=f"{start:g} {track}",
                label=f"{tracks[track].label} · {clock(start)}–{clock(stop)}",
                score=f"r {one.r:.2f}",
                about=tell_match(one, unit=unit),
                sound=sound,
            )
        )
    if hits:
        st.header("Passages that go this way", anchor=False)
        draw_hits(hits, key=f"{KEY}-courses", action="Go on from here", on_action=_choose)


def span_rows(curves: DatasetCurves, track: str, at: float, seconds: float) -> tuple[int, int]:
    """Return the first row and the end of a span of a track."""
    rows = curves.rows_of(track)
    starts = curves.start[rows]
    first = rows.start + int(np.searchsorted(starts, at - MOMENT_SECONDS / 2))
    return first, min(first + round(seconds * MOMENT_RATE), rows.stop)


def tell_match(one: CourseMatch, *, unit: str) -> str:
    """Say how a passage lies beside the query.

    >>> tell_match(CourseMatch(first=0, r=0.9, scale=1.5, shift=-3.0), unit="dB")
    '1.50 times as wide, 3 dB lower'
    """
    shift = f"{abs(one.shift):.2g} {unit}".strip()
    return f"{one.scale:.2f} times as wide, {shift} {'higher' if one.shift >= 0 else 'lower'}"


def _choose(hit: str) -> None:
    at, _, track = hit.partition(" ")
    choose_span(track, float(at))
