"""A library that is served."""

from pathlib import Path

import pytest

from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.storage.store import Store


@pytest.fixture
def served(demo_library: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESS_DATA", str(demo_library))
    return demo_library


@pytest.fixture
def recommender(served: Path) -> LayerBasedRecommender:
    return LayerBasedRecommender("demo", "spectral", store=Store(served))
