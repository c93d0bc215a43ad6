"""The library that benchmarks run on is read, probed and searched as a real one."""

from pathlib import Path

import pytest

from benchmarks.synthetic import Shape, write_library
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.status.steps import survey
from mess.storage.store import Store


@pytest.mark.parametrize("names_only", [False, True])
def test_a_synthetic_library_has_planted_answers(data_root: Path, names_only: bool) -> None:
    store = Store(data_root)
    shape = Shape(tracks=60, layers=3, dim=24, names_only=names_only)
    write_library(store, shape)
    recommender = LayerBasedRecommender(shape.dataset, shape.encoder, store=store)
    assert "brightness" in recommender.get_available_aspects()
    entries = store.features.manifest(shape.dataset, shape.encoder).done()
    assert all((store.audio_dir("bench") / one.path).is_file() for one in entries.values())
    query, *_ = recommender.track_ids
    found = recommender.multi_aspect_recommendation(query, {"overall": 1.0}, 2)
    assert {entries[one.track_id].work for one in found} == {entries[query].work}
    if not names_only:
        states = {one.step: one.state for one in survey(store, shape.dataset, shape.encoder)}
        assert states["probe"] == states["index"] == "ready"
