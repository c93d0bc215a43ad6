"""`run-all` is killed before and after each file takes its place, and goes on to the same bytes.

Every run is a fork that is killed with SIGKILL: nothing of Python's own clean-up runs. The parent
only imports and computes nothing, so that no thread pool of a library is copied in mid-work.
"""

import os
import shutil
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest
from layouts import SMD, write_smd

from mess.status.steps import survey
from mess.storage.store import Store
from mess.targets.librosa_import import import_librosa

pytestmark = pytest.mark.long

TRACKS = SMD[::3]  # of three works, the fewest that can be probed


def run_all_in_a_fork(root: Path, *, die: "Death | None" = None) -> int:
    """Run everything in a fork, perhaps to be killed there; return its exit status."""
    import pipelines.run_all as step

    import_librosa()  # it costs seconds, and no fork should pay for it

    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        os.environ["MESS_DATA"] = str(root)
        if die:
            die.arm()
        whole = step.run_all(dataset="smd", encoder="spectral", workers=1, tracking=False)
        os._exit(0 if whole else 3)
    except BaseException:
        traceback.print_exc()
        os._exit(99)


@dataclass
class Death:
    """A kill at a rename that changes what is on disk.

    A step that was stopped begins anew, so the same first rename comes again: the next one of that
    step is then the place to die.

    Attributes
    ----------
    note : Path
        Where the dying process writes which file it began with.
    first : str
        The file that the process before began with.
    number : int
        At which rename to die if this one begins with the same file; else at its first.
    before : bool
        Whether to die before the rename, with the temporary file left behind.
    """

    note: Path
    first: str = ""
    number: int = 1
    before: bool = False

    def arm(self) -> None:
        rename, count = Path.replace, 0

        def replace(path: Path, target: Path) -> Path:
            nonlocal count
            if target.exists() and target.read_bytes() == path.read_bytes():
                return rename(path, target)
            count += 1
            if count == 1 and str(target) != self.first:
                self.first, self.number = str(target), 1
            if count < self.number:
                return rename(path, target)
            self.note.write_text(f"{self.number} {self.first}")
            if not self.before:
                rename(path, target)
            os.kill(os.getpid(), signal.SIGKILL)
            return target

        Path.replace = replace  # type: ignore[method-assign, assignment]

    def next(self) -> "Death":
        number, _, first = self.note.read_text().partition(" ")
        return Death(self.note, first, int(number) + (not self.before), not self.before)


def content(root: Path) -> dict[str, bytes]:
    """Return every file that was made, by its path; locks hold nothing."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted((root / "processed").rglob("*"))
        if path.is_file() and "timings" not in path.parts  # what took how long is never compared
    }


def differing(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    names = found.keys() | wanted.keys()
    return sorted(name for name in names if found.get(name) != wanted.get(name))


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data root that no one disturbed, and one with the same audio and nothing else."""
    calm = tmp_path_factory.mktemp("calm")
    write_smd(calm / "audio" / "smd", seconds=3.0)
    for name in SMD:
        if name not in TRACKS:
            (calm / "audio" / "smd" / f"{name}.wav").unlink()
    for path in (calm / "audio" / "smd").glob("*.mid*"):
        path.unlink()
    killed = tmp_path_factory.mktemp("killed")
    shutil.copytree(calm / "audio", killed / "audio", copy_function=shutil.copy2)
    assert run_all_in_a_fork(calm) == 0
    return calm, killed


def test_a_run_that_dies_at_every_rename_ends_in_the_same_bytes(
    roots: tuple[Path, Path], tmp_path: Path
) -> None:
    calm, killed = roots
    wanted = content(calm)
    deaths, death = 0, Death(tmp_path / "note", before=True)
    while (status := run_all_in_a_fork(killed, die=death)) == -signal.SIGKILL:
        death = death.next()
        deaths += 1
        assert deaths < 4 * len(wanted), f"it goes round in a circle at {death.first}"
    assert status == 0
    assert deaths > len(wanted)
    assert differing(content(killed), wanted) == []
    assert not list(killed.rglob("*.tmp"))
    assert {step.state for step in survey(Store(killed), "smd", "spectral")} == {"ready"}


def test_a_second_run_changes_no_byte(roots: tuple[Path, Path]) -> None:
    calm, _ = roots
    wanted = content(calm)
    assert run_all_in_a_fork(calm) == 0
    assert differing(content(calm), wanted) == []
