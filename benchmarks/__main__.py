"""Print the table that docs/speed.md quotes: ``python -m benchmarks [--only WORD]``."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks import plain
from benchmarks.workload import MERT_TFLOP_PER_MINUTE, RATE, Row, cost, least, music, seconds


def encoders(folder: Path) -> Iterator[Row]:
    """Seconds per minute of audio, decoding included."""
    import torch

    from mess.audio.decoding import decode
    from mess.encoders import load_encoder
    from mess.encoders.pooling import pool_segments

    path = folder / "minute.flac"
    soundfile.write(path, music(60), RATE)

    def encode(model: Any) -> None:
        pool_segments(decode(path, model.sample_rate), model, moments=True)

    spectral = load_encoder("spectral")
    ours = seconds(lambda: encode(spectral), runs=5)
    theirs = seconds(lambda: plain.librosa_pyramid(path))
    yield Row("spectral, 1 min of FLAC", f"{ours:.2f} s", "librosa", f"{theirs / ours:.1f} ×")

    mert = load_encoder("random:mert-v1-95m")
    ours = seconds(lambda: encode(mert))
    model = mert.model  # type: ignore[attr-defined]
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    theirs = seconds(lambda: plain.transformers_loop(path, model), runs=2)
    a = torch.randn(2048, 2048)
    gemm = 2 * 2048**3 / seconds(lambda: a @ a, runs=9) / 1e12
    torch.set_float32_matmul_precision(precision)
    yield Row(
        "MERT-95M shape, 1 min of FLAC", f"{ours:.1f} s", "transformers", f"{theirs / ours:.2f} ×"
    )
    yield Row(
        "… against the machine's float32 matrix product",
        f"{MERT_TFLOP_PER_MINUTE / ours:.3f} TFLOP/s",
        f"{gemm:.3f} TFLOP/s",
        f"{MERT_TFLOP_PER_MINUTE / ours / gemm:.0%}",
    )


def costs(folder: Path) -> Iterator[Row]:
    """Seconds per minute of audio of every preset: the figures in `mess.encoders.catalogue`."""
    from mess.audio.decoding import decode
    from mess.encoders import PRESETS, load_encoder
    from mess.encoders.pooling import pool_segments

    path = folder / "minute.flac"
    soundfile.write(path, music(60), RATE)
    for preset in PRESETS.values():
        # What is computed does not depend on the values of the weights.
        model = load_encoder(f"random:{preset.name}" if preset.config else preset.name)

        def encode(model: Any = model) -> None:
            pool_segments(decode(path, model.sample_rate), model, moments=True)

        # The least of some runs: what else the machine did is no cost of the encoder.
        spent = min(
            seconds(encode, runs=1, warm=not run) for run in range(5 if preset.cost < 3 else 2)
        )
        yield Row(
            f"{preset.name}, 1 min of FLAC, {preset.layers} × {preset.dim}",
            f"{spent:.2g} s" if spent < 10 else f"{spent:.1f} s",
            "the table of presets",
            f"{preset.cost:g} s",
        )


def targets(folder: Path) -> Iterator[Row]:
    """CPU seconds of the 15 targets for four minutes of audio."""
    from mess.audio.decoding import decode
    from mess.targets import TARGET_SAMPLE_RATE, compute_targets

    path = folder / "four-minutes.wav"
    soundfile.write(path, music(240), RATE)
    signal = decode(path, TARGET_SAMPLE_RATE)

    def cpu(work: Callable[[], object]) -> float:
        work()
        spent = []
        for _ in range(3):
            began = time.process_time()
            work()
            spent.append(time.process_time() - began)
        return statistics.median(spent)

    ours = cpu(lambda: compute_targets(signal))
    whole = cpu(lambda: compute_targets(decode(path, TARGET_SAMPLE_RATE)))
    theirs = cpu(lambda: plain.librosa_targets(path))
    yield Row("15 targets, 4 min (CPU)", f"{ours:.2f} s", "", "")
    yield Row(
        "15 targets, 4 min, decoding included (CPU)",
        f"{whole:.2f} s",
        "librosa",
        f"{theirs / whole:.1f} ×",
    )


def discovery(_: Path) -> Iterator[Row]:
    """All layers × targets × penalties × folds, against the scikit-learn loop."""
    from mess.probing.discovery import discover
    from mess.probing.results import DiscoverySettings
    from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath

    folds = 5
    rng = np.random.default_rng(0)
    for n, sampled in ((50, 120), (2_400, 6)):
        x = rng.standard_normal((n, 13, 768)).astype(np.float32)
        y = x[:, 4, :15] + rng.standard_normal((n, 15))
        groups = np.arange(n) * 25 // n
        cells = 13 * 15 * len(DEFAULT_ALPHAS)

        def grid(x: Any = x, y: Any = y, groups: Any = groups) -> None:
            fold = groups % folds
            for layer in range(13):
                wide = x[:, layer].astype(np.float64)
                for held_out in range(folds):
                    test = fold == held_out
                    RidgePath(wide[~test], y[~test]).predict(wide[test], alphas=DEFAULT_ALPHAS)

        ours = seconds(grid, runs=3 if n < 100 else 1, warm=n < 100)
        wide = x[:, 4].astype(np.float64)
        one = seconds(
            lambda wide=wide, y=y, groups=groups: plain.sklearn_cell(  # type: ignore[misc]
                wide, y[:, 0], groups, alpha=100.0, folds=folds
            ),
            runs=sampled,
        )
        yield Row(
            f"discovery grid, n = {n}: 13 × 15 × {len(DEFAULT_ALPHAS)} penalties × {folds} folds",
            f"{ours:.2f} s",
            f"scikit-learn, {sampled} cells timed of {cells}",
            f"{one * cells / ours:.0f} ×",
        )
        names = [f"t{number}" for number in range(15)]
        yield Row(
            f"the same with penalties nested, n = {n}",
            cost(
                lambda x=x, y=y, groups=groups, names=names: discover(  # type: ignore[misc]
                    x, y, groups, names=names, settings=DiscoverySettings(folds=folds)
                )
            ),
            "",
            "",
        )
        yield _whole_discovery(x, y, groups)


def large_discovery(_: Path) -> Iterator[Row]:
    """A whole discovery of 20,000 segments."""
    n = 20_000
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 13, 768), dtype=np.float32)
    y = x[:, 4, :15] + rng.standard_normal((n, 15))
    yield _whole_discovery(x, y, np.arange(n) // 80)


def _whole_discovery(x: Any, y: Any, groups: Any) -> Row:
    from mess.probing.discovery import discover
    from mess.probing.results import DiscoverySettings

    names, asked = [f"t{number}" for number in range(15)], DiscoverySettings(permutations=1000)
    spent = cost(lambda: discover(x, y, groups, names=names, settings=asked))
    works = len(np.unique(groups))
    what = f"discovery: 13 × 15, 10 folds, 1,000 shuffles and draws, n = {len(x)}, {works} works"
    return Row(what, spent, "", "")


def search(_: Path) -> Iterator[Row]:
    """One query with several aspects at 1,276 tracks × 13 × 768."""
    from mess.search.layer_index import LayerIndex, normalise_layers, serialise_layer

    rng = np.random.default_rng(0)
    n = 1_276
    vectors = normalise_layers(rng.standard_normal((n, 13, 768)).astype(np.float32))
    index = LayerIndex(n, lambda layer: serialise_layer(vectors[:, layer]))
    exclude = np.zeros(n, dtype=bool)
    for count in (2, 3, 13):
        weights = {layer: 0.2 + 0.05 * layer for layer in range(count)}
        index.search(0, weights, k=5, exclude=exclude)
        queries = iter(rng.permutation(n)[:300].tolist())
        ours = seconds(
            lambda weights=weights, queries=queries: index.search(  # type: ignore[misc]
                next(queries), weights, k=5, exclude=exclude
            ),
            runs=200,
        )
        theirs = seconds(
            lambda weights=weights: plain.cosine_loop(vectors, 7, weights, 5),  # type: ignore[misc]
            runs=10,
        )
        yield Row(
            f"a new query track, {count} layers, 1,276 tracks × 13 × 768",
            f"{1e3 * ours:.2f} ms",
            "scikit-learn cosine",
            f"{theirs / ours:.0f} ×",
        )
    moved = seconds(lambda: index.search(7, weights, k=5, exclude=exclude), runs=200)
    yield Row(
        "a slider moved, 13 layers",
        f"{1e3 * moved:.2f} ms",
        "scikit-learn cosine",
        f"{theirs / moved:.0f} ×",
    )


def sliders(_: Path) -> Iterator[Row]:
    """One query by bounded similarities at 1,276 tracks, its scales included."""
    from mess.records.index import Column
    from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, serialise
    from mess.search.layer_index import best_rows
    from mess.search.ranking import Query, SearchSpace, Term

    n = 1_276
    x, overall = plain.segment_coordinates(n)
    columns = [Column(str(number), "probe") for number in range(x.shape[1])]
    index = CoordinateIndex(serialise(x.astype(np.float64), overall.astype(np.float64)), columns)
    space, nobody = SearchSpace(index, None, n), np.zeros(n, dtype=bool)

    def aspects(count: int, of: int) -> list[Any]:
        weights = [
            ColumnWeights("", np.arange(at, at + of), np.full(of, 1 / of)) for at in range(count)
        ]
        return [Term(str(at), (-1) ** at / count, own, None, ()) for at, own in enumerate(weights)]

    for count in (1, 3, 10):
        own = aspects(count, 1)
        for terms, what in (
            (own, ""),
            (aspects(count, 2), " of two targets each"),
            ([*own, Term("o", 0.1, index.overall, None, ())], " and overall"),
        ):

            def ask(row: int, terms: Any = terms) -> None:
                best_rows(space.scores(Query(terms, [(row, 1.0)])), k=10, exclude=nobody)

            spent = least(ask, np.random.default_rng(0).permutation(n)[:200].tolist())
            yield Row(
                f"{count} aspects{what}, bounded and exact, 1,276 tracks",
                f"{1e3 * spent:.2f} ms",
                "",
                "",
            )


def passages(folder: Path) -> Iterator[Row]:
    """A million segments, each kind of query, against numpy; a whole call at 100,000."""
    yield _whole_call(folder)
    from mess.records.index import Column
    from mess.search.coordinate_index import CoordinateIndex
    from mess.search.passages.recall import draw_query
    from mess.search.passages.segment_index import SegmentIndex, build_segment_index
    from mess.search.ranking import Query, SearchSpace

    x, overall = plain.segment_coordinates(1_000_000)
    columns = [Column(str(number), "probe") for number in range(x.shape[1])]
    began = time.perf_counter()
    parts, search = build_segment_index(x, overall, columns)
    yield Row("index of 1,000,000 segments", f"{time.perf_counter() - began:.0f} s", "", "")
    index = SegmentIndex(CoordinateIndex(parts["passages.faiss"], columns), parts, search)
    space = SearchSpace(index.coordinates, None, index.coordinates.n)
    for kind, plan in index.plan.items():
        rng = np.random.default_rng(7)
        drawn = [draw_query(kind, index.coordinates, rng=rng)[0] for _ in range(30)]

        def ask(query: Any) -> None:
            space.parts(Query([part.term for part in query], [(query[0].at, 1.0)]))
            index.best(query, k=10, exclude=[(0, 60)])

        ours = least(ask, drawn, runs=3)
        theirs = seconds(
            lambda query=drawn[0]: plain.best_segments(x, overall, query, k=10),  # type: ignore[misc]
            runs=3,
        )
        yield Row(
            f"{kind}, 1,000,000 segments, recall@10 {plan.recall:.3f} ({plan.way})",
            f"{1e3 * ours:.2f} ms",
            f"numpy, {1e3 * theirs:.0f} ms",
            f"{theirs / ours:.0f} ×",
        )


def _whole_call(folder: Path) -> Row:
    """Ten passages among 100,000 segments, with shares, values and merged neighbours."""
    from benchmarks.synthetic import Shape, write_library
    from mess.records.index import Column, PassagesRecord
    from mess.search.passages.recommender import PassageRecommender
    from mess.search.passages.segment_index import build_segment_index
    from mess.storage.store import Store
    from mess.targets import TARGETS
    from mess.versions import PASSAGES_VERSION

    shape = Shape(tracks=2000, layers=2, dim=8, dataset="made-up", names_only=True)
    store = Store(folder / "data")
    write_library(store, shape)
    manifest = store.features.manifest(shape.dataset, shape.encoder)
    tracks = list(manifest.done())
    x, overall = plain.segment_coordinates(100_000)
    columns = [Column(name, "probe", r2=0.5, p_family=0.001) for name in TARGETS][: x.shape[1]]
    parts, search = build_segment_index(x, overall, columns)
    record = PassagesRecord(
        dataset=shape.dataset,
        encoder=shape.encoder,
        features=manifest.digest(),
        targets=store.targets.manifest(shape.dataset).digest(),
        code_version=PASSAGES_VERSION,
        fingerprint="",
        segment_seconds=5.0,
        tracks=tracks,
        segments=[50] * len(tracks),
        durations=[250.0] * len(tracks),
        works=tracks,
        composers=[""] * len(tracks),
        columns=columns,
        search=search,
    )
    store.passages.write(shape.dataset, shape.encoder, parts=parts, record=record)
    recommender = PassageRecommender(shape.dataset, shape.encoder, store=store)
    rng = np.random.default_rng(0)
    weights = {"brightness": 1.0, "texture": -0.5, "dynamics": 0.4, "overall": 0.7}

    def ask() -> None:
        track, at = tracks[rng.integers(len(tracks))], float(rng.uniform(0, 250))
        recommender.recommend((track, at), weights, 10, max_per_track=1)

    return Row("a whole call, 100,000 segments", f"{1e3 * seconds(ask, runs=99):.1f} ms", "", "")


def courses(_: Path) -> Iterator[Row]:
    """Search by course on simulated curves (random walks): a demo library, and 200 hours."""
    from mess.search.courses import find_courses

    rng = np.random.default_rng(0)
    for what, tracks, moments in (("116 tracks of 45 s", 116, 90), ("200 hours", 2_880, 500)):
        walks = np.cumsum(rng.standard_normal((tracks, moments)), axis=1).astype(np.float32)
        values, owner = walks.ravel(), np.repeat(np.arange(tracks), moments)
        for length in (5, 20):
            m = 2 * length  # half seconds

            def ask(m: int = m, values: Any = values, owner: Any = owner) -> object:
                return find_courses(values[:m], values, owner, count=20, left_out=(0, m))

            ours = seconds(ask, runs=9)
            theirs = seconds(
                lambda m=m, values=values, owner=owner: plain.course_distances(  # type: ignore[misc]
                    values[:m], values, owner
                ),
                runs=1 if tracks > 1000 else 3,
                warm=tracks < 1000,
            )
            yield Row(
                f"search by course, {length} s, {what}",
                f"{1e3 * ours:.1f} ms",
                "normalise every stretch, subtract",
                f"{theirs / ours:.0f} ×",
            )


def memory(folder: Path) -> Iterator[Row]:
    """Peak memory of extracting a 30-minute file."""
    audio = folder / "data" / "audio" / "long"
    audio.mkdir(parents=True)
    minute = music(60)
    with soundfile.SoundFile(audio / "long.flac", "w", RATE, 2) as sink:
        for _ in range(30):
            sink.write(minute)
    for encoder in ("spectral", "spectral,random:whisper-tiny", "random:mert-v1-95m"):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peak", encoder],
            env=os.environ | {"MESS_DATA": str(folder / "data")},
            capture_output=True,
            text=True,
            check=True,
        )
        wall, peak = done.stdout.split()[-2:]
        yield Row(
            f"extraction of a 30-minute file, {encoder}",
            f"{float(peak):.2f} GB peak, {float(wall):.0f} s",
            "",
            "",
        )


PARTS = {
    "encoders": encoders,
    "costs": costs,
    "targets": targets,
    "discovery": discovery,
    "large-discovery": large_discovery,
    "search": search,
    "sliders": sliders,
    "passages": passages,
    "courses": courses,
    "memory": memory,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    chosen = parser.parse_args().only or list(PARTS)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"ratio = time of the plain implementation ÷ ours\n"
    )
    print("| what | here | against | ratio |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            for row in PARTS[name](Path(folder)):
                print(f"| {row.what} | {row.value} | {row.against} | {row.ratio} |", flush=True)


if __name__ == "__main__":
    main()
