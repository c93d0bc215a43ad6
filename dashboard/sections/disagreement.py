"""Where model and measurement agree least: moments or whole recordings, each to be heard."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.components.hits import Hit, draw_hits
from dashboard.components.player import passage_sound
from dashboard.components.text import plain
from dashboard.readers import TrackInfo
from dashboard.sections.curve_search import (
    KEY,
    LISTS,
    MOMENTS,
    CurveSearch,
    choose_span,
    lane_choice,
)
from mess.as_text import as_words, clock, two_decimals
from mess.audio.moments import MOMENT_SECONDS
from mess.curves.registry import CURVES
from mess.lanes.datasets import DatasetCurves
from mess.lanes.disagreement import largest_differences, lowest_correlations
from mess.serving.clips import MAX_SECONDS

_HEARD = 10.0  # seconds around a moment


def draw_disagreement(
    search: CurveSearch,
    tracks: Mapping[str, TrackInfo],
    *,
    curves: DatasetCurves,
    predicted: NDArray[np.float32],
    dataset: str,
    encoder: str,
) -> None:
    """Draw the list.

    Parameters
    ----------
    search : CurveSearch
    tracks : mapping of str to TrackInfo
    curves : DatasetCurves
    predicted : ndarray [shape=(n, curves)]
        Beside them.
    dataset, encoder : str
    """
    column = list(CURVES).index(search.curve)
    own, guess = curves.values[:, column], predicted[:, column]
    unit = CURVES[search.curve].unit
    choice = lane_choice(search, dataset=dataset, encoder=encoder)
    hits = []
    if search.by == MOMENTS:
        for one in largest_differences(own, guess, curves.first, count=search.count):
            track, start = curves.place(one.row)
            if track not in tracks:
                continue
            middle = start + MOMENT_SECONDS / 2
            latest = max(tracks[track].duration - _HEARD, 0.0)
            first = round(min(max(middle - _HEARD / 2, 0.0), latest), 2)
            sound = passage_sound(
                tracks[track],
                start=first,
                end=min(first + _HEARD, tracks[track].duration),
                dataset=dataset,
                encoder=encoder,
                lane=choice,
            )
            values = (
                f"{value:.3g} {unit}".strip().replace("-", "−")
                for value in (one.measured, one.predicted)
            )
            said = "At {}: measured {}, predicted {}.".format(clock(middle), *values)
            score = f"{one.deviations:+.1f} deviations".replace("-", "−")
            label = f"{tracks[track].label} · {clock(middle)}"
            hits.append(
                Hit(id=f"{first:g} {track}", label=label, score=score, about=said, sound=sound)
            )
    else:
        for number, r in lowest_correlations(own, guess, curves.first, count=search.count):
            track = curves.tracks[number]
            if track not in tracks:
                continue
            sound = passage_sound(
                tracks[track],
                start=0.0,
                end=min(tracks[track].duration, MAX_SECONDS),
                dataset=dataset,
                encoder=encoder,
                lane=choice,
            )
            score = f"r {two_decimals(r)}".replace("-", "−")
            said = f"{clock(tracks[track].duration)} long"
            label = tracks[track].label
            hits.append(Hit(id=f"0 {track}", label=label, score=score, about=said, sound=sound))
    if not hits:
        st.info(
            plain(
                f"There is no recording whose {as_words(search.curve)} is measured and predicted."
            )
        )
        return
    title = LISTS[search.by]
    st.header(f"{title[0].upper()}{title[1:]}", anchor=False)
    draw_hits(hits, key=f"{KEY}-disagree", action="Find its course elsewhere", on_action=_choose)


def _choose(hit: str) -> None:
    at, _, track = hit.partition(" ")
    choose_span(track, float(at))
