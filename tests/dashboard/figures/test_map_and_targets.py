"""What the map and the figures of the targets say."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.map import categories, map_figure
from dashboard.figures.targets import correlations, distribution, overview, two_targets
from mess.records.reliability import ReliabilityRecord, TargetReliability, Truth
from mess.targets.summaries import spearman_matrix


@given(st.lists(st.sampled_from("abcdefghijklmno"), max_size=60))
def test_every_point_is_in_one_category_and_there_are_ten_at_most(values: list[str]) -> None:
    found = categories(values)
    assert len(found) <= 10
    rows = np.concatenate([np.empty(0, dtype=int), *found.values()])
    assert sorted(rows.tolist()) == list(range(len(values)))
    sizes = [len(rows) for name, rows in found.items() if "others" not in name]
    assert sizes == sorted(sizes, reverse=True)


def test_names_on_the_map_are_text_and_a_point_knows_its_row() -> None:
    points = np.array([[0, 0], [1, 2], [3, 1]], dtype=np.float32)
    figure = map_figure(points, ["<b>x</b>", "y", "z"], ["a<i>", "b", "b"], title="composer")
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name) == ["b", "a&lt;i&gt;"]
    assert by_name["a&lt;i&gt;"].text[0] == "&lt;b&gt;x&lt;/b&gt;"
    assert list(by_name["b"].customdata) == [1, 2]
    assert list(by_name["b"].y) == [2.0, 1.0]


def test_a_number_that_is_unknown_is_grey() -> None:
    points = np.array([[0, 0], [1, 2], [3, 1]], dtype=np.float32)
    figure = map_figure(points, ["x", "y", "z"], np.array([1.0, np.nan, 3.0]), title="tempo")
    unknown, known = figure.data
    assert list(unknown.customdata) == [1]
    assert list(known.marker.color) == [1.0, 3.0]


def test_the_dots_of_a_distribution_are_stacked_and_outliers_stand_out() -> None:
    values = pd.Series({"a": 1.0, "b": 1.01, "c": 1.4, "d": 0.6, "e": 90.0, "f": np.nan})
    usual, odd = distribution(values, target="tempo", labels={"e": "<E>"}).data
    assert [one[0] for one in odd.customdata] == ["e"]
    assert odd.text[0].startswith("&lt;E&gt;<br>90, robust z ")
    assert sorted(usual.y) == [1, 2, 3, 4]  # all in the first bin
    assert sorted(one[0] for one in usual.customdata) == ["a", "b", "c", "d"]


def test_many_recordings_are_bars_and_their_sum_is_right() -> None:
    numbers = np.random.default_rng(0).standard_normal(3000)
    bars, _ = distribution(pd.Series(numbers), target="tempo", labels={}).data
    assert bars.type == "bar"
    assert sum(bars.y) == 3000


def test_a_cell_of_the_correlations_names_both_targets() -> None:
    table = pd.DataFrame({"tempo": range(6), "register": [1, 0, 2, 3, 4, 5]}, dtype=float)
    heat, clicks = correlations(spearman_matrix(table), ["register", "tempo"]).data
    assert np.isnan(heat.z[0][0])
    assert [list(one) for one in clicks.customdata][1] == ["register", "tempo"]


def test_two_targets_leave_out_what_is_unknown_and_draw_octaves() -> None:
    table = pd.DataFrame({"mean_tempo": [60.0, 120.0, np.nan], "tempo": [120.0, 120.0, 90.0]})
    points, equal, double, half = two_targets(
        table, x="mean_tempo", y="tempo", labels={}, octaves=True
    ).data
    assert list(points.x) == [60.0, 120.0]
    assert [list(line.y) for line in (equal, double, half)] == [[60, 120], [120, 240], [30, 60]]


def test_the_overview_marks_what_is_not_to_be_trusted() -> None:
    table = pd.DataFrame({"tempo": [1.0, 2.0, 3.0], "pedal_ratio": [np.nan] * 3})
    tested = ReliabilityRecord(
        dataset="d",
        code_version=7,
        audio={},
        tracks=3,
        seed=0,
        targets={"tempo": TargetReliability(split_half=0.5, changes={"gain": 0.9}, trusted=False)},
        movements={},
        truth=Truth(counterparts=[], tempo={}, false_tempi=0.0),
    )
    first, second = overview(table, tested).to_dict("records")
    assert (first["mark"], first["least agreement"], first["median"], first["n"]) == (
        "!",
        0.5,
        2,
        3,
    )
    assert (second["mark"], second["n"], second["shape"]) == ("", 0, [])
