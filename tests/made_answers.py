"""Plans and answers that tests make up: methods with known opinions, listeners who follow one."""

from dataclasses import replace

import numpy as np

from mess.listening.planning import _item
from mess.listening.sessions import begin_session, make_answer
from mess.records.listening import (
    Answer,
    Choice,
    Excerpt,
    Item,
    Judge,
    ListeningPlan,
    ListeningSession,
)

OPINIONS: tuple[dict[Judge, float], ...] = tuple(
    {"mean": one, "measured": other, "layer": third}
    for one, other, third in ((0.5, -0.5, -0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5))
)


def excerpt(number: int, *, work: int | None = None) -> Excerpt:
    """Return an excerpt of a track and a work of its own."""
    return Excerpt(
        track=f"track {number}",
        work=f"work {number if work is None else work}",
        sha256=f"{number:064x}",
        start=5.0,
        seconds=5.0,
        lufs=-20.0,
        dbtp=-4.0,
    )


def made_plan(*, items: int = 9, aspects: tuple[str, ...] = ("brightness",)) -> ListeningPlan:
    """Return a plan of three methods that disagree in each item."""
    found: list[Item] = []
    checks: list[Item] = []
    for place, aspect in enumerate(aspects):
        for number in range(items):
            x, a, b = (excerpt(1000 * place + 3 * number + part) for part in range(3))
            found.append(_item(aspect, x, a, b, margins=OPINIONS[number % 3]))
            if number < 3:
                checks.append(replace(_item(aspect, x, x, b, margins={}), right="A"))
    return ListeningPlan(
        id=f"plan-{items}-{len(aspects)}",
        made=1.0,
        dataset="demo",
        encoder="spectral",
        code_version=1,
        versions={"features": "3"},
        seed=0,
        methods={aspect: {judge: judge for judge in OPINIONS[0]} for aspect in aspects},
        items=found,
        checks=checks,
    )


def follow(
    plan: ListeningPlan,
    session: ListeningSession,
    *,
    judge: Judge = "measured",
    careless: bool = False,
    rng: np.random.Generator | None = None,
    reliability: float = 1.0,
) -> list[Answer]:
    """Return the answers of a listener who says what a method says, with some reliability."""
    rng = rng or np.random.default_rng(0)
    said: dict[str, bool] = {}
    answers = []
    for position, trial in enumerate(session.trials):
        item = make_answer(plan, session, position, choice="0", seconds=9.0, plays={"x": 1})
        choice: Choice
        if trial.kind == "check":
            right: Choice = "A" if item.right == "A" else "B"
            choice = ("B" if right == "A" else "A") if careless else right
        else:
            says_a = item.margins[judge] > 0
            true = said.setdefault(trial.item, bool(rng.random() < reliability))
            choice = "A" if says_a == true else "B"
        answers.append(replace(item, answer=choice))
    return answers


def session_of(plan: ListeningPlan, *, seed: int, listener: str = "", size: int = 24):
    """Return a session whose order a seed decides."""
    return begin_session(plan, asked={}, seed=seed, listener=listener, size=size)
