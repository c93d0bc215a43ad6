"""Agreement: how far methods, and listeners among themselves, say what listeners say.

Task: given answers to blind triplets, estimate the share in which a method and a listener choose
the same of A and B, and how sure that share is.

Conventions
-----------
* The agreement of a method in one answer is 1 if the listener chose what the method says, 0 if the
  other one, and 0.5 if the listener could not tell. So 0.5 is chance, whatever listeners do.
* Repeated items and checks do not count in any agreement. The same listener's answer to a repeat
  gives the *consistency*.
* `RULE` says whose sessions are left out. It looks at checks only, never at what methods say.
* An interval comes from a two-way bootstrap: listeners and works (of X) are drawn with replacement,
  independently, and an answer counts as often as its listener times its work (the pigeonhole
  bootstrap, Owen 2007). It is a little too wide rather than too short. With fewer than three
  listeners or five works there is none.
* *Between listeners* is the share in which two listeners give the same answer to one item (half for
  "cannot tell"). Where an item divides listeners, no method can agree with all of them. If two
  listeners agree in a share q, no method agrees with them in more than (1 + √(2q − 1)) / 2. For let
  c be the share of listeners who say A: a method reaches at most the mean of (1 + |2c − 1|) / 2,
  and q is the mean of (1 + (2c − 1)²) / 2. This is the *ceiling* (the idea: Flexer & Grill 2016).

References
----------
A. Flexer, T. Grill: The problem of limited inter-rater agreement in modelling music similarity.
Journal of New Music Research 45(3), 2016.
A. B. Owen: The pigeonhole bootstrap. Annals of Applied Statistics 1(2), 2007.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np
from numpy.typing import NDArray

from mess.probing.metrics import defined
from mess.records.base import Record
from mess.records.listening import JUDGES, Answer, Judge

Array = NDArray[np.float64]
RULE = (
    "a session is left out if it answered a check wrongly (in a check, A or B is X itself), or met "
    "no check yet"
)
FEWEST_LISTENERS = 3
FEWEST_WORKS = 5
_CREDIT = {"A": 1.0, "B": -1.0, "0": 0.0}


@dataclass(frozen=True, kw_only=True)
class Agreement(Record):
    """How far a method says what listeners say.

    Attributes
    ----------
    method : str
    aspect : str
        "" for all aspects together.
    share : float
        0.5 is chance.
    low, high : float or None
        The 95 % interval; None with too few listeners or works.
    answers, listeners, works : int
    """

    method: Judge
    aspect: str
    share: float
    low: float | None
    high: float | None
    answers: int
    listeners: int
    works: int


@dataclass(frozen=True, kw_only=True)
class Difference(Record):
    """The agreement of one method less that of another, over the same answers."""

    method: Judge
    other: Judge
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Between(Record):
    """How far listeners agree with each other.

    Attributes
    ----------
    aspect : str
        "" for all.
    share : float or None
        Of pairs of answers to one item by two listeners; None without any.
    pairs : int
    ceiling : float or None
        What no method can exceed.
    """

    aspect: str
    share: float | None
    pairs: int
    ceiling: float | None


@dataclass(frozen=True, kw_only=True)
class ListeningResult(Record):
    """What the answers about a dataset say.

    Attributes
    ----------
    dataset, encoder : str
    rule : str
        Which sessions are left out.
    sessions, listeners, answers : int
        That count.
    left_out : list of str
        The sessions that do not.
    agreements : list of Agreement
        Over all aspects, then by aspect.
    differences : list of Difference
        Over all aspects.
    between : list of Between
        Likewise.
    consistency : float or None
        The share of repeated items with the same answer.
    repeats : int
    cannot_tell : float or None
        The share of answers "cannot tell".
    seconds : float or None
        The median time of an answer.
    """

    dataset: str
    encoder: str
    rule: str
    sessions: int
    listeners: int
    answers: int
    left_out: list[str]
    agreements: list[Agreement]
    differences: list[Difference]
    between: list[Between]
    consistency: float | None
    repeats: int
    cannot_tell: float | None
    seconds: float | None

    def of_aspect(self, aspect: str, method: Judge) -> Agreement | None:
        """Return the agreement of a method about an aspect; None without answers."""
        return next(
            (one for one in self.agreements if (one.aspect, one.method) == (aspect, method)), None
        )

    def between_about(self, aspect: str) -> Between | None:
        """Return how far listeners agree with each other about an aspect."""
        return next((one for one in self.between if one.aspect == aspect), None)


def analyse(
    answers: Sequence[Answer], *, dataset: str, encoder: str, draws: int = 2000, seed: int = 0
) -> ListeningResult:
    """Analyse the answers about one dataset and encoder.

    Parameters
    ----------
    answers : sequence of Answer
        Of any number of plans.
    dataset, encoder : str
    draws : int
        Of the bootstrap.
    seed : int
    """
    left_out = careless_sessions(answers)
    kept = [one for one in answers if one.session not in left_out]
    items = [one for one in kept if one.kind == "item"]
    aspects = ["", *dict.fromkeys(sorted(one.aspect for one in items))]
    agreements, between, differences = [], [], []
    for aspect in aspects:
        own = [one for one in items if aspect in ("", one.aspect)]
        rng = np.random.default_rng(seed)
        # One draw for all methods: their differences are over the same listeners and works.
        judges = [judge for judge in JUDGES if any(judge in one.margins for one in own)]
        table = _Table(own, judges, draws=draws, rng=rng)
        for number, judge in enumerate(judges):
            share, low, high = table.share(number)
            if share is None:
                continue
            judged = [one for one in own if judge in one.margins]
            agreements.append(
                Agreement(
                    method=judge,
                    aspect=aspect,
                    share=share,
                    low=low,
                    high=high,
                    answers=len(judged),
                    listeners=len({one.listener for one in judged}),
                    works=len({one.x_work for one in judged}),
                )
            )
        if not aspect:
            differences = [
                difference
                for pair in combinations(judges, 2)
                if (difference := _difference(own, pair, draws=draws, seed=seed)) is not None
            ]
        between.append(agreement_between(own, aspect=aspect))
    same = _repeats(kept)
    unsure = [one.answer == "0" for one in items]
    return ListeningResult(
        dataset=dataset,
        encoder=encoder,
        rule=RULE,
        sessions=len({one.session for one in kept}),
        listeners=len({one.listener for one in kept}),
        answers=len(items),
        left_out=left_out,
        agreements=agreements,
        differences=differences,
        between=between,
        consistency=float(np.mean(same)) if same else None,
        repeats=len(same),
        cannot_tell=float(np.mean(unsure)) if unsure else None,
        seconds=median(one.seconds for one in kept) if kept else None,
    )


def _difference(
    answers: Sequence[Answer], pair: tuple[Judge, Judge], *, draws: int, seed: int
) -> Difference | None:
    """Compare two methods over the answers to items that both judge; None without any."""
    common = [one for one in answers if all(judge in one.margins for judge in pair)]
    table = _Table(common, pair, draws=draws, rng=np.random.default_rng(seed))
    share, low, high = table.difference()
    if share is None:
        return None
    return Difference(method=pair[0], other=pair[1], share=share, low=low, high=high)


def careless_sessions(answers: Sequence[Answer]) -> list[str]:
    """Return the sessions that `RULE` leaves out."""
    checks: dict[str, list[bool]] = {one.session: [] for one in answers}
    for one in answers:
        if one.kind == "check":
            checks[one.session].append(one.answer == one.right)
    return sorted(session for session, passed in checks.items() if not passed or not all(passed))


def agreement_between(answers: Sequence[Answer], *, aspect: str = "") -> Between:
    """Return how far listeners agree with each other.

    Parameters
    ----------
    answers : sequence of Answer
        To items.
    aspect : str
        What they are about.
    """
    by_item: dict[str, dict[str, list[float]]] = {}
    for one in answers:
        said = by_item.setdefault(one.item, {}).setdefault(one.listener, [])
        said.append(_said_about_plan(one))
    total, pairs = 0.0, 0
    for listeners in by_item.values():
        means = np.array([np.mean(own) for own in listeners.values()])
        count = len(means)
        # The sum of s_i · s_j over pairs, from that over all.
        total += (means.sum() ** 2 - (means**2).sum()) / 2
        pairs += count * (count - 1) // 2
    if not pairs:
        return Between(aspect=aspect, share=None, pairs=0, ceiling=None)
    share = float(0.5 + 0.5 * total / pairs)
    ceiling = float((1 + np.sqrt(max(2 * share - 1, 0.0))) / 2)
    return Between(aspect=aspect, share=share, pairs=pairs, ceiling=ceiling)


def _said_about_plan(answer: Answer) -> float:
    """Return 1, −1 or 0 so that it does not depend on which excerpt was presented as A."""
    first = (answer.a_track, answer.a_start) < (answer.b_track, answer.b_start)
    return _CREDIT[answer.answer] * (1 if first else -1)


def _repeats(answers: Sequence[Answer]) -> list[bool]:
    """Return of each repeated item whether it got the same answer."""
    first = {(one.session, one.item): one for one in answers if one.kind == "item"}
    return [
        _said_about_plan(one) == _said_about_plan(first[one.session, one.item])
        for one in answers
        if one.kind == "repeat" and (one.session, one.item) in first
    ]


class _Table:
    """Sums of agreement by listener and work, and how they move in draws of both."""

    def __init__(
        self,
        answers: Sequence[Answer],
        judges: Sequence[Judge],
        *,
        draws: int,
        rng: np.random.Generator,
    ) -> None:
        listeners = sorted({one.listener for one in answers})
        works = sorted({one.x_work for one in answers})
        row = {name: number for number, name in enumerate(listeners)}
        column = {name: number for number, name in enumerate(works)}
        shape = len(judges), len(listeners), len(works)
        self._sums, self._counts = np.zeros(shape), np.zeros(shape)
        for one in answers:
            for number, judge in enumerate(judges):
                if judge in one.margins:
                    credit = 0.5 + 0.5 * _CREDIT[one.answer] * np.sign(one.margins[judge])
                    self._sums[number, row[one.listener], column[one.x_work]] += credit
                    self._counts[number, row[one.listener], column[one.x_work]] += 1
        self._enough = len(listeners) >= FEWEST_LISTENERS and len(works) >= FEWEST_WORKS
        if self._enough:
            even = [np.full(size, 1 / size) for size in shape[1:]]
            self._of_listeners = rng.multinomial(shape[1], even[0], size=draws).astype(np.float64)
            self._of_works = rng.multinomial(shape[2], even[1], size=draws).astype(np.float64)

    def share(self, judge: int) -> tuple[float | None, float | None, float | None]:
        """Return the agreement of a method, and its interval."""
        count = self._counts[judge].sum()
        if not count:
            return None, None, None
        low, high = self._interval(self._drawn(judge)) if self._enough else (None, None)
        return float(self._sums[judge].sum() / count), low, high

    def difference(self) -> tuple[float | None, float | None, float | None]:
        """Return the agreement of the first method less that of the second, and its interval."""
        counts = self._counts.sum(axis=(1, 2))
        if not counts.all():
            return None, None, None
        first, second = self._sums.sum(axis=(1, 2)) / counts
        low, high = (None, None)
        if self._enough:
            low, high = self._interval(self._drawn(0) - self._drawn(1))
        return float(first - second), low, high

    def _drawn(self, judge: int) -> Array:
        sums = ((self._of_listeners @ self._sums[judge]) * self._of_works).sum(axis=1)
        counts = ((self._of_listeners @ self._counts[judge]) * self._of_works).sum(axis=1)
        return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)

    @staticmethod
    def _interval(drawn: Array) -> tuple[float | None, float | None]:
        known = drawn[np.isfinite(drawn)]
        if not known.size:
            return None, None
        low, high = np.percentile(known, [2.5, 97.5])
        return defined(low), defined(high)
