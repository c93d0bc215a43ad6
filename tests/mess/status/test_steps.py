"""What is stale, and why: told from manifests, sizes and times alone."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from layouts import write_piece

from mess.records.discovery import ProbeSettings
from mess.status import staleness
from mess.status import steps as status
from mess.status.inventory import find_recordings, take_inventory
from mess.status.steps import StepStatus, survey
from mess.storage.files import read_json, write_json
from mess.storage.manifest import FeaturesManifest
from mess.storage.store import Store
from mess.targets import registry
from pipelines.build_indices import build_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_features
from pipelines.run_evaluation import evaluate
from pipelines.run_probing import run_probing

TRACKS = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A small library through every pipeline."""
    store = Store(tmp_path_factory.mktemp("status") / "data")
    for number in range(TRACKS):
        write_piece(store.audio_dir("mine") / f"a{number}" / "one.wav", number, seconds=6.0)
    extract_features(dataset="mine", encoder="spectral", store=store)
    compute_dataset_targets(dataset="mine", store=store)
    run_probing(
        dataset="mine",
        encoder="spectral",
        settings=ProbeSettings(
            folds=3, permutations=0, bootstrap=10, repeats=1, controls=False, frames="off"
        ),
        store=store,
        tracking=False,
    )
    build_index(dataset="mine", encoder="spectral", store=store)
    evaluate(dataset="mine", encoder="spectral", store=store, tracking=False)
    return store


@pytest.fixture
def store(made: Store, tmp_path: Path) -> Store:
    """A copy of it, with the times of the files."""
    import shutil

    shutil.copytree(made.root, tmp_path / "data")
    return Store(tmp_path / "data")


def steps(store: Store) -> dict[str, StepStatus]:
    return {one.step: one for one in survey(store, "mine", "spectral")}


def edit(manifest: FeaturesManifest, **header: Any) -> None:
    manifest.header = replace(manifest.header, **header)
    manifest.close()


def test_what_is_up_to_date_says_so(store: Store) -> None:
    assert {one.state for one in steps(store).values()} == {"ready"}
    assert all(not one.reasons for one in steps(store).values())


def test_a_longer_recording_is_a_change_of_audio(store: Store) -> None:
    write_piece(store.audio_dir("mine") / "a1" / "one.wav", 1, seconds=7.0)
    (store.audio_dir("mine") / "a2" / "one.wav").unlink()
    found = steps(store)
    for step in ("extract", "targets"):
        assert (found[step].state, found[step].reasons) == ("stale", ("audio",))
        assert found[step].detail == "1 recording changed; 1 recording gone"
    assert found["probe"].state == "ready"  # it still tells of the features as they are


def test_another_time_alone_is_told_as_such(store: Store) -> None:
    os.utime(store.audio_dir("mine") / "a1" / "one.wav")
    assert "1 recording changed or copied" in steps(store)["extract"].detail
    extract_features(dataset="mine", encoder="spectral", store=store)  # compares the hashes
    assert steps(store)["extract"].state == "ready"
    assert steps(store)["probe"].state == "ready"


def test_new_recordings_wait(store: Store) -> None:
    write_piece(store.audio_dir("mine") / "new" / "one.wav", 3)
    found = steps(store)["extract"]
    assert (found.state, found.detail) == ("partial", f"{TRACKS} tracks, 1 not done yet")


def test_newer_code_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "FEATURES_VERSION", 99)
    monkeypatch.setattr(registry, "TARGETS_VERSION", 99)
    for name in ("DISCOVERY", "INDEX", "EVALUATION"):
        monkeypatch.setattr(staleness, f"{name}_VERSION", 99)
    for one in steps(store).values():
        assert (one.state, one.reasons) == ("stale", ("code",))
        assert "of the code, now 99" in one.detail


def test_another_setting_is_named(store: Store) -> None:
    edit(store.features.manifest("mine", "spectral"), segment_seconds=10.0)
    found = steps(store)
    assert (found["extract"].state, found["extract"].reasons) == ("stale", ("settings",))
    assert "segment_seconds 10.0 → 5.0" in found["extract"].detail
    assert found["probe"].reasons == ("settings",)
    assert found["probe"].detail == "the features have changed since (other settings)"


def test_weights_of_a_package_have_no_revision_to_be_behind(store: Store) -> None:
    manifest = store.features.manifest("mine", "spectral")
    shape = {"encoder": "whisper-tiny", "sample_rate": 16_000, "layers": 5, "dim": 384}
    edit(manifest, **shape, revision="")
    assert steps(store)["extract"].state == "ready"
    edit(manifest, revision="of last year")
    assert "revision of last year → " in steps(store)["extract"].detail


def test_what_follows_says_what_changed_before_it(store: Store) -> None:
    write_piece(store.audio_dir("mine") / "a1" / "one.wav", 5, seconds=6.0)
    extract_features(dataset="mine", encoder="spectral", store=store)
    compute_dataset_targets(dataset="mine", store=store)
    found = steps(store)
    assert found["extract"].state == found["targets"].state == "ready"
    for step in ("probe", "index"):
        assert found[step].reasons == ("audio",)
        assert "the features have changed since (other audio)" in found[step].detail
    build_index(dataset="mine", encoder="spectral", store=store)
    found = steps(store)
    assert found["index"].state == "ready"
    assert found["evaluate"].detail == "the index has changed since"


def test_records_of_older_code_without_reasons_are_stale_all_the_same(store: Store) -> None:
    record = store.indices.read_record("mine", "spectral")
    old = replace(record, code_version=1, inputs={}, features="other")
    store.indices.write("mine", "spectral", layers=[], record=old)
    found = steps(store)["index"]
    assert (found.state, found.reasons) == ("stale", ("code", "inputs"))


def test_a_record_with_other_fields_is_stale_in_one_line(store: Store) -> None:
    path = store.indices.folder("mine", "spectral") / "manifest.json"
    content = read_json(path, command="")
    del content["inputs"]
    write_json(path, content)
    found = steps(store)["index"]
    assert (found.state, found.reasons) == ("stale", ("code",))
    assert "object missing required field `inputs`" in found.detail
    assert "\n" not in found.detail


def test_the_inventory_counts_what_is_there(store: Store) -> None:
    recordings = find_recordings(store, "mine")
    found = take_inventory(store, "mine", "spectral", recordings=recordings)
    assert (found.tracks, found.works) == (TRACKS, TRACKS)
    assert found.seconds == pytest.approx(6.0 * TRACKS)
    on_disk = sum(path.stat().st_size for path in store.audio_dir("mine").rglob("*.wav"))
    assert found.sizes["audio"] == on_disk
    features = store.root / "processed" / "features"
    assert found.sizes["extract"] == sum(
        path.stat().st_size for path in features.rglob("*") if path.is_file()
    )
    assert found.licence == "your own recordings"
    assert found.weights_licence == "Apache-2.0"
    assert take_inventory(store, "none", "spectral", recordings=None).sizes == {}
