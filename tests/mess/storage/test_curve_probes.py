"""Probes of curves on disk: read as they were written, or refused with the command that mends."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_records import made_cell, made_discovery

from mess.errors import ArtifactError
from mess.probing.curve_probes import CurveProbes
from mess.storage.store import Store

TABLE = pd.DataFrame({"track": ["a"], "predicted": [1.0]})


@pytest.fixture
def probes() -> CurveProbes:
    rng = np.random.default_rng(0)
    return CurveProbes(
        curves=("level", "centroid"),
        tracks=("a", "b", "Étude op. 25"),
        works=("one", "two", "two"),
        fold=np.array([0, 1, 1]),
        weights=rng.standard_normal((2, 3, 4, 2)).astype(np.float32),
        intercepts=rng.standard_normal((2, 3, 2)).astype(np.float32),
    )


def test_probes_are_read_as_written_and_damage_is_told(tmp_path: Path, probes: CurveProbes) -> None:
    discoveries, record = Store(tmp_path).discoveries, made_discovery([made_cell(0, "tempo", 0.5)])
    with pytest.raises(ArtifactError, match="mess probe --dataset d --encoder e"):
        discoveries.read_curve_probes("d", "e")
    discoveries.write("d", "e", record=record, predictions=TABLE, curve_probes=probes)
    read = discoveries.read_curve_probes("d", "e")
    for name, value in vars(probes).items():
        np.testing.assert_array_equal(getattr(read, name), value)
    record = discoveries.read("d", "e")
    assert discoveries.missing("d", "e", record, whole=True) == []
    (path,) = tmp_path.rglob("*.curves.npz")
    whole = path.read_bytes()
    for content in (b"", whole[:-9], whole[:99] + b"?" + whole[100:], b"hello"):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match="is damaged: run `mess probe"):
            discoveries.read_curve_probes("d", "e")
        assert discoveries.missing("d", "e", record, whole=True) == [path.name]
    path.unlink()
    with pytest.raises(ArtifactError, match="is missing: run `mess probe"):
        discoveries.read_curve_probes("d", "e")
    assert discoveries.missing("d", "e", record, whole=False) == [path.name]


def test_a_discovery_without_probes_leaves_none_of_an_earlier_one(
    tmp_path: Path, probes: CurveProbes
) -> None:
    discoveries, record = Store(tmp_path).discoveries, made_discovery([made_cell(0, "tempo", 0.5)])
    discoveries.write("d", "e", record=record, predictions=TABLE, curve_probes=probes)
    discoveries.write("d", "e", record=record, predictions=TABLE)
    assert list(tmp_path.rglob("*.curves.npz")) == []
    with pytest.raises(ArtifactError, match="are not kept: run `mess probe"):
        discoveries.read_curve_probes("d", "e")
