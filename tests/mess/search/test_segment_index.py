"""Many segments are searched in part: the recall that is recorded is the recall that is found."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain import segment_coordinates
from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.records.index import Column, SegmentSearch
from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, stack_vectors
from mess.search.layer_index import serialise_layer
from mess.search.passages import segment_index as segment_index
from mess.search.passages.build import MEMORY_SHARE, memory_bytes, needs_disk
from mess.search.passages.codes import serialise_scan
from mess.search.passages.merging import merge
from mess.search.passages.recall import EPSILON, KINDS, WANTED, draw_query, kind_of
from mess.search.passages.rows import RowsInMemory, RowsOnDisk
from mess.search.passages.segment_index import (
    FLAT,
    SegmentIndex,
    build_on_disk,
    build_segment_index,
    change_rows,
    open_coordinates,
)
from mess.search.ranking import Query, SearchSpace, Term
from mess.storage.inverted_lists import Spool
from mess.storage.passages import ListsFile

Coordinates = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def coordinates() -> Coordinates:
    return segment_coordinates(20_000)


@pytest.fixture(scope="module")
def made(coordinates: Coordinates) -> tuple[dict[str, bytes], SegmentSearch]:
    x, overall = coordinates
    columns = [Column(str(number), "probe") for number in range(x.shape[1])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_index, "FLAT_UP_TO", 1000)
        return build_segment_index(x, overall, columns, queries=40)


@pytest.fixture(scope="module")
def parts(made: tuple[dict[str, bytes], SegmentSearch]) -> dict[str, bytes]:
    return made[0]


@pytest.fixture(scope="module")
def built(made: tuple[dict[str, bytes], SegmentSearch]) -> tuple[SegmentIndex, SegmentSearch]:
    parts, search = made
    columns = [Column(str(number), "probe") for number in range(12)]
    return SegmentIndex(CoordinateIndex(parts[FLAT], columns), parts, search), search


@pytest.mark.parametrize("kind", KINDS)
def test_the_recall_that_is_recorded_is_found(
    built: tuple[SegmentIndex, SegmentSearch], kind: str
) -> None:
    index, search = built
    plan = search.kinds[kind]
    assert plan.recall >= WANTED - 0.01
    rng = np.random.default_rng(99)
    right = 0
    for _ in range(40):
        query, row = draw_query(kind, index.coordinates, rng=rng)
        scores, _ = index.score(query, None)
        found = index.best(query, k=10, exclude=[(row, row + 1)])
        assert row not in found
        least = np.sort(np.delete(scores, row))[-10]
        right += int((scores[found] >= least - EPSILON).sum())
    assert right / 400 >= plan.recall - 0.02


@pytest.mark.parametrize("way, step", [("columns", 20_000), ("scan", 10**6), ("all", 0)])
def test_reading_everything_is_exact(
    built: tuple[SegmentIndex, SegmentSearch], way: str, step: int
) -> None:
    index, _ = built
    kind = "two or three aspects" if way == "columns" else "overall and aspects, some unlike"
    query, _ = draw_query(kind, index.coordinates, rng=np.random.default_rng(3))
    exclude = [(0, 4000), (3000, 5000)]
    rows, scores = index.search(query, k=20, way=way, step=step, exclude=exclude)
    truth, _ = index.score(query, None)
    truth[:5000] = -np.inf
    np.testing.assert_allclose(scores, np.sort(truth)[::-1][:20], atol=1e-5)
    assert (rows >= 5000).all()


def test_rows_in_the_order_of_a_column_are_read_until_it_is_sure(
    built: tuple[SegmentIndex, SegmentSearch],
) -> None:
    """Exact, although few are read; and never more than allowed."""
    index, _ = built
    rng = np.random.default_rng(11)
    for _ in range(20):
        query, row = draw_query("two or three aspects", index.coordinates, rng=rng)
        exclude = [(row, row + 1)]
        rows, scores = index.search(query, k=10, way="columns", step=20_000, exclude=exclude)
        truth, _ = index.score(query, None)
        np.testing.assert_allclose(scores, np.sort(np.delete(truth, row))[::-1][:10], atol=1e-5)
        assert row not in rows
        rows, scores = index.search(query, k=10, way="columns", step=100, exclude=exclude)
        assert len(rows) == 10 and (scores <= truth[rows] + 1e-5).all()
    query, row = draw_query("one aspect", index.coordinates, rng=np.random.default_rng(1))
    unlike = [part._replace(weight=-1.0) for part in query]
    rows, scores = index.search(unlike, k=10, way="columns", step=20_000, exclude=[(row, row + 1)])
    assert scores.tolist() == [1.0] * 10


def test_kinds_of_queries_are_told_apart(built: tuple[SegmentIndex, SegmentSearch]) -> None:
    index, _ = built
    for kind in KINDS:
        for seed in range(20):
            query, _ = draw_query(kind, index.coordinates, rng=np.random.default_rng(seed))
            assert kind_of(query) == kind


@pytest.mark.parametrize("columns, wide", [(3, 5), (0, 4), (2, 0), (1, 1)])
def test_codes_tell_rows_apart_whatever_their_number(columns: int, wide: int) -> None:
    """An odd number of codes, no targets, no overall vector, a column that does not vary."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((4000, columns)).astype(np.float32)
    if columns > 1:
        x[:, 0] = 0
    overall = rng.standard_normal((4000, wide)).astype(np.float32)
    overall /= np.maximum(np.linalg.norm(overall, axis=1, keepdims=True), 1e-9)
    names = [Column(str(number), "probe") for number in range(columns)]
    parts = {FLAT: serialise_layer(stack_vectors(x, overall))}
    parts["passages.scan.npz"] = serialise_scan(RowsInMemory(x, overall))
    index = SegmentIndex(
        CoordinateIndex(parts[FLAT], names), parts, SegmentSearch(rows=4000, kinds={})
    )
    kind = "overall" if not columns else "overall and aspects" if wide else "one aspect"
    query, _ = draw_query(kind, index.coordinates, rng=rng)
    rows, _ = index.search(query, k=10, way="scan", step=800)
    best = np.sort(index.score(query, None)[0])[-10:]
    found = np.sort(index.score(query, rows)[0])
    assert len(rows) == 10 and found[0] >= best[0] - 0.01


