"""Each page is one function that can be called; nothing is drawn when its file is imported."""

import importlib
import pkgutil
import typing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboard.pages

PAGES = sorted(module.name for module in pkgutil.iter_modules(dashboard.pages.__path__))


def _call(name: str) -> None:
    """Draw a page: Streamlit runs this text as a script."""
    import importlib

    importlib.import_module(f"dashboard.pages.{name}").main()


def _open(name: str, *, dataset: str = "demo", encoder: str = "spectral") -> AppTest:
    script = AppTest.from_function(_call, args=(name,), default_timeout=60)
    script.session_state["dataset"] = dataset
    script.session_state["encoder"] = encoder
    return script.run()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_a_function_without_parameters(name: str) -> None:
    page = importlib.import_module(f"dashboard.pages.{name}")
    assert typing.get_type_hints(page.main) == {"return": type(None)}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_draws_a_library(
    name: str, demo_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(demo_library))
    drawn = _open(name)
    assert not drawn.exception
    assert len(drawn.title) == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_library_says_what_makes_one(name: str, data_root: Path) -> None:
    drawn = _open(name)
    assert not drawn.exception
    assert len(drawn.title) == 1
    assert drawn.button or drawn.code
