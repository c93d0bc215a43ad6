"""The record of a discovery: how it was made, every cell, and what stands beside the layers."""

from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

from mess.probing.results import (
    Alpha,
    BaselineScore,
    BeyondScore,
    Cell,
    CurvePoint,
    DiscoverySettings,
    TargetSummary,
)
from mess.records.base import Json, Origin, Parts, Record
from mess.records.in_time import InTimeRecord

Level = Literal["track", "segment"]
Pooling = Literal["mean", "mean_std"]
Frames = Literal["auto", "on", "off"]


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """The settings of a discovery.

    Attributes
    ----------
    alpha : float or "auto"
    folds, seed : int
    samples : int or None
        How many tracks take part, drawn with the seed; None for all.
    level : "track" or "segment"
    pooling : "mean" or "mean_std"
        How hidden states are pooled over time: their mean, or mean and standard deviation.
    permutations : int
        Number of shuffles for the test of significance; 0 for no test.
    bootstrap : int
        Number of bootstrap draws of works for the intervals.
    group_by : tuple of str
        What folds never split: "work", "composer" or "year". The first one is used; the scores
        with the others are reported for comparison.
    own_split : bool
        Whether each part of the dataset's own split, if it has one, has folds of its own.
    repeats : int
        With how many seeds the nested experiment is repeated.
    controls : bool
        Whether to compute baselines and the learning curve.
    frames : "auto", "on" or "off"
        Whether the tempo is read from every hidden state, which encodes the recordings again;
        "auto" does so for small collections.
    """

    alpha: Alpha = "auto"
    folds: int = 10
    samples: int | None = None
    level: Level = "track"
    pooling: Pooling = "mean"
    seed: int = 0
    permutations: int = 1000
    bootstrap: int = 1000
    group_by: tuple[str, ...] = ("work", "composer")
    own_split: bool = True
    repeats: int = 3
    controls: bool = True
    frames: Frames = "auto"

    @property
    def experiment(self) -> DiscoverySettings:
        """The part of them that `mess.probing.discovery.discover` takes."""
        return DiscoverySettings(
            alpha=self.alpha,
            folds=self.folds,
            seed=self.seed,
            permutations=self.permutations,
            bootstrap=self.bootstrap,
        )

    def as_params(self) -> Json:
        """Return them by name, as a run in MLflow keeps them."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Split:
    """The nested experiment repeated with other folds.

    Attributes
    ----------
    group_by : str
        What its folds never split.
    seed : int
    groups : int
        How many there are; 0 where no folds could be made.
    r2 : dict of str to (float or None), optional
        Nested R² by target; None where no folds could be made.
    why : str, optional
        Why there are no folds.
    """

    group_by: str
    seed: int
    groups: int
    r2: dict[str, float | None] | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class Influence:
    """How much each group moves log(1 − R²) of the nested probe.

    Attributes
    ----------
    groups : list of str, length g
    by_target : dict of str to list of float
        Of each target, a number for each group.
    """

    groups: list[str]
    by_target: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class DiscoveryRecord(Record):
    """A discovery as it lies on disk.

    Attributes
    ----------
    dataset, encoder : str
    features, targets : str
        Digests of what was probed; None where there were no measured targets.
    code_version : int
    settings : ProbeSettings
    layer_names, target_names : list of str
    n, works, groups : int
        Rows, distinct works, and distinct values of what folds never split.
    copies : dict of str to str
        Each track that holds the same recording as an earlier one, and that one.
    cells : list of Cell
        Layer by layer, in the order of the targets.
    summaries : list of TargetSummary
        One for each target that could be probed.
    influence : Influence
    inputs : dict of str to Parts
        Of features and targets.
    sensitivity : list of Split
        The nested experiment by other groupings and seeds.
    curve : list of CurvePoint, optional
        The nested R² with fewer works; None where controls were not wanted.
    controls : list of BaselineScore, optional
        What baselines reach; None where they were not wanted.
    beyond : list of BeyondScore, optional
        What the layers tell beyond baselines; None for segments, and where controls were not
        wanted.
    in_time : InTimeRecord, optional
        Curves and readings; None for segments.
    parts : list of str
        The parts of the dataset's own split that have folds of their own; none without a split.
    predictions_crc32 : int, optional
        The checksum of the table of predictions beside it; None before it is written.
    curve_probes_crc32 : int, optional
        The checksum of the probes of curves beside it; None where no curve was probed.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset(
        {"curve", "controls", "beyond", "in_time", "predictions_crc32", "curve_probes_crc32"}
    )

    dataset: str
    encoder: str
    features: str
    targets: str | None
    code_version: int
    settings: ProbeSettings
    layer_names: list[str]
    target_names: list[str]
    n: int
    works: int
    groups: int
    copies: dict[str, str]
    cells: list[Cell]
    summaries: list[TargetSummary]
    influence: Influence
    inputs: dict[str, Parts]
    sensitivity: list[Split]
    parts: list[str]
    curve: list[CurvePoint] | None = None
    controls: list[BaselineScore] | None = None
    beyond: list[BeyondScore] | None = None
    in_time: InTimeRecord | None = None
    predictions_crc32: int | None = None
    curve_probes_crc32: int | None = None

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        digests = {"features": self.features, "targets": self.targets}
        return Origin(self.code_version, digests, self.inputs)

    @property
    def within(self) -> str:
        """For people, after "folds by work": the split that folds stay within, "" without one."""
        return f" within its authors' split ({', '.join(self.parts)})" if self.parts else ""

    def cell(self, layer: int, target: str) -> Cell | None:
        """Return one cell, None where there is none."""
        wanted = layer, target
        return next((one for one in self.cells if (one.layer, one.target) == wanted), None)

    def to_json(self) -> Json:
        """Return the record as plain values; a split has its R² or the reason why it has none."""
        content = super().to_json()
        content["sensitivity"] = [
            {key: one for key, one in row.items() if one is not None}
            for row in content["sensitivity"]
        ]
        return content
