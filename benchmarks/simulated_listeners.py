"""Listeners of known reliability, who answer blind triplets; some answer at random."""

from dataclasses import dataclass, replace

import numpy as np

from mess.listening.agreement import analyse
from mess.records.listening import Answer, Choice

_ITEMS_OF_WORK = 2
_DRAWS = 500
RHO_ITEM, RHO_LISTENER = 0.15, 0.02
_ANSWER = Answer(
    id="",
    session="",
    listener="",
    plan="simulated",
    seed=0,
    position=0,
    dataset="simulated",
    encoder="simulated",
    versions={},
    kind="item",
    item="",
    aspect="brightness",
    **{  # type: ignore[arg-type]
        f"{part}_{name}": value
        for part in "xab"
        for name, value in {
            "track": part, "work": part, "sha256": "", "start": 0.0, "seconds": 5.0, "gain_db": 0.0,
        }.items()
    },
    level=-23.0,
    margins={"measured": 0.5, "mean": -0.5},
    right="",
    answer="A",
    seconds=8.0,
    plays={},
    answered=0.0,
)  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """What an analysis says of simulated listeners.

    Attributes
    ----------
    share, low, high : float
        The agreement of the method that listeners follow.
    ceiling : float
    left_out : set of str
        The listeners whose sessions do not count.
    careless : set of str
        Those who answered at random.
    """

    share: float
    low: float
    high: float
    ceiling: float
    left_out: set[str]
    careless: set[str]


def simulate_listeners(
    seed: int,
    *,
    agreement: float,
    listeners: int = 5,
    items: int = 24,
    rho_item: float = RHO_ITEM,
    rho_listener: float = RHO_LISTENER,
    careless: int = 0,
) -> Heard:
    """Return what is found of listeners who agree with a method in a known share.

    Parameters
    ----------
    seed : int
    agreement : float
        The true share over all listeners and items.
    listeners, items : int
    rho_item, rho_listener : float
        How much items and listeners differ; see `mess.listening.power`.
    careless : int
        More listeners, who answer everything at random, the three checks included.
    """
    rng = np.random.default_rng(seed)
    variance = agreement * (1 - agreement)
    of_item = np.sqrt(rho_item * variance) * _even(rng, items)
    of_listener = np.sqrt(rho_listener * variance) * _even(rng, listeners)
    reliable = agreement + of_item[None, :] + of_listener[:, None]
    at_random = np.full((careless, items), 0.5)
    agrees = rng.random((listeners + careless, items)) < np.vstack([reliable, at_random])
    answers: list[Answer] = []
    for number, row in enumerate(agrees):
        own = replace(_ANSWER, session=f"s{number}", listener=f"l{number}")
        for item, follows in enumerate(row):
            # Which of the two is presented as A is drawn anew for every listener.
            swapped = bool(rng.integers(2))
            choice: Choice = "A" if bool(follows) != swapped else "B"
            sign = -1 if swapped else 1
            answers.append(
                replace(
                    own,
                    item=f"i{item}",
                    x_work=f"w{item // _ITEMS_OF_WORK}",
                    margins={"measured": 0.5 * sign, "mean": -0.5 * sign},
                    a_track="b" if swapped else "a",
                    b_track="a" if swapped else "b",
                    answer=choice,
                )
            )
        for check in range(3):
            passed = number < listeners or rng.random() < 0.5
            answers.append(
                replace(
                    own, kind="check", item=f"c{check}", right="A", answer="A" if passed else "B"
                )
            )
    found = analyse(answers, dataset="", encoder="", draws=_DRAWS, seed=seed)
    method, between = found.of_aspect("", "measured"), found.between_about("")
    if method is None or method.low is None or method.high is None or between is None:
        raise RuntimeError("the simulation gave no agreement")
    return Heard(
        share=method.share,
        low=method.low,
        high=method.high,
        ceiling=between.ceiling or 0.0,
        left_out={f"l{session[1:]}" for session in found.left_out},
        careless={f"l{listeners + number}" for number in range(careless)},
    )


def _even(rng: np.random.Generator, count: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return draws of ±1: with wider ones a share would leave [0, 1] and be another on average."""
    return rng.choice([-1.0, 1.0], count)
