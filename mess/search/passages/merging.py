"""Merging: neighbouring segments among the results become one passage.

Examples
--------
>>> runs = merge([7, 8, 3, 9, 20], track_of=[0] * 10 + [1] * 15, k=3)
>>> [(run.best, run.first, run.last) for run in runs]
[(7, 7, 9), (3, 3, 3), (20, 20, 20)]
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class SegmentRun:
    """Consecutive rows of one track: the best row, the first and the last."""

    best: int
    first: int
    last: int


def merge(
    ranked: Iterable[int],
    *,
    track_of: Sequence[int] | NDArray[np.int64],
    k: int,
    max_per_track: int | None = None,
    label_of: Sequence[str] | None = None,
    max_per_label: int | None = None,
) -> list[SegmentRun]:
    """Join neighbouring rows of a ranking into runs, until there are ``k`` runs.

    Parameters
    ----------
    ranked : iterable of int
        Rows, the best first. The rows of one track are consecutive numbers.
    track_of : sequence of int
        The track of each row.
    k : int
    max_per_track : int, optional
        Largest number of runs of one track; further rows of it can only extend these runs.
    label_of : sequence of str, optional
        A label of each track; the label "" has no limit.
    max_per_label : int, optional
        Largest number of runs with one label.

    Returns
    -------
    list of SegmentRun
        In the order of their best rows; fewer if there are too few rows.
    """
    runs: list[SegmentRun] = []
    run_of: dict[int, SegmentRun] = {}
    in_track: Counter[int] = Counter()
    in_label: Counter[str] = Counter()
    for row in ranked:
        track = int(track_of[row])
        label = label_of[track] if label_of is not None else ""
        before, after = (
            run_of.get(other) if 0 <= other < len(track_of) and track_of[other] == track else None
            for other in (row - 1, row + 1)
        )
        if before is not None and after is not None and before is not after:
            kept, gone = sorted((before, after), key=runs.index)
            kept.first, kept.last = before.first, after.last
            run_of.update(dict.fromkeys(range(gone.first, gone.last + 1), kept))
            runs.remove(gone)
            in_track[track] -= 1
            in_label[label] -= 1
            run_of[row] = kept
        elif (run := before or after) is not None:
            run.first, run.last = min(run.first, row), max(run.last, row)
            run_of[row] = run
        else:
            if len(runs) == k:
                break
            if max_per_track is not None and in_track[track] >= max_per_track:
                continue
            if label and max_per_label is not None and in_label[label] >= max_per_label:
                continue
            runs.append(SegmentRun(row, row, row))
            run_of[row] = runs[-1]
            in_track[track] += 1
            in_label[label] += 1
    return runs