@settings(max_examples=200)
@given(
    ranked=st.permutations(range(24)),
    k=st.integers(1, 6),
    per_track=st.one_of(st.none(), st.integers(1, 2)),
)
def test_merging(ranked: list[int], k: int, per_track: int | None) -> None:
    track_of = np.repeat(np.arange(4), [3, 9, 1, 11])
    runs = merge(ranked, track_of=track_of, k=k, max_per_track=per_track)
    assert len(runs) <= k
    covered = [row for run in runs for row in range(run.first, run.last + 1)]
    assert len(covered) == len(set(covered))
    for run in runs:
        assert track_of[run.first] == track_of[run.last] == track_of[run.best]
        assert run.first <= run.best <= run.last
        # The best of a run is the first of its rows in the ranking.
        assert run.best == min(range(run.first, run.last + 1), key=ranked.index)
    for one in runs:  # no two touch
        assert all(
            one.last + 1 != other.first or track_of[one.last] != track_of[other.first]
            for other in runs
        )
    order = [ranked.index(run.best) for run in runs]
    assert order == sorted(order)
    if per_track is not None:
        counts = np.bincount([track_of[run.best] for run in runs], minlength=4)
        assert counts.max() <= per_track


def test_labels_are_capped_and_empty_ones_are_not() -> None:
    track_of = [0, 1, 2, 3]
    options = {"track_of": track_of, "k": 4, "max_per_label": 1}
    labelled = merge(range(4), label_of=["a", "a", "b", "b"], **options)  # type: ignore[arg-type]
    assert [run.best for run in labelled] == [0, 2]
    unknown = merge(range(4), label_of=["", "", "b", "b"], **options)  # type: ignore[arg-type]
    assert [run.best for run in unknown] == [0, 1, 2]


def test_rows_that_change_are_found_as_in_an_index_that_is_built_anew(
    coordinates: Coordinates, built: tuple[SegmentIndex, SegmentSearch], parts: dict[str, bytes]
) -> None:
    x, overall = coordinates
    old = np.delete(np.arange(len(x)), slice(100, 400))  # some go, some come
    placed = stack_vectors(x[:50] + 0.25, overall[:50])
    rows = np.append(old, np.full(50, -1))
    changed, search = change_rows(parts, built[1], columns=12, old_rows=rows, placed=placed)
    found = CoordinateIndex(changed[FLAT], built[0].coordinates.columns)
    index = SegmentIndex(found, changed, search)
    query, _ = draw_query("several aspects", index.coordinates, rng=np.random.default_rng(2))
    expected = index.search(query, k=20, way="all", step=0)[1]
    scores = index.search(query, k=20, way="scan", step=1000)[1]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.fixture(scope="module")
