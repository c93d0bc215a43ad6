"""Confounds: does a reading hold where instrument, register, loudness or composer are held apart?

Task: a probe may read the target by way of something that goes with it, such as the instrument. So
every target is probed again in two ways. *Held apart*: the probe is tested on levels of the
confound that it never saw. *Partial*: what does the layer tell of what the confound leaves untold?

Conventions
-----------
* A confound is a label, or a number whose quarters are its levels. Rows where it is not known take
  no part, in none of the scores that are compared.
* Held apart: no level is in training and test, and no work either. So rows of other levels whose
  work is tested do not train. Penalty and layer are chosen on the training rows as always. What
  falls to 0 was a reading of the confound, or needs levels like the tested one.
* Alone: R² of the confound itself, on the folds by work: of a label the means of its levels, of a
  number a parabola. A level that training lacks counts as the mean.
* Partial: (R² of layer and confound together − R² of the confound alone) / (1 − R² of the confound
  alone). To regress the confound out of layer and target first would be the same, but then works
  that are left out to choose a penalty would have shaped what is left of the others. The two are
  put side by side as in `mess.probing.beyond`.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> works, instrument = np.arange(120), np.arange(120) % 6
>>> sound = rng.standard_normal((6, 8))[instrument]  # each instrument has a place of its own
>>> layer = np.hstack([sound, rng.standard_normal((120, 2))])[:, None]
>>> of_instrument, true = rng.standard_normal(6)[instrument], layer[:, 0, -1]
>>> of_instrument = of_instrument + 0.1 * rng.standard_normal(120)
>>> found = hold_apart(
...     layer,
...     np.column_stack([of_instrument, true]),
...     works,
...     names=["of the instrument", "true"],
...     confound=Confound.of_labels("instrument", instrument.astype(str)),
...     folds=5,
... )
>>> [(bool(one.usual > 0.9), bool(one.apart > 0.5), bool(one.partial > 0.5)) for one in found]
[(True, False, False), (True, True, True)]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.errors import MessError
from mess.probing.beyond import beside_each
from mess.probing.folds import MIN_WORKS, assign_folds
from mess.probing.metrics import defined
from mess.probing.ridge import DEFAULT_ALPHAS, Array
from mess.probing.splits import Split, SplitScores, partial_scores, probe_splits, splits_of

QUARTERS = 4
FEWEST_LEVELS = 3
_MOST_IN_ONE = 0.8  # share of the rows in one level, above which there is little to hold apart


@dataclass(frozen=True)
class Confound:
    """What may stand behind a reading.

    Attributes
    ----------
    name : str
    levels : ndarray [shape=(n,), dtype=str]
        "" where it is not known.
    design : ndarray [shape=(n, k)]
        What a probe of it takes; 0 where it is not known.
    """

    name: str
    levels: NDArray[np.str_]
    design: Array

    @classmethod
    def of_labels(cls, name: str, labels: ArrayLike) -> "Confound":
        """Return the confound that labels make, "" where there is none."""
        levels = np.asarray(labels, dtype=np.str_)
        known = np.unique(levels[levels != ""])
        return cls(name, levels, (levels[:, None] == known).astype(np.float64))

    @classmethod
    def of_numbers(cls, name: str, numbers: ArrayLike) -> "Confound":
        """Return the confound that numbers make, NaN where there is none; levels are quarters."""
        values = np.asarray(numbers, dtype=np.float64)
        known = np.isfinite(values)
        levels = np.full(values.shape, "", dtype="<U1")
        design = np.zeros((len(values), 2))
        if known.any():
            bounds = np.quantile(values[known], np.arange(1, QUARTERS) / QUARTERS)
            levels[known] = (1 + np.searchsorted(bounds, values[known], side="right")).astype(str)
            z = (values[known] - values[known].mean()) / (values[known].std() or 1.0)
            design[known] = np.column_stack([z, z**2])
        return cls(name, levels, design)

    @property
    def known(self) -> NDArray[np.bool_]:
        """The rows where it is known."""
        return self.levels != ""

    def why_not(self, works: NDArray[Any]) -> str:
        """Return why it cannot be held apart, "" where it can.

        Parameters
        ----------
        works : ndarray [shape=(n,)]
        """
        if not self.known.any():
            return "no track states it"
        levels, counts = np.unique(self.levels[self.known], return_counts=True)
        if len(levels) < FEWEST_LEVELS:
            return f"{len(levels)} level{'' if len(levels) == 1 else 's'}, {FEWEST_LEVELS} needed"
        if counts.max() > _MOST_IN_ONE * counts.sum():
            most = levels[counts.argmax()]
            return f"{counts.max()} of {counts.sum()} tracks are of one level ({most})"
        if len(np.unique(works[self.known])) < MIN_WORKS:
            return f"fewer than {MIN_WORKS} works state it"
        return ""


@dataclass(frozen=True, kw_only=True)
class Confounded:
    """How one reading fares with one confound held apart, and beside it.

    Attributes
    ----------
    target, confound : str
    usual : float or None
        Nested R² by folds of works, on the rows where the confound is known.
    apart, partial : float or None
        Nested R² with levels held apart, and partial R².
    apart_low, apart_high, partial_low, partial_high : float or None
        Their 95 % intervals by works; None with fewer than ten.
    alone : float or None
        R² of the confound by itself.
    """

    target: str
    confound: str
    usual: float | None
    apart: float | None
    apart_low: float | None
    apart_high: float | None
    partial: float | None
    partial_low: float | None
    partial_high: float | None
    alone: float | None


def hold_apart(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    works: ArrayLike,
    *,
    names: Sequence[str],
    confound: Confound,
    folds: int = 10,
    alphas: Sequence[float] = DEFAULT_ALPHAS,
    seed: int = 0,
) -> list[Confounded]:
    """Probe every target with one confound held apart, and beside it.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, d)]
    targets : array_like [shape=(n, t)]
        NaN where a target is undefined.
    works : array_like [shape=(n,)]
    names : sequence of str, length t
    confound : Confound
        Of the same rows.
    folds : int
        At most; there are no more than levels.
    alphas : sequence of float
    seed : int

    Returns
    -------
    list of Confounded
        In the order of ``names``; None where a target cannot be probed.

    Raises
    ------
    MessError
        If the confound cannot be held apart.
    """
    _, group = np.unique(np.asarray(works), return_inverse=True)
    if why := confound.why_not(group):
        raise MessError(f"{confound.name} cannot be held apart: {why}")
    rows = confound.known
    x, y = features[rows], np.asarray(targets, dtype=np.float64)[rows]
    own, levels, design = group[rows], confound.levels[rows], confound.design[rows]
    by_work = splits_of(assign_folds(own, folds=folds, seed=seed))

    def scored(features: NDArray[np.floating[Any]], splits: Sequence[Split]) -> SplitScores:
        return probe_splits(features, y, own, splits=splits, alphas=alphas, seed=seed)

    usual = scored(x, by_work)
    apart = scored(x, apart_splits(levels, own, folds=folds, seed=seed))
    alone = scored(design[:, None], by_work)
    partial = partial_scores(scored(beside_each(x, design[:, None]), by_work), alone, seed=seed)
    return [
        Confounded(
            target=name,
            confound=confound.name,
            usual=defined(usual.r2[column]),
            apart=defined(apart.r2[column]),
            apart_low=defined(apart.low[column]),
            apart_high=defined(apart.high[column]),
            partial=defined(partial.r2[column]),
            partial_low=defined(partial.low[column]),
            partial_high=defined(partial.high[column]),
            alone=defined(alone.r2[column]),
        )
        for column, name in enumerate(names)
    ]


def apart_splits(
    levels: NDArray[np.str_], works: NDArray[np.int64], *, folds: int, seed: int
) -> list[Split]:
    """Return splits that share no level and no work.

    Parameters
    ----------
    levels : ndarray [shape=(n,)]
    works : ndarray [shape=(n,)]
    folds, seed : int
        See `mess.probing.folds.assign_folds`.
    """
    fold = assign_folds(levels, folds=folds, seed=seed)
    return [
        Split(split.train & ~np.isin(works, works[split.test]), split.test)
        for split in splits_of(fold)
    ]
