"""The record of an evaluation: how well search does what its sliders say."""

from dataclasses import dataclass
from typing import Literal, get_args

from mess.records.base import Origin, Record

Method = Literal["probe", "subspace", "direct", "layer"]  # by which a slider can rank
Ranker = Literal["probe", "subspace", "direct", "layer", "mean_layers", "random"]
Over = Literal["best layer", "last layer", "all layers"]
Metric = Literal["cosine", "centred cosine", "Euclid", "Euclid, standardised"]
ByTarget = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What an evaluation depends on: the seed, and how many queries were drawn with it."""

    seed: int
    queries: int


@dataclass(frozen=True, kw_only=True)
class RankerScores:
    """How faithfully one method ranks.

    Attributes
    ----------
    mean, mean_performance : float or None
        The mean Spearman correlation over the aspects' validated targets, and over the validated
        targets that only MIDI tells.
    per_target, top_ratio : dict of str to (float or None)
        Spearman correlation and top-10 ratio of each target; see `mess.evaluation.rankings`.
    """

    mean: float | None
    mean_performance: float | None
    per_target: ByTarget
    top_ratio: ByTarget


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """How faithfully each method ranks; ``targets`` are those that are validated."""

    targets: list[str]
    probe: RankerScores
    subspace: RankerScores
    direct: RankerScores
    layer: RankerScores
    mean_layers: RankerScores
    random: RankerScores

    def by_method(self) -> dict[Ranker, RankerScores]:
        """Return the scores of every method, in a fixed order."""
        methods: tuple[Ranker, ...] = get_args(Ranker)
        return {method: getattr(self, method) for method in methods}


@dataclass(frozen=True, kw_only=True)
class BaselineFaithfulness:
    """How faithfully a search without probes ranks.

    Attributes
    ----------
    over : str
        Which layers are compared.
    metric : str
    mean : float or None
        As `RankerScores.mean`.
    per_target : dict of str to (float or None)
    """

    over: Over
    metric: Metric
    mean: float | None
    per_target: ByTarget


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """How much nearer than chance the ten nearest of the sliders are, 1 at best.

    Attributes
    ----------
    diagonal, off_diagonal : float or None
        In the slider's own targets, and in all others: means over the sliders.
    matrix : dict of str to dict
        Aspect → target.
    """

    diagonal: float | None
    off_diagonal: float | None
    matrix: dict[str, ByTarget]


@dataclass(frozen=True)
class ControlledResult:
    """What a slider sees of each change; see `mess.evaluation.controlled`.

    Attributes
    ----------
    own : str
        The change that it should see.
    moved, place : dict of str to float
        By change; medians over pairs.
    told_apart, chance : float
    n : int
        Bases that have the own variant and another.
    """

    own: str
    moved: dict[str, float]
    place: dict[str, float]
    told_apart: float
    chance: float
    n: int


@dataclass(frozen=True)
class Retrieval:
    """How well other recordings of a query's work are found.

    Attributes
    ----------
    mrr : float
        Mean over queries of 1 / rank of the first.
    recall : dict of int to float
        By k: the mean share of the other recordings among the k highest (of at most k).
    queries, works : int
    """

    mrr: float
    recall: dict[int, float]
    queries: int
    works: int


@dataclass(frozen=True, kw_only=True)
class DensityScores:
    """What one share of the density of onsets does to the ranking by tempo.

    Attributes
    ----------
    octaves, in_bpm : float or None
        Faithfulness to tempo up to octaves, and in beats per minute.
    told_apart : float or None
        How often the variant in tempo is told apart.
    mark : float or None
        The mean of what is known of these.
    """

    octaves: float | None
    in_bpm: float | None
    told_apart: float | None
    mark: float | None


@dataclass(frozen=True, kw_only=True)
class DensityChoice:
    """How much the density of onsets counts in tempo.

    Attributes
    ----------
    density_share : float
    chosen_on, reported_on : dict of str to DensityScores
        Every share, on the half of the works that chooses and on the other.
    """

    density_share: float
    chosen_on: dict[str, DensityScores]
    reported_on: dict[str, DensityScores]


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What becomes of a liked aspect when another one is disliked; means over pairs of aspects.

    Attributes
    ----------
    weight : float
        Of the disliked aspect.
    liked, disliked : float or None
        The true distance of the ten best tracks in each, as a share of chance.
    top_hits : float
        The number of different best tracks, as a share of the queries.
    """

    weight: float
    liked: float | None
    disliked: float | None
    top_hits: float


@dataclass(frozen=True, kw_only=True)
class Composition:
    """How sliders compose; see `mess.evaluation.composition`.

    Attributes
    ----------
    composed : list of Composed
    mix : dict of str to (float or None)
        The Spearman correlation of the mix of all sliders, equally weighed, with each of them.
    """

    composed: list[Composed]
    mix: ByTarget


@dataclass(frozen=True, kw_only=True)
class Decision:
    """By which method an aspect ranks, and why.

    Attributes
    ----------
    method : str
    marks : dict of str to float
        Of each method that could be marked; see `mess.evaluation.decisions.decide_methods`.
    told_apart : dict of str to (float or None)
        By method: how often its own variant is told apart, scaled so that chance is 0.
    faithful : dict of str to (float or None)
        By method: the mean Spearman correlation over the aspect's targets.
    """

    method: Method
    marks: dict[Method, float]
    told_apart: dict[Method, float | None]
    faithful: dict[Method, float | None]


@dataclass(frozen=True, kw_only=True)
class EvaluationRecord(Record):
    """An evaluation as it lies on disk.

    Attributes
    ----------
    dataset, encoder : str
    index, discovery : str
        Digests of what was judged.
    code_version : int
    settings : EvaluationSettings
    faithfulness : Faithfulness
    baselines : list of BaselineFaithfulness
    leakage : dict of str to Leakage
        By method.
    controlled : dict or None
        Method → aspect → ControlledResult; None where a dataset has no variants.
    same_work : dict or None
        Ranking → Retrieval; None where no work has two recordings.
    tempo : DensityChoice or None
        None where too few works have a tempo.
    defaults : dict of str to Decision
        By aspect.
    composition : dict of str to Composition
        "bounded": of the similarities that search ranks by; "parabola": of those without a bound.
    """

    dataset: str
    encoder: str
    index: str
    discovery: str
    code_version: int
    settings: EvaluationSettings
    faithfulness: Faithfulness
    baselines: list[BaselineFaithfulness]
    leakage: dict[Method, Leakage]
    controlled: dict[Method, dict[str, ControlledResult]] | None
    same_work: dict[str, Retrieval] | None
    tempo: DensityChoice | None
    defaults: dict[str, Decision]
    composition: dict[str, Composition]

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        return Origin(self.code_version, {"index": self.index, "discovery": self.discovery})
