"""A ranked list of tracks: sound, the share of every aspect in the score, values.

One element for the whole list: what has not changed is not drawn again, and a sound goes on while
sliders move.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from dashboard.components.figures import aspect_colours
from dashboard.components.player import PLAYER_CSS, PLAYER_JS, Sound
from dashboard.readers import TrackInfo
from mess.search.aspects import NAMES
from mess.search.layer_based_recommender import Recommendation
from mess.targets import ALL_TARGETS

Action = Literal["more", "like", "unlike"]
_ACTIONS: tuple[Action, ...] = ("more", "like", "unlike")
_HERE = Path(__file__).parent


@cache
def _component() -> Any:
    return st.components.v2.component(
        "mess.results",
        css=PLAYER_CSS + (_HERE / "results.css").read_text(),
        js=PLAYER_JS + (_HERE / "results.js").read_text(),
    )


def draw_results(
    found: Sequence[tuple[Recommendation, TrackInfo, Sound]],
    *,
    key: str,
    on_action: Callable[[Action, str], None],
) -> None:
    """Draw a list of recommendations.

    Parameters
    ----------
    found : sequence of (Recommendation, TrackInfo, Sound)
        Best first.
    key : str
    on_action : callable
        Gets what was asked for ("more" like this, "like" or "unlike") and the track's id, before
        the page is drawn again.
    """
    looks = _looks()
    legend = list(dict.fromkeys(name for one, _, _ in found for name in one.contributions))

    def tell(action: Action) -> None:
        track = st.session_state[key].get(action)
        if isinstance(track, str):
            on_action(action, track)

    _component()(
        key=key,
        data={
            "legend": [{"name": _words(name), **looks[name]} for name in legend],
            "results": [
                {
                    "id": track.id,
                    "label": track.label,
                    "about": f"{track.id} · {clock(track.duration)}",
                    "score": round(one.score, 4),
                    "shares": [
                        {"name": _words(name), "part": round(part, 4), **looks[name]}
                        for name, part in one.contributions.items()
                    ],
                    "values": describe_values(one.values),
                    "sound": sound.as_data(),
                }
                for one, track, sound in found
            ],
        },
        **{f"on_{action}_change": _bind(tell, action) for action in _ACTIONS},
    )


def describe_values(values: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Return of each target: its name with its unit, the track's value and the query's."""
    return [
        [
            f"{_words(target)}, {unit}" if (unit := ALL_TARGETS[target].unit) else _words(target),
            f"{pair['track']:.4g}",
            f"{pair['query']:.4g}",
        ]
        for target, pair in values.items()
    ]


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds.

    >>> clock(61.2)
    '1:01'
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _looks() -> dict[str, dict[str, Any]]:
    """Return the colour of every aspect; those for which none is left share one, with stripes."""
    colours = aspect_colours(list(NAMES))
    return {
        name: {"colour": colour, "striped": place >= len(set(colours.values()))}
        for place, (name, colour) in enumerate(colours.items())
    }


def _bind(tell: Callable[[Action], None], action: Action) -> Callable[[], None]:
    return lambda: tell(action)


def _words(name: str) -> str:
    return name.replace("_", " ")
