"""The record of a cross table: probes of one dataset tested on another."""

from dataclasses import dataclass

from mess.records.base import Record


@dataclass(frozen=True, kw_only=True)
class CrossInputs:
    """Digests of what a dataset brought."""

    features: str
    targets: str


@dataclass(frozen=True, kw_only=True)
class CrossScore:
    """One target, fitted on one dataset and tested on another.

    Attributes
    ----------
    train, test, target : str
    layer : int
        Chosen on the training dataset.
    r2, spearman : float or None
    """

    train: str
    test: str
    target: str
    layer: int
    r2: float | None
    spearman: float | None


@dataclass(frozen=True, kw_only=True)
class CrossRecord(Record):
    """A cross table as it lies on disk.

    Attributes
    ----------
    encoder : str
    code_version : int
    datasets : list of str
    inputs : dict of str to CrossInputs
        By dataset.
    left_out : dict of str to int
        "a → b" → how many tracks of b are copies of what a has, or of their works.
    rows : list of CrossScore
    """

    encoder: str
    code_version: int
    datasets: list[str]
    inputs: dict[str, CrossInputs]
    left_out: dict[str, int]
    rows: list[CrossScore]
