"""The small heatmap of Home."""

from made_records import made_cell, made_discovery, made_summary

from dashboard.sections.front_door import small_rows


def test_an_r2_of_exactly_nothing_is_better_than_one_below() -> None:
    known = {"dynamic_range": 0.0, "dynamic_variance": -0.5}
    record = made_discovery(
        [made_cell(0, name, r2) for name, r2 in known.items()],
        [made_summary(name, r2) for name, r2 in known.items()],
    )
    (row,) = small_rows(record)
    assert [cell.target for cell in row.cells] == ["dynamic_range", "dynamic_range"]
    assert row.cells[-1].mark == "0.00"
