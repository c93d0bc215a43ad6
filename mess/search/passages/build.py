"""Build the segment index of a dataset; `pipelines.build_indices` calls it.

Features are read one track at a time, and only coordinates are kept. So the memory needed for a
million segments is that of their coordinates. If these take too much of the memory, they stay on
disk (`needs_disk`).
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS
from mess.probing.stacking import Segments
from mess.records.index import PassagesRecord
from mess.search.coordinates import Coordinates
from mess.search.passages.recommender import PROJECTION
from mess.search.passages.rows import RowsInMemory
from mess.search.passages.segment_coordinates import (
    OVERALL_DIMENSIONS,
    SegmentCoordinates,
    SegmentProjector,
    fold_of_tracks,
)
from mess.search.passages.segment_index import FLAT_UP_TO, build_on_disk, build_segment_index
from mess.storage.features import Features
from mess.storage.inverted_lists import Spool
from mess.storage.manifest import digest
from mess.storage.store import Store
from mess.versions import PASSAGES_VERSION

if TYPE_CHECKING:
    import pandas as pd

MEMORY_SHARE = 0.125  # of the memory, which the vectors of an index may take
SEGMENTS = 6000  # largest number of segments that the coordinates are fitted on


@dataclass(frozen=True)
class Sample:
    """Some segments of every track.

    Attributes
    ----------
    tracks : list of str, length s
    numbers : ndarray [shape=(s,)]
        The number of each segment within its track.
    owner : ndarray [shape=(s,)]
        The row of the track of each segment.
    values : ndarray [shape=(s, layers, dim), dtype=float32]
    """

    tracks: list[str]
    numbers: NDArray[np.int64]
    owner: NDArray[np.int64]
    values: NDArray[np.float32]

    def with_targets(self, measured: "pd.DataFrame", names: list[str]) -> Segments:
        """Return the sample with its measured targets, to fit coordinates on."""
        import pandas as pd

        index = pd.MultiIndex.from_arrays([self.tracks, self.numbers])
        return Segments(
            predictors=[self.values[:, layer] for layer in range(self.values.shape[1])],
            targets=measured.reindex(index=index, columns=names).to_numpy(dtype=np.float64),
            owner=self.owner,
        )


def sample_segments(store: Store, dataset: str, features: Features) -> Sample:
    """Read at most `SEGMENTS` segments, evenly spaced within each track."""
    rows = {track: row for row, track in enumerate(features.tracks)}
    most = max(1, SEGMENTS // len(rows))
    tracks, numbers, values = [], [], []
    for track, pooled in store.features.read_segments(dataset, features.header.encoder):
        chosen = np.unique(np.linspace(0, len(pooled) - 1, min(most, len(pooled))).round())
        chosen = chosen.astype(np.int64)
        tracks += [track] * len(chosen)
        numbers.append(chosen)
        values.append(pooled[chosen].astype(np.float32))
    owner = np.array([rows[track] for track in tracks], dtype=np.int64)
    return Sample(tracks, np.concatenate(numbers), owner, np.concatenate(values))


def build_passages(
    store: Store,
    dataset: str,
    encoder: str,
    *,
    sample: Sample,
    made: Coordinates | None,
    works: list[str],
    targets: str | None,
    sources: Mapping[str, str],
    on_disk: bool | None = None,
) -> int:
    """Compute the coordinates of all segments, index them, and return their number.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    sample : Sample
    made : Coordinates or None
        Coordinates of the tracks, in the order of their ids; None without measured targets.
    works : list of str
        The work of each track; works that share a recording are joined.
    targets : str or None
        The digest of the targets.
    sources : mapping of str to str
        Of each track the digest of its features and targets.
    on_disk : bool, optional
        Whether vectors stay on disk; by default `needs_disk` decides.
    """
    manifest = store.features.manifest(dataset, encoder)
    entries = manifest.done()
    columns = len(made.names) if made else 0
    total = sum(entry.segments for entry in entries.values())
    if on_disk is None:
        on_disk = needs_disk(total, columns=columns)
    spool = partial(store.passages.spool, dataset, encoder) if on_disk else None
    segments, tracks, counts = _project_all(
        store, dataset, encoder, works, sample=sample, made=made, spool=spool
    )
    rows = segments.rows
    if isinstance(rows, RowsInMemory):
        parts, search = build_segment_index(rows.x, rows.overall, segments.columns)
    else:
        lists = store.passages.lists(dataset, encoder)
        parts, search = build_on_disk(rows, segments.columns, lists=lists)
    parts[PROJECTION] = segments.projection.serialise()
    features = manifest.digest()
    store.passages.write(
        dataset,
        encoder,
        parts=parts,
        record=PassagesRecord(
            dataset=dataset,
            encoder=manifest.header.encoder,
            features=features,
            targets=targets,
            code_version=PASSAGES_VERSION,
            fingerprint=digest([features, targets, PASSAGES_VERSION]),
            segment_seconds=SEGMENT_SECONDS,
            tracks=tracks,
            segments=counts,
            durations=[entries[track].duration for track in tracks],
            works=works,
            composers=[entries[track].composer for track in tracks],
            columns=list(segments.columns),
            search=search,
            sources=[sources[track] for track in tracks],
        ),
    )
    return rows.n


def _project_all(
    store: Store,
    dataset: str,
    encoder: str,
    works: list[str],
    *,
    sample: Sample,
    made: Coordinates | None,
    spool: Callable[[int], Spool] | None,
) -> tuple[SegmentCoordinates, list[str], list[int]]:
    """Return the coordinates of all segments, their tracks, and the number of segments of each."""
    projector = SegmentProjector(
        made.of_segments if made else None,
        made.names if made else [],
        sample.values,
        p_family={
            column.name: column.p_family
            for column in (made.columns if made else [])
            if column.kind == "probe"
        },
        spool=spool,
    )
    fold = fold_of_tracks(made.fold, works) if made else np.full(len(works), -1)
    tracks, counts = [], []
    for number, (track, pooled) in zip(
        fold.tolist(), store.features.read_segments(dataset, encoder), strict=True
    ):
        projector.add(pooled, fold=number)
        tracks.append(track)
        counts.append(len(pooled))
    return projector.finish(), tracks, counts


def needs_disk(segments: int, *, columns: int) -> bool:
    """Tell whether the vectors of an index take too much memory, and so stay on disk.

    They may take `MEMORY_SHARE` of it: what is read beside them takes some two times as much.
    An index that is read whole at every query is never on disk.
    """
    needed = 4 * segments * (2 * columns + OVERALL_DIMENSIONS)
    return segments > FLAT_UP_TO and needed > MEMORY_SHARE * memory_bytes()


def memory_bytes() -> int:
    """Return the memory of this machine, or of the container that this process is in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return whole


def describe_passages(record: PassagesRecord) -> str:
    """Return a summary of a segment index in one line."""
    kinds = record.search.kinds.values()
    how = "all are read"
    if kinds:
        worst = min(kind.recall for kind in kinds)
        slowest = max(kind.milliseconds for kind in kinds)
        how = f"recall of the ten best at least {worst:.3f}, at most {slowest:.1f} ms a query"
    lists = record.search.lists
    if lists is not None:
        how += (
            f"; their vectors ({lists.gigabytes:.1f} GB) stay on disk, "
            f"because they take more than {MEMORY_SHARE:.0%} of the memory"
        )
    return (
        f"{sum(record.segments)} segments of {len(record.tracks)} tracks, "
        f"{len(record.columns)} targets, {how}"
    )
