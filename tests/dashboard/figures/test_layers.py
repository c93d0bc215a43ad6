"""What the heatmap of a discovery, its lines, a cell and a comparison say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from made_records import made_cell, made_discovery, made_summary

from dashboard.figures.cell import predicted_against_true, residuals
from dashboard.figures.differences import compared_columns, difference_heatmap
from dashboard.figures.grid import lay_out
from dashboard.figures.layers import describe_heatmap, heatmap
from dashboard.figures.lines import layer_lines
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


def written(figure: go.Figure) -> dict[tuple[float, float], str]:
    """The texts of all cells, by the middle of the cell."""
    found = {}
    for trace in figure.data:
        if trace.type != "heatmap":
            continue
        for (row, column), value in np.ndenumerate(np.array(trace.z, dtype=float)):
            if np.isfinite(value):
                place = (
                    (trace.x[column] + trace.x[column + 1]) / 2,
                    (trace.y[row] + trace.y[row + 1]) / 2,
                )
                found[place] = trace.text[row][column]
    return found


def test_the_heatmap_shows_bad_and_undefined_cells_as_they_are() -> None:
    figure = heatmap(record())
    grid = lay_out(["tempo", "onset_density"], layers=2, beside=4)
    places = {
        (column, row): text
        for (x, y), text in written(figure).items()
        for column, row in [
            (int(np.argmin(abs(grid.columns - x))), int(np.argmin(abs(grid.rows - y))))
        ]
    }
    assert places == {
        (0, 0): "-3.25",
        (1, 0): "0.50",
        (0, 1): "–",
        (1, 1): "0.25",
        (2, 0): "0.40",
        (3, 0): "0.40",
        (4, 0): "0.10",
        (5, 0): "0.20",
    }
    assert (figure.data[0].zmin, figure.data[0].zmid, figure.data[0].zmax) == (-1, 0, 1)
    beside = ["best, nested", "all, weighted", "MFCC", "beyond signal features"]
    assert list(figure.layout.xaxis.ticktext)[2:] == beside


def test_families_are_written_above_their_targets() -> None:
    names = ["spectral_centroid", "tempo", "onset_density"]
    grid = lay_out(names, layers=3)
    assert [family for family, _ in grid.families] == ["timbre", "rhythm"]
    assert grid.families[0][1] < grid.rows[0] < grid.families[1][1] < grid.rows[1] < grid.rows[2]


def test_what_may_be_chance_loses_its_colour_and_keeps_its_number() -> None:
    found = record(p=(0.9, 0.01, 0.04, 0.06))
    greyed, coloured = heatmap(found, grey=True), heatmap(found)
    assert written(greyed) == written(coloured)
    sure = [c.r2 for c in found.cells if c.r2 is not None and c.p_family <= 0.05]
    layers = np.array(greyed.data[0].z, dtype=float)[:, :2]
    assert sorted(layers[np.isfinite(layers)].tolist()) == sorted(sure)


def test_significance_is_shown_as_orders_of_magnitude() -> None:
    found = record(p=[0.01] * 4)
    figure = heatmap(found, value="p_family")
    assert set(written(figure).values()) == {"2.0"}
    assert "4 of 4 cells are significant" in describe_heatmap(found, value="p_family")


def test_the_layers_that_may_be_the_best_are_marked() -> None:
    found = record(layers=3, within=[1, 2])
    marks = next(trace for trace in heatmap(found).data if trace.type == "scatter")
    assert [round(x) for x in marks.x] == [1, 2]
    assert list(marks.marker.symbol) == ["circle", "diamond"]


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


def differences(figure: go.Figure) -> dict[str, list[str]]:
    """Column → the texts of tempo and onset density."""
    names = list(figure.layout.xaxis.ticktext)
    by_column: dict[str, list[str]] = {name: [] for name in names}
    centres = np.array(figure.layout.xaxis.tickvals)
    for (x, _), text in sorted(written(figure).items(), key=lambda item: item[0][1]):
        by_column[names[int(np.argmin(abs(centres - x)))]].append(text)
    return by_column


def test_the_same_layers_are_compared_one_by_one() -> None:
    better = record(better=0.5)
    found = differences(difference_heatmap(better, record()))
    assert found["0"] == ["+0.50", "–"]
    assert found["1"] == ["+0.50", "+0.50"]
    assert found["best, nested"] == ["0.00", "–"]


def test_networks_of_different_depth_are_compared_by_relative_depth() -> None:
    shallow, deep = record(layers=2), record(layers=5)
    assert compared_columns(shallow, deep) == "depth"
    found = differences(difference_heatmap(shallow, deep))
    assert found["depth 0.00"][0] == "0.00"
    assert found["depth 1.00"] == ["0.00", "0.00"]
    three = differences(difference_heatmap(record(layers=3), deep))
    assert three["depth 0.50"][0] == "0.00"  # 0.25 of layer 1 of 3, and of layer 2 of 5


def test_layers_without_counterpart_are_not_compared() -> None:
    named = record(names=["linear spectrum", "log spectrum"])
    assert compared_columns(named, record(layers=3)) == "none"
    figure = difference_heatmap(named, record(layers=3))
    assert list(figure.layout.xaxis.ticktext) == ["best layer", "best, nested", "all, weighted"]


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_a_dot_says_that_the_intervals_do_not_overlap(shift: float) -> None:
    better = record(better=shift)
    dots = next(
        trace for trace in difference_heatmap(better, record()).data if trace.type == "scatter"
    )
    assert (len(dots.x) > 0) == (shift > 0.2)
