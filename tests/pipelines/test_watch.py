"""What is watched is brought up to date: one recording costs one recording, and nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import content, die_everywhere, differing, in_a_fork
from layouts import write_piece

import pipelines.run_all as steps
from mess.encoders import load_encoder
from mess.errors import MessError
from mess.records.discovery import DiscoveryRecord, ProbeSettings
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.layer_index import flat_vectors
from mess.search.passages.recommender import PassageRecommender
from mess.status.steps import survey
from mess.storage.jobs import JobFiles
from mess.storage.locks import hold
from mess.storage.store import Store
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_all
from pipelines.run_probing import run_probing
from pipelines.steps import Scope
from pipelines.watch import Settings, Watcher

PLACE = ("mine", "spectral")


def fast_probing(**given: Any) -> DiscoveryRecord:
    settings = ProbeSettings(
        folds=3, permutations=20, bootstrap=10, repeats=1, controls=False, frames="off"
    )
    return run_probing(settings=settings, **given)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Five recordings, each of an own work, and all that `run-all` makes of them."""
    root = tmp_path_factory.mktemp("calm") / "data"
    for number in range(5):
        path = write_piece(root / "audio" / "mine" / f"a{number}" / "one.wav", number, seconds=6.0)
        os.utime(path, (1e9, 1e9))  # it stands still, however soon a test looks
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(root))
        patch.setattr(steps, "run_probing", fast_probing)  # faster, and else the same
        assert steps.run_all(dataset="mine", encoder="spectral", tracking=False)
        yield root


