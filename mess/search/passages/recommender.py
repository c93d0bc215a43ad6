"""The passage recommender: find the passages of other tracks that are similar to a segment.

The coordinates of a segment are its targets as probes predict them, each by a fold that was fitted
without the segment's work, standardised over all segments; and the whitened unit vector of all its
layers. Neighbouring segments of a track among the results become one passage, with the score of its
best segment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mess.as_text import clock
from mess.audio.decoding import segment_at, segment_span
from mess.errors import ArtifactError, MessError, UnknownName
from mess.records.features import FeaturesHeader
from mess.search.aspects import (
    LOWER_IS_MORE,
    THRESHOLD,
    Aspect,
    aspect_names,
    find_aspects,
    find_evidence,
    plugin_aspects,
)
from mess.search.coordinate_index import Point
from mess.search.coordinate_map import CoordinateMap
from mess.search.passages.merging import SegmentRun, merge
from mess.search.passages.segment_index import SegmentIndex, open_coordinates
from mess.search.ranking import Part, Query, SearchSpace, point_shares
from mess.search.terms import Terms
from mess.search.weights import check_apart, check_moves, share_weights
from mess.status.staleness import Sources, attempt, fitted_digests, require
from mess.storage.store import Store

Spot = tuple[str, float] | Point
PROJECTION = "passages.projection.npz"
_MOST = 1 << 17  # largest number of ranked segments in a search


@dataclass(frozen=True)
class Passage:
    """A part of a track that is similar to the query.

    Attributes
    ----------
    track_id : str
    start, end : float
        Seconds.
    best : float
        Where its most similar segment begins.
    score : float
        The score of its best segment, from −1 to 1, as in `Recommendation`: 0 is as unlike as half
        of the segments.
    contributions : dict of str to float
        The contribution of each aspect; they sum to the score.
    values : dict of str to dict
        Of each target, "query" and "track" in its unit, as predicted.

    Examples
    --------
    >>> one = Passage("one", start=0.0, end=5.0, best=0.0, score=0.9, contributions={"tempo": 0.9})
    >>> one.end - one.start
    5.0
    """

    track_id: str
    start: float
    end: float
    best: float
    score: float
    contributions: dict[str, float]
    values: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as ``--json`` prints them."""
        return asdict(self)


