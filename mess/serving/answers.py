"""What each route answers, as typed values; `mess.as_json` makes JSON of them.

A number that may be undefined says so in its type. `mess.serving.description` describes these
classes as an OpenAPI document.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mess.records.discovery import DiscoveryRecord

Number = float | None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a request is not answered, in one line."""

    error: str


@dataclass(frozen=True, kw_only=True)
class EncoderAnswer:
    """What was made of a dataset by one encoder; each `has_` may still be stale.

    `problem` says why its tracks are not known ("" if they are).
    """

    name: str
    tracks: int
    has_discovery: bool
    has_index: bool
    has_passages: bool
    problem: str


@dataclass(frozen=True, kw_only=True)
class DatasetAnswer:
    """A dataset that has features."""

    name: str
    encoders: list[EncoderAnswer]


@dataclass(frozen=True, kw_only=True)
class DatasetsAnswer:
    """Every dataset that has features."""

    datasets: list[DatasetAnswer]


@dataclass(frozen=True, kw_only=True)
class TrackAnswer:
    """A recording: its id, how a list shows it, its length in seconds, and where it is heard."""

    track: str
    label: str
    composer: str
    title: str
    work: str
    duration: float
    clip: str


@dataclass(frozen=True, kw_only=True)
class TracksAnswer:
    """Tracks in the order of their labels; `more` follow or not."""

    dataset: str
    encoder: str
    tracks: list[TrackAnswer]
    more: bool


@dataclass(frozen=True, kw_only=True)
class AspectAnswer:
    """An aspect: its targets, the best R² of one, and why it is not validated ("" if it is)."""

    name: str
    validated: bool
    r2: Number
    doubt: str
    targets: list[str]
    ranks_along: list[str]


@dataclass(frozen=True, kw_only=True)
class AspectsAnswer:
    """What tracks can be ranked by."""

    dataset: str
    encoder: str
    aspects: list[AspectAnswer]
    warning: str


@dataclass(frozen=True, kw_only=True)
class DiscoveryAnswer:
    """A discovery as it lies on disk, and why it is stale ("" if it is not)."""

    stale: str
    record: DiscoveryRecord


@dataclass(frozen=True, kw_only=True)
class TargetAnswer:
    """A target: its unit and what it means."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True, kw_only=True)
class TargetRow:
    """The values of a track (the segment is -1) or of one segment; null where undefined."""

    track: str
    segment: int
    values: dict[str, Number]


@dataclass(frozen=True, kw_only=True)
class TargetsAnswer:
    """Measured targets; `more` rows follow or not."""

    dataset: str
    level: str
    targets: list[TargetAnswer]
    rows: list[TargetRow]
    more: bool


@dataclass(frozen=True, kw_only=True)
class Similar(TrackAnswer):
    """A similar track. Its score is the sum of the contributions of the aspects.

    1 is equal to the query, 0 as unlike as half of the tracks, -1 among the tenth least alike; a
    negative weight turns this round. `values` are those of each target, of track and query, in the
    unit of the target. `methods` tells by which method each aspect ranks.
    """

    score: float
    contributions: dict[str, float]
    values: Mapping[str, Mapping[str, Number]]
    methods: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class RecommendationsAnswer:
    """Similar tracks, the best first.

    Without weights in the question, all validated aspects count that can rank the query by the
    method. `left_out` names the others, each with the reason.
    """

    dataset: str
    encoder: str
    weights: dict[str, float]
    left_out: dict[str, str]
    results: list[Similar]
    warning: str


@dataclass(frozen=True, kw_only=True)
class WeightsAnswer:
    """The weights that best explain what some tracks share."""

    dataset: str
    encoder: str
    weights: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class StepAnswer(TrackAnswer):
    """A track of a path. `position` is 0 at the start and 1 at the end; `aside` is its distance
    from the straight line, as a share of the whole way. `values` are those of each target.
    """

    position: float
    aside: float
    values: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class PathAnswer:
    """A path, both ends included.

    `evenness` is the even distance between neighbours divided by the largest one: 1 at best.
    `left_out` is that of recommendations.
    """

    dataset: str
    encoder: str
    weights: dict[str, float]
    left_out: dict[str, str]
    methods: dict[str, str]
    evenness: float
    steps: list[StepAnswer]
    warning: str


@dataclass(frozen=True, kw_only=True)
class SimilarPassage(TrackAnswer):
    """A similar passage, from `start` to `end`; its most similar segment begins at `best`.

    Scores and values are those of `Similar`, among all segments.
    """

    start: float
    end: float
    best: float
    score: float
    contributions: dict[str, float]
    values: Mapping[str, Mapping[str, Number]]


@dataclass(frozen=True, kw_only=True)
class PassagesAnswer:
    """Similar passages, the best first."""

    dataset: str
    encoder: str
    weights: dict[str, float]
    results: list[SimilarPassage]
