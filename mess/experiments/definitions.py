"""Which targets are made from which curves, as columns of an experiment."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mess.curves.readings import READINGS
from mess.probing.through_time import Definition


def definitions_of(
    curves: Sequence[str], names: Sequence[str]
) -> tuple[list[Definition], NDArray[np.int64]]:
    """Return the targets that are made from some curves, and which of the curves they need.

    Parameters
    ----------
    curves : sequence of str
    names : sequence of str
        Of the targets.

    Returns
    -------
    list of Definition
        Their curves are numbered among those that are needed.
    ndarray [dtype=int]
        The numbers of these in ``curves``.
    """
    told = {
        target: one for target, one in READINGS.items() if target in names and one.curve in curves
    }
    used = sorted({curves.index(one.curve) for one in told.values()})
    return [
        Definition(
            list(names).index(target), used.index(curves.index(one.curve)), one.function, one.course
        )
        for target, one in told.items()
    ], np.array(used, dtype=np.int64)
