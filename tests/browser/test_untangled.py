"""The matrix of erasures in a real browser: keys choose a cell, and its numbers are shown."""

from pathlib import Path
from typing import Any

import pytest
from browser_acts import choose_by_keys, heat_cells, no_error, open_page, open_tab
from browser_server import Serve

from benchmarks.synthetic import Shape
from mess.records.untangled import ErasureRecord
from mess.storage.store import Store
from mess.targets import title_of

pytestmark = pytest.mark.long


def test_a_cell_of_the_erasures_shows_what_is_left(
    page: Any, untangled_library: Path, served: Serve
) -> None:
    _, address = served(untangled_library)
    open_page(page, address, "discovery")
    open_tab(page, "Untangled")
    record = Store(untangled_library).untangled.read(Shape.dataset, Shape.encoder, ErasureRecord)
    erased, target = record.names[1], record.names[0]
    cells = heat_cells(page, "erasure-")
    cells.first.wait_for()
    down = ["ArrowDown"] * record.names.index(erased)
    said = choose_by_keys(page, "erasure-", "Control+Home", *down)
    assert said.startswith(f"{title_of(target)} when {title_of(erased)} is erased from layer")
    one = record.loss(erased, target)
    assert one is not None
    metric = page.get_by_test_id("stMetric").filter(has_text="R² left")
    metric.get_by_text(f"{one.after:.2f}".replace("-", "−"), exact=True).wait_for()
    page.get_by_text("Count bits", exact=True).click()
    page.get_by_text("Bits a value saved against the mean").wait_for()
    page.get_by_text("Hold confounds apart", exact=True).click()
    page.get_by_text("8 levels").wait_for()
    no_error(page)
