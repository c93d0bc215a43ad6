"""The page Recommend as a person uses it: what it shows, its sliders, and what sounds."""

import re
from typing import Any

from browser_acts import at_rest

SOUNDING = (
    "() => [...window.messPlayers].filter(one => !one.audio.paused).map(one => one.data.label)"
)
HEARD = """async patience => {
    const one = [...window.messPlayers].find(one => !one.audio.paused);
    const before = one.audio.currentTime, began = performance.now();
    while (one.audio.currentTime - before <= 0.6 && performance.now() - began < patience)
        await new Promise(done => setTimeout(done, 50));
    const bytes = await (await fetch(one.audio.currentSrc)).arrayBuffer();
    const sound = await new AudioContext().decodeAudioData(bytes);
    let sum = 0;
    for (const value of sound.getChannelData(0)) sum += value * value;
    return {
        advanced: one.audio.currentTime - before,
        length: one.audio.duration,
        rms: Math.sqrt(sum / sound.length),
    };
}"""
WEIGHT = re.compile(", (R²|model|measured) ")  # the slider of a weight, not of a move


def open_recommend(page: Any, address: str, query: str = "") -> None:
    page.goto(f"{address}/recommend{query}")
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile(r"weights="))
    at_rest(page)


def titles(page: Any) -> list[str]:
    at_rest(page)
    found: list[str] = page.locator("li h3").all_inner_texts()
    return found


def slider(page: Any, name: str) -> Any:
    return page.get_by_role("slider", name=re.compile(rf"^{name}, (R²|model|measured)")).first


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def wait_for_sound(page: Any, of: str) -> None:
    page.wait_for_function(
        f"of => {{ const now = ({SOUNDING})(); return now.length === 1 && now[0].includes(of); }}",
        arg=of,
    )


def wait_for_other_titles(page: Any, before: list[str]) -> None:
    page.wait_for_function(
        """before => {
            const now = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
                .flatMap(host => [...host.shadowRoot.querySelectorAll('li h3')])
                .map(title => title.textContent);
            return now.length > 0 && String(now) !== String(before);
        }""",
        arg=before,
    )


def label(title: str) -> str:
    return title.split(". ", 1)[1]
