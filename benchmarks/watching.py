"""Measure what one new recording costs in a collection that is watched.

    python -m benchmarks.watching

The collection is made up: 1,276 recordings of nine minutes, as MAESTRO has them, by an encoder of
13 × 768. Only the sounds are short, and the encoder is a stub: what encoding and measuring a
recording cost is in docs/encoders.md. So the table says what watching adds to that, in seconds of
processor time.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks import synthetic
from benchmarks.synthetic import Shape
from benchmarks.workload import RATE, music
from mess.audio.decoding import Signal
from mess.curves.registry import CURVES, CURVES_VERSION
from mess.datasets import load_dataset
from mess.encoders.pooling import describe_encoder
from mess.records.base import Parts
from mess.records.features import FeaturesEntry, FeaturesHeader
from mess.records.index import Column, IndexRecord, PassagesRecord
from mess.records.targets import MeasuredValues, TargetsEntry, TargetsHeader
from mess.search.coordinate_map import CoordinateMap
from mess.search.passages.recommender import PROJECTION
from mess.search.passages.segment_index import build_segment_index
from mess.search.spaces import Whitening
from mess.storage.store import Store
from mess.targets import ALL_TARGETS, TARGET_SAMPLE_RATE, TARGETS, targets_version
from mess.versions import INDEX_VERSION, PASSAGES_VERSION
from pipelines import update_indices, watch

SEGMENTS = 112  # of nine minutes
FRAMES = 24_000  # of their fingerprint


class Stub:
    """An encoder of the shape of MERT-v1-95M that computes next to nothing."""

    id = "stub"
    sample_rate = 24_000
    layers, dim = 13, 768
    layer_names = [str(layer) for layer in range(13)]  # noqa: RUF012
    licence = revision = ""
    weights_hash = "none"
    normalise = False
    settings: dict[str, Any] = {}  # noqa: RUF012

    def track_scale(self, signal: Signal) -> tuple[float, float]:  # noqa: ARG002
        """Return what leaves samples as they are."""
        return 0.0, 1.0

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return noise [batch, layers, frames, dim]."""
        rng = np.random.default_rng(0)
        return rng.standard_normal((len(segments), 13, 50, 768), dtype=np.float32)


def make_collection(store: Store, tracks: int) -> None:
    """Write features, targets, discovery and indices of a made-up collection."""
    shape = Shape(tracks=tracks, dataset="bench", encoder="stub")
    planted = synthetic.plant(shape)
    synthetic._write_audio(store, shape, planted)
    rng = np.random.default_rng(1)
    header = FeaturesHeader.of(describe_encoder(Stub()), dataset="bench")
    features = store.features.resume("bench", "stub", header=header)
    targets = store.targets.resume(
        "bench",
        header=TargetsHeader(
            dataset="bench",
            targets=list(ALL_TARGETS),
            sample_rate=TARGET_SAMPLE_RATE,
            segment_seconds=5.0,
            code_version=targets_version(),
            curves=list(CURVES),
            curves_version=CURVES_VERSION,
        ),
    )
    listed = {track.path: track for track in load_dataset("bench", root=store.audio_dir("bench"))}
    whole, parts = np.ones((13, 768), np.float32), np.ones((1, 13, 768), np.float16)
    for about, row in zip(planted.about.values(), planted.targets, strict=True):
        track = listed[store.audio_dir("bench") / about["path"]]
        about = about | {"work": track.work_key, "composer": "", "title": track.title}
        source = synthetic._source(store, shape, about)
        files = store.features.write(  # nothing reads them again
            *("bench", "stub", track.id),
            aggregated=whole,
            segments=parts,
            aggregated_std=whole,
            segments_std=parts,
        )
        features.tracks[track.id] = FeaturesEntry.of(
            source, files, duration=5.0 * SEGMENTS, segments=SEGMENTS, raw_bytes=0
        )
        values = dict(zip(TARGETS, row.tolist(), strict=True))
        measured = store.targets.write(
            *("bench", track.id),
            values=MeasuredValues(
                track={**values}, segments={name: [one] * SEGMENTS for name, one in values.items()}
            ),
            descriptors={},
            marks=rng.integers(1 << 32, size=(2, FRAMES), dtype=np.uint32),
        )
        store.curves.path("bench", track.id).touch()
        targets.tracks[track.id] = TargetsEntry.of(source, measured, curves_crc32=0, midi_stat=None)
    features.close()
    targets.close()
    store.targets.gather("bench", targets)
    synthetic._write_discovery(store, shape)
    _write_indices(store, shape, planted)


