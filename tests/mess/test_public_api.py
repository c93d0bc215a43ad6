"""What ``from mess import …`` offers, and what ``import mess`` costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tones import write_tone

import mess

HEAVY = {
    *("numpy", "scipy", "pandas", "pyarrow", "faiss", "sklearn", "soundfile", "soxr"),
    *("torch", "transformers", "librosa", "mlflow", "streamlit", "plotly", "typer"),
}


def fresh(code: str) -> str:
    """Return what a new interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_import_mess_loads_nothing_and_takes_under_50_ms() -> None:
    code = (
        "import sys, time; before = set(sys.modules); start = time.process_time(); import mess; "
        "print(time.process_time() - start, *(set(sys.modules) - before))"
    )
    seconds, *loaded = fresh(code).split()
    assert float(seconds) < 0.05
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert not [name for name in loaded if name.startswith("mess.")]


@pytest.mark.parametrize("name", mess.__all__)
def test_every_public_name_is_what_its_module_defines(name: str) -> None:
    value = getattr(mess, name)
    assert value is getattr(sys.modules[mess._MODULE_OF[name]], name)
    assert name in dir(mess)


def test_editors_and_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(mess.__file__).read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == mess._MODULE_OF
    assert mess.__all__ == sorted(seen, key=lambda name: (not name.isupper(), name))


def test_an_unknown_name_is_an_attribute_error_and_rooms_are_still_found() -> None:
    with pytest.raises(AttributeError, match="no attribute 'recommend'"):
        _ = mess.recommend
    assert fresh("from mess import errors; print(errors.__name__)").strip() == "mess.errors"


def test_the_long_path_of_the_recommender_keeps_working() -> None:
    from mess.search.layer_based_recommender import LayerBasedRecommender

    assert LayerBasedRecommender is mess.LayerBasedRecommender


def test_a_dataset_is_found_below_the_data_root_without_being_told_where(data_root: Path) -> None:
    write_tone(data_root / "audio" / "mine" / "one.wav")
    assert [track.id for track in mess.load_dataset("mine")] == ["one"]
    assert "mine" in mess.available_datasets()
