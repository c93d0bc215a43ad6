"""The records of blind listening: what is asked, who was asked, and what was answered.

A *plan* is the list of what can be asked of a dataset. A *session* is what one listener is asked,
in its order. An *answer* has everything that is needed to ask the same again, so it can be read
without the plan and without the machine that it comes from.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

from mess.records.base import Record

Judge = Literal["through_time", "mean", "measured", "layer"]
Choice = Literal["A", "B", "0"]  # 0: cannot tell
Kind = Literal["item", "repeat", "check"]
Rating = Literal["like", "unlike"]
JUDGES: tuple[Judge, ...] = get_args(Judge)
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True, kw_only=True)
class Excerpt(Record):
    """A part of a recording that can be heard.

    Attributes
    ----------
    track, work : str
    sha256 : str
        Of the file.
    start, seconds : float
        Where the part begins and how long it is.
    lufs, dbtp : float
        Its loudness and its true peak as the file has them; see `mess.audio.loudness`.
    """

    track: str
    work: str
    sha256: str
    start: float
    seconds: float
    lufs: float
    dbtp: float


@dataclass(frozen=True, kw_only=True)
class Item(Record):
    """A triplet: which of A and B is closer to X in an aspect?

    Attributes
    ----------
    id : str
        The digest of the aspect and the excerpts.
    aspect : str
    x, a, b : Excerpt
        In a check, A or B is X itself.
    level : float
        The loudness in LUFS at which all three are played.
    margins : dict of str to float
        What each method says, from −1 to 1: above 0 A is closer, and the magnitude is the share of
        triplets that the method decides less clearly. Empty in a check.
    right : "A", "B" or ""
        The right answer of a check.
    """

    id: str
    aspect: str
    x: Excerpt
    a: Excerpt
    b: Excerpt
    level: float
    margins: dict[Judge, float]
    right: Literal["A", "B", ""] = ""


@dataclass(frozen=True, kw_only=True)
class ListeningPlan(Record):
    """What can be asked of a dataset.

    Attributes
    ----------
    id : str
        The digest of all that follows but ``made``.
    made : float
        Seconds since the epoch.
    dataset, encoder : str
    code_version : int
    versions : dict of str to str
        Versions and digests of what the methods were computed from.
    seed : int
    methods : dict of str to dict
        Aspect → method → how it judges, in words.
    items, checks : list of Item
    """

    id: str
    made: float
    dataset: str
    encoder: str
    code_version: int
    versions: dict[str, str]
    seed: int
    methods: dict[str, dict[Judge, str]]
    items: list[Item]
    checks: list[Item]

    def find(self, item: str) -> Item | None:
        """Return an item or a check by its id."""
        return next((one for one in [*self.items, *self.checks] if one.id == item), None)


@dataclass(frozen=True, kw_only=True)
class Trial(Record):
    """One position of a session.

    Attributes
    ----------
    kind : "item", "repeat" or "check"
    item : str
        Its id in the plan.
    swapped : bool
        Whether the listener's A is B of the plan.
    """

    kind: Kind
    item: str
    swapped: bool


@dataclass(frozen=True, kw_only=True)
class ListeningSession(Record):
    """What one listener is asked.

    Attributes
    ----------
    id, listener : str
        Random numbers. A browser keeps that of the listener, and no name belongs to it.
    plan : str
    seed : int
        Decides the order.
    started : float
        Seconds since the epoch, when the listener agreed.
    consent : str
        The line that the listener agreed to.
    trials : list of Trial
    """

    id: str
    listener: str
    plan: str
    seed: int
    started: float
    consent: str
    trials: list[Trial]


@dataclass(frozen=True, kw_only=True)
class Answer(Record):
    """One answer, with all that is needed to ask it again.

    Attributes
    ----------
    id : str
        The session and the position in it.
    session, listener, plan : str
    seed : int
        Of the session.
    position : int
        From 0.
    dataset, encoder : str
    versions : dict of str to str
        As in the plan.
    kind : "item", "repeat" or "check"
    item, aspect : str
    x_…, a_…, b_… : str and float
        The excerpts as they were presented: track, work, sha256, start, seconds, gain_db. So A is
        what the listener heard as A.
    level : float
        LUFS.
    margins : dict of str to float
        As in `Item`, above 0 where the method says A as it was presented.
    right : "A", "B" or ""
        The right answer of a check.
    answer : "A", "B" or "0"
    seconds : float
        From the first sound of the trial to the answer.
    plays : dict of str to int
        How often each of x, a, b was started.
    answered : float
        Seconds since the epoch.
    """

    id: str
    session: str
    listener: str
    plan: str
    seed: int
    position: int
    dataset: str
    encoder: str
    versions: dict[str, str]
    kind: Kind
    item: str
    aspect: str
    x_track: str
    x_work: str
    x_sha256: str
    x_start: float
    x_seconds: float
    x_gain_db: float
    a_track: str
    a_work: str
    a_sha256: str
    a_start: float
    a_seconds: float
    a_gain_db: float
    b_track: str
    b_work: str
    b_sha256: str
    b_start: float
    b_seconds: float
    b_gain_db: float
    level: float
    margins: dict[Judge, float]
    right: Literal["A", "B", ""]
    answer: Choice
    seconds: float
    plays: dict[str, int]
    answered: float


@dataclass(frozen=True, kw_only=True)
class RatingRow(Record):
    """A rating that was given while exploring.

    Attributes
    ----------
    id : str
        Random.
    listener : str
    dataset, encoder : str
    query, track : str
        The track was rated as a result for the query.
    rating : "like" or "unlike"
    weights : dict of str to float
        The sliders at that moment.
    rated : float
        Seconds since the epoch.
    """

    id: str
    listener: str
    dataset: str
    encoder: str
    query: str
    track: str
    rating: Rating
    weights: dict[str, float] = field(default_factory=dict)
    rated: float


@dataclass(frozen=True, kw_only=True)
class Listening(Record):
    """All that is kept of listening, as it is exported and merged.

    Attributes
    ----------
    format : "mess listening"
    version : int
        Of the database, `mess.storage.listening.SCHEMA_VERSION`.
    plans, sessions, answers, ratings : list
    """

    format: Literal["mess listening"]
    version: int
    plans: list[ListeningPlan]
    sessions: list[ListeningSession]
    answers: list[Answer]
    ratings: list[RatingRow]
