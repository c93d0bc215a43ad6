"""What is similar to a file that was handed over: tracks, passages, and what is heard in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from dashboard import readers
from dashboard.address.browser import write_address
from dashboard.components.fold import foldable
from dashboard.components.player import Sound, player, track_sound
from dashboard.components.results import Action, draw_results
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.components.weights import presets, summarise, watch_weights
from dashboard.sections.belonging import offer_belonging
from dashboard.sections.handed_over import KEY, PASSAGES, TRACKS, as_parameters
from dashboard.sections.missing import offer
from dashboard.sections.passage_list import (
    draw_passages,
    known_weights,
    pick_segment,
    search_passages,
)
from mess.audio.decoding import probe_duration, segment_span
from mess.errors import ArtifactError, MessError
from mess.new_recordings.encoding import (
    EncodedRecording,
    predicted_values,
    project_recording,
    project_segments,
)
from mess.new_recordings.uploads import read_encoded
from mess.search.coordinate_index import Point
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.serving.clips import MAX_SECONDS as MAX_CLIP_SECONDS
from mess.storage.uploads import Upload, UploadFiles
from mess.targets import title_with_unit

_RESULTS = 10


def draw_encoded_file(
    recommender: LayerBasedRecommender,
    uploads: UploadFiles,
    upload: Upload,
    *,
    tokens: Sequence[str],
) -> None:
    """Draw a file that is encoded: its sound, the sliders, and what is similar to it.

    The address says all of it, with the ``tokens`` of all files, the file's own first.
    """
    try:
        recording = read_encoded(uploads, upload.token, recommender.encoder)
        point = project_recording(recording, recommender)
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    sound = upload_sound(upload, seconds=min(MAX_CLIP_SECONDS, recording.duration))
    # It is encoded, so its lane can be drawn.
    sound = replace(sound, dataset=recommender.dataset, encoder=recommender.encoder)
    player(sound, key=f"{KEY}-player")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        box, say = foldable("Sliders", key=KEY)
        with box:
            weights, settled = watch_weights(recommender, key=KEY)
        used = {name: weight for name, weight in weights.items() if weight}
        say(summarise(used, presets(recommender)))
        _show_values(recording, recommender)
        offer_belonging(upload, encoder=recommender.encoder)
    with right:
        tracks_tab, passages_tab = st.tabs([TRACKS, PASSAGES], key=f"{KEY}-tabs", on_change="rerun")
        if tracks_tab.open:
            with tracks_tab:
                _draw_tracks(recommender, point, used)
        if passages_tab.open:
            with passages_tab:
                _draw_passages(recommender, recording, upload, used)
    if settled:
        parameters = as_parameters(
            tokens,
            used,
            view=PASSAGES if passages_tab.open else TRACKS,
            segment=int(st.session_state.get(f"{KEY}-segment-{upload.token}", 0)),
        )
        write_address(recommender.dataset, recommender.encoder, parameters, page="/your_audio")


def upload_sound(upload: Upload, *, seconds: float | None = None) -> Sound:
    """Return a file as a sound: ``seconds`` of it, by default as much as a player takes."""
    if seconds is None:
        seconds = min(probe_duration(upload.path) or MAX_CLIP_SECONDS, MAX_CLIP_SECONDS)
    return Sound(upload=upload.token, label=upload.name, seconds=seconds)


def _draw_tracks(
    recommender: LayerBasedRecommender, point: Point, weights: Mapping[str, float]
) -> None:
    if not weights:
        st.info("Move a slider away from 0.")
        return
    dataset, encoder = recommender.dataset, recommender.encoder
    tracks = readers.tracks(dataset, encoder)
    try:
        results = recommender.multi_aspect_recommendation(point, weights, _RESULTS)
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    draw_results(
        [
            (
                result,
                tracks[result.track_id],
                track_sound(tracks[result.track_id], dataset=dataset, encoder=encoder),
            )
            for result in results
        ],
        key=f"{KEY}-results",
        on_action=_ignore,
        actions=(),
    )


def _draw_passages(
    recommender: LayerBasedRecommender,
    recording: EncodedRecording,
    upload: Upload,
    weights: Mapping[str, float],
) -> None:
    dataset, encoder = recommender.dataset, recommender.encoder
    try:
        passages = readers.passages(dataset, encoder)
        points = project_segments(recording, passages)
    except ArtifactError as error:
        command = ["index", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Build them now")
        return
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    key = f"{KEY}-segment-{upload.token}"
    chosen = min(int(st.session_state.get(key, 0)), len(points) - 1)

    def pick(number: int) -> None:
        st.session_state[key] = number

    pick_segment(
        upload_sound(upload, seconds=recording.duration),
        [segment_span(number, recording.duration) for number in range(len(points))],
        chosen=chosen,
        key=f"{KEY}-picker",
        on_pick=pick,
    )
    results = search_passages(
        passages,
        points[chosen],
        known_weights(passages, weights),
        count=_RESULTS,
        max_per_track=1,
    )
    draw_passages(passages, readers.tracks(dataset, encoder), results, key=f"{KEY}-passages")


def _show_values(recording: EncodedRecording, recommender: LayerBasedRecommender) -> None:
    """Show what is predicted of the file, beside what is measured on it."""
    rows = [
        {
            "target": title_with_unit(name),
            "predicted": f"{value:.4g}",
            "measured": f"{recording.measured[name]:.4g}" if name in recording.measured else "–",
        }
        for name, value in predicted_values(recording, recommender).items()
        if not recommender.evidence[name].doubt()
    ]
    with st.expander("What is heard in it"):
        show_table(rows)


def _ignore(_action: Action, _row: str) -> None:
    """Do nothing: these results have no buttons."""
