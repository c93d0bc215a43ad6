"""The record of an experiment with doses: how predictions follow when one quality is changed."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from mess.probing.dose import Response
from mess.records.base import Json, Origin, Record


@dataclass(frozen=True, kw_only=True)
class DoseSettings:
    """The settings of an experiment with doses.

    Attributes
    ----------
    tracks : int
        How many recordings are changed, of as many works as possible.
    edits : tuple of str
        Names, in the order of the registries.
    seconds : float
        Of each recording at most, from its middle.
    bootstrap, seed : int
        Draws of works behind the intervals, and the seed of all random numbers.
    """

    tracks: int = 20
    edits: tuple[str, ...] = ()
    seconds: float = 30.0
    bootstrap: int = 1000
    seed: int = 0

    def as_params(self) -> Json:
        """Return them by name, as a run in MLflow keeps them."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class DoseEdit:
    """An edit, as it was when the experiment was made.

    Attributes
    ----------
    name, unit, description : str
    doses : list of float
    neutral : float or None
        The dose that changes nothing.
    moves : list of str
        The targets that it is meant to move.
    rendered : bool
        Whether it is made of the MIDI and rendered, so that its unedited version is a rendering.
    """

    name: str
    unit: str
    description: str
    doses: list[float]
    neutral: float | None
    moves: list[str]
    rendered: bool = False


@dataclass(frozen=True, kw_only=True)
class DoseTrack:
    """A recording that was changed.

    Attributes
    ----------
    track, work : str
    fold : int
        In which its work was held out.
    start, seconds : float
        The part that was changed.
    """

    track: str
    work: str
    fold: int
    start: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class DoseTarget:
    """How a target is read from the layers, as the probing found it.

    Attributes
    ----------
    target : str
    reading : str
        The one that most training folds chose, of those that can be asked for a changed recording.
    layer : int
        The one that most training folds chose for it.
    r2 : float or None
        Of that reading, nested.
    deviation : float
        Of the target over the dataset, in its unit.
    """

    target: str
    reading: str
    layer: int
    r2: float | None
    deviation: float


@dataclass(frozen=True, kw_only=True)
class DoseCell:
    """How the prediction of a target answers an edit.

    Attributes
    ----------
    edit, target, reading : str
    layer : int
    across : float or None
        The slope of predicted on measured values across recordings that are not changed.
    response : Response
    """

    edit: str
    target: str
    reading: str
    layer: int
    across: float | None
    response: Response


@dataclass(frozen=True, kw_only=True)
class DoseRecord(Record):
    """An experiment with doses as it lies on disk.

    Attributes
    ----------
    dataset, encoder : str
    code_version : int
    features, targets : str or None
        Digests of what the probes were fitted on.
    discovery : str
        Digest of the discovery whose folds, penalties and readings they are.
    key : str
        Of the changed recordings: the tables beside the record carry it.
    settings : DoseSettings
    layer_names : list of str
    readings : list of str
        Those that were asked.
    edits : list of DoseEdit
    tracks : list of DoseTrack
    targets_read : list of DoseTarget
    cells : list of DoseCell
        Of the usual reading and layer of each target; the table beside has all of them.
    left_out : dict of str to str
        By recording, why it could not take part.
    remarks : list of str
        What else could not be done, in a line each.
    responses_crc32 : int, optional
        The checksum of the table of all responses.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"responses_crc32"})

    dataset: str
    encoder: str
    code_version: int
    features: str | None
    targets: str | None
    discovery: str
    key: str
    settings: DoseSettings
    layer_names: list[str]
    readings: list[str]
    edits: list[DoseEdit]
    tracks: list[DoseTrack]
    targets_read: list[DoseTarget]
    cells: list[DoseCell]
    left_out: dict[str, str]
    remarks: list[str]
    responses_crc32: int | None = None

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        return Origin(
            self.code_version,
            {"features": self.features, "targets": self.targets, "discovery": self.discovery},
        )

    @property
    def works(self) -> int:
        """How many works the changed recordings are of."""
        return len({one.work for one in self.tracks})

    def cell(self, edit: str, target: str) -> DoseCell | None:
        """Return the cell of the usual reading, None where there is none."""
        wanted = edit, target
        return next((one for one in self.cells if (one.edit, one.target) == wanted), None)

    def edit(self, name: str) -> DoseEdit:
        """Return an edit by its name."""
        return next(one for one in self.edits if one.name == name)
