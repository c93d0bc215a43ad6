"""A ranked list of tracks: sound, the share of every aspect in the score, values.

The whole list is one element. Rows that have not changed are not drawn again, so a sound continues
while sliders move.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from dashboard.components.browser_code import PLAYER_SCRIPTS, PLAYER_STYLES, component
from dashboard.components.player import Sound
from dashboard.figures.style import aspect_colours
from dashboard.readers import TrackInfo
from mess.as_text import as_words, clock
from mess.search.aspects import aspect_names
from mess.search.layer_based_recommender import Recommendation
from mess.search.passages.recommender import Passage
from mess.targets import title_of, unit_of

Action = Literal["more", "like", "unlike", "keep"]
_ACTIONS: tuple[Action, ...] = ("more", "like", "unlike", "keep")
_NAMED = 2  # aspects in a heading; more are counted


@dataclass(frozen=True, kw_only=True)
class Row:
    """One result.

    Attributes
    ----------
    id : str
        Different from that of any other row in the list.
    label, about : str
        What a person reads.
    found : Recommendation or Passage
    sound : Sound
    kept : bool
        Whether it is in the basket.
    """

    id: str
    label: str
    about: str
    found: Recommendation | Passage
    sound: Sound
    kept: bool = False


def heading(weights: Mapping[str, float]) -> str:
    """Return what a list is about.

    >>> heading({"tempo": -1.0}), heading({"tempo": -1.0, "rhythmic_energy": 1.0})
    ('Most unlike', 'Alike in rhythmic energy, unlike in tempo')
    """
    alike = [as_words(name) for name, weight in weights.items() if weight > 0]
    unlike = [as_words(name) for name, weight in weights.items() if weight < 0]
    if alike and unlike:
        return f"Alike in {_listed(alike)}, unlike in {_listed(unlike)}"
    return "Most unlike" if unlike else "Most alike"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) <= _NAMED else f"{len(names)} aspects"


def describe_score(weights: Mapping[str, float], what: str) -> str:
    """Say what a score means.

    >>> describe_score({"tempo": -1.0}, "tracks")
    'Score: 1 is among the tenth of the tracks that is least alike, 0 as unlike as half, −1 equal.'
    """
    used = [weight for weight in weights.values() if weight]
    if used and max(used) < 0:
        return (
            f"Score: 1 is among the tenth of the {what} that is least alike, 0 as unlike as half, "
            "−1 equal."
        )
    text = f"Score: 1 is equal, 0 as unlike as half of the {what}, −1 among the tenth least alike."
    if used and min(used) < 0:
        text += " Where a weight is negative, the other way round."
    return text


def draw_results(
    found: Sequence[tuple[Recommendation, TrackInfo, Sound]],
    *,
    key: str,
    on_action: Callable[[Action, str], None],
    actions: Sequence[Action] = _ACTIONS,
    kept: Collection[str] = (),
) -> None:
    """Draw a list of recommendations; see `draw_rows`.

    Parameters
    ----------
    found : sequence of (Recommendation, TrackInfo, Sound)
        Best first.
    key, on_action, actions
        The id of an action is the track's.
    kept : collection of str
        The tracks that are in the basket.
    """
    rows = [
        Row(
            id=track.id,
            label=track.label,
            about=f"{track.id} · {clock(track.duration)}",
            found=one,
            sound=sound,
            kept=track.id in kept,
        )
        for one, track, sound in found
    ]
    draw_rows(rows, key=key, on_action=on_action, actions=actions)


def draw_rows(
    rows: Sequence[Row],
    *,
    key: str,
    on_action: Callable[[Action, str], None],
    actions: Sequence[Action] = _ACTIONS,
) -> None:
    """Draw a list of results.

    Parameters
    ----------
    rows : sequence of Row
        Best first.
    key : str
    on_action : callable
        Gets what was asked for ("more" like this, "like", "unlike" or "keep") and the row's id,
        before the page is drawn again.
    actions : sequence of str
        What can be asked for.
    """
    legend = list(dict.fromkeys(name for row in rows for name in row.found.contributions))
    looks = _looks(legend)

    def tell(action: Action) -> None:
        track = st.session_state[key].get(action)
        if isinstance(track, str):
            on_action(action, track)

    component(
        "results",
        scripts=(*PLAYER_SCRIPTS, "results"),
        styles=(*PLAYER_STYLES, "results"),
    )(
        key=key,
        data={
            "legend": [{"name": _words(name), **looks[name]} for name in legend],
            "results": [
                {
                    "id": row.id,
                    "label": row.label,
                    "about": row.about,
                    "score": round(row.found.score, 4),
                    "shares": [
                        {"name": _words(name), "part": round(part, 4), **looks[name]}
                        for name, part in row.found.contributions.items()
                    ],
                    "values": describe_values(row.found.values),
                    "sound": row.sound.as_data(),
                    "kept": row.kept,
                }
                for row in rows
            ],
            "actions": list(actions),
        },
        **{f"on_{action}_change": _bind(tell, action) for action in _ACTIONS},
    )


def describe_values(values: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Return a row for each target: name and unit, the value of the track, that of the query."""
    return [
        [
            _target(target),
            f"{pair['track']:.4g}",
            f"{pair['query']:.4g}",
        ]
        for target, pair in values.items()
    ]


def _looks(shown: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the colour of every aspect. Aspects beyond the palette have stripes as well.

    Learned heads come after all aspects; those that are ``shown`` have looks, too.
    """
    colours = aspect_colours(list(dict.fromkeys([*aspect_names(), *sorted(shown)])))
    return {
        name: {"colour": colour, "striped": place >= len(set(colours.values()))}
        for place, (name, colour) in enumerate(colours.items())
    }


def _bind(tell: Callable[[Action], None], action: Action) -> Callable[[], None]:
    return lambda: tell(action)


def _target(name: str) -> str:
    """Return a target with its unit; ``tempo:model`` is what a model says of it."""
    target, _, side = name.partition(":")
    return ", ".join(filter(None, (title_of(target), side, unit_of(target))))


def _words(name: str) -> str:
    return as_words(name).replace(":", ", ")
