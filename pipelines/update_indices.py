"""Bring an index up to date without a new fit: place what is new, drop what is gone.

A recording that came after the fit is placed by the probes and scales that are kept in the index,
as a recording of one's own is. The rows of all other tracks stay as they are. `mess watch` does
this; `mess index` fits anew.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mess.audio.fingerprint import find_copies, join_works
from mess.errors import MessError
from mess.experiments.rows import read_marks
from mess.records.features import FeaturesEntry
from mess.records.index import FittedOn, IndexRecord, PassagesRecord
from mess.search.coordinate_index import Point, stack_vectors
from mess.search.coordinate_map import CoordinateMap
from mess.search.heads import find_heads, index_heads
from mess.search.layer_index import flat_vectors, serialise_layer
from mess.search.passages.recommender import PROJECTION
from mess.search.passages.segment_index import change_rows
from mess.search.placing import merge, place, point_vector
from mess.status.staleness import Sources, judge
from mess.storage.manifest import FeaturesManifest, TargetsManifest, digest
from mess.storage.store import Store
from mess.versions import INDEX_VERSION, PASSAGES_VERSION


class CannotPlace(MessError):
    """The index has nothing that new recordings could be placed by: it must be built anew."""


def update_index(*, dataset: str, encoder: str, store: Store | None = None) -> IndexRecord:
    """Bring the indices of tracks and of segments up to date; return the record of the first.

    Parameters
    ----------
    dataset, encoder : str
    store : Store, optional

    Raises
    ------
    CannotPlace
        If the index has no coordinates, or was made with other settings or by other code.
    ArtifactError
        If the index, the features or the targets are missing or damaged.
    """
    store = store or Store()
    record = store.indices.read_record(dataset, encoder)
    update = _Update(store, dataset, encoder)
    update.check(record)
    sources = Sources(store, dataset, encoder)
    if judge("index", record.origin, sources):
        record = update.of_tracks(record)
    if record.passages:
        passages = store.passages.read_record(dataset, encoder)
        if judge("passages", passages.origin, sources):
            update.of_segments(passages, record)
    store.indices.tidy(dataset, encoder)
    store.passages.tidy(dataset, encoder)
    return record


def source_digests(features: FeaturesManifest, targets: TargetsManifest | None) -> dict[str, str]:
    """Return of each track the digest of all that its place in an index depends on."""
    measured = targets.done() if targets else {}
    return {
        track: digest(
            [
                dict(entry.checksums()),
                [entry.work, entry.composer, entry.extra],
                dict(measured[track].checksums()) if track in measured else None,
            ]
        )
        for track, entry in features.done().items()
    }


class _Update:
    """The present features and targets of a dataset, and what an index becomes by them."""

    def __init__(self, store: Store, dataset: str, encoder: str) -> None:
        self._store, self._dataset, self._encoder = store, dataset, encoder
        self._features = store.features.manifest(dataset, encoder)
        self._targets = store.targets.manifest(dataset)
        self._entries = self._features.done()
        self._tracks = list(self._entries)
        self._now = source_digests(self._features, self._targets)
        self._digests = self._features.digest(), self._targets.digest()

    def check(self, record: IndexRecord) -> None:
        """Refuse an index that cannot be changed, only built anew."""
        if record.code_version != INDEX_VERSION:
            raise CannotPlace("the index is of older code")
        if not record.columns or record.projection_crc32 is None or not record.sources:
            raise CannotPlace("the index has no coordinates: too few works have targets")
        if not self._tracks:
            raise CannotPlace("no recording has features")
        for name, parts in (
            ("features", self._features.parts()),
            ("targets", self._targets.parts()),
        ):
            then = record.inputs.get(name)
            if then is None or (then.settings, then.code) != (parts.settings, parts.code):
                raise CannotPlace(f"the {name} were made with other settings")

    def of_tracks(self, record: IndexRecord) -> IndexRecord:
        """Write the index with the present tracks, and return its record."""
        store, where = self._store, (self._dataset, self._encoder)
        assert record.steering_crc32 is not None  # noqa: S101 (there are columns)
        assert record.projection_crc32 is not None  # noqa: S101 (`check`)
        row_of = self._kept(record.tracks, record.sources)
        content = store.indices.read_coordinate_map(*where, checksum=record.projection_crc32)
        projection = CoordinateMap.deserialise(content)
        points = {
            track: self._point(track, entry, projection, record)
            for track, entry in self._entries.items()
            if track not in row_of
        }
        vectors = {track: point_vector(point) for track, point in points.items()}
        layers = []
        for layer, checksum in enumerate(record.crc32):
            old = flat_vectors(store.indices.read_layer(*where, layer, checksum=checksum))
            new = {
                track: point.layers[layer]
                for track, point in points.items()
                if point.layers is not None
            }
            layers.append(serialise_layer(merge(old, row_of, self._tracks, new)))
        old = flat_vectors(store.indices.read_coordinates(*where, checksum=record.steering_crc32))
        copies = self._copies(record, row_of)
        # Heads need no fit: all rows are made anew, by the heads that are there now.
        usable = find_heads(store, self._features.header).usable
        means = store.features.read(*where).values if usable else np.empty((0, 0, 0))
        heads, of_heads = index_heads(usable, means)
        features, targets = self._digests
        fitted = record.fitted or FittedOn(
            features=record.features,
            targets=record.targets or "",
            index=record.fingerprint,
            tracks=record.tracks,
        )
        placed = sorted({track for track in record.placed if track in row_of} | points.keys())
        store.indices.write(
            *where,
            layers=layers,
            coordinates=serialise_layer(merge(old, row_of, self._tracks, vectors)),
            coordinate_map=content,
            heads=of_heads,
            record=replace(
                record,
                features=features,
                targets=targets,
                inputs={"features": self._features.parts(), "targets": self._targets.parts()},
                fingerprint=digest([features, targets, INDEX_VERSION, fitted.index, placed]),
                tracks=self._tracks,
                works=join_works([one.work for one in self._entries.values()], copies),
                composers=[one.composer for one in self._entries.values()],
                copies=copies,
                sources=[self._now[track] for track in self._tracks],
                fitted=fitted,
                placed=placed,
                heads=heads,
                heads_digest=store.heads.digest(self._encoder),
            ),
        )
        return store.indices.read_record(*where)

    def of_segments(self, passages: PassagesRecord, index: IndexRecord) -> None:
        """Write the index of segments with the present tracks."""
        if passages.code_version != PASSAGES_VERSION or not passages.sources:
            raise CannotPlace("the passages are of older code")
        lists = passages.search.lists
        if lists is not None:
            raise CannotPlace(
                f"the vectors of its {passages.search.rows:,} passages stay on disk, and all "
                f"({lists.gigabytes:.1f} GB) are written anew"
            )
        store, where = self._store, (self._dataset, self._encoder)
        row_of = self._kept(passages.tracks, passages.sources)
        first = np.concatenate([[0], np.cumsum(passages.segments)])
        parts = {name: store.passages.read_part(*where, passages, name) for name in passages.crc32}
        projection = CoordinateMap.deserialise(parts[PROJECTION])
        rows: list[NDArray[np.int64]] = []
        placed: list[NDArray[np.float32]] = []
        for track, entry in self._entries.items():
            if track in row_of:
                begin = first[row_of[track]]
                rows.append(begin + np.arange(entry.segments))
                continue
            segments = store.features.read_track(*where, track, entry)[1]
            rows.append(np.full(len(segments), -1))
            x = projection.coordinates(segments)
            placed.append(stack_vectors(x, projection.overall(segments)))
        width = 2 * len(passages.columns) + projection.whitening.basis.shape[1]
        changed, search = change_rows(
            parts,
            passages.search,
            columns=len(passages.columns),
            old_rows=np.concatenate(rows).astype(np.int64),
            placed=np.concatenate([np.empty((0, width), dtype=np.float32), *placed]),
        )
        features, targets = self._digests
        fitted = index.fitted.index if index.fitted else ""
        store.passages.write(
            *where,
            parts=changed | {PROJECTION: parts[PROJECTION]},
            record=replace(
                passages,
                features=features,
                targets=targets,
                fingerprint=digest([features, targets, PASSAGES_VERSION, fitted, index.placed]),
                tracks=self._tracks,
                segments=[entry.segments for entry in self._entries.values()],
                durations=[entry.duration for entry in self._entries.values()],
                works=index.works,
                composers=index.composers,
                sources=index.sources,
                search=search,
            ),
        )

    def _kept(self, tracks: list[str], sources: list[str]) -> dict[str, int]:
        """Return the old row of each track that has not changed."""
        return {
            track: row
            for row, (track, source) in enumerate(zip(tracks, sources, strict=True))
            if self._now.get(track) == source
        }

    def _point(
        self, track: str, entry: FeaturesEntry, projection: CoordinateMap, record: IndexRecord
    ) -> Point:
        store, where = self._store, (self._dataset, self._encoder)
        whole, segments = store.features.read_track(*where, track, entry)
        if entry.kept is None:
            nothing = np.empty((0, segments.shape[2]), dtype=np.float32)
            states = lambda _: nothing  # noqa: E731
        else:
            states = store.moments.read_track(*where, self._features, track).layer
        ends = [segments.min(axis=0), segments.max(axis=0)]
        measured = {}
        of_targets = self._targets.done().get(track)
        if of_targets is not None:
            values = store.targets.read_values(self._dataset, track, of_targets).track
            measured = {name: value for name, value in values.items() if value is not None}
        return place(
            projection,
            record.columns,
            features=np.concatenate([whole, *ends], axis=-1)[None],
            states=states,
            measured=measured,
        )

    def _copies(self, record: IndexRecord, row_of: dict[str, int]) -> list[int]:
        """Return the first row of the same recording of each track; only new ones are compared."""
        first: dict[int, int] = {}
        known: list[int | None] = [
            first.setdefault(record.copies[row_of[track]], row) if track in row_of else None
            for row, track in enumerate(self._tracks)
        ]
        if None not in known:  # nothing to compare
            return [row for row in known if row is not None]
        marks = read_marks(self._tracks, dataset=self._dataset, store=self._store)
        return find_copies(marks, known=known)
