"""Your audio: hand over a recording, and search with it.

The address names the files by their tokens, the one that is looked at first: a reload finds them,
and who has the address may hear them.
"""

from datetime import datetime

import streamlit as st

from dashboard import readers
from dashboard.address.browser import new_parameters, write_address
from dashboard.components.picker import pick_window
from dashboard.components.player import Sound, player
from dashboard.components.results import Action, Row, clock, draw_results, draw_rows
from dashboard.components.text import plain
from dashboard.components.weights import watch_weights
from dashboard.jobs import encoding
from dashboard.sections.belonging import offer_belonging
from dashboard.sections.missing import offer
from dashboard.server.sounds import MAX_SECONDS as MAX_CLIP_SECONDS
from dashboard.sidebar import selected
from mess.audio.decoding import AUDIO_SUFFIXES, probe_duration
from mess.errors import ArtifactError, MessError
from mess.new_recordings.encoding import (
    MAX_SECONDS,
    EncodedRecording,
    predicted_values,
    project_recording,
    project_segments,
    segment_span,
)
from mess.new_recordings.uploads import KEEP_HOURS, Upload, Uploads
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.status.inventory import size_text
from mess.targets import ALL_TARGETS

_KEY = "yours"
_TYPES = sorted(suffix.removeprefix(".") for suffix in AUDIO_SUFFIXES)
_POLL_SECONDS = 0.5
_RESULTS = 10
_MOST_NAMED = 100  # files in an address


def main() -> None:
    """Draw the page."""
    st.title("Your audio")
    dataset, encoder = selected()
    try:
        recommender = readers.recommender(dataset, encoder)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Make it now")
        return
    uploads = Uploads(readers.store())
    uploads.sweep()
    _restore(uploads)
    _take_files(uploads)
    if note := st.session_state.pop("upload_note", None):
        st.success(plain(note))
    mine = [found for token in _tokens() if (found := uploads.find(token)) is not None]
    st.session_state["uploads"] = [upload.token for upload in mine]
    if not mine:
        write_address(dataset, encoder, {}, page="/your_audio")
        _show_others(uploads, mine)
        return
    upload = _choose(uploads, mine)
    named = [upload.token, *(one.token for one in mine if one != upload)]
    write_address(dataset, encoder, {"file": named}, page="/your_audio")
    for one in [upload, *mine]:  # the one that is looked at first
        uploads.want(one.token, dataset=dataset, encoder=encoder)
    state = uploads.state(upload.token, encoder)
    if state == "done":
        st.fragment(_draw)(recommender, uploads, upload)
    elif state == "failed":
        st.error(plain(f"{upload.name}: {uploads.problem(upload.token, encoder)}"))
    else:
        st.fragment(_wait, run_every=_POLL_SECONDS)(uploads, upload, encoder)


def _tokens() -> list[str]:
    found: list[str] = st.session_state.setdefault("uploads", [])
    return found


def _restore(uploads: Uploads) -> None:
    """Take up the files that the address names."""
    given = (new_parameters() or {}).get("file", [])[:_MOST_NAMED]
    there = [token for token in dict.fromkeys(given) if uploads.find(token) is not None]
    if len(there) < len(given):
        st.warning("A file that this address names is not kept any more: choose it again.")
    if there:
        _tokens().extend(token for token in there if token not in _tokens())
        st.session_state[f"{_KEY}-chosen"] = there[0]


def _take_files(uploads: Uploads) -> None:
    """Draw the field that takes files; what is wrong with one is said, and the rest goes on."""
    most = int(st.get_option("server.maxUploadSize"))
    number = st.session_state.setdefault("upload_field", 0)
    files = st.file_uploader(
        f"Recordings of up to {most} MB and {MAX_SECONDS / 60:g} minutes each",
        type=_TYPES,
        accept_multiple_files=True,
        key=f"{_KEY}-files-{number}",
    )
    st.caption(
        "A file is kept without its name in a folder of its own on this machine, and nowhere else. "
        f"It is deleted when you forget it, or after {KEEP_HOURS:g} hours. Whoever has the address "
        "of this page may hear it."
    )
    if files:
        problems = []
        for file in files:
            try:
                upload = uploads.add(file.getbuffer(), file.name, most=most << 20)
            except MessError as error:
                problems.append(str(error))
            except OSError as error:
                problems.append(f"{file.name}: cannot be kept ({error.strerror}); make room")
            else:
                _tokens().append(upload.token)
                st.session_state[f"{_KEY}-chosen"] = upload.token
        st.session_state["upload_problems"] = problems
        st.session_state["upload_field"] = number + 1  # a new field: the server's copies go
        st.rerun()
    for problem in st.session_state.get("upload_problems", []):
        st.warning(plain(problem))


def _choose(uploads: Uploads, mine: list[Upload]) -> Upload:
    """Draw which file is looked at, its player, and the button that forgets it."""
    by_token = {upload.token: upload for upload in mine}
    if st.session_state.get(f"{_KEY}-chosen") not in by_token:
        st.session_state[f"{_KEY}-chosen"] = mine[-1].token
    with st.container(horizontal=True, vertical_alignment="bottom"):
        token = st.selectbox(
            "File",
            list(by_token),
            format_func=lambda one: by_token[one].name,
            key=f"{_KEY}-chosen",
        )
        st.button("Forget it", on_click=uploads.forget, args=(token,), key=f"{_KEY}-forget")
    with st.expander(f"What is kept: {len(mine)} file{'s' * (len(mine) > 1)}"):
        st.dataframe(
            [
                {
                    "file": one.name,
                    "size": size_text(one.size),
                    "handed over": datetime.fromtimestamp(one.added).strftime("%d %b, %H:%M"),
                }
                for one in mine
            ],
            hide_index=True,
        )
        st.button("Forget all", on_click=_forget_all, args=(uploads, mine), key=f"{_KEY}-all")
        _show_others(uploads, mine)
    return by_token[token]


