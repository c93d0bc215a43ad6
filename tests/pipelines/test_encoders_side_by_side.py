"""Several encoders are analysed at once, each in a process: what becomes of one that fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from layouts import write_smd
from small_models import write_small

from mess.storage.store import Store
from pipelines.options import INCOMPLETE, INTERRUPTED

pytestmark = pytest.mark.long

# An encoder of a package: it takes the two lowest recordings, which are of one work.
_HARD_OF_HEARING = """
import numpy as np
from mess.encoders import Preset
from mess.errors import MessError

class Encoder:
    id, sample_rate, layers, dim = "hard-of-hearing", 16_000, 1, 8
    layer_names, licence, revision, weights_hash = ["bands"], "CC0", "", "none"
    normalise, settings = False, {}

    def track_scale(self, signal):
        return 0.0, 1.0

    def encode(self, segments):
        power = np.abs(np.fft.rfft(segments)) ** 2
        if power.mean(axis=0).argmax() > 300 * segments.shape[1] / 16_000:
            raise MessError("does not hear so high")
        states = np.stack([one.sum(axis=1) for one in np.array_split(power, 8, axis=1)], axis=1)
        return np.log(states + 1e-9)[:, None, None].astype(np.float32)

PRESET = Preset(
    name="hard-of-hearing", kind="plugin", load=lambda *, device, dtype: Encoder(), licence="CC0",
    trained_on="none", sample_rate=16_000, layers=1, dim=8, layer_names=("bands",), cost=0.1,
    note="",
)
"""


@pytest.fixture
def library(data_root: Path) -> Store:
    write_smd(data_root / "audio" / "smd", seconds=3.0)
    return Store(data_root)


@pytest.fixture
def small(tmp_path: Path) -> str:
    """An encoder whose states are kept in memory, so the command itself analyses it."""
    write_small(tmp_path / "small", "Wav2Vec2Model", rate=22_050)
    return str(tmp_path / "small")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    metadata = folder / "hard-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "hard.py").write_text(_HARD_OF_HEARING)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hard\nVersion: 1.0\n")
    entry = "[mess.encoders]\nhard-of-hearing = hard:PRESET\n"
    (metadata / "entry_points.txt").write_text(entry)
    return folder


def start(*encoders: str, packages: Path | None = None) -> subprocess.Popen[str]:
    words = ["run-all", "--dataset", "smd", "--no-mlflow", "--encoder", ",".join(encoders)]
    alone = {name: value for name, value in os.environ.items() if name != "MESS_JOB"}
    path = os.pathsep.join([*([str(packages)] if packages else []), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=alone | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        start_new_session=True,  # a group of processes of its own, as a terminal makes it
    )


def children(group: int) -> dict[int, str]:
    """Return the command line of each living process of a group, without its first."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getpgid(int(folder.name)) == group:
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
    return {pid: line for pid, line in found.items() if line and pid != group}


def analysing(group: int) -> list[int]:
    return [pid for pid, line in children(group).items() if "spawn_main" in line]


def wait_for(there: Callable[[], object], *, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_that_fails_in_its_process_leaves_the_other_one_done(
    library: Store, small: str, packages: Path
) -> None:
    process = start(small, "hard-of-hearing", packages=packages)
    said, problems = process.communicate(timeout=300)
    assert process.returncode == INCOMPLETE, problems
    assert library.features.encoders("smd") == ["hard-of-hearing", "small"]
    assert library.indices.available() == [("smd", "small")]
    assert library.evaluations.modified("smd", "small") > 0
    assert f"smd is ready: 8 recordings of 5 works, by {small};" in said
    why = "probing needs tracks of at least 3 works, there are 1: add recordings of other works"
    assert f"left out: hard-of-hearing: {why}\n" in problems
    assert "nothing by hard-of-hearing" in problems.splitlines()[-1]


def test_one_whose_process_is_killed_leaves_the_other_one_done(library: Store, small: str) -> None:
    process = start(small, "spectral")
    wait_for(lambda: analysing(process.pid))
    for one in analysing(process.pid):  # as the system does where memory is short
        os.kill(one, signal.SIGKILL)
    said, problems = process.communicate(timeout=300)
    assert process.returncode == INCOMPLETE, problems
    assert f"smd is ready: 8 recordings of 5 works, by {small};" in said
    again = f"mess run-all --dataset smd --encoder {small},spectral"
    why = f"a process was stopped from outside: run `{again}` again"
    assert f"left out: spectral: {why}\n" in problems
    assert library.evaluations.modified("smd", "spectral") == 0


@pytest.mark.parametrize("seconds", [0.0, 0.3, 2.0])  # its process imports, or has begun
def test_ctrl_c_ends_all_processes_with_one_line(
    library: Store, small: str, seconds: float
) -> None:
    process = start(small, "spectral")
    wait_for(lambda: analysing(process.pid))
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of them
    _, problems = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, problems
    lines = [line for line in problems.splitlines() if not line.startswith("warning: ")]
    assert lines == ["stopped; the same command goes on from here"]
    wait_for(lambda: not children(process.pid), seconds=10)
