"""Tables: no row is without its name, and no gap is told by the path of a file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_records import made_cell, made_discovery
from streamlit.testing.v1 import AppTest

from dashboard.sections.downloads import cell_table, readable_cells
from dashboard.sections.missing import describe_gap
from mess.errors import ArtifactMissing

REPOSITORY = Path(__file__).parents[2]


def _tables() -> None:
    import pandas as pd

    from dashboard.components.table import show_table

    named = pd.DataFrame({"tempo": [1.0]}, index=pd.Index(["gain"], name="change"))
    show_table(named)
    show_table(pd.DataFrame({"tempo": [1.0]}))
    show_table([{"tempo": 1.0}])


def test_an_index_with_a_name_is_the_first_column() -> None:
    named, *others = (
        frame.value for frame in AppTest.from_function(_tables, default_timeout=60).run().dataframe
    )
    assert named.iloc[0].to_dict() == {"change": "gain", "tempo": 1.0}
    assert [list(one.columns) for one in others] == [["tempo"], ["tempo"]]


def test_short_names_of_rows_are_seen_whole() -> None:
    def page() -> None:
        from dashboard.components.table import show_table

        show_table([{"target": "tempo", "n": 1}] * 12 + [{"target": "diminuendo strength", "n": 1}])
        show_table([{"title": "A name that is much too long for a column of names", "n": 1}])

    short, long = (
        json.loads(one.proto.columns)
        for one in AppTest.from_function(page, default_timeout=60).run().dataframe
    )
    assert short["target"]["width"] >= 7 * len("diminuendo strength") + 16
    assert short["target"]["pinned"] and long["title"]["pinned"]
    assert long["title"].get("width") is None


def _commands() -> set[str]:
    """Return the commands that mend what is missing, as readers name them."""
    source = "".join(path.read_text() for path in (REPOSITORY / "mess").glob("storage/*.py"))
    return set(re.findall(r"command_for\(\s*\"([a-z-]+)\"", source)) | {"untangle", "cross"}


@pytest.mark.parametrize("command", sorted(_commands() - {"run-all"}))
def test_what_is_missing_is_said_in_words(command: str) -> None:
    said: Any = describe_gap(
        ArtifactMissing("processed/x/demo.json", f"mess {command} --dataset d")
    )
    assert "processed" not in said and said.endswith(".")


def test_all_cells_show_names_and_numbers_before_what_is_long() -> None:
    cells = [made_cell(0, "tempo", 0.5, fold_r2=[0.5, 0.4], alpha=[1.0, 10.0])]
    table = cell_table(made_discovery(cells, layer_names=["0"]))
    shown = readable_cells(table)
    assert list(shown.columns)[:5] == ["target", "layer", "R²", "95 %, from", "to"]
    assert list(shown.columns)[-2:] == ["R² of each fold", "penalty of each fold"]
    assert len(shown.columns) == len(table.columns) - 1  # the layer by its number is in the file
    assert shown.columns.is_unique