def on_disk(
    coordinates: Coordinates, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SegmentIndex, Path]:
    x, overall = coordinates
    columns = [Column(str(number), "probe") for number in range(x.shape[1])]
    lists = ListsFile(tmp_path_factory.mktemp("lists"), "mess index")
    spool = Spool(lists.folder, x.shape[1] + overall.shape[1])
    for first in range(0, len(x), 999):
        spool.append(np.hstack([3 * x[first : first + 999] + 7, overall[first : first + 999]]))
    rows = RowsOnDisk(spool, x.shape[1])
    parts, search = build_on_disk(rows, columns, lists=lists, queries=2)
    spool.close()
    assert FLAT not in parts
    found = open_coordinates(parts, search, columns, lists=lists)
    assert search.lists is not None
    return SegmentIndex(found, parts, search), lists.path(search.lists.crc32)


def mapped_bytes(path: Path) -> int:
    """Return how much of a mapped file is in the memory of this process."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    own = [number for number, line in enumerate(lines) if line.endswith(str(path))]
    return sum(
        1024 * int(line.split()[1])
        for number in own
        for line in lines[number : number + 6]
        if line.startswith("Rss:")
    )


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="this system does not tell")
def test_a_query_of_an_index_on_disk_reads_a_part_of_it(
    built: tuple[SegmentIndex, SegmentSearch], on_disk: tuple[SegmentIndex, Path]
) -> None:
    index, path = on_disk
    query, _ = draw_query("several aspects", built[0].coordinates, rng=np.random.default_rng(1))
    before = mapped_bytes(path)
    assert before == 0  # nothing was asked yet
    rows, _ = index.search(query, k=10, way="cells", step=4)
    assert len(rows) == 10
    whole = path.stat().st_size
    assert whole > 4_000_000
    # Of each page that is read, Linux maps some neighbours.
    assert 0 < mapped_bytes(path) < 0.5 * whole


def test_the_bounds_of_the_clusters_hold_where_they_must(
    on_disk: tuple[SegmentIndex, Path],
) -> None:
    """What is least alike lies at the end of a range, which is known exactly."""
    index, _ = on_disk
    for column in range(12):
        one = ColumnWeights(str(column), np.array([column]), np.ones(1))
        space = SearchSpace(index.coordinates, None, index.coordinates.n)
        parts = space.parts(Query([Term(str(column), -1.0, one, None, ())], [(7, 1.0)]))
        _, scores = index.search(parts, k=1, way="cells", step=1)
        assert scores[0] == pytest.approx(1.0)


@pytest.mark.parametrize("way, step", [("cells", 10**6), ("scan", 500), ("all", 0)])
def test_an_index_on_disk_finds_what_an_index_in_memory_finds(
    built: tuple[SegmentIndex, SegmentSearch],
    on_disk: tuple[SegmentIndex, Path],
    way: str,
    step: int,
) -> None:
    for kind in KINDS if way == "all" else KINDS[1:3] if way == "cells" else KINDS[-2:]:
        rng = np.random.default_rng(5)
        drawn = [draw_query(kind, built[0].coordinates, rng=rng)[0] for _ in range(3)]
        for query in drawn:
            exclude = [(100, 5000)]
            in_memory = "all" if way == "cells" else way
            rows, scores = built[0].search(query, k=20, way=in_memory, step=step, exclude=exclude)
            own = on_disk[0].search(query, k=20, way=way, step=step, exclude=exclude)
            # Standardised on disk again: values may differ by rounding, and so equal ranks.
            np.testing.assert_allclose(own[1], scores, atol=1e-4)
            assert len(np.intersect1d(rows, own[0])) >= 18


def test_lists_on_disk_that_are_damaged_are_not_searched(tmp_path: Path) -> None:
    cut = ListsFile(tmp_path, "mess index --dataset x")
    of_rows = np.zeros(10, dtype=np.uint16)
    with pytest.raises(ArtifactMissing, match="mess index --dataset x"):
        cut.open(7, of_rows=of_rows, width=4)
    cut.path(7).write_bytes(b"half of it")
    with pytest.raises(ArtifactError, match="is damaged"):
        cut.open(7, of_rows=of_rows, width=4)


def test_without_space_nothing_is_written(tmp_path: Path) -> None:
    lists = ListsFile(tmp_path, "mess index")
    with pytest.raises(MessError, match="make space"):
        lists.write(sizes=np.array([1 << 45]), width=56)
    assert not list(tmp_path.iterdir())


def test_the_disk_is_used_when_the_vectors_take_too_much_of_the_memory() -> None:
    per_row = 4 * (2 * 15 + 32)
    most = int(MEMORY_SHARE * memory_bytes() / per_row)
    assert not needs_disk(most - 1, columns=15)
    assert needs_disk(most + 1, columns=15)
