"""What a person does in a browser, for the tests that drive one.

A person waits until a page is at rest before the next click, and so does everything here: what is
clicked while the script runs may be lost, and what is read then may be of the run before.
"""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from browser_server import PATIENCE
from playwright.sync_api import TimeoutError

T = TypeVar("T")

_TRY = 5000  # milliseconds
_AT_REST = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)
_DRAWN = """([selector, number]) => {
    const plot = document.querySelectorAll(selector)[number];
    const area = plot?.querySelector('.main-svg .nsewdrag, .main-svg .plotbg');
    const seen = plot?._fullData?.length && plot._fullLayout && area
        ? JSON.stringify([area.getBoundingClientRect(), plot._fullData.length]) : '';
    const before = (window.messSeen ??= {})[selector + number];
    const same = seen && before?.seen === seen ? before.same + 1 : 0;
    window.messSeen[selector + number] = {seen, same};
    return same >= 3;  // it is drawn, and stands where it stood
}"""
_PLACE = """(plot, wanted) => {
    const box = plot.querySelector('.nsewdrag').getBoundingClientRect();
    const {xaxis, yaxis} = plot._fullLayout;
    for (const trace of plot._fullData) {
        const list = trace.customdata;
        if (!list) continue;
        for (let i = 0; i < list.length; i++) {
            const one = Array.isArray(list[i]) ? list[i] : [list[i]];
            if (wanted.every((value, k) => one[k] === value))
                return [box.x + xaxis.d2p(trace.x[i]), box.y + yaxis.d2p(trace.y[i])];
        }
    }
    return null;
}"""
_UNDER_THE_POINTER = """(plot, wanted) => {
    const seen = plot._hoverdata ?? [];
    const found = seen.some(({customdata}) => {
        const one = Array.isArray(customdata) ? customdata : [customdata];
        return wanted.every((value, k) => one[k] === value);
    });
    return found ? 'wanted' : seen.length ? 'another' : 'nothing';
}"""


def open_page(page: Any, address: str, path: str = "") -> None:
    """Open a page of the dashboard and wait until all of it is there."""
    page.goto(f"{address}/{path}")
    _wait_for_title(page)


def reload(page: Any) -> None:
    """Load the page again and wait until all of it is there."""
    page.reload()
    _wait_for_title(page)


def _wait_for_title(page: Any) -> None:
    """Wait for the title that Streamlit draws: another is seen while its scripts still load."""
    page.get_by_test_id("stMain").get_by_role("heading", level=1).first.wait_for()
    at_rest(page)


def open_data(page: Any, address: str) -> None:
    """Open Home and its tab with what exists."""
    open_page(page, address)
    page.get_by_role("tab", name="Data").click()
    at_rest(page)


def at_rest(page: Any) -> None:
    """Wait until no script runs for the page.

    A click is on its way for some milliseconds before the page says that a script runs: wait for
    what the click changes, and with this only before the next act.
    """
    page.locator(_AT_REST).wait_for(state="attached")


