"""axe-core finds nothing serious on any page, in either theme."""

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from browser_acts import PATIENCE, open_page
from test_pages import PAGES

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
GRAVE = ("serious", "critical")


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, dashboard: str, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    found = []
    for path in ("", *PAGES):
        page = context.new_page()
        open_page(page, dashboard, path)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert result["passes"]  # it looked
        found += [
            f"{path or 'home'}: {one['id']} at {one['nodes'][0]['html'][:200]}"
            for one in result["violations"]
            if one["impact"] in GRAVE
        ]
        page.close()
    context.close()
    assert found == []
