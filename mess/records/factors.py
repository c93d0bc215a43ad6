"""The record of a factor table: which similarity follows which factor of music."""

from dataclasses import dataclass
from typing import Literal

from mess.records.base import Origin, Record

RowKind = Literal["head", "probe", "in time", "layer"]


@dataclass(frozen=True, kw_only=True)
class FactorScore:
    """How often a similarity finds what shares a factor.

    Attributes
    ----------
    accuracy : float
        The share of triplets in which the recording that shares the factor is nearer than the one
        that does not; 0.5 is chance.
    low, high : float or None
        The bounds of its 95 % interval over pairs of works; None with fewer than ten pairs.
    """

    accuracy: float
    low: float | None
    high: float | None

    @property
    def seen(self) -> bool:
        """Whether chance lies below the interval."""
        return self.low is not None and self.low > 0.5


@dataclass(frozen=True, kw_only=True)
class FactorRow:
    """What one similarity follows.

    Attributes
    ----------
    kind : "head", "probe", "in time" or "layer"
        A learned head; an aspect along the probes; an aspect read from predicted curves; a whole
        layer, or all of them (`overall`).
    name : str
    own : str or None
        The factor that it should follow by its name.
    digest : str
        Of a head; "" for others.
    scores : dict of str to FactorScore
        By factor.
    """

    kind: RowKind
    name: str
    own: str | None
    scores: dict[str, FactorScore]
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class FactorsRecord(Record):
    """A factor table as it lies on disk.

    Attributes
    ----------
    dataset, encoder : str
    index : str
        The fingerprint of the index whose similarities were asked.
    heads : str or None
        The digest of all heads that read the encoder.
    code_version : int
    seed : int
    pairs : list of str
        The works of each pair.
    triplets : int
        In each column.
    factors : list of str
    rows : list of FactorRow
    """

    dataset: str
    encoder: str
    index: str
    heads: str | None
    code_version: int
    seed: int
    pairs: list[str]
    triplets: int
    factors: list[str]
    rows: list[FactorRow]

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        return Origin(self.code_version, {"index": self.index, "heads": self.heads})