def _map(columns: int, width: int, whitened: int) -> CoordinateMap:
    rng = np.random.default_rng(2)
    return CoordinateMap(
        rng.standard_normal((13 * width, columns), dtype=np.float32),
        np.zeros(columns),
        np.zeros((13, 768)),
        Whitening(np.zeros(13 * 768), rng.standard_normal((13 * 768, whitened))),
    )


def _write_indices(store: Store, shape: Shape, planted: synthetic.Planted) -> None:
    synthetic._write_index(store, shape, planted, seed=0)
    features, targets = store.features.manifest("bench", "stub"), store.targets.manifest("bench")
    record = store.indices.read_record("bench", "stub")
    sources = update_indices.source_digests(features, targets)
    inputs: dict[str, Parts | None] = {"features": features.parts(), "targets": targets.parts()}
    tracks = list(features.done())
    of_tracks = {
        "tracks": tracks,
        "works": [entry.work for entry in features.done().values()],
        "composers": [""] * len(tracks),
        "sources": [sources[track] for track in tracks],
    }
    store.indices.write(
        *("bench", "stub"),
        layers=[
            store.indices.read_layer("bench", "stub", layer, checksum=checksum)
            for layer, checksum in enumerate(record.crc32)
        ],
        coordinates=store.indices.read_coordinates(
            "bench", "stub", checksum=record.steering_crc32 or 0
        ),
        coordinate_map=_map(len(record.columns), 4 * 768, 6).serialise(),
        record=IndexRecord(**vars(record) | of_tracks | {"inputs": inputs, "passages": True}),
    )
    rng, n = np.random.default_rng(3), SEGMENTS * len(tracks)
    columns = [Column(name, "probe") for name in TARGETS]
    parts, search = build_segment_index(
        rng.standard_normal((n, len(columns)), dtype=np.float32),
        rng.standard_normal((n, 32), dtype=np.float32),
        columns,
        queries=2,
    )
    store.passages.write(
        *("bench", "stub"),
        parts=parts | {PROJECTION: _map(len(columns), 768, 32).serialise()},
        record=PassagesRecord(
            dataset="bench",
            encoder="stub",
            features=features.digest(),
            targets=targets.digest(),
            code_version=PASSAGES_VERSION,
            fingerprint="",
            segment_seconds=5.0,
            segments=[SEGMENTS] * len(tracks),
            durations=[5.0 * SEGMENTS] * len(tracks),
            columns=columns,
            search=search,
            **of_tracks,
        ),
    )
    assert record.code_version == INDEX_VERSION  # noqa: S101


@contextmanager
def timed(times: dict[str, float], owner: Any, name: str, what: str) -> Iterator[None]:
    """Note how long a function takes while the block runs."""
    real = getattr(owner, name)

    def run(*args: Any, **given: Any) -> Any:
        began = time.process_time()
        try:
            return real(*args, **given)
        finally:
            times[what] = times.get(what, 0.0) + time.process_time() - began

    setattr(owner, name, run)
    try:
        yield
    finally:
        setattr(owner, name, real)


def measure(store: Store) -> Iterator[tuple[str, float]]:
    """Add a recording to a collection that is watched; yield what takes how many seconds."""
    watcher = watch.Watcher("bench", {"stub": Stub()}, watch.Settings(tracking=False), store=store)
    watcher.take_as_done()
    began = time.process_time()
    watcher.look(now=0.0)
    yield "a look at which nothing has changed", time.process_time() - began
    first = next(iter(load_dataset("bench", root=store.audio_dir("bench"))))
    for number in range(2):  # the first pays for what a process imports once
        new = first.path.with_name(f"new{number}.flac")
        soundfile.write(new, music(20.0, seed=1000 + number), RATE)
        watcher.look(now=1.0 + 5 * number)
        if number == 0:
            watcher.look(now=5.0)
    times: dict[str, float] = {}
    began = time.process_time()
    with (
        timed(times, watch, "extract_all", "features: 20 s by the stub, the manifest"),
        timed(
            times,
            watch,
            "compute_dataset_targets",
            "targets: of 20 s, the table of all",
        ),
        timed(times, watch, "update_index", "index and passages: one recording placed"),
        timed(times, update_indices, "read_marks", "… of this, fingerprints of all are read"),
    ):
        watcher.look(now=10.0)
    yield from times.items()
    yield "one new recording, all in all", time.process_time() - began
    assert store.indices.read_record("bench", "stub").placed  # noqa: S101


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=1276)
    tracks = parser.parse_args().tracks
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print(f"| {tracks:,} recordings, {tracks * SEGMENTS:,} segments | processor seconds |")
    print("| --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        make_collection(store, tracks)
        for what, spent in measure(store):
            print(f"| {what} | {spent:.2f} |", flush=True)


if __name__ == "__main__":
    main()
