"""Planted directions that are erased, planted confounds, and targets that are noise to be coded."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.probing.confounds import Confound, hold_apart
from mess.probing.erasure import erase_each
from mess.probing.folds import assign_folds
from mess.probing.online_code import code_online

_WORKS, _PER_WORK, _DIM, _FOLDS, _INSTRUMENTS = 40, 2, 24, 5, 8
Array = NDArray[np.float64]


class Erased(NamedTuple):
    """R² of an erased direction and of an orthogonal one, before and after.

    ``unseen`` is that of the erased one, for probes of works that the eraser never saw.
    """

    own_before: float
    own_after: float
    other_before: float
    other_after: float
    unseen_before: float
    unseen_after: float


class Apart(NamedTuple):
    """R² with instruments held apart, and partial: of a reading of them, and of a true one."""

    instrument_usual: float
    instrument_apart: float
    instrument_partial: float
    true_apart: float
    true_partial: float


class Saved(NamedTuple):
    """The bits that a layer saves against the mean: on a planted target, and on noise."""

    planted: float
    noise: float


def _rows(rng: np.random.Generator, works: int = _WORKS) -> tuple[Array, NDArray[np.int64]]:
    groups = np.repeat(np.arange(works), _PER_WORK)
    of_work = rng.standard_normal((works, _DIM))[groups]
    return of_work + 0.7 * rng.standard_normal((groups.size, _DIM)), groups


def simulate_erasure(seed: int, *, works: int = _WORKS) -> Erased:
    """Erase one of two orthogonal directions that are read from the same layer."""
    rng = np.random.default_rng(seed)
    x, groups = _rows(rng, works)
    directions = np.linalg.qr(rng.standard_normal((_DIM, 2)))[0]
    y = x @ directions + 0.4 * rng.standard_normal((len(x), 2))
    found = erase_each(
        x[:, None],
        y,
        groups,
        names=["own", "other"],
        layer_of={"own": 0},
        fold=assign_folds(groups, folds=_FOLDS, seed=seed),
        draws=1,
        seed=seed,
    )
    own, other = found.losses
    (unseen,) = found.unseen
    return Erased(
        own.before,
        own.after,
        other.before,
        other.after,
        unseen.before or 0.0,
        unseen.after or 0.0,
    )


def simulate_confound(seed: int) -> Apart:
    """Give each instrument a place in the layer; one target is of the instrument, one is not."""
    rng = np.random.default_rng(seed)
    x, groups = _rows(rng)
    instrument = rng.integers(_INSTRUMENTS, size=_WORKS)[groups]
    x[:, :16] += 3 * rng.standard_normal((_INSTRUMENTS, 16))[instrument]
    noise = rng.standard_normal((2, len(x)))
    of_instrument = 2 * rng.standard_normal(_INSTRUMENTS)[instrument] + 0.5 * noise[0]
    true = x[:, 16:20].sum(axis=1) + 0.5 * noise[1]
    false, real = hold_apart(
        x[:, None],
        np.column_stack([of_instrument, true]),
        groups,
        names=["of the instrument", "true"],
        confound=Confound.of_labels("instrument", instrument.astype(str)),
        folds=_FOLDS,
        seed=seed,
    )
    return Apart(
        false.usual or 0.0,
        false.apart or 0.0,
        false.partial or 0.0,
        real.apart or 0.0,
        real.partial or 0.0,
    )


def simulate_code(seed: int) -> Saved:
    """Code a target that a layer holds with noise, and one that is noise."""
    rng = np.random.default_rng(seed)
    x, groups = _rows(rng)
    told = x[:, :3].sum(axis=1) + rng.standard_normal(len(x))
    noise = rng.standard_normal(_WORKS)[groups] + 0.3 * rng.standard_normal(len(x))
    planted, nothing = code_online(
        x[:, None], np.column_stack([told, noise]), groups, names=["a", "b"], orders=2, seed=seed
    )
    return Saved(planted.mean - planted.bits[0], nothing.mean - nothing.bits[0])
