"""The tab Untangled of the page Layer discovery: what is drawn, and what is offered before."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from benchmarks.synthetic import Shape
from dashboard.figures.untangled import (
    codelength_heat,
    confounds_matrix,
    describe_erasure,
    erasure_heat,
    loss_text,
    unseen_table,
)
from mess.as_text import two_decimals
from mess.records.untangled import (
    KINDS,
    CodelengthRecord,
    ConfoundsRecord,
    ErasureRecord,
)
from mess.reports.page import html
from mess.storage.store import Store
from mess.targets import title_of

DATASET, ENCODER = Shape.dataset, Shape.encoder


def _call() -> None:
    """Draw the tab: Streamlit runs this text as a script."""
    from dashboard import readers
    from dashboard.sections.untangled import show_untangled

    show_untangled(readers.discovery("bench", "mert-v1-95m"))


def drawn(part: str) -> AppTest:
    script = AppTest.from_function(_call, default_timeout=60)
    script.session_state["untangled-part"] = part
    found = script.run()
    assert not found.exception
    return found


def test_what_was_not_asked_is_offered(untangled_library: Path, data_root: Path) -> None:
    shutil.copytree(
        untangled_library / "processed",
        data_root / "processed",
        ignore=shutil.ignore_patterns("untangled"),
    )
    for part in KINDS:
        offered = drawn(part)
        assert f"--what {part}" in offered.code[0].value and offered.button


def test_what_was_found_is_drawn_and_stands_in_the_report(
    untangled_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(untangled_library))
    store = Store(untangled_library)
    erasure = store.untangled.read(DATASET, ENCODER, ErasureRecord)
    shown = drawn("erasure")
    first = erasure.names[0]
    own = erasure.loss(first, first)
    assert own is not None and [box.value for box in shown.selectbox] == [first, first]
    assert [one.value for one in shown.metric][:2] == [f"{own.before:.2f}", f"{own.after:.2f}"]
    assert not drawn("codelength").warning and drawn("confounds").selectbox[0].value == "composer"
    page = html(
        store.discoveries.read(DATASET, ENCODER),
        untangled=[store.untangled.read(DATASET, ENCODER, kind) for kind in KINDS.values()],
    )
    for caption in ("Erasure (LEACE)", "Codelength", "composer held apart (8 levels)"):
        assert caption in page


def test_the_figures_hold_the_numbers(untangled_library: Path) -> None:
    store = Store(untangled_library)
    erasure = store.untangled.read(DATASET, ENCODER, ErasureRecord)
    *rows, by_chance = erasure_heat(erasure, left=False).rows
    assert all(cell.choice is None for cell in by_chance.cells)
    for erased, row in zip(erasure.names, rows, strict=True):
        for target, cell in zip(erasure.names, row.cells, strict=True):
            one = erasure.loss(erased, target)
            assert one is not None and cell.choice == (erased, target)
            assert cell.said == loss_text(one)
            assert cell.text == two_decimals(one.before - one.after)
    assert "largest loss" in describe_erasure(erasure)
    assert list(unseen_table(erasure)["target"]) == [title_of(one.target) for one in erasure.unseen]
    codes = store.untangled.read(DATASET, ENCODER, CodelengthRecord)
    code = codes.codes[0]
    bits = codelength_heat(codes).rows[0].cells[0]
    assert bits.text == two_decimals((code.mean - code.bits[0]) / code.n)
    confounds = store.untangled.read(DATASET, ENCODER, ConfoundsRecord)
    apart = confounds_matrix(confounds)
    assert list(apart) == ["folds by work", "composer apart", "composer given (partial)"]
    found = confounds.row("tempo", "composer")
    assert found is not None and apart["composer apart"]["tempo"] == found.apart
