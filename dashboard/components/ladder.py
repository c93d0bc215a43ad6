"""A row of clips that are played one after the other, by one button or the key P."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.components.browser_code import PLAYER_SCRIPTS, PLAYER_STYLES, component
from dashboard.components.player import Sound


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip of a row.

    Attributes
    ----------
    label, said : str
        What a person reads below and above the player; plain text.
    sound : Sound
    """

    label: str
    said: str
    sound: Sound


def draw_ladder(
    clips: Sequence[Clip], *, label: str, play: str, key: str, begin: str | None = None
) -> None:
    """Draw a row of clips.

    Parameters
    ----------
    clips : sequence of Clip
    label : str
        What a screen reader is told of the row.
    play : str
        What the button says.
    key : str
        Of this place on the page.
    begin : str, optional
        Begins to play at once, each time that this is another text.
    """
    component(
        "ladder",
        scripts=(*PLAYER_SCRIPTS, "ladder"),
        styles=(*PLAYER_STYLES, "ladder"),
    )(
        key=key,
        data={
            "label": label,
            "play": play,
            "begin": begin,
            "rungs": [
                {"label": one.label, "said": one.said, "sound": one.sound.as_data()}
                for one in clips
            ],
        },
    )
