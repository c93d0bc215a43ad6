"""What a discovery finds in time: probes of curves, and the readings of targets."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mess.probing.in_time import CurveCell
from mess.records.base import Record


@dataclass(frozen=True, kw_only=True)
class CurveSummary:
    """How well a curve is told by the layer that each training fold chooses.

    Attributes
    ----------
    curve : str
    r2, within, correlation : float or None
        See `mess.probing.in_time.CurveCell`.
    layers : list of float
        The share of the folds that chose each layer.
    """

    curve: str
    r2: float | None
    within: float | None
    correlation: float | None
    layers: list[float]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How well a target is told in one way of taking it from a layer.

    Attributes
    ----------
    r2, spearman : float or None
        With the layer that each training fold chose.
    layers : list of float
        The share of the folds that chose each layer.
    share : float
        The share of the folds that chose this reading.
    """

    r2: float | None
    spearman: float | None
    layers: list[float]
    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TargetReadings:
    """All readings of one target, and what the training folds chose among them.

    Attributes
    ----------
    target : str
    r2, spearman : float or None
        With the layer and the reading that each training fold chose.
    mixed_r2 : float or None
        With all of them, weighed by each training fold.
    by : dict of str to Reading
        By the reading's name: "mean", "mean and extremes", "through time".
    """

    target: str
    r2: float | None
    mixed_r2: float | None
    spearman: float | None
    by: dict[str, Reading]

    @property
    def usual(self) -> str:
        """The reading that most folds chose, "" where the target could not be read."""
        return (
            ""
            if self.r2 is None
            else max(self.by, key=lambda name: self.by[name].share, default="")
        )


@dataclass(frozen=True, kw_only=True)
class TempoReading:
    """How well the tempo is read from the onset strength that every hidden state predicts.

    Attributes
    ----------
    strength_r2 : float or None
        Nested R² of the onset strength.
    recordings : int
        With a measured tempo.
    accuracy_1, accuracy_2, coverage : float
        Against the measured tempo; see `mess.targets.tempo_accuracy`. By the layer that each
        training fold chose for accuracy 1.
    layers : list of float
        The share of the folds that chose each layer for it.
    """

    strength_r2: float | None
    recordings: int
    accuracy_1: float
    accuracy_2: float
    coverage: float
    layers: list[float]


@dataclass(frozen=True, kw_only=True)
class InTimeRecord(Record):
    """What an experiment finds in time.

    Attributes
    ----------
    cells : list of CurveCell
        Layer by curve.
    summaries : list of CurveSummary
    why : str
        Why there are no curves, "" where there are.
    readings : list of TargetReadings
    control : dict of str to (float or None), optional
        By target, the chosen R² of the same network with random weights; None where its features
        are not there.
    tempo : TempoReading, optional
        None where single states were not asked.
    control_tempo : TempoReading, optional
        The same of the network with random weights.
    no_frames : str
        Why single states were not asked, "" where they were.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"control", "tempo", "control_tempo"})

    cells: list[CurveCell]
    summaries: list[CurveSummary]
    why: str
    readings: list[TargetReadings]
    control: dict[str, float | None] | None = None
    tempo: TempoReading | None = None
    control_tempo: TempoReading | None = None
    no_frames: str = ""

    @property
    def mean_r2(self) -> float | None:
        """The mean chosen R² over the targets that were read, None where there is none."""
        known = [reading.r2 for reading in self.readings if reading.r2 is not None]
        return float(np.mean(known)) if known else None
