"""The record of a test of the targets: how far each is to be trusted."""

from dataclasses import dataclass
from typing import Self

from mess.records.base import DoesNotFit, Json, Record


@dataclass(frozen=True, kw_only=True)
class TargetReliability:
    """How far one target is to be trusted.

    Attributes
    ----------
    split_half : float or None
        Do two halves agree? None where it is undefined.
    changes : dict of str to (float or None)
        Change that is no music → agreement of before and after.
    trusted : bool
        Whether all of them are high enough.
    """

    split_half: float | None
    changes: dict[str, float | None]
    trusted: bool

    def numbers(self) -> dict[str, float | None]:
        """Return all numbers by their names on disk."""
        return {"split_half": self.split_half, **self.changes}


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """How a target agrees with what MIDI tells: Spearman's ``rho`` over ``n`` recordings."""

    target: str
    truth: str
    rho: float
    n: int


@dataclass(frozen=True)
class TempoAccuracy:
    """Shares of all recordings.

    Attributes
    ----------
    recordings : int
    accuracy_1 : float
        Share of estimates within 4 %.
    accuracy_2 : float
        The same, or within 4 % of a half, a third, the double or the triple.
    coverage : float
        Share of recordings with an estimate.
    """

    recordings: int
    accuracy_1: float
    accuracy_2: float
    coverage: float


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Targets beside what is known to be true.

    Attributes
    ----------
    counterparts : list of Counterpart
    tempo : dict of str to TempoAccuracy
        On click tracks, and on recordings whose tempo is known.
    false_tempi : float
        How often notes at random times have a tempo.
    """

    counterparts: list[Counterpart]
    tempo: dict[str, TempoAccuracy]
    false_tempi: float


@dataclass(frozen=True, kw_only=True)
class ReliabilityRecord(Record):
    """A test of the targets as it lies on disk.

    Attributes
    ----------
    dataset : str
    code_version : int or str
    audio : dict of str to str
        Track → hash of the recording that was tested.
    tracks, seed : int
        How many were drawn, and by which seed.
    targets : dict of str to TargetReliability
    movements : dict of str to dict
        Track → change → target → how far it moves, as a multiple of its tolerance; None where it is
        defined only before or after.
    truth : Truth
    """

    dataset: str
    code_version: int | str
    audio: dict[str, str]
    tracks: int
    seed: int
    targets: dict[str, TargetReliability]
    movements: dict[str, dict[str, dict[str, float | None]]]
    truth: Truth

    @classmethod
    def from_json(cls, content: object) -> Self:
        """Return the record; on disk the changes of a target lie flat beside its other numbers."""
        if not isinstance(content, dict) or not isinstance(content.get("targets"), dict):
            raise DoesNotFit("no targets")
        targets = {name: _gather(row) for name, row in content["targets"].items()}
        return super().from_json(content | {"targets": targets})

    def to_json(self) -> Json:
        """Return the record as plain values, the changes of a target flat."""
        rows = {
            name: one.numbers() | {"trusted": one.trusted} for name, one in self.targets.items()
        }
        return super().to_json() | {"targets": rows}


def _gather(row: object) -> object:
    if not isinstance(row, dict):
        return row
    own = {key: one for key, one in row.items() if key in ("split_half", "trusted")}
    return own | {"changes": {key: one for key, one in row.items() if key not in own}}