def until(page: Any, read: Callable[[], T], wanted: Callable[[T], bool] = bool) -> T:
    """Wait until what is read of a page at rest is what is wanted; return it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        at_rest(page)
        found = read()
        if wanted(found):
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"it stayed {found!r}")
        page.wait_for_timeout(50)


def no_error(page: Any) -> None:
    """Fail with the traceback that the page shows, if it shows one."""
    at_rest(page)
    shown = page.get_by_test_id("stException")
    assert shown.count() == 0, shown.first.inner_text()
    assert page.get_by_text("Component Error").count() == 0


def open_tab(page: Any, name: str) -> None:
    """Open a tab."""
    at_rest(page)
    page.get_by_role("tab", name=name, exact=True).click()


def choose(page: Any, label: str, option: str, *, within: Any = None) -> None:
    """Choose an option of a select box (in ``within``, if given), and wait until it is shown."""
    box = (within or page).get_by_role("combobox", name=label, exact=True).first
    wanted = page.get_by_role("option", name=option, exact=True)

    def chosen() -> bool:
        if box.input_value() == option:
            return True
        with suppress(TimeoutError):  # a figure that is being laid out closes the list
            box.click(timeout=_TRY)
            wanted.click(timeout=_TRY)
        return False

    until(page, chosen)
    at_rest(page)


def chart(page: Any, key: str) -> Any:
    """Return the chart whose key begins with ``key``, once it is drawn and stands still."""
    return drawn(page, f"[class*='st-key-{key}'] .js-plotly-plot")


def drawn(page: Any, selector: str = ".js-plotly-plot", number: int = 0) -> Any:
    """Return one of the charts that a CSS selector finds, once it is drawn and stands still."""
    at_rest(page)
    page.wait_for_function(_DRAWN, arg=[selector, number], polling=60)
    return page.locator(selector).nth(number)


def click_point(page: Any, plot: Any, data: list[Any]) -> None:
    """Click the point of a chart whose ``customdata`` begins with ``data``, or what hides it."""
    plot.scroll_into_view_if_needed()
    seen: list[str] = []

    def pointed() -> bool:
        place = plot.evaluate(_PLACE, data)
        assert place is not None, f"no point has {data}"
        page.mouse.move(place[0] - 3, place[1])
        page.mouse.move(*place)
        page.wait_for_timeout(100)  # Plotly looks for what is under the pointer every 50 ms
        seen.append(plot.evaluate(_UNDER_THE_POINTER, data))
        if seen[-1] == "wanted" or seen.count("another") >= 10:
            page.mouse.click(*place)
            return True
        return False

    until(page, pointed)


def heat_cells(page: Any, key: str) -> Any:
    """Return the cells of the heatmap whose key begins with ``key``."""
    return page.locator(f"[class*='st-key-{key}'] .heatmap td button")


def wait_for_address(page: Any, before: str) -> str:
    """Wait until the address is another one than before, and is whole; return it.

    The entry that a choice leaves is marked by "back" first.
    """
    page.wait_for_url(lambda url: url != before and "back=" not in url)
    return str(page.url)


def choose_by_keys(page: Any, key: str, *keys: str) -> str:
    """Go through a heatmap by keys, choose the cell by Enter; return what is heard of it."""
    at_rest(page)
    cells = heat_cells(page, key)
    cells.and_(page.locator("[tabindex='0']")).focus()
    for one in keys:
        page.keyboard.press(one)
    said = str(cells.and_(page.locator(":focus")).get_attribute("aria-label"))
    page.keyboard.press("Enter")
    heard = page.locator(f"[class*='st-key-{key}'] .heatmap [role=status]")
    heard.filter(has_text=f"Chosen: {said}").wait_for(state="attached")
    framed = cells.and_(page.locator("[aria-current=true]"))
    until(page, lambda: [one.get_attribute("aria-label") for one in framed.all()] == [said])
    return said


def hear(page: Any, player: Any) -> float:
    """Press play and return the loudness of what the player fetched; it must really move on."""
    audio = player.locator("audio")
    pressed = [-math.inf]

    def plays() -> bool:
        at, paused = audio.evaluate("audio => [audio.currentTime, audio.paused]")
        if paused and time.monotonic() - pressed[-1] > 10:  # the page may have drawn it anew
            player.get_by_role("button").first.click()
            pressed.append(time.monotonic())
        return bool(at > 0.3)

    until(page, plays)
    rms = audio.evaluate(
        """async audio => {
            audio.pause();
            const bytes = await (await fetch(audio.currentSrc)).arrayBuffer();
            const sound = await new AudioContext().decodeAudioData(bytes);
            let sum = 0;
            for (const value of sound.getChannelData(0)) sum += value * value;
            return Math.sqrt(sum / sound.length);
        }"""
    )
    assert math.isfinite(rms) and rms > 0.003, f"it sounds with {rms}"
    return float(rms)


def player_of(page: Any, name: str) -> Any:
    """Return the player of the sound whose name holds ``name``."""
    return page.locator(f".player[aria-label*='{name}']").first
