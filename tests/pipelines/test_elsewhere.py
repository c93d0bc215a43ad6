"""Commands on artifacts at an address: killed at each request, and read on another machine."""

import os
import shutil
import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import fsspec
import pytest
from faults import content, differing, in_a_fork
from layouts import SMD, SMD_IDS, write_smd
from s3_server import Wire

from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.status.steps import survey
from mess.storage.address_server import Server
from mess.storage.store import Store
from mess.targets.librosa_import import import_librosa
from pipelines.extract_features import extract_features

pytestmark = pytest.mark.long

ADDRESS = "s3://music/mess"
TRACKS = SMD[::3]  # of three works, the fewest that can be probed


def extract() -> bool:
    return not extract_features(dataset="smd", encoder="spectral", workers=2).failed


def run_all() -> bool:
    import pipelines.run_all as step

    return step.run_all(dataset="smd", encoder="spectral", workers=2, tracking=False)


@pytest.fixture
def calm(wire: Wire, tmp_path: Path) -> Path:
    """A data root on this machine that nobody disturbed; the bucket is there and empty."""
    fsspec.filesystem("s3").mkdir("music")
    root = tmp_path / "calm"
    write_smd(root / "audio" / "smd", seconds=3.0)
    for path in (root / "audio" / "smd").iterdir():
        if path.stem not in TRACKS or path.suffix != ".wav":
            path.unlink()
    import_librosa()  # it costs seconds, and no fork should pay for it
    import_module("pipelines.run_all")
    return root


@pytest.fixture
def machine(calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes what follows run on a machine of some name."""

    def start(name: str) -> None:
        monkeypatch.setenv("MESS_MIRROR", str(tmp_path / name))
        monkeypatch.setenv("MESS_DATA", ADDRESS)
        audio = Store().audio_dir("smd")
        if not audio.exists():
            shutil.copytree(calm / "audio" / "smd", audio, copy_function=shutil.copy2)

    return start


def objects() -> dict[str, bytes]:
    files = fsspec.filesystem("s3")
    files.invalidate_cache()
    keys = files.find("music/mess/processed")
    return {key.removeprefix("music/mess/"): files.cat_file(key) for key in keys}


def artifacts(root: Path) -> dict[str, bytes]:
    return {name: one for name, one in content(root).items() if not name.endswith(".lock")}


def die_once(note: Path) -> None:
    """Die before or after the first request that writes and at which no process died yet."""
    real = Server.ask

    def at(place: str) -> None:
        if place not in (note.read_text().splitlines() if note.exists() else []):
            with note.open("a") as handle:
                handle.write(f"{place}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def ask(self: Server, path: Path, question: Callable[..., object], *, doing: str) -> object:
        name = path.relative_to(self._root)
        if name.parts[0] == "locks":
            name = name.parent  # numbers go on for ever
        kind = f"{name} {path.stat().st_size if path.is_file() else 0}"
        # Files of tracks are alike: those of the first stand for all.
        dies = doing != "read" and not any(one in kind for one in SMD_IDS[1:])
        if dies:
            at(f"before {kind}")
        answer = real(self, path, question, doing=doing)
        if dies:
            at(f"after {kind}")
        return answer

    Server.ask = ask  # type: ignore[method-assign, assignment]


def test_a_run_that_dies_at_every_request_ends_in_the_same_bytes(
    calm: Path, machine: Callable[[str], None], tmp_path: Path
) -> None:
    assert in_a_fork(calm, extract) == 0
    machine("killed")
    note = tmp_path / "note"

    def killed() -> bool:
        os.environ["MESS_DATA"] = ADDRESS
        die_once(note)
        return extract()

    while (status := in_a_fork(tmp_path, killed)) == -signal.SIGKILL:
        assert len(note.read_text().splitlines()) < 200
    assert status == 0
    assert len(note.read_text().splitlines()) >= 10
    assert differing(objects(), artifacts(calm)) == []
    assert differing(artifacts(tmp_path / "killed"), artifacts(calm)) == []
    assert not list((tmp_path / "killed" / "pending").iterdir())


def test_what_one_machine_concludes_another_searches(
    calm: Path, machine: Callable[[str], None], tmp_path: Path
) -> None:
    assert in_a_fork(calm, run_all) == 0
    machine("one")

    def elsewhere() -> bool:
        os.environ["MESS_DATA"] = ADDRESS
        return run_all()

    assert in_a_fork(tmp_path, elsewhere) == 0
    wanted = artifacts(calm)
    assert differing(objects(), wanted) == []
    machine("two")
    store = Store()
    assert {step.state for step in survey(store, "smd", "spectral")} == {"ready"}
    found = LayerBasedRecommender("smd", "spectral", store=store)
    here = LayerBasedRecommender("smd", "spectral", store=Store(calm))
    track = found.track_ids[0]
    weights = {"overall": 1.0}
    assert found.multi_aspect_recommendation(track, weights) == here.multi_aspect_recommendation(
        track, weights
    )
    assert in_a_fork(tmp_path, elsewhere) == 0  # nothing is left to do
    assert differing(objects(), wanted) == []
