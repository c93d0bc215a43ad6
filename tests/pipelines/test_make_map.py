"""`mess map`: what it writes, what it leaves as it is, what it says when it cannot."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mess.errors import ArtifactError, MessError
from mess.storage.store import Store
from pipelines.cli import build_app
from pipelines.make_map import make_map


@pytest.fixture
def store(demo_library: Path, tmp_path: Path) -> Store:
    """A store with the features and the discovery of the library."""
    for kind in ("features", "discovery"):
        shutil.copytree(demo_library / "processed" / kind, tmp_path / "processed" / kind)
    return Store(tmp_path)


def test_a_map_has_a_point_for_every_track_and_for_every_segment(store: Store) -> None:
    entries = store.features.manifest("demo", "spectral").done()
    make_map(dataset="demo", encoder="spectral", layer=1, store=store)
    record, points = store.maps.read("demo", "spectral", layer=1, method="pca")
    assert record.tracks == list(entries)
    assert points.points.shape == (len(entries), 2)
    assert (points.segment == -1).all()
    make_map(dataset="demo", encoder="spectral", layer=1, level="segment", store=store)
    record, points = store.maps.read("demo", "spectral", layer=1, method="pca", level="segment")
    expected = [(track, n) for track, e in entries.items() for n in range(e.segments)]
    found = zip(points.track.tolist(), points.segment.tolist(), strict=True)
    assert [(record.tracks[track], segment) for track, segment in found] == expected


def test_a_map_that_is_up_to_date_stays_and_another_seed_draws_again(store: Store) -> None:
    def when() -> float:
        return store.maps.modified("demo", "spectral", layer=2, method="pca")

    first = make_map(dataset="demo", encoder="spectral", layer=2, store=store)
    written = when()
    same = make_map(dataset="demo", encoder="spectral", layer=2, store=store)
    assert when() == written
    assert same.trust == first.trust
    make_map(dataset="demo", encoder="spectral", layer=2, seed=1, store=store)
    assert when() > written


def test_a_damaged_map_names_its_command(store: Store) -> None:
    make_map(dataset="demo", encoder="spectral", layer=0, store=store)
    (path,) = store.root.glob("processed/maps/demo/spectral/00-pca.npz")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match="is damaged") as raised:
        store.maps.read("demo", "spectral", layer=0, method="pca")
    assert raised.value.command == (
        "mess map --dataset demo --encoder spectral --layer 0 --method pca"
    )


def test_the_command_line_prints_what_it_drew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(store.root))
    words = ["map", "--dataset", "demo", "--method", "tsne", "--clusters", "3", "--json"]
    ended = CliRunner().invoke(build_app(), words)
    assert ended.exit_code == 0, ended.output
    printed = json.loads(ended.stdout[ended.stdout.index("{") :])
    assert printed["method"] == "tsne"
    _, points = store.maps.read("demo", "spectral", layer=printed["layer"], method="tsne")
    assert np.unique(points.cluster).tolist() == [0, 1, 2]


def test_a_layer_that_does_not_exist_is_one_line(store: Store) -> None:
    with pytest.raises(MessError, match="there is no layer 99: layers go from 0 to 9"):
        make_map(dataset="demo", encoder="spectral", layer=99, store=store)
