"""The rows of a heatmap: of aspects (Home) and of targets (Layer discovery)."""

from dataclasses import replace

from made_records import made_cell, made_discovery, made_summary

from dashboard.sections.heat_rows import BEST, WITHIN, aspect_heat, target_heat
from mess.probing.results import BaselineScore


def test_an_r2_of_exactly_nothing_is_better_than_one_below() -> None:
    known = {"dynamic_range": 0.0, "dynamic_variance": -0.5}
    record = made_discovery(
        [made_cell(0, name, r2) for name, r2 in known.items()],
        [made_summary(name, r2) for name, r2 in known.items()],
    )
    (row,) = aspect_heat(record, {"dynamics": -0.25}).rows
    assert [cell.choice for cell in row.cells] == [("0", "dynamic_range")] * 2
    assert row.cells[0].said.endswith("R² 0.00")
    assert row.cells[-1].text == "-0.25"  # that of the sentence above it


def test_a_cell_says_what_it_is_and_only_layers_can_be_chosen() -> None:
    cells = [made_cell(layer, "num_phrases", r2) for layer, r2 in enumerate((0.1, 0.5, 0.45))]
    chance = replace(cells[0], p=0.5, p_family=0.9, q=0.5)
    heat = target_heat(
        made_discovery(
            [chance, *cells[1:]],
            [made_summary("num_phrases", 0.4, best=1, within=[1, 2])],
            layer_names=["0", "1", "2"],
            controls=[BaselineScore("MFCC", "num_phrases", r2=0.1, spearman=0.2)],
        ),
        value="r2",
        grey=True,
    )
    (row,), columns = heat.rows, heat.columns
    assert (row.label, row.family) == ("number of phrases", "phrasing")
    assert columns == ["0", "1", "2", "best, nested", "all, weighted", "MFCC"]
    assert [cell.text for cell in row.cells[:3]] == ["0.10", "0.50", "0.45"]
    assert [cell.mark for cell in row.cells[:3]] == ["", BEST, WITHIN]
    chosen = [cell.choice and cell.choice[0] for cell in row.cells]
    assert chosen == ["0", "1", "2", None, None, None] and heat.beside == 3
    assert row.cells[0].colour != row.cells[5].colour  # chance is grey; a baseline of 0.1 is not
    assert row.cells[0].said.endswith("may be chance")
    assert row.cells[1].said.startswith("number of phrases, layer 1, R² 0.500")
    assert row.cells[1].said.endswith("the best layer")
    assert row.strongest == 1 and row.strongest_said.startswith("best layer 1: R² 0.50")
