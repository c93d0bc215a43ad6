"""What a question costs: over layers, along coordinates, among segments, by course."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plain
from benchmarks.workload import Row, least, seconds


def search(_: Path) -> Iterator[Row]:
    """One query with several aspects at 1,276 tracks × 13 × 768."""
    from mess.search.layer_index import LayerIndex, normalise_layers, serialise_layer

    rng = np.random.default_rng(0)
    n = 1_276
    vectors = normalise_layers(rng.standard_normal((n, 13, 768)).astype(np.float32))
    index = LayerIndex(n, lambda layer: serialise_layer(vectors[:, int(layer)]))
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
