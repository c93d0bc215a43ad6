"""What the map and the figures of the targets say."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.map import categories, colour_points
from dashboard.figures.targets import correlation_heat, distribution, overview, two_targets
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


@given(
    st.lists(
        st.sampled_from([*"abcdefghijklmno", "", "unknown"]),
        min_size=1,
        max_size=60,
    )
)
def test_a_point_has_the_colour_of_its_category_in_the_legend(values: list[str]) -> None:
    found = colour_points(values)
    assert [colour for _, colour in found.legend] == found.palette
    named = {name for name, _ in found.legend}
    for value, code in zip(values, found.codes, strict=True):
        name, colour = found.legend[code]
        assert name == (value or "unknown") or ((value or "unknown") not in named)
        assert (name == value or not value) or colour == "#999999"


def test_a_number_that_is_unknown_is_grey_and_others_go_from_dark_to_light() -> None:
    found = colour_points(np.array([1.0, np.nan, 3.0, 2.0]))
    assert found.scale is not None
    assert (found.scale["low"], found.scale["high"], found.scale["unknown"]) == (
        "1",
        "3",
        "#999999",
    )
    least, unknown, most, middle = found.codes
    assert least < middle < most
    assert found.palette[unknown] == "#999999"
    assert len(set(found.palette)) == len(found.palette)
    same = colour_points(np.array([2.0, 2.0]))
    assert same.scale is not None and same.scale["unknown"] is None


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
    own, other = correlation_heat(spearman_matrix(table), ["register", "tempo"]).rows[0].cells
    assert own.choice is None and own.text == "–"
    assert other.choice == ("register", "tempo")
    assert other.said == "register and tempo: Spearman 0.94"


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
    assert (first["agreement"], first["median"], first["n"]) == ("0.50 !", 2, 3)
    assert (second["agreement"], second["n"], second["shape"]) == ("–", 0, [])
