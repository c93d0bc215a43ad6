"""What the figures say, read from the Plotly objects."""

from typing import Any

import numpy as np
import pandas as pd

from dashboard.components.figures import (
    aspect_colours,
    heatmap,
    predicted_against_true,
    score_shares,
)
from dashboard.components.text import plain


def record() -> dict[str, Any]:
    cells = [
        {"layer": layer, "target": target, "r2": r2}
        for layer, target, r2 in (
            (0, "tempo", -3.25),
            (1, "tempo", 0.5),
            (0, "onset_density", None),
            (1, "onset_density", 0.25),
        )
    ]
    return {
        "cells": cells,
        "layer_names": ["0", "1"],
        "target_names": ["tempo", "onset_density"],
    }


def test_the_heatmap_shows_bad_and_undefined_cells_as_they_are() -> None:
    figure = heatmap(record())
    written = {(note.x, note.y): note.text for note in figure.layout.annotations}
    assert written == {(0, 0): "-3.25", (1, 0): "0.50", (0, 1): "–", (1, 1): "0.25"}
    assert (figure.data[0].zmin, figure.data[0].zmid, figure.data[0].zmax) == (-1, 0, 1)


def test_what_may_be_chance_loses_its_colour_and_keeps_its_number() -> None:
    found = record()
    for cell, p in zip(found["cells"], (0.9, 0.01, 0.04, 0.06), strict=True):
        cell |= {"p": p / 2, "p_family": p, "q": p, "selectivity": 0.0, "low": -1.0, "high": 1.0}
    greyed, coloured = heatmap(found, grey=True), heatmap(found)
    sure = {
        (cell["target"], cell["layer"]): cell["p_family"] <= 0.05 and cell["r2"] is not None
        for cell in found["cells"]
    }
    for (row, layer), value in np.ndenumerate(np.array(greyed.data[0].z, dtype=float)):
        assert np.isfinite(value) == sure[found["target_names"][row], layer]
    assert [note.text for note in greyed.layout.annotations] == [
        note.text for note in coloured.layout.annotations
    ]


def test_a_click_names_its_layer_and_target() -> None:
    clicks = heatmap(record()).data[1]
    by_place = {
        (x, y): tuple(data)
        for x, y, data in zip(clicks.x, clicks.y, clicks.customdata, strict=True)
    }
    assert by_place[1, 0] == (1, "tempo")
    assert by_place[0, 1] == (0, "onset_density")


def test_names_in_a_plot_are_text() -> None:
    rows = pd.DataFrame(
        {
            "track": ["a", "b"],
            "segment": [-1, 3],
            "fold": [0, 1],
            "true": [1.0, 2.0],
            "predicted": [1.5, 1.0],
        }
    )
    figure = predicted_against_true(
        rows, target="tempo", unit="BPM", labels={"a": "<b>Bach</b>", "b": "Bartók"}
    )
    assert figure.data[0].text[0] == "&lt;b&gt;Bach&lt;/b&gt;"
    assert figure.data[1].text[0] == "Bartók, segment 3"


def test_shares_are_stacked_in_the_aspects_own_colours() -> None:
    colours = aspect_colours(["tempo", "dynamics", "brightness"])
    figure = score_shares({"brightness": 0.4, "tempo": -0.1}, colours=colours)
    assert [bar.x[0] for bar in figure.data] == [0.4, -0.1]
    assert [bar.marker.color for bar in figure.data] == [colours["brightness"], colours["tempo"]]


def test_markdown_and_html_in_names_stay_text() -> None:
    assert plain("a_b") == r"a\_b"
    assert "<script>" not in plain("<script>alert(1)</script>")
