"""LanceDB answers as an index in memory does: real tables in a folder."""

from pathlib import Path

import numpy as np

from benchmarks.plain import segment_coordinates
from mess.records.index import Column, SegmentSearch
from mess.search.coordinate_index import CoordinateIndex
from mess.search.passages.lance import LanceSegments, build_lance
from mess.search.passages.recall import draw_query
from mess.search.passages.rows import RowsInMemory
from mess.search.passages.segment_index import FLAT, SegmentIndex, build_segment_index


def test_a_table_finds_what_an_index_in_memory_finds(tmp_path: Path) -> None:
    x, overall = segment_coordinates(3000)
    columns = [Column(str(number), "probe") for number in range(x.shape[1])]
    parts, search = build_segment_index(x, overall, columns)
    assert search == SegmentSearch(rows=3000, kinds={})
    in_memory = SegmentIndex(CoordinateIndex(parts[FLAT], columns), parts, search)
    build_lance(tmp_path, RowsInMemory(x, overall))
    table = LanceSegments(tmp_path, columns)
    assert table.coordinates.n == 3000
    rng = np.random.default_rng(4)
    for kind in ("one aspect", "overall and aspects", "overall and aspects, some unlike"):
        parts_of, row = draw_query(kind, table.coordinates, rng=rng)
        exclude = [(row, row + 1), (2000, 2100)]
        expected = in_memory.search(parts_of, k=10, way="all", step=0, exclude=exclude)
        rows, scores = table.search(parts_of, k=10, exclude=exclude)
        np.testing.assert_allclose(scores, expected[1], atol=1e-5)
        assert not np.isin(rows, [row, *range(2000, 2100)]).any()
        assert table.best(parts_of, k=10, exclude=exclude).tolist() == rows.tolist()
