"""Sessions: what one listener is asked, in which order, and the answer as it is kept.

Conventions: a session has up to three blocks, one for each aspect, so that the question does not
change all the time. A block has items, at its end items of its beginning once more with A and B
exchanged, and checks in between. The items that were asked least so far come first, so all items
are asked about equally often, and with them all patterns (`mess.listening.balance`).
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from mess.audio.loudness import Heard
from mess.errors import MessError
from mess.records.listening import (
    Answer,
    Choice,
    Excerpt,
    Item,
    ListeningPlan,
    ListeningSession,
    Trial,
)

SIZE = 24
BLOCKS = 3
CONSENT = (
    "I take part of my own free will. My answers are kept on this machine with a random number, "
    "without my name. I can stop at any time."
)
_SHARE = 8  # of so many trials one is a repeat, and one a check
_APART = 3  # trials between an item and its repeat, at least
_OTHER: dict[str, Literal["A", "B", ""]] = {"A": "B", "B": "A", "": ""}


def begin_session(
    plan: ListeningPlan,
    *,
    asked: Mapping[str, int],
    listener: str = "",
    seed: int | None = None,
    size: int = SIZE,
) -> ListeningSession:
    """Return a new session of a plan.

    Parameters
    ----------
    plan : ListeningPlan
    asked : mapping of str to int
        How often each item was answered so far; items that are not named never were.
    listener : str
        The random number of a listener who was here before.
    seed : int, optional
        Decides the order; by default a random one.
    size : int
        The number of trials.
    """
    seed = secrets.randbelow(2**31) if seed is None else seed
    return ListeningSession(
        id=secrets.token_hex(16),
        listener=listener or secrets.token_hex(8),
        plan=plan.id,
        seed=seed,
        started=time.time(),
        consent=CONSENT,
        trials=draw_trials(plan, asked=asked, seed=seed, size=size),
    )


def draw_trials(
    plan: ListeningPlan, *, asked: Mapping[str, int], seed: int, size: int = SIZE
) -> list[Trial]:
    """Draw the trials of a session; the same arguments give the same trials.

    Parameters
    ----------
    plan, asked, seed, size
        As of `begin_session`.
    """
    rng = np.random.default_rng(seed)
    by_aspect: dict[str, list[Item]] = {}
    for item in plan.items:
        by_aspect.setdefault(item.aspect, []).append(item)

    def times(items: list[Item]) -> float:
        return sum(asked.get(one.id, 0) for one in items) / len(items)

    names = [str(name) for name in rng.permutation(list(by_aspect))]
    names = sorted(names, key=lambda name: times(by_aspect[name]))[:BLOCKS]
    trials: list[Trial] = []
    for number, place in enumerate(rng.permutation(len(names))):
        name = names[place]
        length = size // len(names) + (number < size % len(names))
        checks = [one for one in plan.checks if one.aspect == name]
        trials += _draw_block(by_aspect[name], checks, asked=asked, length=length, rng=rng)
    return trials


def _draw_block(
    items: list[Item],
    checks: list[Item],
    *,
    asked: Mapping[str, int],
    length: int,
    rng: np.random.Generator,
) -> list[Trial]:
    """Draw the trials about one aspect; fewer where the plan has too few items."""
    again = max(1, round(length / _SHARE))
    checked = min(again, len(checks))
    shuffled = [items[place] for place in rng.permutation(len(items))]
    chosen = sorted(shuffled, key=lambda one: asked.get(one.id, 0))[: length - again - checked]
    chosen = [chosen[place] for place in rng.permutation(len(chosen))]
    drawn = [Trial(kind="item", item=one.id, swapped=bool(rng.integers(2))) for one in chosen]
    repeated = [
        replace(one, kind="repeat", swapped=not one.swapped)
        for one in drawn[: max(len(drawn) - _APART, 0)][:again]
    ]
    for place in rng.permutation(len(checks))[:checked]:
        check = Trial(kind="check", item=checks[place].id, swapped=bool(rng.integers(2)))
        drawn.insert(int(rng.integers(1, len(drawn) + 1)), check)
    return drawn + repeated


def presented(item: Item, *, swapped: bool) -> Item:
    """Return an item as the listener hears it: with A and B exchanged, if ``swapped``."""
    if not swapped:
        return item
    margins = {judge: -margin for judge, margin in item.margins.items()}
    return replace(item, a=item.b, b=item.a, margins=margins, right=_OTHER[item.right])


def item_at(plan: ListeningPlan, session: ListeningSession, position: int) -> Item:
    """Return what is asked at a position of a session, as it is presented.

    Raises
    ------
    MessError
        If the session has no such position.
    """
    if not 0 <= position < len(session.trials):
        raise MessError(f"this session has no trial {position}")
    trial = session.trials[position]
    item = plan.find(trial.item)
    if item is None:
        raise MessError("the plan of this session has changed: begin a new one")
    return presented(item, swapped=trial.swapped)


def make_answer(
    plan: ListeningPlan,
    session: ListeningSession,
    position: int,
    *,
    choice: Choice,
    seconds: float,
    plays: Mapping[str, int],
) -> Answer:
    """Return an answer with all that is needed to ask it again.

    Parameters
    ----------
    plan, session
    position : int
    choice : "A", "B" or "0"
    seconds : float
        From the first sound to the answer.
    plays : mapping of str to int
        How often each of x, a, b was started.
    """
    item = item_at(plan, session, position)
    return Answer.from_json(
        {
            "id": f"{session.id}-{position:03d}",
            "session": session.id,
            "listener": session.listener,
            "plan": plan.id,
            "seed": session.seed,
            "position": position,
            "dataset": plan.dataset,
            "encoder": plan.encoder,
            "versions": plan.versions,
            "kind": session.trials[position].kind,
            "item": item.id,
            "aspect": item.aspect,
            **_columns("x", item.x, item.level),
            **_columns("a", item.a, item.level),
            **_columns("b", item.b, item.level),
            "level": item.level,
            "margins": item.margins,
            "right": item.right,
            "answer": choice,
            "seconds": round(seconds, 3),
            "plays": {part: int(plays.get(part, 0)) for part in ("x", "a", "b")},
            "answered": time.time(),
        }
    )


def _columns(part: str, excerpt: Excerpt, level: float) -> dict[str, str | float]:
    gain = Heard(excerpt.lufs, excerpt.dbtp).gain(level)
    return {
        f"{part}_track": excerpt.track,
        f"{part}_work": excerpt.work,
        f"{part}_sha256": excerpt.sha256,
        f"{part}_start": excerpt.start,
        f"{part}_seconds": excerpt.seconds,
        f"{part}_gain_db": round(gain, 2),
    }
