"""What is concluded without some recordings ends as any command does that left recordings out."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import pipelines.build_indices
import pipelines.compare_encoders
import pipelines.cross_datasets
import pipelines.options
import pipelines.run_evaluation
import pipelines.run_probing
import pipelines.untangle
from mess.records.manifest import FailedEntry
from mess.storage.store import Store
from pipelines.cli import build_app
from pipelines.options import INCOMPLETE

REASON = "torn.wav: is cut; copy it again"

OF = ["--dataset", "demo", "--encoder", "spectral"]
COMMANDS = {
    "probe": (pipelines.run_probing, "sweep", [], OF),
    "index": (pipelines.build_indices, "build_index", None, OF),
    "evaluate": (pipelines.run_evaluation, "evaluate", {}, [*OF, "--json"]),
    "untangle": (pipelines.untangle, "untangle", [], OF),
    "map": (None, "", None, OF),
    "compare": (pipelines.compare_encoders, "compare_dataset", {}, [*OF[:2], "--json"]),
    "cross": (
        pipelines.cross_datasets,
        "cross_datasets",
        {},
        ["--datasets", "demo,other", *OF[2:], "--json"],
    ),
}


@pytest.fixture
def lacking(demo_library: Path, data_root: Path) -> Store:
    """The demo library, with a recording that failed and one whose features are not there yet."""
    shutil.copytree(demo_library / "processed", data_root / "processed")
    store = Store(data_root)
    known = store.features.manifest("demo", "spectral")
    manifest = store.features.resume("demo", "spectral", header=known.header)
    manifest.record(
        "torn",
        FailedEntry(path="torn.wav", midi=None, composer="", work="", title="", error=REASON),
    )
    del manifest.tracks[min(known.done())]
    manifest.close()
    return store


@pytest.mark.parametrize("name", COMMANDS)
def test_a_conclusion_without_some_recordings_says_so(
    lacking: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module, function, answer, words = COMMANDS[name]
    kept: list[Any] = []
    monkeypatch.setattr(pipelines.options, "write_status", lambda **of: kept.append(of))
    if module is not None:  # what it computes is tested elsewhere, and takes long

        def computed(**_: object) -> Any:
            if not isinstance(answer, dict):
                return answer
            return SimpleNamespace(encoders=[SimpleNamespace(name="spectral")], to_json=dict)

        monkeypatch.setattr(module, function, computed)
    ended = CliRunner().invoke(build_app(), [name, *words])
    assert ended.exit_code == INCOMPLETE, ended.output
    total = len(lacking.targets.manifest("demo").done())
    told = ended.stderr.splitlines()
    assert f"left out: {REASON}" in told
    assert any("has no features yet: run `mess extract --dataset demo" in one for one in told)
    assert f"{total - 1} of {total + 1} recordings done; 2 could not be used" in told
    if "--json" in words:
        json.loads(ended.stdout)
    (for_the_dashboard,) = kept
    assert for_the_dashboard["left_out"].count == 2


def test_a_conclusion_from_all_recordings_ends_as_usual(
    demo_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(demo_library))
    monkeypatch.setattr(pipelines.run_probing, "sweep", lambda **_: [])
    ended = CliRunner().invoke(build_app(), ["probe", *OF])
    assert ended.exit_code == 0, ended.output
