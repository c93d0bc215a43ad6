"""librosa is imported by one process at a time: what two compile at once crashes a third."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from mess.storage.locks import is_held
from mess.targets import librosa_import

PROJECT = Path(__file__).parents[3]
BARE = re.compile(r"^\s*(import|from) librosa\b", re.MULTILINE)


def test_a_lock_is_held_while_librosa_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert librosa_import.librosa_file().parts[-2:] == ("librosa", "__init__.py")
    package = tmp_path / "__init__.py"  # other workers may hold the lock of the real one
    package.touch()
    monkeypatch.setattr(librosa_import, "librosa_file", lambda: package)
    held = []

    def watched(name: str) -> ModuleType:
        held.append((name, is_held(package)))
        return import_module(name)

    monkeypatch.setattr(librosa_import, "import_module", watched)
    librosa_import.import_librosa.__wrapped__()
    compiling = {"librosa.util", "librosa.core.audio", "librosa.core.pitch"}
    assert {name for name, locked in held if locked} == compiling
    assert not is_held(package)


def test_nothing_imports_librosa_past_the_lock() -> None:
    past = [
        path.relative_to(PROJECT).as_posix()
        for folder in ("mess", "pipelines", "dashboard", "tests")
        for path in (PROJECT / folder).rglob("*.py")
        if BARE.search(path.read_text(encoding="utf-8"))
    ]
    assert past == []
