"""The tutorial runs as it stands, and does what its text says."""

from typing import Any

import numpy as np
import pytest

from docs.building.notebook import read_notebook, run_cells, stored_outputs

pytestmark = pytest.mark.long

NOTEBOOK = read_notebook()


@pytest.fixture(scope="module")
def run() -> tuple[list[str], dict[str, Any]]:
    return run_cells(NOTEBOOK)


def test_it_shows_what_its_cells_print(run: tuple[list[str], dict[str, Any]]) -> None:
    printed, _ = run
    assert [text.count("\n") for text in stored_outputs(NOTEBOOK)] == [
        text.count("\n") for text in printed
    ], "run python -m docs.building.notebook"


def test_every_recording_is_measured_encoded_and_indexed(
    run: tuple[list[str], dict[str, Any]],
) -> None:
    _, names = run
    tracks = {track.id for track in names["dataset"]}
    assert len(tracks) == 32
    assert set(names["features"].tracks) == set(names["measured"].index) == tracks
    assert set(names["recommender"].track_ids) == tracks


def test_a_probe_tells_the_centroid_of_works_that_it_never_saw(
    run: tuple[list[str], dict[str, Any]],
) -> None:
    _, names = run
    best = {summary.target: summary.nested.r2 for summary in names["discovery"].summaries}
    assert best["spectral_centroid"] > 0.5


def test_alike_is_nearer_in_brightness_than_unlike(
    run: tuple[list[str], dict[str, Any]],
) -> None:
    _, names = run
    centroid, query = names["centroid"], names["query"]
    apart = {
        kind: np.mean([abs(centroid[hit.track_id] - centroid[query]) for hit in names[kind]])
        for kind in ("alike", "unlike")
    }
    assert apart["alike"] < (centroid - centroid[query]).abs().mean() < apart["unlike"]


def test_passages_come_from_other_recordings_and_best_first(
    run: tuple[list[str], dict[str, Any]],
) -> None:
    _, names = run
    hits = names["hits"]
    assert len(hits) == 3
    assert names["query"] not in {hit.track_id for hit in hits}
    assert sorted((hit.score for hit in hits), reverse=True) == [hit.score for hit in hits]
    assert all(0 <= hit.start < hit.end <= 6 for hit in hits)