class PassageRecommender:
    """Search the segments of one dataset.

    Parameters
    ----------
    dataset, encoder : str
    store : Store, optional
    threshold : float
        Least R², over segments, of a target that is searched by.

    Attributes
    ----------
    aspects : dict of str to Aspect
    track_ids : list of str

    Raises
    ------
    ArtifactError
        If the passages or the discovery are missing, damaged or stale.

    Examples
    --------
    >>> passages = PassageRecommender("demo", "spectral")
    >>> track = passages.track_ids[0]
    >>> similar = passages.recommend((track, 6.0), {passages.get_available_aspects()[0]: 1.0}, k=3)
    >>> len(similar), track in {result.track_id for result in similar}
    (3, False)
    """

    def __init__(
        self,
        dataset: str,
        encoder: str,
        *,
        store: Store | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        self._store = store or Store()
        self.dataset, self.encoder = dataset, encoder
        record = self._store.passages.read_record(dataset, encoder)
        sources = Sources(self._store, dataset, encoder)
        require("passages", record.origin, sources)
        discovery = self._store.discoveries.read(dataset, encoder)
        index = attempt(lambda: self._store.indices.read_record(dataset, encoder))
        also = {} if isinstance(index, ArtifactError) else fitted_digests(index)
        require("discovery", discovery.origin, sources, also=also)
        self._record = record
        self.track_ids = record.tracks
        self._number = {track_id: row for row, track_id in enumerate(self.track_ids)}
        self._works = np.array(record.works, dtype=object)
        self._composers = record.composers
        self._durations = record.durations
        self._seconds = record.segment_seconds
        counts = np.array(record.segments, dtype=np.int64)
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self._track_of = np.repeat(np.arange(len(counts)), counts)
        parts = {
            name: self._store.passages.read_part(dataset, encoder, record, name)
            for name in record.crc32
            if name != PROJECTION
        }
        lists = self._store.passages.lists(dataset, encoder)
        coordinates = open_coordinates(parts, record.search, record.columns, lists=lists)
        self.index = SegmentIndex(coordinates, parts, record.search)
        self._space = SearchSpace(coordinates, None, coordinates.n)
        # The discovery on tracks decides significance; R² is that over segments.
        evidence = find_evidence(discovery.cells, predicted=record.columns)
        self.aspects: dict[str, Aspect] = find_aspects(
            [],
            evidence,
            threshold=threshold,
            more=plugin_aspects(),
        )
        self.terms = Terms(
            dataset=dataset,
            encoder=encoder,
            track_ids=self.track_ids,
            aspects=self.aspects,
            indexed=coordinates,
            defaults={},
        )

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self._track_of)

    @cached_property
    def projection(self) -> CoordinateMap:
        """The map that gives segments outside the index their coordinates."""
        content = self._store.passages.read_part(
            self.dataset, self.encoder, self._record, PROJECTION
        )
        return CoordinateMap.deserialise(content)

    @property
    def made_by(self) -> FeaturesHeader:
        """The header of the features: all that they depend on beside the audio."""
        return self._store.features.header(self.dataset, self.encoder)

    def get_available_aspects(self) -> list[str]:
        """Return the aspects that can be searched by; `aspects` has all, each with its R²."""
        return self.terms.validated()

    def window(self, track_id: str, at: float) -> tuple[float, float]:
        """Return the start and end of the segment at a time in a track.

        Raises
        ------
        UnknownName
            If there is no such track.
        MessError
            If the track is shorter.
        """
        row = self._row(track_id, at)
        return self._span(row, row)

    def windows(self, track_id: str) -> list[tuple[float, float]]:
        """Return the start and end of each segment of a track.

        Raises
        ------
        UnknownName
            If there is no such track.
        """
        first = self._row(track_id, 0.0)
        count = int(self._first[self._number[track_id] + 1]) - first
        return [self._span(row, row) for row in range(first, first + count)]

    def _segment_name(self, row: int) -> str:
        track_id = self.track_ids[int(self._track_of[row])]
        return f"{track_id} from {clock(self._span(row, row)[0])}"

    def _row(self, track_id: str, at: float) -> int:
        if track_id not in self._number:
            raise UnknownName("track", track_id, self._number)
        track = self._number[track_id]
        length = self._durations[track]
        if not 0 <= at <= length:
            raise MessError(f"{track_id!r} has no sound at {at:g} s: it is {length:.1f} s long")
        count = int(self._first[track + 1] - self._first[track])
        number = segment_at(at, length, count=count, seconds=self._seconds)
        return int(self._first[track]) + number

    def _span(self, first: int, last: int) -> tuple[float, float]:
        track = int(self._track_of[first])
        length = self._durations[track]
        begin, _ = segment_span(first - int(self._first[track]), length, seconds=self._seconds)
        _, end = segment_span(last - int(self._first[track]), length, seconds=self._seconds)
        return begin, end

    def recommend(
        self,
        like: Spot | Sequence[Spot],
        weights: Mapping[str, float],
        k: int = 5,
        *,
        unlike: Sequence[Spot] = (),
        hold: Sequence[str] = (),
        offset: Mapping[str, float] | None = None,
        exclude_same_work: bool = False,
        max_per_track: int | None = None,
        max_per_composer: int | None = None,
    ) -> list[Passage]:
        """Return the passages of other tracks most similar to the query.

        Parameters
        ----------
        like : (str, float) or Point, or several
            A track and a time in seconds, or a segment that is not in the index.
        weights : mapping of str to float
            As in `LayerBasedRecommender.multi_aspect_recommendation`; likewise ``hold`` and
            ``offset``, in standard deviations over all segments.
        k : int
        unlike : sequence of (str, float) or Point
        exclude_same_work : bool
            Leave out all recordings of the queries' works, and not only the queries' tracks.
        max_per_track, max_per_composer : int, optional
            Largest number of passages of one track, or by one composer.

        Returns
        -------
        list of Passage
            Best first; fewer if there are too few.
        """
        likes = _spots(like)
        if not likes:
            raise MessError("name at least one passage to be like")
        if k < 1:
            raise MessError(f"ask for at least 1 passage, not {k}")
        offset = check_moves(offset or {})
        wanted = share_weights(dict.fromkeys([*hold, *offset], 1.0) | dict(weights), aspect_names())
        spots = [*likes, *unlike]
        rows = [spot if isinstance(spot, Point) else self._row(*spot) for spot in spots]
        named = ["" if isinstance(row, Point) else self._segment_name(row) for row in rows]
        check_apart(filter(None, named[: len(likes)]), named[len(likes) :])
        points = list(zip(rows, point_shares(len(likes), len(unlike)), strict=True))
        terms = [
            self.terms.make(name, weight, method="probe", moved=name in offset)
            for name, weight in wanted.items()
        ]
        query = Query(
            terms=terms,
            points=points,
            moves={n: float(-by if n in LOWER_IS_MORE else by) for n, by in offset.items()},
        )
        parts = self._space.parts(query)
        runs = self._search(
            query,
            parts,
            k=k,
            works=exclude_same_work,
            max_per_track=max_per_track,
            max_per_composer=max_per_composer,
        )
        return self._explain(query, parts, runs)

    def _search(
        self,
        query: Query,
        parts: Sequence[Part],
        *,
        k: int,
        works: bool,
        max_per_track: int | None,
        max_per_composer: int | None,
    ) -> list[SegmentRun]:
        own = [int(self._track_of[at]) for at, _ in query.points if not isinstance(at, Point)]
        if works:
            own = np.flatnonzero(np.isin(self._works, self._works[own])).tolist()
        left_out = [(int(self._first[track]), int(self._first[track + 1])) for track in own]
        wanted = 4 * k + 16
        while True:
            rows = self.index.best(parts, k=wanted, exclude=left_out)
            runs = merge(
                rows.tolist(),
                track_of=self._track_of,
                k=k,
                max_per_track=max_per_track,
                label_of=self._composers,
                max_per_label=max_per_composer,
            )
            if len(runs) == k or len(rows) < wanted or wanted >= _MOST:
                return runs
            wanted *= 4

    def _explain(
        self, query: Query, parts: Sequence[Part], runs: Sequence[SegmentRun]
    ) -> list[Passage]:
        rows = np.array([run.best for run in runs], dtype=np.int64)
        shares = self._space.shares(query, rows, parts=parts)
        values = self._space.values(query, rows)
        names = [term.name for term in query.terms]
        passages = []
        for index, (run, own) in enumerate(zip(runs, shares.T.tolist(), strict=True)):
            start, end = self._span(run.first, run.last)
            passages.append(
                Passage(
                    track_id=self.track_ids[self._track_of[run.best]],
                    start=round(start, 3),
                    end=round(end, 3),
                    best=round(self._span(run.best, run.best)[0], 3),
                    score=float(sum(own)),
                    contributions=dict(zip(names, own, strict=True)),
                    values=values[index],
                )
            )
        return passages


def _spots(like: Spot | Sequence[Spot]) -> list[Spot]:
    if isinstance(like, Point):
        return [like]
    if isinstance(like, tuple) and len(like) == 2 and isinstance(like[0], str):
        return [(like[0], float(like[1]))]
    return list(like)
