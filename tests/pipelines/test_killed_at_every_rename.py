"""`run-all` is killed before and after each file takes its place, and goes on to the same bytes."""

import shutil
from importlib import import_module
from pathlib import Path

import pytest
from faults import content, die_everywhere, differing, in_a_fork
from layouts import SMD, write_smd

from mess.status.steps import survey
from mess.storage.store import Store
from mess.targets.librosa_import import import_librosa

pytestmark = pytest.mark.long

TRACKS = SMD[::3]  # of three works, the fewest that can be probed


def run_all() -> bool:
    """Run everything, with recordings decoded ahead."""
    import pipelines.run_all as step

    return step.run_all(dataset="smd", encoder="spectral", workers=3, tracking=False)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root that no one disturbed."""
    calm = tmp_path_factory.mktemp("calm")
    write_smd(calm / "audio" / "smd", seconds=3.0)
    for name in SMD:
        if name not in TRACKS:
            (calm / "audio" / "smd" / f"{name}.wav").unlink()
    for path in (calm / "audio" / "smd").glob("*.mid*"):
        path.unlink()
    import_librosa()  # it costs seconds, and no fork should pay for it
    import_module("pipelines.run_all")
    assert in_a_fork(calm, run_all) == 0
    return calm


def test_a_run_that_dies_at_every_rename_ends_in_the_same_bytes(calm: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"  # the same audio and nothing else
    shutil.copytree(calm / "audio", killed / "audio", copy_function=shutil.copy2)
    wanted = content(calm)
    deaths = die_everywhere(killed, run_all, tmp_path / "note")
    assert len(deaths) > len(wanted)
    assert differing(content(killed), wanted) == []
    assert not list(killed.rglob("*.tmp"))
    assert {step.state for step in survey(Store(killed), "smd", "spectral")} == {"ready"}


def test_a_second_run_changes_no_byte(calm: Path) -> None:
    wanted = content(calm)
    assert in_a_fork(calm, run_all) == 0
    assert differing(content(calm), wanted) == []
