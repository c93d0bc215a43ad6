"""Two people judge at once, each in a browser of their own, by ear."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, no_error, open_page, until
from browser_server import Serve

from mess.listening.planning import make_plan
from mess.records.listening import ListeningPlan
from mess.storage.store import Store

# Sounds really play, but the test need not last as long as they do.
_FASTER = """const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { this.playbackRate = 8; return play.call(this); };"""
_LOUDNESS = """async audio => {
    const bytes = await (await fetch(audio.currentSrc)).arrayBuffer();
    const sound = await new AudioContext().decodeAudioData(bytes);
    let sum = 0;
    for (const value of sound.getChannelData(0)) sum += value * value;
    return Math.sqrt(sum / sound.length);
}"""


@pytest.fixture(scope="module")
def plan(demo_library: Path) -> ListeningPlan:
    return make_plan(Store(demo_library), "demo", "spectral", items=9)[0]


@pytest.fixture
def planned(own_library: Store, plan: ListeningPlan, served: Serve) -> tuple[str, Store]:
    """A dashboard over the demo library with a plan and no answers, and its store."""
    own_library.listening.add(plan)
    return served(own_library.root)[1], own_library


def answer(page: Any, *, number: int, key: str) -> None:
    """Hear all three excerpts of a trial and press a key."""
    page.get_by_text(f"{number} of 24", exact=True).wait_for()
    button = page.get_by_role("button", name="A is closer")
    for part in "xab":
        page.keyboard.press(part)
        page.locator(f".part.{part}.heard").wait_for()
    until(page, button.is_enabled)
    page.keyboard.press(key)


def begin(page: Any, address: str) -> None:
    """Agree and begin."""
    page.goto(f"{address}/listen?dataset=demo&encoder=spectral")
    page.get_by_text("without my name").wait_for()
    page.get_by_role("button", name="I agree: begin").click()
    page.get_by_text("1 of 24", exact=True).wait_for()


@pytest.mark.long
def test_two_people_judge_at_once_and_nothing_is_lost(
    visit: Callable[..., Any], planned: tuple[str, Store], plan: ListeningPlan
) -> None:
    address, store = planned
    began = time.monotonic()
    one, other = (visit(viewport={"width": width, "height": 844}) for width in (1280, 390))
    asked: list[str] = []
    for page in (one, other):
        page.add_init_script(_FASTER)
        page.on("request", lambda request: asked.append(request.url))
        begin(page, address)
    for page in (one, other):
        page.locator(".part.b.heard").wait_for()  # X, A and B follow by themselves
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    for number in range(1, 25):
        for page, key in ((one, "12"[number % 2]), (other, "120"[number % 3])):
            answer(page, number=number, key=key)
            if number == 5 and page is one:  # broken off, and taken up again
                page.get_by_text("6 of 24", exact=True).wait_for()
                page.reload()
                page.get_by_text("5 of 24 answers are kept").wait_for()
                page.get_by_role("button", name="Go on").click()
    for page in (one, other):
        page.get_by_text("Thank you: all 24 answers are kept.").wait_for()
        no_error(page)
    answers = store.listening.answers("demo", "spectral")
    by_session = {one.session: [a for a in answers if a.session == one.session] for one in answers}
    assert len(by_session) == 2 and len({one.listener for one in answers}) == 2
    for own in by_session.values():
        assert [one.position for one in own] == list(range(24))
        assert all(min(one.plays.values()) >= 1 for one in own)
        assert all(0 < one.seconds < time.monotonic() - began for one in own)
    said = {tuple(a.answer for a in own) for own in by_session.values()}
    assert said == {
        tuple("BA"[number % 2] for number in range(24)),
        tuple("B0A"[number % 3] for number in range(24)),
    }
    with sqlite3.connect(store.listening.path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    # Nothing that the browser saw tells the recording.
    names = {e.track for item in plan.items for e in (item.x, item.a, item.b)}
    seen = " ".join([*asked, one.content(), other.content()])
    assert not [name for name in names if name in seen]


@pytest.mark.long
def test_the_page_plays_sound_and_offers_a_plan_where_there_is_none(
    page: Any, planned: tuple[str, Store]
) -> None:
    address, _ = planned
    begin(page, address)
    assert page.get_by_role("button", name="Can’t tell").is_disabled()  # not all were heard yet
    page.locator(".part.x.heard").wait_for()
    sounds = page.evaluate(
        """() => [...performance.getEntriesByType('resource')].map(one => one.name)
                 .filter(name => name.includes('/listening/sound'))"""
    )
    assert len(sounds) >= 1
    loudness = page.evaluate(f"address => ({_LOUDNESS})({{currentSrc: address}})", sounds[0])
    assert loudness > 0.01  # −23 LUFS is about 0.07
    page.goto(f"{address}/listen?dataset=demo&encoder=mert-v1-95m")
    page.get_by_role("button", name="Plan a test").wait_for()
    no_error(page)


@pytest.mark.long
def test_likes_are_kept_only_after_consent_and_set_the_sliders(
    page: Any, planned: tuple[str, Store]
) -> None:
    address, store = planned
    open_page(page, address, "recommend?dataset=demo&encoder=spectral")
    results = page.locator(".results li")

    def say(what: str, number: int, *, kept: int) -> None:
        about = results.locator(".about")
        rated = about.all_inner_texts()[number]
        results.nth(number).get_by_role("button", name=what).click()
        until(page, lambda: rated not in about.all_inner_texts())
        until(page, lambda: len(store.listening.ratings("demo")), lambda found: found == kept)

    results.first.get_by_role("button", name="Like", exact=False).first.wait_for()
    page.get_by_text("More examples").click()
    say("− Unlike", 4, kept=0)  # nobody agreed yet
    page.get_by_text("Keep what I like and what does not belong").click()
    at_rest(page)
    for number in range(3):
        say("+ Like", 0, kept=number + 1)
    say("− Unlike", 3, kept=4)
    page.get_by_role("button", name="Set the sliders by 4 kept ratings").click()
    page.get_by_text("From 3 likes and 1 dislike:").wait_for()
    page.get_by_role("button", name="Forget them").click()
    until(page, lambda: store.listening.ratings("demo") == [])
    no_error(page)
