"""A player: a button, a waveform to click in, and the time. Only one player of a page sounds.

Below the waveform a lane can be opened: a measured curve, and what layers predict of it. The
browser fetches the waveform when it comes into view, the sound when somebody listens, and the
curves when the lane is opened. A
rerun that shows the same sound does not stop it. Another sound in its place does. The keys are in
`player_keys.js`.
"""

from dataclasses import dataclass, replace
from typing import Any

from dashboard.components.browser_code import PLAYER_SCRIPTS, PLAYER_STYLES, component
from dashboard.readers import TrackInfo
from dashboard.server.doses import dose_url
from dashboard.server.lanes import lane_url
from dashboard.server.sounds import recording_url, sound_url
from mess.as_text import clock
from mess.audio.loudness import USUAL_LUFS

CLIP_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The curve and the layers of a lane that is open from the beginning.

    Attributes
    ----------
    curve : str
    by : tuple of str
        "ENCODER:LAYER" of each prediction; see `dashboard.server.lanes`.
    folds : bool
        On a narrow screen the lane is closed at first.
    """

    curve: str
    by: tuple[str, ...]
    folds: bool = False


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A part of a track that can be heard.

    Attributes
    ----------
    label : str
        What a person or a screen reader is told; plain text.
    dataset, encoder, track : str
        By whose features the track is known.
    upload : str
        The token of a file that was handed over, instead of the track. Dataset and encoder then say
        whose probes draw its lane; without them it has none.
    start, seconds : float
        Where the part begins and how long it is.
    whole : float
        The length of the recording, if all of it can be heard, too; else 0.
    level : float
        Its loudness in LUFS, if sounds are to be equally loud.
    lane : Choice, optional
        Opens the lane.
    """

    label: str
    dataset: str = ""
    encoder: str = ""
    track: str = ""
    upload: str = ""
    start: float = 0.0
    seconds: float = CLIP_SECONDS
    whole: float = 0.0
    level: float = USUAL_LUFS
    lane: Choice | None = None

    def url(self, kind: str) -> str:
        """Return the address of the part as a clip, its peaks or its spectrogram."""
        return sound_url(
            kind,
            dataset=self.dataset,
            encoder=self.encoder,
            track=self.track,
            upload=self.upload,
            start=self.start,
            seconds=self.seconds,
        )

    def as_data(self) -> dict[str, Any]:
        """Return the sound as the data of a player in the browser."""
        return {
            "label": self.label,
            "clip": self.url("clip"),
            "level": self.level,
            "peaks": self.url("peaks"),
            "start": self.start,
            "seconds": self.seconds,
            "lane": self._lane() if self.dataset else None,
            "whole": self._whole() if self.whole > self.seconds else None,
        }

    def _whole(self) -> dict[str, Any]:
        """Return all of the recording, which is heard a part after another."""
        everything = replace(self, start=0.0, seconds=self.whole, whole=0.0)
        return everything.as_data() | {
            "clip": recording_url(self.dataset, self.encoder, self.track)
        }

    def _lane(self) -> dict[str, Any]:
        address = lane_url(
            dataset=self.dataset,
            encoder=self.encoder,
            track=self.track,
            upload=self.upload,
            start=self.start,
            seconds=self.seconds,
        )
        if self.lane is None:
            return {"address": address}
        chosen = {"curve": self.lane.curve, "by": list(self.lane.by), "folds": self.lane.folds}
        return {"address": address, **chosen}


def track_sound(track: TrackInfo, *, dataset: str, encoder: str) -> Sound:
    """Return the first 30 s of a track as a sound."""
    return Sound(
        dataset=dataset,
        encoder=encoder,
        track=track.id,
        label=track.label,
        seconds=min(CLIP_SECONDS, track.duration),
        whole=track.duration,
    )


def passage_sound(
    track: TrackInfo,
    *,
    start: float,
    end: float,
    dataset: str,
    encoder: str,
    lane: Choice | None = None,
) -> Sound:
    """Return a part of a track, from ``start`` to ``end`` in seconds, as a sound.

    With a ``lane``, its curves are open from the beginning.
    """
    return Sound(
        dataset=dataset,
        encoder=encoder,
        track=track.id,
        label=f"{track.label}, {clock(start)} to {clock(end)}",
        start=start,
        seconds=end - start,
        whole=track.duration,
        lane=lane,
    )


@dataclass(frozen=True, kw_only=True)
class ChangedSound:
    """One side of a change that `mess dose` made: the excerpt before or after the edit.

    Attributes
    ----------
    label : str
        What a person or a screen reader is told; plain text.
    dataset, encoder, track, edit : str
    dose : float
    part : {"before", "after"}
    seconds : float
    """

    label: str
    dataset: str
    encoder: str
    track: str
    edit: str
    dose: float
    part: str
    seconds: float

    def as_data(self) -> dict[str, Any]:
        """Return the sound as the data of a player in the browser; it has no lane."""
        clip, peaks = (
            dose_url(
                kind,
                dataset=self.dataset,
                encoder=self.encoder,
                track=self.track,
                edit=self.edit,
                dose=self.dose,
                part=self.part,
            )
            for kind in ("clip", "peaks")
        )
        return {
            "label": self.label,
            "clip": clip,
            "peaks": peaks,
            "start": 0.0,
            "seconds": self.seconds,
            "lane": None,
        }


def player(sound: Sound | ChangedSound, *, key: str) -> None:
    """Draw the player of a sound.

    Parameters
    ----------
    sound : Sound or ChangedSound
    key : str
        Of this place on the page; a player that gets another sound stops.
    """
    component("player", scripts=(*PLAYER_SCRIPTS, "one_player"), styles=PLAYER_STYLES)(
        key=key, data=sound.as_data()
    )
