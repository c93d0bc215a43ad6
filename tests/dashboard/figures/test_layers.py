"""What the heatmap of a discovery, its lines, a cell and a comparison say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_records import made_cell, made_discovery, made_summary

from dashboard.figures.cell import predicted_against_true, residuals
from dashboard.figures.differences import APART, compared_columns, difference_heat
from dashboard.figures.grid import heat_figure, lay_out
from dashboard.figures.heat import HeatTable
from dashboard.figures.layers import describe_heatmap
from dashboard.figures.lines import layer_lines, two_lines
from dashboard.figures.style import GREY
from dashboard.sections.heat_rows import BEST, WITHIN, target_heat
from mess.probing.results import BaselineScore, BeyondScore, Cell, Combined
from mess.records.discovery import DiscoveryRecord


def cell(layer: int, target: str, r2: float | None, **known: Any) -> Cell:
    if r2 is not None:
        known = {"low": r2 - 0.1, "high": r2 + 0.1} | known
    return made_cell(layer, target, r2, **known)


def record(
    *,
    layers: int = 2,
    names: list[str] | None = None,
    better: float = 0.0,
    p: Sequence[float] | None = None,
    within: list[int] | None = None,
) -> DiscoveryRecord:
    """Tempo rises from layer to layer to 0.5; onset density is unknown in the first."""
    cells = []
    for layer in range(layers):
        rising = -3.25 if layer == 0 else 0.5 * layer / (layers - 1)
        cells.append(cell(layer, "tempo", rising + better))
        cells.append(cell(layer, "onset_density", None if layer == 0 else 0.25 + better))
    if p is not None:
        cells = [
            replace(one, p=value / 2, p_family=value, q=value)
            for one, value in zip(cells, p, strict=True)
        ]
    combined = Combined(r2=0.4, spearman=0.6, low=0.3, high=0.5, layers=[1.0])
    summary = made_summary(
        "tempo", 0.4, best=layers - 1, within=within or [layers - 1], combined=combined
    )
    return made_discovery(
        cells,
        [summary],
        layer_names=names or [str(number) for number in range(layers)],
        controls=[BaselineScore("MFCC", "tempo", r2=0.1, spearman=0.2)],
        beyond=[
            BeyondScore(
                baseline="signal features",
                target="tempo",
                alone=0.25,
                together=0.45,
                difference=0.2,
                low=0.05,
                high=0.3,
                p=0.01,
            )
        ],
    )


def written(heat: HeatTable) -> list[list[str]]:
    """The texts of all cells."""
    return [[cell.text for cell in row.cells] for row in heat.rows]


def test_the_heatmap_shows_bad_and_undefined_cells_as_they_are() -> None:
    heat = target_heat(record())
    assert heat.columns[2:] == ["best, nested", "all, weighted", "MFCC", "beyond signal features"]
    assert heat.beside == 4
    assert written(heat) == [
        ["-3.25", "0.50", "0.40", "0.40", "0.10", "0.20"],
        ["–", "0.25", "", "", "", ""],
    ]
    bad, good = (heat.rows[0].cells[layer].colour for layer in (0, 1))
    assert (bad, good) == (heat.scale.colours(-1.0)[0], heat.scale.colours(0.5)[0])
    assert heat.rows[1].cells[0].colour == GREY


def test_families_are_written_above_their_targets() -> None:
    grid = lay_out(["timbre", "rhythm", "rhythm"], columns=3)
    assert [family for family, _ in grid.families] == ["timbre", "rhythm"]
    assert grid.families[0][1] < grid.rows[0] < grid.families[1][1] < grid.rows[1] < grid.rows[2]


def test_what_may_be_chance_loses_its_colour_and_keeps_its_number() -> None:
    found = record(p=(0.9, 0.01, 0.04, 0.06))
    greyed, coloured = target_heat(found, grey=True), target_heat(found)
    assert written(greyed) == written(coloured)
    # The first layer of tempo and the second of onset density; the first of it is not known.
    grey = [[cell.colour == GREY for cell in row.cells[:2]] for row in greyed.rows]
    assert grey == [[True, False], [True, True]]
    assert [[cell.colour == GREY for cell in row.cells[:2]] for row in coloured.rows] == [
        [False, False], [True, False],
    ]  # fmt: skip


def test_significance_is_shown_as_orders_of_magnitude() -> None:
    found = record(p=[0.01] * 4)
    assert written(target_heat(found, value="p_family")) == [["2.0", "2.0"]] * 2
    assert "4 of 4 cells are significant" in describe_heatmap(found, value="p_family")


def test_the_layers_that_may_be_the_best_are_marked() -> None:
    found = record(layers=3, within=[1, 2])
    assert [cell.mark for cell in target_heat(found).rows[0].cells[:3]] == ["", WITHIN, BEST]


def test_a_figure_has_the_colours_numbers_and_marks_of_the_heatmap() -> None:
    heat = target_heat(record(layers=3, within=[1, 2], p=[0.9] + [0.01] * 5), grey=True)
    figure = heat_figure(heat)
    cells = [cell for row in heat.rows for cell in row.cells]
    drawn, texts = [], []
    for trace in figure.data:
        if trace.type != "heatmap":
            continue
        for place, value in np.ndenumerate(np.array(trace.z, dtype=float)):
            if np.isfinite(value):
                step = (value - trace.zmin) / (trace.zmax - trace.zmin)
                colour = next(one for end, one in trace.colorscale[1::2] if step < end)
                drawn.append((colour, trace.textfont.color))
                texts.append(trace.text[place[0]][place[1]])
    assert sorted(drawn) == sorted((cell.colour, cell.ink) for cell in cells)
    assert sorted(texts) == sorted(cell.text for cell in cells)
    marks, scale = (trace for trace in figure.data if trace.type == "scatter")
    assert list(marks.text) == [WITHIN, BEST]
    assert [round(x) for x in marks.x] == [1, 2]
    assert (scale.marker.cmin, scale.marker.cmax) == (-1, 1) and scale.marker.showscale
    assert list(figure.layout.xaxis.ticktext) == list(heat.columns)


def test_lines_have_their_intervals() -> None:
    band, line = layer_lines(record(layers=3), ["tempo"]).data
    assert band.fill == "toself"
    assert list(line.y) == [-3.25, 0.25, 0.5]
    np.testing.assert_allclose(band.y, [-3.15, 0.35, 0.6, 0.4, 0.15, -3.35])


ROWS = pd.DataFrame(
    {
        "track": ["a", "b"],
        "segment": [-1, 3],
        "fold": [0, 1],
        "true": [1.0, 2.0],
        "predicted": [1.5, 1.0],
    }
)
LABELS = {"a": "<b>Bach</b>", "b": "Bartók"}


def test_names_in_a_plot_are_text_and_a_point_knows_its_segment() -> None:
    figure = predicted_against_true(ROWS, target="tempo", unit="BPM", labels=LABELS)
    assert figure.data[0].text[0].startswith("&lt;b&gt;Bach&lt;/b&gt;<br>")
    assert figure.data[1].text[0].startswith("Bartók, segment 3<br>")
    assert list(figure.data[1].customdata[0]) == ["b", 3]


def test_residuals_are_true_minus_predicted() -> None:
    figure = residuals(ROWS, target="tempo", unit="BPM", labels=LABELS)
    assert [trace.y[0] for trace in figure.data[:2]] == [-0.5, 1.0]
    assert [trace.x[0] for trace in figure.data[:2]] == [1.5, 1.0]


def differences(heat: HeatTable) -> dict[str, list[str]]:
    """Column → the texts of tempo and onset density."""
    return dict(zip(heat.columns, map(list, zip(*written(heat), strict=True)), strict=True))


def test_the_same_layers_are_compared_one_by_one() -> None:
    better = record(better=0.5)
    found = differences(difference_heat(better, record()))
    assert found["0"] == ["+0.50", "–"]
    assert found["1"] == ["+0.50", "+0.50"]
    assert found["best, nested"] == ["0.00", "–"]


def test_networks_of_different_depth_are_compared_by_relative_depth() -> None:
    shallow, deep = record(layers=2), record(layers=5)
    assert compared_columns(shallow, deep) == "depth"
    found = differences(difference_heat(shallow, deep))
    assert found["depth 0.00"][0] == "0.00"
    assert found["depth 1.00"] == ["0.00", "0.00"]
    three = differences(difference_heat(record(layers=3), deep))
    assert three["depth 0.50"][0] == "0.00"  # 0.25 of layer 1 of 3, and of layer 2 of 5


def test_layers_without_counterpart_are_not_compared() -> None:
    named = record(names=["linear spectrum", "log spectrum"])
    assert compared_columns(named, record(layers=3)) == "none"
    heat = difference_heat(named, record(layers=3))
    assert heat.columns == ["best layer", "best, nested", "all, weighted"] and heat.beside == 0


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_a_dot_says_that_the_intervals_do_not_overlap(shift: float) -> None:
    heat = difference_heat(record(better=shift), record())
    for row in heat.rows:
        for cell in row.cells[:2]:
            apart = shift > 0.2 and cell.text != "–"
            assert cell.mark == (APART if apart else "")
            assert cell.said.endswith("intervals do not overlap") == apart


def test_a_cell_of_a_difference_says_both_sides_and_has_the_colour_of_its_sign() -> None:
    heat = difference_heat(record(better=0.5), record())
    tempo = heat.rows[0]
    assert tempo.cells[1].said.startswith(
        "tempo, layer 1, difference +0.50, first R² 1.00 [0.90, 1.10], second R² 0.50 [0.40, 0.60]"
    )
    assert tempo.cells[1].choice == ("tempo", "1")
    assert tempo.strongest_said == "differs most in layer 0: +0.50"
    assert tempo.cells[1].colour == heat.scale.steps()[-1]
    turned = difference_heat(record(), record(better=0.5))
    assert turned.rows[0].cells[1].colour == turned.scale.steps()[0] != tempo.cells[1].colour
    (line, other) = (one for one in two_lines(*BOTH, "tempo", names=("<a>", "b")).data if one.name)
    assert list(line.x) == [0, 0.5, 1] and list(other.x) == [0, 1]
    assert line.name == "&lt;a&gt;"


BOTH = record(layers=3), record(layers=2)
