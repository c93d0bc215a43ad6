"""Shared by all tests: an own data root, and the test modules that others import."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
# The package `mess` must be found before the folder tests/mess, which has its name.
sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data root that every part of the program uses."""
    root = tmp_path / "data"
    monkeypatch.setenv("MESS_DATA", str(root))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield root
