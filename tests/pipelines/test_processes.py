"""Processes side by side do their work alone, and end with one line if one is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mess.errors import MessError
from pipelines.processes import side_by_side

# As a person writes it, and as a page of Streamlit is: nothing asks for __name__.
SCRIPT = """
from pipelines.processes import side_by_side

print("the script runs")
with side_by_side(2, again="mess demo") as pool:
    print(list(pool.map(abs, [-1, 2, -3])))
"""


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.stdout, ran.stderr) == ("the script runs\n[1, 2, 3]\n", "")
    assert ran.returncode == 0


def test_a_killed_process_is_told_in_one_line() -> None:
    with (
        pytest.raises(
            MessError, match="^a process was stopped from outside: run `mess demo` again$"
        ),
        side_by_side(1, again="mess demo") as pool,
    ):
        pool.submit(os._exit, 1).result()


def test_an_error_of_the_work_is_the_callers() -> None:
    with pytest.raises(ValueError, match="math domain"), side_by_side(1, again="any") as pool:
        from math import sqrt

        pool.submit(sqrt, -1.0).result()
