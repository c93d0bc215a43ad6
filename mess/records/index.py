"""The records of an index of tracks and of an index of their segments."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from mess.records.base import Json, Origin, Parts, Record
from mess.records.head import IndexedHead

Kind = Literal["probe", "subspace", "direct", "probe_octaves", "direct_octaves"]
Way = Literal["cells", "columns", "scan", "all"]


@dataclass(frozen=True)
class Column:
    """What one coordinate stands for.

    Attributes
    ----------
    name : str
        The target; of a subspace, the aspect.
    kind : "probe", "subspace", "direct", "probe_octaves" or "direct_octaves"
    mean, deviation : float
        What turns a coordinate back into the target's unit.
    r2 : float or None
        How well the prediction agrees with the measurement, out of fold; of both columns of the
        circle together.
    p_family : float or None
        How often shuffled works would agree so well with the predictions of any target.
    through_time : float or None
        The share of the prediction that is read through time.
    """

    name: str
    kind: Kind
    mean: float = 0.0
    deviation: float = 1.0
    r2: float | None = None
    p_family: float | None = None
    through_time: float | None = None


@dataclass(frozen=True)
class SearchPlan:
    """How one kind of query is answered.

    Attributes
    ----------
    way : {"cells", "columns", "scan", "all"}
        What is read: cells by aspects, rows in the order of one column, the codes of all rows,
        all rows.
    step : int
        How many cells or rows are read, or rows ranked again.
    recall : float
        Of the ten best.
    milliseconds : float
        A query on the machine that built the index.
    queries : int
        By which recall was measured.
    """

    way: Way
    step: int
    recall: float
    milliseconds: float
    queries: int


@dataclass(frozen=True, kw_only=True)
class FittedOn:
    """What the coordinates of an index were fitted on, if recordings were placed since.

    Attributes
    ----------
    features, targets : str
        The digests of the sources at that time: a discovery and an evaluation of the same time
        belong to the index still.
    index : str
        The fingerprint of the index as it was built.
    tracks : list of str
        What was in it.
    """

    features: str
    targets: str
    index: str
    tracks: list[str]


@dataclass(frozen=True, kw_only=True)
class IndexRecord(Record):
    """An index of tracks as it lies on disk.

    Attributes
    ----------
    dataset, encoder : str
    features : str
        Digest of the features.
    targets : str or None
        Digest of the targets; None where they are not measured.
    inputs : dict of str to (Parts or None)
        Of features and targets.
    code_version : int
    fingerprint : str
        Digest of the index: what is concluded from it names it by this.
    tracks, works, composers : list of str
    copies : list of int
        The row of the first track that holds the same recording.
    columns : list of Column
        None where the targets of too few works are known.
    passages : bool
        Whether the segments are indexed, too.
    sources : list of str
        Of each track the digest of its features and targets, by which a change is noticed.
    fitted : FittedOn, optional
        None where the coordinates were fitted on these very tracks.
    placed : list of str
        Tracks that came after the fit: its probes gave them their coordinates.
    heads : list of IndexedHead
        The learned heads by which the index ranks.
    heads_digest : str, optional
        Of all heads that read this encoder; None where there are none.
    crc32 : list of int
        The checksum of each layer's file.
    steering_crc32, projection_crc32 : int, optional
        The checksums of the coordinates, and of what gives other recordings their coordinates (the
        field names are those of an earlier version). None if there are no columns.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset(
        {"steering_crc32", "projection_crc32", "fitted", "heads_digest"}
    )

    dataset: str
    encoder: str
    features: str
    targets: str | None
    inputs: dict[str, Parts | None]
    code_version: int
    fingerprint: str
    tracks: list[str]
    works: list[str]
    composers: list[str]
    copies: list[int]
    columns: list[Column]
    passages: bool
    sources: list[str] = field(default_factory=list)
    fitted: FittedOn | None = None
    placed: list[str] = field(default_factory=list)
    heads: list[IndexedHead] = field(default_factory=list)
    heads_digest: str | None = None
    crc32: list[int] = field(default_factory=list)
    steering_crc32: int | None = None
    projection_crc32: int | None = None

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        digests = {
            "features": self.features,
            "targets": self.targets,
            "heads": self.heads_digest,
        }
        return Origin(self.code_version, digests, self.inputs)

    @property
    def changed(self) -> float:
        """The share of the recordings that came, changed or went after the fit."""
        if self.fitted is None:
            return 0.0
        of = set(self.fitted.tracks)
        return len((of - set(self.tracks)) | set(self.placed)) / max(1, len(of))


@dataclass(frozen=True)
class ListsRecord:
    """Lists of vectors on disk, which are mapped and not read.

    Attributes
    ----------
    sizes : list of int
        How many vectors each list has.
    width : int
        Numbers in a vector.
    crc32 : int
        The checksum of the file.
    """

    sizes: list[int]
    width: int
    crc32: int

    @property
    def gigabytes(self) -> float:
        """The size of the vectors in GB."""
        return sum(self.sizes) * 4 * self.width / 1e9


@dataclass(frozen=True, kw_only=True)
class SegmentSearch:
    """How segments are searched.

    Attributes
    ----------
    rows : int
    kinds : dict of str to SearchPlan
        By kind of query; none where all rows are always read.
    epsilon : float, optional
        Which error of the codes is allowed; None where there are no codes.
    lists : ListsRecord, optional
        Where the vectors stay on disk.
    """

    rows: int
    kinds: dict[str, SearchPlan]
    epsilon: float | None = None
    lists: ListsRecord | None = None


@dataclass(frozen=True, kw_only=True)
class PassagesRecord(Record):
    """An index of segments as it lies on disk.

    Attributes
    ----------
    dataset, encoder, features, targets, code_version, fingerprint
        As in `IndexRecord`.
    tracks, works, composers, columns
        As in `IndexRecord`.
    segment_seconds : float
    segments : list of int
        How many each track has.
    durations : list of float
        Seconds of each track.
    search : SegmentSearch
    sources : list of str
        As in `IndexRecord`.
    crc32 : dict of str to int
        File → checksum.
    """

    dataset: str
    encoder: str
    features: str
    targets: str | None
    code_version: int
    fingerprint: str
    segment_seconds: float
    tracks: list[str]
    segments: list[int]
    durations: list[float]
    works: list[str]
    composers: list[str]
    columns: list[Column]
    search: SegmentSearch
    sources: list[str] = field(default_factory=list)
    crc32: dict[str, int] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        digests = {"features": self.features, "targets": self.targets}
        return Origin(self.code_version, digests)

    def to_json(self) -> Json:
        """Return the record as plain values."""
        content = super().to_json()
        for name in ("epsilon", "lists"):
            if getattr(self.search, name) is None:
                content["search"].pop(name, None)
        return content
