"""Recommend: choose a track, weigh the aspects, listen to what is alike."""

from dataclasses import replace
from functools import partial
from typing import cast

import streamlit as st

from dashboard import exports, readers
from dashboard.address.browser import link, new_parameters, report, write_address
from dashboard.address.search import (
    COUNTS,
    MAX_MOVE,
    MAX_PER_COMPOSER,
    Search,
    fit_search,
    format_search,
    parse_search,
)
from dashboard.components.finder import find_track
from dashboard.components.player import Sound, player
from dashboard.components.results import Action, draw_results
from dashboard.components.sliders import Slider, draw_sliders, set_sliders
from dashboard.components.text import plain
from dashboard.components.weights import set_weights, start_weights, watch_weights, weighable
from dashboard.readers import TrackInfo
from dashboard.sections.missing import offer
from dashboard.sidebar import selected
from mess.errors import ArtifactError, MessError
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
from mess.search.terms import METHODS, Method

_KEY = "recommend"
_SWITCHES = {
    "same_work": "Leave out the same work",
    "same_composer": "Leave out the same composer",
    "copies": "Leave out files of the same recording",
}
Tracks = dict[str, TrackInfo]


def main() -> None:
    """Draw the page."""
    dataset, encoder = selected()
    try:
        recommender = readers.recommender(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        st.title("Recommend")
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Make it now")
        return
    if recommender.warning:
        st.warning(plain(recommender.warning))
    _restore(recommender, tracks)
    st.fragment(_draw)(recommender, tracks)


def _restore(recommender: LayerBasedRecommender, tracks: Tracks) -> None:
    """Take the search from the address, or else as it was left, and put all controls so."""
    place = (recommender.dataset, recommender.encoder)
    kept: dict[tuple[str, str], Search] = st.session_state.setdefault("searches", {})
    given = new_parameters() or {}
    problems: list[str] = []
    search = kept.get(place, Search())
    linked = bool(given.keys() - {"dataset", "encoder"})
    if linked:
        search, problems = parse_search(given)
    first = next(iter(readers.names(*place).find("", limit=1)))
    search, missing = fit_search(
        search,
        tracks=tracks,
        weighable=weighable(recommender),
        movable=_movable(recommender),
        start=first,
    )
    if search.weights is None:
        search = replace(search, weights=start_weights(recommender))
    report([*problems, *missing])
    drawn = f"{_KEY}-count" in st.session_state and st.session_state.get("searched") == place
    if linked or not drawn:
        _put(search)
    kept[place] = search
    st.session_state["searched"] = place


def _put(search: Search) -> None:
    """Set every control as a search has it; before they are drawn."""
    set_weights(search.weights or {}, key=_KEY)
    set_sliders(search.moves, key=f"{_KEY}-moves")
    for name in (*_SWITCHES, "per_composer", "count", "method"):
        st.session_state[f"{_KEY}-{name}"] = getattr(search, name)
    st.session_state[f"{_KEY}-hold"] = list(search.hold)


def _now() -> Search:
    found: Search = st.session_state["searches"][st.session_state["searched"]]
    return found


def _change(**changes: object) -> None:
    place = st.session_state["searched"]
    st.session_state["searches"][place] = replace(_now(), **changes)  # type: ignore[arg-type]


def _draw(recommender: LayerBasedRecommender, tracks: Tracks) -> None:
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.title("Recommend")
        _draw_query(recommender, tracks)
        # Both are drawn further down: a slider says by what it ranks with them.
        method = st.session_state.get(f"{_KEY}-method", _now().method)
        weights, settled = watch_weights(recommender, key=_KEY, method=method, moved=_now().moves)
        _change(weights={name: weight for name, weight in weights.items() if weight})
        _draw_examples(recommender, tracks)
        settled &= _draw_moves(recommender)
        _draw_filters()
    with right:
        bar = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        with bar:
            st.subheader("Most alike", width="stretch")
            count = st.selectbox("Results", COUNTS, key=f"{_KEY}-count", width=90)
        _change(count=count)
        search = _now()
        found = _search(recommender, search)
        if conditions := _describe(search):
            st.caption(conditions)
        if found:
            with bar:
                _draw_exports(recommender, [(one, tracks[one.track_id]) for one in found])
            shown = [(one, tracks[one.track_id]) for one in found]
            draw_results(
                [(one, track, _sound(recommender, track)) for one, track in shown],
                key=f"{_KEY}-results",
                on_action=_on_action,
            )
    if settled:
        parameters = format_search(search)
        write_address(recommender.dataset, recommender.encoder, parameters, page="/recommend")


def _describe(search: Search) -> str:
    """Return in one line what narrows the list beside the sliders; it may be folded away."""
    said = [
        text.replace("Leave out", "without")
        for name, text in _SWITCHES.items()
        if getattr(search, name)
    ]
    if search.per_composer:
        said.append(f"at most {search.per_composer} of a composer")
    if search.method:
        said.append(f"method {search.method}")
    moved = {name.replace("_", " "): by for name, by in search.moves.items()}
    said += [f"{name} {by:+g} σ" for name, by in moved.items()]
    said += [f"{name.replace('_', ' ')} held" for name in search.hold]
    if search.liked:
        said.append(f"{len(search.liked)} more liked")
    if search.unlike:
        said.append(f"{len(search.unlike)} unlike")
    return " · ".join(said)


def _search(recommender: LayerBasedRecommender, search: Search) -> list[Recommendation]:
    if not (search.weights or search.moves or search.hold):
        st.info("Move a slider away from 0.")
        return []
    try:
        found = recommender.multi_aspect_recommendation(
            [search.query, *search.liked],
            search.weights or {},
            search.count,
            method=cast(Method | None, search.method),
            unlike=search.unlike,
            hold=search.hold,
            offset=search.moves,
            exclude_same_work=search.same_work,
            exclude_same_composer=search.same_composer,
            exclude_duplicates=search.copies,
            max_per_composer=search.per_composer or None,
        )
    except MessError as error:
        st.warning(plain(str(error)))
        return []
    if not found:
        st.info("No other track is left: leave out less.")
    return found


def _draw_query(recommender: LayerBasedRecommender, tracks: Tracks) -> None:
    query = tracks[_now().query]
    find_track(
        recommender.dataset,
        recommender.encoder,
        label="Query track",
        key=f"{_KEY}-query",
        shown=query.label,
        on_choose=lambda track: _on_action("more", track),
    )
    player(_sound(recommender, query), key=f"{_KEY}-query-player")


def _on_action(action: Action, track: str) -> None:
    """Make a track the query, or one more example."""
    search = _now()
    liked = tuple(one for one in search.liked if one != track)
    unlike = tuple(one for one in search.unlike if one != track)
    if action == "more":
        _change(query=track, liked=liked, unlike=unlike)
    elif action == "like":
        _change(liked=(*liked, track), unlike=unlike)
    else:
        _change(liked=liked, unlike=(*unlike, track))


def _draw_examples(recommender: LayerBasedRecommender, tracks: Tracks) -> None:
    """Let the person add tracks to be like and unlike, and set the sliders by them."""
    search = _now()
    both: tuple[tuple[Action, str, tuple[str, ...]], ...] = (
        ("like", "Also like", search.liked),
        ("unlike", "Unlike", search.unlike),
    )
    with st.expander("More examples"):
        for action, label, examples in both:
            find_track(
                recommender.dataset,
                recommender.encoder,
                label=label,
                key=f"{_KEY}-{action}",
                on_choose=partial(_on_action, action),
                chips={track: tracks[track].label for track in examples},
                on_remove=_on_remove,
            )
        st.button(
            "Set the sliders by what the liked tracks share",
            disabled=not search.liked,
            on_click=_fit,
            args=(recommender,),
        )
        if problem := st.session_state.pop(f"{_KEY}-problem", None):
            st.warning(plain(problem))


def _on_remove(track: str) -> None:
    search = _now()
    _change(
        liked=tuple(one for one in search.liked if one != track),
        unlike=tuple(one for one in search.unlike if one != track),
    )


def _fit(recommender: LayerBasedRecommender) -> None:
    search = _now()
    try:
        set_weights(recommender.fit_weights([search.query, *search.liked]), key=_KEY)
    except MessError as error:
        st.session_state[f"{_KEY}-problem"] = str(error)


def _movable(recommender: LayerBasedRecommender) -> list[str]:
    return [name for name, aspect in recommender.aspects.items() if aspect.steered]


def _draw_moves(recommender: LayerBasedRecommender) -> bool:
    """Let the person ask for "as this one, but …"; return whether no slider is being dragged."""
    movable = _movable(recommender)
    moves: dict[str, float] = {}
    settled = True
    with st.expander("As this one, but …"):
        if movable:
            st.caption("How far from the query, in standard deviations of the dataset.")
            rows = [
                Slider(name=name, label=name.replace("_", " "), reach=MAX_MOVE, step=0.25)
                for name in movable
            ]
            moves, settled = draw_sliders(rows, presets={"Reset": {}}, key=f"{_KEY}-moves")
        names = weighable(recommender)
        chosen = st.pills(
            "Stays as it is",
            names,
            selection_mode="multi",
            format_func=lambda name: name.replace("_", " "),
            key=f"{_KEY}-hold",
            help="Counts with the weight 1 where its slider is at 0.",
        )
    hold = [name for name in chosen if name in names]
    _change(moves={name: by for name, by in moves.items() if by}, hold=tuple(hold))
    return settled


def _draw_filters() -> None:
    with st.expander("Leave out, and method"):
        chosen: dict[str, object] = {
            name: st.checkbox(label, key=f"{_KEY}-{name}") for name, label in _SWITCHES.items()
        }
        most = st.number_input(
            "At most so many of one composer (0: any)",
            0,
            MAX_PER_COMPOSER,
            key=f"{_KEY}-per_composer",
        )
        chosen["method"] = st.selectbox(
            "Method",
            [None, *METHODS],
            format_func=lambda name: name or "as evaluated",
            key=f"{_KEY}-method",
            help="By which every aspect ranks; `mess evaluate` decides which one is best for each.",
        )
    _change(per_composer=int(most), **chosen)


def _draw_exports(
    recommender: LayerBasedRecommender, found: list[tuple[Recommendation, TrackInfo]]
) -> None:
    parameters = {
        "dataset": [recommender.dataset],
        "encoder": [recommender.encoder],
        **format_search(_now()),
    }
    with st.popover("Export, link"):
        st.caption("The address of this page always leads to this list:")
        st.code(f"{st.context.url}{link(parameters)}", language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for name, mime, text in (
                ("csv", "text/csv", lambda: exports.as_csv(found)),
                ("json", "application/json", lambda: exports.as_json(found, search=parameters)),
                ("m3u8", "application/vnd.apple.mpegurl", lambda: exports.as_m3u8(found)),
            ):
                st.download_button(
                    name.upper(),
                    data=text,
                    file_name=f"recommendations.{name}",
                    mime=mime,
                    key=f"{_KEY}-export-{name}",
                    on_click="ignore",
                )


def _sound(recommender: LayerBasedRecommender, track: TrackInfo) -> Sound:
    return Sound(
        dataset=recommender.dataset,
        encoder=recommender.encoder,
        track=track.id,
        label=track.label,
        seconds=min(30.0, track.duration),
    )
