"""The matrix of erasures in a real browser: a click on a cell shows its numbers."""

from pathlib import Path
from typing import Any

import pytest
from browser_acts import chart, click_point, no_error, open_page, open_tab
from browser_server import serve

from benchmarks.synthetic import Shape
from mess.records.untangled import ErasureRecord
from mess.storage.store import Store

pytestmark = pytest.mark.long


def test_a_click_on_an_erasure_shows_what_is_left(
    page: Any, untangled_library: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    process, address = serve(untangled_library, tmp_path / "log")
    request.addfinalizer(process.kill)
    open_page(page, address, "discovery")
    open_tab(page, "Untangled")
    record = Store(untangled_library).untangled.read(Shape.dataset, Shape.encoder, ErasureRecord)
    erased, target = record.names[1], record.names[0]
    click_point(page, chart(page, "erasure-"), [erased, target])
    one = record.loss(erased, target)
    assert one is not None
    metric = page.get_by_test_id("stMetric").filter(has_text="R² left")
    metric.get_by_text(f"{one.after:.2f}".replace("-", "−"), exact=True).wait_for()
    page.get_by_text("Count bits", exact=True).click()
    page.get_by_text("Bits a value saved against the mean").wait_for()
    page.get_by_text("Hold confounds apart", exact=True).click()
    page.get_by_text("8 levels").wait_for()
    no_error(page)
