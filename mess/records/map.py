"""The record of a map of tracks or segments on a plane, and its points."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mess.records.base import Json, Origin, Record
from mess.records.discovery import Level


@dataclass(frozen=True, kw_only=True)
class MapRecord(Record):
    """How a map was made, as it lies on disk.

    Attributes
    ----------
    dataset, encoder : str
    level : "track" or "segment"
    layer : int
    layer_name : str
    method : str
        One of `mess.maps.METHODS`.
    seed, clusters : int
    code_version : int
    features : str
        Digest of the features.
    n : int
        How many points there are.
    settings : dict of str to number
        Of the method.
    explained : list of float
        The share of the variance that each of the first two components carries.
    trust : float or None
        See `mess.maps.trustworthiness_of`.
    tracks : list of str
    crc32 : int, optional
        The checksum of the arrays beside it; None before they are written.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"crc32"})

    dataset: str
    encoder: str
    level: Level
    layer: int
    layer_name: str
    method: str
    seed: int
    clusters: int
    code_version: int
    features: str
    n: int
    settings: dict[str, int | float]
    explained: list[float]
    trust: float | None
    tracks: list[str]
    crc32: int | None = None

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        return Origin(self.code_version, {"features": self.features})

    def summary(self) -> Json:
        """Return all but the tracks, as ``--json`` prints it."""
        return {key: one for key, one in self.to_json().items() if key != "tracks"}


@dataclass(frozen=True, kw_only=True)
class MapPoints:
    """The points of a map.

    Attributes
    ----------
    track : ndarray [shape=(n,), dtype=int32]
        The place of each point's track in `MapRecord.tracks`.
    segment : ndarray [shape=(n,), dtype=int32]
        −1 for a whole track.
    points : ndarray [shape=(n, 2), dtype=float32]
    cluster : ndarray [shape=(n,), dtype=int16]
        The group of each point, the largest group 0.
    """

    track: NDArray[np.int32]
    segment: NDArray[np.int32]
    points: NDArray[np.float32]
    cluster: NDArray[np.int16]