def _forget_all(uploads: Uploads, mine: list[Upload]) -> None:
    for one in mine:
        uploads.forget(one.token)


def _show_others(uploads: Uploads, mine: list[Upload]) -> None:
    """Say how much is kept that this page does not know: its names are for its owners."""
    number, size = uploads.others([one.token for one in mine])
    if number:
        st.caption(
            f"Other windows handed over {number} file{'s' * (number > 1)} more, {size_text(size)}: "
            f"forgotten there, or after {KEEP_HOURS:g} hours."
        )


def _wait(uploads: Uploads, upload: Upload, encoder: str) -> None:
    """Look until the file is encoded."""
    uploads.watch(upload.token, encoder)
    encoding.see_to(readers.store())
    if uploads.state(upload.token, encoder) != "waiting":
        st.rerun()
    player(_sound(upload), key=f"{_KEY}-waiting-player")
    st.progress(0.0, text=f"{encoder} listens to it …")


def _draw(recommender: LayerBasedRecommender, uploads: Uploads, upload: Upload) -> None:
    encoder = recommender.encoder
    try:
        recording = uploads.encoded(upload.token, encoder)
        point = project_recording(recording, recommender)
    except MessError as error:
        st.warning(plain(str(error)))
        return
    player(_sound(upload, seconds=min(MAX_CLIP_SECONDS, recording.duration)), key=f"{_KEY}-player")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        weights, _ = watch_weights(recommender, key=_KEY)
        _show_values(recording, recommender)
        offer_belonging(upload, encoder=encoder)
    used = {name: weight for name, weight in weights.items() if weight}
    with right:
        tabs = st.tabs(["Tracks", "Passages"], key=f"{_KEY}-tabs", on_change="rerun")
        if tabs[0].open:
            with tabs[0]:
                _draw_tracks(recommender, point, used)
        if tabs[1].open:
            with tabs[1]:
                _draw_passages(recommender, recording, upload, used)


def _draw_tracks(recommender: LayerBasedRecommender, point: object, weights: object) -> None:
    if not weights:
        st.info("Move a slider away from 0.")
        return
    tracks = readers.tracks(recommender.dataset, recommender.encoder)
    try:
        found = recommender.multi_aspect_recommendation(point, weights, _RESULTS)  # type: ignore[arg-type]
    except MessError as error:
        st.warning(plain(str(error)))
        return
    draw_results(
        [
            (
                one,
                tracks[one.track_id],
                Sound(
                    dataset=recommender.dataset,
                    encoder=recommender.encoder,
                    track=one.track_id,
                    label=tracks[one.track_id].label,
                    seconds=min(30.0, tracks[one.track_id].duration),
                ),
            )
            for one in found
        ],
        key=f"{_KEY}-results",
        on_action=_nothing,
        actions=(),
    )


def _draw_passages(
    recommender: LayerBasedRecommender,
    recording: EncodedRecording,
    upload: Upload,
    weights: dict[str, float],
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
        st.warning(plain(str(error)))
        return
    key = f"{_KEY}-segment-{upload.token}"
    chosen = min(int(st.session_state.get(key, 0)), len(points) - 1)

    def pick(number: int) -> None:
        st.session_state[key] = number

    whole = _sound(upload, seconds=recording.duration)
    pick_window(whole, count=len(points), chosen=chosen, key=f"{_KEY}-picker", on_pick=pick)
    start, end = segment_span(recording, chosen)
    st.caption(f"Chosen: {clock(start)} to {clock(end)}. Click in the picture for others.")
    known = {
        name: weight
        for name, weight in weights.items()
        if name == "overall" or name in passages.get_available_aspects()
    }
    if missing := [name.replace("_", " ") for name in weights if name not in known]:
        st.caption(f"Nothing is known of five seconds in: {', '.join(missing)}.")
    if not known:
        st.info("Move another slider away from 0.")
        return
    tracks = readers.tracks(dataset, encoder)
    found = passages.recommend(points[chosen], known, _RESULTS, max_per_track=1)
    rows = [
        Row(
            id=f"{one.best:g} {one.track_id}",
            label=f"{tracks[one.track_id].label} · {clock(one.start)}–{clock(one.end)}",
            about=one.track_id,
            found=one,
            sound=Sound(
                dataset=dataset,
                encoder=encoder,
                track=one.track_id,
                label=f"{tracks[one.track_id].label}, {clock(one.start)} to {clock(one.end)}",
                start=one.start,
                seconds=one.end - one.start,
            ),
        )
        for one in found
    ]
    draw_rows(rows, key=f"{_KEY}-passages", on_action=_nothing, actions=())


def _show_values(recording: EncodedRecording, recommender: LayerBasedRecommender) -> None:
    """Show what is predicted of the file, beside what is measured on it."""
    rows = [
        {
            "target": ", ".join(filter(None, (name.replace("_", " "), ALL_TARGETS[name].unit))),
            "predicted": f"{value:.4g}",
            "measured": f"{recording.measured[name]:.4g}" if name in recording.measured else "–",
        }
        for name, value in predicted_values(recording, recommender).items()
        if not recommender.evidence[name].doubt()
    ]
    with st.expander("What is heard in it"):
        st.dataframe(rows, hide_index=True)


def _sound(upload: Upload, *, seconds: float | None = None) -> Sound:
    if seconds is None:
        seconds = min(probe_duration(upload.path) or MAX_CLIP_SECONDS, MAX_CLIP_SECONDS)
    return Sound(upload=upload.token, label=upload.name, seconds=seconds)


def _nothing(_action: Action, _row: str) -> None:
    """Results have no actions here."""
