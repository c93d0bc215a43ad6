"""The front door: what a model hears of these recordings, in a sentence and to be listened to.

Below the sentence are a small heatmap (its cells lead to Layer discovery), a ladder of an aspect
(recordings from the least to the most of it), and pairs that are alike although their composers
differ.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import library, readers
from dashboard.address.browser import report
from dashboard.address.controls import here
from dashboard.components.fold import first_on_phone
from dashboard.components.heatmap import draw_heatmap
from dashboard.components.ladder import Clip, draw_ladder
from dashboard.components.player import Sound
from dashboard.components.text import plain
from dashboard.readers import TrackInfo
from dashboard.sections.cell_choice import wish_for_cell
from dashboard.sections.heat_rows import aspect_heat
from dashboard.sections.missing import describe_gap, tell_making
from dashboard.sidebar import start
from mess.as_text import as_words, duration, two_decimals
from mess.encoders import PRESETS
from mess.errors import ArtifactError, MessError
from mess.records.discovery import DiscoveryRecord
from mess.reports.finding import beside_others, finding, rank_heard
from mess.search.aspects import HEARD
from mess.search.ladder import climb
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.targets import title_of, unit_of

_SECONDS = {  # of a clip: as long as an aspect needs to be heard
    "tempo": 5.0,
    "rhythmic_energy": 3.0,
    "harmonic_richness": 3.0,
    "dynamics": 10.0,
    "crescendo": 12.0,
    "phrasing": 15.0,
}
_USUALLY = 2.0
_OF_PAIR = 8.0
_SOUNDS = "surprise-sounds"  # another text for each pair that is to be heard at once
_MERT = "mert-v1-95m"
_BYTES_OF_MERT = 95e6 * 4  # float32


@dataclass(frozen=True)
class FrontDoor:
    """What it is drawn from."""

    record: DiscoveryRecord
    recommender: LayerBasedRecommender
    tracks: dict[str, TrackInfo]


def find_front_door(dataset: str, encoder: str) -> FrontDoor | MessError:
    """Read what the front door needs; where it is missing or stale, return the reason."""
    try:
        return FrontDoor(
            readers.discovery(dataset, encoder),
            readers.recommender(dataset, encoder),
            readers.tracks(dataset, encoder),
        )
    except ArtifactError as error:
        return error


def show_front_door(found: FrontDoor | MessError, dataset: str, encoder: str) -> None:
    """Show it, or why there is nothing to show."""
    if isinstance(found, MessError):
        st.info(plain(f"{describe_gap(found)} The tab Data has a button for it."))
        return
    aspects = found.recommender.aspects
    st.markdown(f"## {plain(finding(encoder, aspects, works=found.record.works))}")
    left, right = st.columns([1, 1], gap="large")
    with left:
        _show_heatmap(found)
        _show_others(dataset, encoder)
    with right, first_on_phone("hears"):
        _show_ladder(found)
        _show_surprise(found)
    _offer_mert(dataset, found)


def _show_others(dataset: str, encoder: str) -> None:
    """Say what this encoder hears better or worse than others, where they were compared."""
    try:
        lines = beside_others(readers.comparison(dataset), encoder)
        reason = readers.stale_comparison(dataset)
    except ArtifactError:
        return
    if not lines:
        return
    st.markdown("\n".join(["**Beside other encoders**", *(f"- {plain(line)}" for line in lines)]))
    if reason:
        st.caption(f"This comparison is stale: {plain(reason)}. **Compare encoders** renews it.")
    else:
        st.caption(
            "Only differences that hold for other works are named (page **Compare encoders**)."
        )


def _show_heatmap(found: FrontDoor) -> None:
    record, aspects = found.record, found.recommender.aspects
    draw_heatmap(
        aspect_heat(record, {name: aspect.r2 for name, aspect in aspects.items()}),
        caption="R² on works that the probe never saw. ◆ best layer. all: layers and their course "
        "in time together, as the sliders read them. Choose a cell to see its recordings.",
        key=f"small-heatmap-{record.dataset}-{record.encoder}",
        on_cell=lambda cell: wish_for_cell(
            record.dataset, record.encoder, layer=int(cell[0]), target=cell[1]
        ),
    )


@st.fragment
def _show_ladder(found: FrontDoor) -> None:
    heard, _ = rank_heard(found.recommender.aspects)
    names = [aspect.name for aspect in heard if aspect.steered]
    if not names:
        return
    key = f"ladder-{found.record.dataset}-{found.record.encoder}"
    here().choose("aspect", names, key=key, usual=names[0])
    aspect = st.selectbox(
        "Hear an aspect, from the least to the most",
        names,
        format_func=lambda name: f"{as_words(name)}: {HEARD[name]}",
        key=key,
    )
    seconds = _SECONDS.get(aspect, _USUALLY)
    rungs = climb(found.recommender, aspect)
    clips = []
    for number, rung in enumerate(rungs):
        track = found.tracks.get(rung.track_id)
        if track is None:
            continue
        end = {0: "least", len(rungs) - 1: "most"}.get(number, "")
        value = _value(rung.values)
        clips.append(
            Clip(
                label=track.label,
                said="\n".join(one for one in (end, value) if one),
                sound=_middle(found, track, seconds),
            )
        )
    draw_ladder(
        clips,
        label=f"{as_words(aspect)}, from the least to the most",
        play=f"Play all {len(clips)}",
        key="ladder",
    )
    st.caption(_explain(found.recommender.aspects[aspect].steered))
    here().write(place="-ladder")


def _explain(targets: Sequence[str]) -> str:
    """Say what the figures of a ladder are, and what orders its recordings.

    >>> _explain(["tempo"]).partition(".")[0]
    'The figure is the tempo that the layers predict'
    """
    titles = [title_of(target) for target in targets]
    text = f"The figure is the {titles[0]} that the layers predict."
    if titles[1:]:
        text += f" The order is that of the mean of {', '.join(titles[:-1])} and {titles[-1]}."
    return f"{text} Each recording is of another work, and no probe saw it before."


def _value(values: Mapping[str, float]) -> str:
    target, value = next(iter(values.items()))
    digits = f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit_of(target)}".strip().replace("-", "−")


@st.fragment
def _show_surprise(found: FrontDoor) -> None:
    pressed = st.button(
        "Surprise me", help="Two recordings that are alike, by different composers."
    )
    asked = here().value("pair")
    if not (pressed or asked):
        st.session_state.pop(_SOUNDS, None)
        return
    pairs = readers.surprises(found.record.dataset, found.record.encoder)
    pairs = [pair for pair in pairs if {pair.first, pair.second} <= found.tracks.keys()]
    if not pairs:
        st.info("There are no two recordings by different composers whose names are known.")
        here().keep("pair", [])
        return
    places = {(pair.first, pair.second): place for place, pair in enumerate(pairs)}
    place = places.get((asked[0], asked[1])) if len(asked) == 2 else None
    if pressed:
        place = 0 if place is None else (place + 1) % len(pairs)
        st.session_state[_SOUNDS] = secrets.token_hex(8)
    elif here().given is not None:
        st.session_state.pop(_SOUNDS, None)  # a link shows a pair, and does not play it
    if place is not None:
        asked = [pairs[place].first, pairs[place].second]
        said = (
            f"The model finds these two alike: {two_decimals(pairs[place].score)}, where 1 is "
            "equal and 0 is as unlike as half of the recordings."
        )
    elif len(asked) == 2 and found.tracks.keys() >= set(asked):  # found by another index
        said = "A link names these two. They are not among the pairs that are most alike here."
    else:
        report(["a pair of recordings"])
        asked = []
    here().keep("pair", asked)
    if not asked:
        return
    both = [found.tracks[track] for track in asked]
    st.markdown(said)
    draw_ladder(
        [Clip(label=one.label, said="", sound=_middle(found, one, _OF_PAIR)) for one in both],
        label="Two recordings that are alike",
        play="Play both",
        key="surprise-clips",
        begin=st.session_state.get(_SOUNDS),
    )
    here().write(place="-surprise")


def _middle(found: FrontDoor, track: TrackInfo, seconds: float) -> Sound:
    length = min(seconds, track.duration)
    return Sound(
        label=track.label,
        dataset=found.record.dataset,
        encoder=found.record.encoder,
        track=track.id,
        start=round((track.duration - length) / 2, 2),
        seconds=length,
    )


def _offer_mert(dataset: str, found: FrontDoor) -> None:
    """Offer the model that this program was made for, where it has not heard the dataset yet."""
    if _MERT in library.encoders(dataset):
        return
    command = ["run-all", "--dataset", dataset, "--encoder", _MERT]
    gap = "MERT-v1-95M has not heard these recordings yet."
    if tell_making(gap, dataset=dataset, command=command):
        return
    preset = PRESETS[_MERT]
    minutes = sum(track.duration for track in found.tracks.values()) / 60
    with st.expander("Let MERT-v1-95M hear these recordings, too"):
        st.markdown(
            f"A model of music with {preset.layers} layers × {preset.dim}. Its 95 million weights "
            f"take some {_BYTES_OF_MERT / 1e6:.0f} MB. They are downloaded from the model hub "
            f"once. Two cores need about {duration(preset.cost * minutes)} for these recordings. "
            f"Licence: {plain(preset.licence)}, so not for commercial use. Afterwards this page "
            "says what it hears better."
        )
        if st.button("Download it and run everything", key="add-mert"):
            start(dataset, command, ["compare", "--dataset", dataset])
