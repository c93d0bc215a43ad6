"""The record of a comparison: what each encoder knows, what it costs, which differences hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mess.probing.differences import Verdict
from mess.probing.results import Alpha
from mess.records.base import Record
from mess.records.discovery import Level, Pooling, ProbeSettings

_TURNED: Mapping[Verdict | None, Verdict | None] = {"beats": "loses", "loses": "beats"}


@dataclass(frozen=True, kw_only=True)
class SharedSettings:
    """The settings that decide which rows an experiment has, and which are held out together.

    Encoders are compared where all of these are equal; see `ProbeSettings`.
    """

    alpha: Alpha
    folds: int
    samples: int | None
    level: Level
    pooling: Pooling
    seed: int
    group_by: tuple[str, ...]
    own_split: bool = True

    @classmethod
    def of(cls, settings: ProbeSettings) -> "SharedSettings":
        """Return those of a discovery."""
        return cls(
            alpha=settings.alpha,
            folds=settings.folds,
            samples=settings.samples,
            level=settings.level,
            pooling=settings.pooling,
            seed=settings.seed,
            group_by=settings.group_by,
            own_split=settings.own_split,
        )


@dataclass(frozen=True, kw_only=True)
class TargetScore:
    """What an encoder reaches on one target: the nested R², and the layers that may be the best.

    Attributes
    ----------
    r2, low, high, spearman : float or None
        As in `mess.probing.results.Combined`.
    best : int
    layers : list of int
        Every layer within one standard error of the best; none unless ``beyond_mean``.
    beyond_mean : bool
    """

    r2: float | None
    low: float | None
    high: float | None
    spearman: float | None
    best: int
    layers: list[int]
    beyond_mean: bool


@dataclass(frozen=True, kw_only=True)
class SliderFaithfulness:
    """The mean faithfulness along the probes, and of the strongest baseline without them."""

    probe: float | None
    plain: float | None


@dataclass(frozen=True, kw_only=True)
class EncoderScores:
    """What is known of one encoder.

    Attributes
    ----------
    name : str
    control_of : str or None
        The encoder whose random-weights control it is.
    features, discovery : str
        Digests.
    licence : str
    trained_on : str or None
    layers, dim : int
    layer_names : list of str
    cost : float or None
        Usual seconds of encoding a minute of audio.
    bytes : int
        Of the features on disk.
    faithfulness : SliderFaithfulness or None
        None where it is not evaluated.
    mean_r2 : float or None
    r2 : dict of str to TargetScore
        By target.
    seconds_per_minute : float, optional
        As measured here; not kept on disk, for it is another number every time.
    """

    name: str
    control_of: str | None
    features: str
    discovery: str
    licence: str
    trained_on: str | None
    layers: int
    dim: int
    layer_names: list[str]
    cost: float | None
    bytes: int
    faithfulness: SliderFaithfulness | None
    mean_r2: float | None
    r2: dict[str, TargetScore]
    seconds_per_minute: float | None = None


@dataclass(frozen=True, kw_only=True)
class MeanDifference:
    """By how much the mean R² of two encoders differs.

    Attributes
    ----------
    difference, low, high, p : float or None
        With its 95 % interval; None where they are undefined.
    verdict : "beats", "loses", "not told apart" or None
    """

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: Verdict | None

    def turned(self) -> "MeanDifference":
        """Return the difference the other way round."""
        return replace(
            self,
            difference=_minus(self.difference),
            low=_minus(self.high),
            high=_minus(self.low),
            verdict=_TURNED.get(self.verdict, self.verdict),
        )


@dataclass(frozen=True, kw_only=True)
class TargetDifference:
    """By how much the R² of two encoders differs on one target.

    Attributes
    ----------
    difference : float
    low, high, p, p_holm : float or None
        ``p_holm`` is corrected for the number of targets; None where there are too few works.
    verdict : "beats", "loses" or "not told apart"
        By ``p_holm``.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    verdict: Verdict

    def turned(self) -> "TargetDifference":
        """Return the difference the other way round."""
        return replace(
            self,
            difference=-self.difference,
            low=_minus(self.high),
            high=_minus(self.low),
            verdict=_TURNED.get(self.verdict) or self.verdict,
        )


@dataclass(frozen=True, kw_only=True)
class EncoderPair:
    """The R² of encoder ``a`` minus that of encoder ``b``, on the mean and by target."""

    a: str
    b: str
    mean: MeanDifference
    targets: dict[str, TargetDifference]

    def turned(self) -> "EncoderPair":
        """Return ``b`` minus ``a``."""
        targets = {target: one.turned() for target, one in self.targets.items()}
        return EncoderPair(a=self.b, b=self.a, mean=self.mean.turned(), targets=targets)


@dataclass(frozen=True, kw_only=True)
class MissingEncoder:
    """An encoder that could join a comparison, and the command that lets it."""

    name: str
    state: Literal["not extracted", "not probed"]
    command: str
    licence: str
    trained_on: str | None
    layers: int
    dim: int
    cost: float | None


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord(Record):
    """A comparison as it lies on disk.

    Attributes
    ----------
    dataset : str
    code_version : int
    chosen : bool
        Whether a person chose the encoders.
    settings : SharedSettings
    n, works : int
    minutes : float
        How much audio there is.
    targets_fingerprint : str or None
        Digest of the targets.
    targets : list of str
    encoders : list of EncoderScores
        The best first, its control after it, where nobody chose.
    pairs : list of EncoderPair
        Each two encoders, once.
    missing : list of MissingEncoder
    """

    dataset: str
    code_version: int
    chosen: bool
    settings: SharedSettings
    n: int
    works: int
    minutes: float
    targets_fingerprint: str | None
    targets: list[str]
    encoders: list[EncoderScores]
    pairs: list[EncoderPair]
    missing: list[MissingEncoder]


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
