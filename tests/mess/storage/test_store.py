"""What is written comes back; what is missing or damaged is named with its remedy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import (
    made_cell,
    made_discovery,
    made_entry,
    made_header,
    made_targets_entry,
    made_targets_header,
)

from mess.errors import ArtifactError, ArtifactMissing
from mess.records.discovery import ProbeSettings
from mess.records.index import IndexRecord
from mess.records.targets import MeasuredValues
from mess.status.steps import next_step, survey
from mess.storage.manifest import FeaturesManifest
from mess.storage.paths import command_for, file_stem
from mess.storage.store import Store

INDEX = IndexRecord(
    dataset="d",
    encoder="e",
    features="older",
    targets=None,
    inputs={},
    code_version=1,
    fingerprint="of the index",
    tracks=["a"],
    works=["a"],
    composers=[""],
    copies=[0],
    columns=[],
    passages=False,
)
ODD_IDS = ["a", "../up", "sub/b c", "é 🎹", "n" * 300, "q\"uo'te", "..", "%2e"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def states(seed: int, *, segments: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((segments, 2, 4)).astype(np.float32)


def fill(store: Store, names: list[str]) -> FeaturesManifest:
    manifest = store.features.resume("d", "e", header=made_header())
    for seed, name in enumerate(names):
        pooled = states(seed, segments=1 + seed % 3)
        checksums = store.features.write(
            "d",
            "e",
            name,
            aggregated=pooled.mean(axis=0),
            segments=pooled.astype(np.float16),
            aggregated_std=pooled.std(axis=0),
            segments_std=np.zeros_like(pooled, dtype=np.float16),
        )
        manifest.record(name, made_entry(checksums, sha256=name, work=name))
    manifest.close()
    return manifest


@given(st.text(min_size=1))
def test_a_file_name_is_safe_whatever_the_id(track_id: str) -> None:
    stem = file_stem(track_id)
    assert stem.isascii()
    assert stem not in {"", ".", ".."}
    assert not set(stem) & set('/\\:*?"<>|\0\n\r')
    assert len(f".{stem}.npy.4194304.tmp".encode()) <= 255


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_two_ids_never_share_a_file(first: str, second: str) -> None:
    assert (file_stem(first) == file_stem(second)) == (first == second)


def test_long_ids_with_the_same_beginning_do_not_share_a_file() -> None:
    stems = {file_stem("n" * 200 + ending) for ending in "abc"}
    assert len(stems) == 3
    assert file_stem("é" * 40 + "1") != file_stem("é" * 40 + "2")


def test_a_readable_id_stays_readable() -> None:
    assert file_stem("Beethoven_Op027No1-01") == "Beethoven_Op027No1-01"
    assert file_stem("../up") == "..%2Fup"


def test_an_id_of_undecodable_bytes_still_has_a_file_name() -> None:
    assert file_stem("\udce9" * 200).isascii()
    assert file_stem("\udce9") != file_stem("\udce8")


def test_features_of_odd_ids_come_back_in_order(store: Store, tmp_path: Path) -> None:
    manifest = fill(store, ODD_IDS)
    for level, dtype in (("track", np.float32), ("segment", np.float16)):
        found = store.features.read("d", "e", level=level)  # type: ignore[arg-type]
        assert list(dict.fromkeys(found.tracks)) == sorted(ODD_IDS)
        assert found.values.dtype == dtype
        assert found.digest == manifest.digest()
        for seed, name in enumerate(ODD_IDS):
            rows = [row for row, track in enumerate(found.tracks) if track == name]
            pooled = states(seed, segments=1 + seed % 3)
            expected = pooled.astype(np.float16) if level == "segment" else pooled.mean(0)[None]
            np.testing.assert_allclose(found.values[rows], expected, rtol=1e-6)
            numbers = list(range(len(pooled))) if level == "segment" else [-1]
            assert found.segments[rows].tolist() == numbers
    below = store.root / "processed" / "features" / "d" / "e"
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
    assert len(list((below / "aggregated").iterdir())) == len(ODD_IDS)


def test_raw_features_appear_whole_or_not_at_all(store: Store) -> None:
    path = store.root / "processed/features/d/e/raw/a.npy"
    with pytest.raises(RuntimeError), store.features.raw_writer("d", "e", "a") as writer:
        writer.append(np.zeros((2, 7, 4), np.float32))
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with store.features.raw_writer("d", "e", "a") as writer:
        for _ in range(3):
            writer.append(np.ones((2, 7, 4), np.float32))
    assert np.load(path, mmap_mode="r").shape == (3, 2, 7, 4)


@pytest.mark.parametrize("kind", ["aggregated", "segments"])
def test_a_damaged_feature_file_is_noticed_and_named(store: Store, kind: str) -> None:
    manifest = fill(store, ["a", "b"])
    path = store.root / "processed/features/d/e" / kind / "b.npy"
    entry = manifest.done()["b"]
    assert store.features.has("d", "e", "b", entry)
    for content in (path.read_bytes()[:-1] + b"\xaa", path.read_bytes()[:100], b""):
        path.write_bytes(content)
        assert not store.features.has("d", "e", "b", entry)
        with pytest.raises(ArtifactError, match=r"b\.npy is damaged: run `mess extract --data"):
            store.features.read("d", "e", level="track" if kind == "aggregated" else "segment")
    path.unlink()
    assert not store.features.has("d", "e", "b", entry)
    assert store.features.has("d", "e", "a", manifest.done()["a"])


def test_features_that_were_never_made_name_the_command(store: Store) -> None:
    with pytest.raises(
        ArtifactMissing, match="run `mess extract --dataset d --encoder e`"
    ) as caught:
        store.features.read("d", "e")
    assert caught.value.command == command_for("extract", "d", "e")
    store.features.resume("d", "e", header=made_header()).close()
    with pytest.raises(ArtifactError, match="are empty: run `mess extract"):
        store.features.read("d", "e")


def test_targets_come_back_as_a_table(store: Store) -> None:
    manifest = store.targets.resume("d", header=made_targets_header())
    for number, name in enumerate(["a", "sub/b"]):
        checksums = store.targets.write(
            "d",
            name,
            values=MeasuredValues(
                track={"tempo": 90.0 + number, "rms": None},
                segments={"rms": [0.5, None, 1.5]},
            ),
            descriptors={"plain": np.zeros((4, 2), np.float32)},
            marks=np.zeros((2, 3), np.uint32),
        )
        manifest.record(name, made_targets_entry(checksums, sha256=name, work=name))
    manifest.close()
    store.targets.gather("d", manifest)
    tracks = store.targets.read("d")
    assert tracks.loc[("sub/b", -1), "tempo"] == 91.0
    assert list(tracks.columns) == ["tempo", "rms"]
    assert tracks["rms"].isna().all()
    segments = store.targets.read("d", level="segment")
    assert list(segments.columns) == ["rms"]
    assert segments.loc[("a", 2), "rms"] == 1.5
    assert np.isnan(segments.loc[("a", 1), "rms"])


def test_targets_of_no_track_are_an_empty_table(store: Store) -> None:
    manifest = store.targets.resume("d", header=made_targets_header())
    manifest.close()
    store.targets.gather("d", manifest)
    assert store.targets.read("d").empty
    with pytest.raises(ArtifactMissing, match="run `mess targets --dataset other`"):
        store.targets.read("other")


def test_a_discovery_comes_back_by_level(store: Store) -> None:
    for level in ("track", "segment"):
        store.discoveries.write(
            "d",
            "e",
            record=made_discovery([made_cell(0, level, None)], settings=ProbeSettings(level=level)),
            predictions=pd.DataFrame({"track": ["a"], "true": [1.0]}),
        )
    assert store.discoveries.read("d", "e").cells[0].target == "track"
    assert store.discoveries.read("d", "e", level="segment").cells[0].target == "segment"
    assert store.discoveries.read_predictions("d", "e")["true"].tolist() == [1.0]
    (store.root / "processed/discovery/d/e.segments.json").write_text('{"cells": [')
    with pytest.raises(ArtifactError, match="is damaged: run `mess probe .* --level segment`"):
        store.discoveries.read("d", "e", level="segment")
    (store.root / "processed/discovery/d/e.predictions.parquet").write_text("hm")
    with pytest.raises(ArtifactError, match="is damaged: run `mess probe --dataset d --encoder e`"):
        store.discoveries.read_predictions("d", "e")


def test_an_index_comes_back_and_damage_is_named(store: Store) -> None:
    store.indices.write("d", "e", layers=[b"one", b"two"], record=INDEX)
    record = store.indices.read_record("d", "e")
    assert store.indices.read_layer("d", "e", 1, checksum=record.crc32[1]) == b"two"
    (path,) = (store.root / "processed/indices/d/e").glob("layer-01.*.faiss")
    path.write_bytes(b"tvo")
    with pytest.raises(ArtifactError, match=r"layer-01\..{8}\.faiss is damaged: run `mess index"):
        store.indices.read_layer("d", "e", 1, checksum=record.crc32[1])
    path.unlink()
    with pytest.raises(ArtifactMissing, match="is missing: run `mess index"):
        store.indices.read_layer("d", "e", 1, checksum=record.crc32[1])
    assert store.indices.available() == [("d", "e")]
    (store.root / "processed/indices/d/e/manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match="manifest.json is damaged: run `mess index"):
        store.indices.read_record("d", "e")


def test_an_index_is_replaced_whole_and_nothing_of_the_old_one_stays(store: Store) -> None:
    store.indices.write("d", "e", layers=[b"one", b"two"], record=INDEX, coordinates=b"where")
    old = store.indices.read_record("d", "e")
    folder = store.root / "processed/indices/d/e"
    stray = folder / "layer-00.faiss"  # of an earlier version
    stray.write_bytes(b"one")
    store.indices.write("d", "e", layers=[b"one", b"2"], record=INDEX)
    new = store.indices.read_record("d", "e")
    assert [store.indices.read_layer("d", "e", n, checksum=new.crc32[n]) for n in (0, 1)] == [
        b"one",
        b"2",
    ]
    assert new.steering_crc32 is None
    with pytest.raises(ArtifactMissing):
        store.indices.read_layer("d", "e", 1, checksum=old.crc32[1])
    assert len([path for path in folder.iterdir() if not path.name.startswith(".")]) == 3


def test_the_root_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESS_DATA", str(tmp_path / "elsewhere"))
    assert Store().root == tmp_path / "elsewhere"
    assert Store(tmp_path / "given").root == tmp_path / "given"
    monkeypatch.delenv("MESS_DATA")
    assert Store().root == Path("data")


def test_the_survey_tells_missing_ready_and_damaged_apart(store: Store) -> None:
    states_now = {s.step: s.state for s in survey(store, "d", "e")}
    assert states_now == dict.fromkeys(
        ["extract", "targets", "probe", "index", "evaluate"], "missing"
    )
    fill(store, ["a", "b"])
    store.indices.write("d", "e", layers=[], record=INDEX)
    statuses = survey(store, "d", "e")
    assert {s.step: s.state for s in statuses} == {
        "extract": "ready",
        "targets": "missing",
        "probe": "missing",
        "index": "stale",
        "evaluate": "missing",
    }
    waiting = next_step(statuses)
    assert waiting is not None
    assert waiting.command == "mess targets --dataset d"
    (store.root / "processed/features/d/e/manifest.json").write_text("{")
    damaged = survey(store, "d", "e")[0]
    assert damaged.state == "damaged"
    assert "manifest.json is damaged" in damaged.detail


def test_one_damaged_manifest_hides_no_other_encoder(store: Store) -> None:
    fill(store, ["a"])
    other = store.features.resume("d", "other", header=made_header(encoder="random:other"))
    other.close()
    assert store.features.encoders("d") == ["e", "random:other"]
    (store.root / "processed/features/d/e/manifest.json").write_text("{")
    assert store.features.encoders("d") == ["e", "random:other"]
    store.indices.write("d", "e", layers=[], record=INDEX)
    store.indices.write("d", "other", layers=[], record=replace(INDEX, encoder="random:other"))
    (store.root / "processed/indices/d/e/manifest.json").write_text("{")
    assert sorted(store.indices.available()) == [("d", "e"), ("d", "random:other")]
