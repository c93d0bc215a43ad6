"""Faults beside a plain kill: each ends in the same bytes after another run, or names what is lost.

`test_killed_at_every_rename` kills `run-all`, `test_watch` kills `watch`. Here are a full disk, two
writers at once, and recordings that vanish or change while they are read.
"""

import errno
import os
import select
import shutil
import signal
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from faults import content, differing, in_a_fork
from layouts import SMD, SMD_IDS, write_piece, write_smd

import mess.storage.replacing
import pipelines.extract_features
from mess.audio.decoding import decode_at
from mess.datasets import load_dataset
from mess.storage.store import Store
from mess.targets.librosa_import import import_librosa
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_all, extract_features
from pipelines.steps import Scope

pytestmark = pytest.mark.long


def extract() -> bool:
    return not extract_features(dataset="smd", encoder="spectral", workers=3).failed


def features_and_targets() -> bool:
    return extract() and not compute_dataset_targets(dataset="smd", workers=1).failed


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two data roots with the same recordings, to the times of the files."""
    import_librosa()
    calm, other = tmp_path / "calm", tmp_path / "other"
    write_smd(calm / "audio" / "smd", seconds=3.0)
    for path in sorted((calm / "audio" / "smd").iterdir()):
        if path.stem not in SMD[:3] or path.suffix != ".wav":
            path.unlink()
    shutil.copytree(calm, other)
    return calm, other


@pytest.mark.parametrize("kind", ["segments/", "smd.parquet"])
def test_a_full_disk_is_named_and_the_next_run_goes_on(
    two: tuple[Path, Path], tmp_path: Path, kind: str
) -> None:
    calm, full = two
    note = tmp_path / "note"
    assert in_a_fork(calm, features_and_targets) == 0

    def fill_up() -> bool:
        """Write until the first file of a kind, and from then on nothing."""
        real = mess.storage.replacing._open_temporary
        opened: list[Path] = []

        def open_temporary(path: Path) -> tuple[object, Path]:
            handle, temporary = real(path)
            if opened or kind in str(path):
                opened.append(path)
                handle.close()
                handle = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115, PTH123
            return handle, temporary

        mess.storage.replacing._open_temporary = open_temporary  # type: ignore[assignment]
        try:
            return features_and_targets()
        except OSError as error:
            note.write_text(f"{error.errno} {error.filename}")
            raise

    assert in_a_fork(full, fill_up) == 99
    number, _, name = note.read_text().partition(" ")
    assert int(number) == errno.ENOSPC
    assert name.startswith(str(full / "processed"))
    assert in_a_fork(full, features_and_targets) == 0
    assert differing(content(full), content(calm)) == []
    assert not list(full.rglob("*.tmp"))


def test_of_two_writers_one_waits_and_both_end_well(
    two: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    calm, both = two
    import_module("pipelines.extract_features")
    assert in_a_fork(calm, extract) == 0
    store = Store(both)
    header = Store(calm).features.manifest("smd", "spectral").header
    mine = store.features.resume("smd", "spectral", header=header)
    other = os.fork()
    if not other:
        mine._lock = None  # only a fork inherits it
        os._exit(in_a_fork(both, extract))
    while "another process writes it; waiting for its end" not in capfd.readouterr().err:
        assert os.waitpid(other, os.WNOHANG) == (0, 0)
    assert not store.features.manifest("smd", "spectral").tracks
    mine.close()
    assert os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) == 0
    assert differing(content(both), content(calm)) == []


def test_a_recording_that_vanishes_while_others_are_read_fails_alone_and_is_forgotten(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, root = two
    monkeypatch.setenv("MESS_DATA", str(root))
    listed = load_dataset("smd", root=root / "audio" / "smd")
    for one in (calm, root):
        (one / "audio" / "smd" / f"{SMD[1]}.wav").unlink()
    scope = Scope(recordings=listed)
    found = extract_all(dataset="smd", encoders=["spectral"], scope=scope)["spectral"]
    assert found.made == 2
    assert list(found.failed) == [SMD_IDS[1]]
    assert f"{SMD[1]}.wav: cannot be read" in found.failed[SMD_IDS[1]]
    assert extract()
    assert in_a_fork(calm, extract) == 0
    assert differing(content(root), content(calm)) == []


def test_a_recording_that_changes_while_it_is_read_is_read_again_by_the_next_run(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, root = two
    monkeypatch.setenv("MESS_DATA", str(root))
    late = root / "audio" / "smd" / f"{SMD[2]}.wav"

    def change_first(path: Path, rates: set[int]) -> object:
        found = decode_at(path, rates)
        if path == late:
            write_piece(late, 9, seconds=3.0)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(pipelines.extract_features, "decode_at", change_first)
        assert extract()
    assert extract_features(dataset="smd", encoder="spectral").made == 1
    shutil.copy2(late, calm / "audio" / "smd")
    assert in_a_fork(calm, extract) == 0
    assert differing(content(root), content(calm)) == []


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="processes read on Linux alone")
def test_a_kill_while_processes_read_and_threads_write_loses_nothing(
    two: tuple[Path, Path],
) -> None:
    calm, killed = two
    import_module("pipelines.extract_features")
    assert in_a_fork(calm, extract) == 0
    replace = Path.replace

    def as_on_a_gpu(last: int) -> bool:
        """Extract with processes and threads, and die at a rename."""
        renames = iter(range(last))

        def die(path: Path, target: Path) -> Path:
            if next(renames, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return replace(path, target)

        Path.replace = die  # type: ignore[method-assign]
        pipelines.extract_features._on_gpu = lambda _: True
        return extract()

    deaths = 0
    for last in range(1, 100, 3):
        status = in_a_fork(killed, partial(as_on_a_gpu, last))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        deaths += 1
        for process in of_root(killed):  # the processes that read end without the one that asked
            with suppress(ProcessLookupError):
                ended, *_ = select.select([os.pidfd_open(process)], [], [], 30)
                assert ended, process
    assert deaths >= 3
    assert differing(content(killed), content(calm)) == []
    assert not list(killed.rglob("*.tmp"))


def of_root(root: Path) -> list[int]:
    """Return the processes that work on a data root."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"MESS_DATA={root}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