@pytest.fixture
def store(calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    shutil.copytree(calm, tmp_path / "data")  # with the times of its files
    monkeypatch.setenv("MESS_DATA", str(tmp_path / "data"))
    return Store()


class Watched:
    """A watcher, and a clock that goes as it is told."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.folder = store.audio_dir("mine")
        self._watcher = Watcher(
            "mine",
            {"spectral": load_encoder("spectral")},
            Settings(settle=3.0, tracking=False, workers=1, **{"share": 0.5} | settings),
            store=store,
        )
        self._now = 0.0
        self.after(0.0)

    def after(self, seconds: float) -> float | None:
        self._now += seconds
        return self._watcher.look(now=self._now)

    def settled(self) -> None:
        """Look as the change is reported, and when the files have stood still."""
        assert self.after(1.0) is not None
        assert self.after(3.0) is None


def rows(store: Store) -> dict[str, bytes]:
    """Return what the index holds of each track."""
    record = store.indices.read_record(*PLACE)
    assert record.steering_crc32 is not None
    tables = [store.indices.read_coordinates(*PLACE, checksum=record.steering_crc32)]
    tables += [
        store.indices.read_layer(*PLACE, layer, checksum=checksum)
        for layer, checksum in enumerate(record.crc32)
    ]
    vectors = np.hstack([flat_vectors(table) for table in tables])
    return {track: row.tobytes() for track, row in zip(record.tracks, vectors, strict=True)}


def test_a_new_recording_is_found_at_once_and_the_others_stay_as_they_are(store: Store) -> None:
    watched = Watched(store)
    before, files = rows(store), content(store.root)
    write_piece(watched.folder / "a9" / "new.wav", 9, seconds=6.0)
    watched.settled()
    after = rows(store)
    assert after.keys() - before.keys() == {"a9/new"}
    assert {track: after[track] for track in before} == before
    made = content(store.root)
    features = [name for name in files if "/features/" in f"/{name}" and name.endswith(".npy")]
    assert features
    assert differing({n: made[n] for n in features}, {n: files[n] for n in features}) == []
    recommender = LayerBasedRecommender(*PLACE, store=store)
    assert (recommender.placed, recommender.warning) == (["a9/new"], "")
    found = recommender.multi_aspect_recommendation("a9/new", {"overall": 1.0}, 9)
    assert {one.track_id for one in found} == before.keys()
    passages = PassageRecommender(*PLACE, store=store)
    assert len(passages.recommend(("a9/new", 1.0), {"overall": 1.0}, 3)) == 3
    states = {one.step: one for one in survey(store, *PLACE)}
    assert [one.state for one in states.values()] == ["ready", "ready", "stale", "ready", "stale"]
    assert "1 placed by older probes" in states["index"].detail


def test_a_recording_is_placed_where_the_same_file_would_be_as_a_recording_of_ones_own(
    store: Store,
) -> None:
    from mess.new_recordings.encoding import encode_recording, project_recording

    watched = Watched(store)
    path = write_piece(watched.folder / "a9" / "new.wav", 9, seconds=6.0)
    recommender = LayerBasedRecommender(*PLACE, store=store)
    own = encode_recording(path, load_encoder("spectral"), like=recommender.made_by)
    point = project_recording(own, recommender)
    watched.settled()
    recommender = LayerBasedRecommender(*PLACE, store=store)
    placed = recommender.terms.coordinates.point(recommender.track_ids.index("a9/new"))
    # Their moments are in 8 bits.
    np.testing.assert_allclose(placed.x, point.x, rtol=0, atol=0.05)
    np.testing.assert_allclose(placed.overall, point.overall, rtol=0, atol=1e-5)


def test_changed_and_deleted_recordings_leave_the_index_and_return(store: Store) -> None:
    watched = Watched(store)
    before = rows(store)
    write_piece(watched.folder / "a1" / "one.wav", 8, seconds=7.0)
    (watched.folder / "a2" / "one.wav").unlink()
    watched.settled()
    after = rows(store)
    assert after.keys() == before.keys() - {"a2/one"}
    assert [track for track in after if after[track] != before[track]] == ["a1/one"]
    assert store.indices.read_record(*PLACE).changed == pytest.approx(2 / 5)
    assert "a2/one" not in PassageRecommender(*PLACE, store=store).track_ids


def test_a_renamed_or_returned_recording_is_not_encoded_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(store)
    before = content(store.root)

    def encoded(*_: object, **__: object) -> None:
        raise AssertionError("it is encoded again")

    monkeypatch.setattr("pipelines.extract_features._write", encoded)
    monkeypatch.setattr("pipelines.compute_targets.analyse", encoded)
    one, two = (watched.folder / name / "one.wav" for name in ("a1", "a2"))
    one.rename(one.with_name("other.wav"))
    kept = two.rename(store.root / "kept.wav")
    watched.settled()
    assert rows(store).keys() == {"a0/one", "a1/other", "a3/one", "a4/one"}
    assert list(store.features.manifest(*PLACE).away) == ["a2/one"]
    there = {Path(name).stem for name in content(store.root) if "/aggregated/" in name}
    assert not any("a1" in name and "one" in name for name in there)  # under its new name only
    one.with_name("other.wav").rename(one)
    kept.rename(two)
    watched.settled()
    after = content(store.root)
    assert not store.features.manifest(*PLACE).away
    parts = ("/features/", "/targets/")
    assert [name for name in differing(after, before) if any(p in f"/{name}" for p in parts)] == []


def test_what_was_made_of_a_recording_that_is_gone_is_removed_if_asked(store: Store) -> None:
    files = sorted((store.root / "processed").rglob("*a2*"))
    shutil.move(store.audio_dir("mine") / "a2" / "one.wav", store.root / "kept.wav")
    forget = Scope(forget=True)
    extract_all(dataset="mine", encoders=["spectral"], store=store, scope=forget)
    compute_dataset_targets(dataset="mine", store=store, scope=forget)
    assert len(files) >= 8
    assert not list((store.root / "processed").rglob("*a2*"))
    assert not store.features.manifest(*PLACE).away


def test_when_the_whole_folder_is_away_everything_is_kept(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(store)
    before = content(store.root)
    away = watched.folder.rename(watched.folder.with_name("away"))
    for pause in (1.0, 5.0, 60.0):
        assert watched.after(pause) is None
    assert capsys.readouterr().err.count("its folder is gone; everything is kept as it is") == 1
    watched.folder.mkdir()
    assert watched.after(60.0) is None
    assert "has no audio" in capsys.readouterr().err
    watched.folder.rmdir()
    away.rename(watched.folder)
    assert watched.after(60.0) is None
    assert differing(content(store.root), before) == []


def test_a_bad_file_costs_a_line_and_is_tried_again_only_when_it_changes(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(store, share=1.0)
    bad = watched.folder / "a9" / "bad.wav"
    bad.parent.mkdir()
    bad.write_bytes(b"RIFF")
    write_piece(watched.folder / "a9" / "good.wav", 9, seconds=6.0)
    watched.settled()
    assert capsys.readouterr().err.count("bad.wav: is no audio that can be decoded") == 1
    write_piece(watched.folder / "a8" / "good.wav", 8, seconds=6.0)
    watched.settled()
    assert "bad.wav" not in capsys.readouterr().err
    assert rows(store).keys() > {"a8/good", "a9/good"}
    assert "bad.wav" in store.features.manifest(*PLACE).failed()["a9/bad"]
    write_piece(bad, 7, seconds=6.0)
    watched.settled()
    assert "a9/bad" in rows(store)


def test_the_probes_are_fitted_anew_when_more_than_a_share_has_changed(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(store, share=0.3)
    write_piece(watched.folder / "a8" / "new.wav", 8, seconds=6.0)
    watched.settled()
    assert store.indices.read_record(*PLACE).placed == ["a8/new"]
    write_piece(watched.folder / "a9" / "new.wav", 9, seconds=6.0)
    watched.settled()
    assert "40 % of the recordings changed since" in capsys.readouterr().out
    assert store.indices.read_record(*PLACE).placed == []
    assert {one.state for one in survey(store, *PLACE)} == {"ready"}


@pytest.mark.long
def test_a_watcher_that_dies_at_every_rename_ends_in_the_same_bytes(
    calm: Path, tmp_path: Path
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for root in (undisturbed, killed):
        shutil.copytree(calm, root)
    new = write_piece(tmp_path / "new.wav", 9, seconds=6.0)
    os.utime(new, (1e9, 1e9))  # it stands still

    def watch(root: Path) -> bool:
        (root / "audio" / "mine" / "a9").mkdir(exist_ok=True)
        shutil.copy2(new, root / "audio" / "mine" / "a9" / "new.wav")
        settings = Settings(share=0.5, tracking=False, workers=2)
        models = {"spectral": load_encoder("spectral")}
        return Watcher("mine", models, settings, store=Store(root)).look(now=0.0) is None

    assert in_a_fork(undisturbed, lambda: watch(undisturbed)) == 0
    deaths = die_everywhere(killed, lambda: watch(killed), tmp_path / "note")
    assert any("/indices/" in place for place in deaths)
    assert differing(content(killed), content(undisturbed)) == []
    assert Store(killed).indices.read_record("mine", "spectral").placed == ["a9/new"]


def test_after_run_all_it_is_as_if_nothing_had_been_watched(store: Store, calm: Path) -> None:
    watched = Watched(store)
    path, kept = watched.folder / "a3" / "one.wav", store.root / "kept.wav"
    shutil.move(path, kept)
    watched.settled()
    shutil.move(kept, path)
    watched.settled()
    assert store.indices.read_record(*PLACE).placed == ["a3/one"]
    assert steps.run_all(dataset="mine", encoder="spectral", tracking=False)
    assert differing(content(store.root), content(calm)) == []


@pytest.mark.long
def test_it_waits_for_a_job_of_the_dashboard_and_a_second_watcher_is_refused(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines.watch import start

    watched = Watched(store)
    job = hold(JobFiles(store.jobs_dir, "mine").lock)
    assert job is not None
    write_piece(watched.folder / "a9" / "new.wav", 9, seconds=6.0)
    looking = threading.Thread(target=watched.settled)
    looking.start()
    while "waits for a job of the dashboard" not in capsys.readouterr().out:
        assert looking.is_alive()
    assert "a9/new" not in rows(store)
    job.close()
    looking.join()
    assert "a9/new" in rows(store)
    first = hold(JobFiles(store.jobs_dir, "mine").watcher_lock)
    assert first is not None
    with first, pytest.raises(MessError, match="'mine' is watched already"):
        start(dataset="mine", encoders=["spectral"], settings=Settings())


@pytest.mark.long
def test_the_command_hears_of_a_new_file_and_ends_with_ctrl_c(store: Store) -> None:
    command = ["watch", "--dataset", "mine", "--encoder", "spectral", "--settle", "0.5"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *command, "--probe-share", "0.5"],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert next(lines).startswith("watching ")
    next(line for line in lines if line.startswith("index by spectral: 5 tracks"))
    write_piece(store.audio_dir("mine") / "a9" / "new.wav", 9, seconds=6.0)
    next(line for line in lines if line.startswith("index by spectral: 6 tracks"))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "stopped; the same command goes on from here"
