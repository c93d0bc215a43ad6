"""What a person does in a browser, for the tests that drive one."""

import math
from typing import Any


def open_page(page: Any, address: str, path: str = "") -> None:
    """Open a page of the dashboard and wait for its title."""
    page.goto(f"{address}/{path}")
    page.get_by_test_id("stAppViewContainer").wait_for()
    page.get_by_role("heading", level=1).first.wait_for()


def no_error(page: Any) -> None:
    """Fail with the traceback that the page shows, if it shows one."""
    shown = page.get_by_test_id("stException")
    assert shown.count() == 0, shown.first.inner_text()


def open_tab(page: Any, name: str) -> None:
    """Open a tab."""
    page.get_by_role("tab", name=name, exact=True).click()


def choose(page: Any, label: str, option: str) -> None:
    """Choose an option of a select box."""
    page.get_by_test_id("stSelectbox").filter(has_text=label).locator("input").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def chart(page: Any, key: str) -> Any:
    """Return a chart by the beginning of its key, once it is drawn."""
    found = page.locator(f"[class*='st-key-{key}'] .js-plotly-plot").first
    found.locator(".main-svg").first.wait_for(state="attached")
    return found


def click_point(page: Any, plot: Any, data: list[Any]) -> None:
    """Click the point of a chart whose ``customdata`` begins with ``data``."""
    plot.scroll_into_view_if_needed()
    place = plot.evaluate(
        """(plot, wanted) => {
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
        }""",
        data,
    )
    assert place is not None, f"no point has {data}"
    page.mouse.move(place[0] - 3, place[1])
    page.mouse.move(*place)
    page.wait_for_timeout(150)
    page.mouse.click(*place)


def hear(page: Any, player: Any) -> float:
    """Press play and return the loudness of what the player fetched; it must really move on."""
    player.get_by_role("button").click()
    audio = player.locator("audio")
    heard = audio.evaluate(
        """async audio => {
            for (let i = 0; i < 100 && !(audio.currentTime > 0.3); i++)
                await new Promise(done => setTimeout(done, 50));
            const at = audio.currentTime;
            audio.pause();
            const bytes = await (await fetch(audio.currentSrc)).arrayBuffer();
            const sound = await new AudioContext().decodeAudioData(bytes);
            let sum = 0;
            for (const value of sound.getChannelData(0)) sum += value * value;
            return {at, rms: Math.sqrt(sum / sound.length)};
        }"""
    )
    assert heard["at"] > 0.3
    assert math.isfinite(heard["rms"]) and heard["rms"] > 0.003
    return float(heard["rms"])


def player_of(page: Any, name: str) -> Any:
    """Return the player of the sound whose name holds ``name``."""
    return page.locator(f".player[aria-label*='{name}']").first
