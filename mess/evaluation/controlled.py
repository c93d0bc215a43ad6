"""The controlled experiment: recordings that differ in exactly one property.

Task: a *variant* differs from its base recording in one known property (tempo, dynamics,
articulation or instrument, in the demo library). The slider of that property should separate the
two; every other slider should not. The true difference is known, so no proxy target is involved.

Metrics
-------
* ``moved``: how much less similar than the base itself its variant is, divided by the median of
  that over recordings of other works. 0 means that the slider ignores the change; 1 is chance.
* ``place``: the relative rank of the variant in the list of its base, from 0 (first) to 1 (last).
  It should be high for the slider's own change and low for any other.
* ``told_apart``: how often the variant in the slider's own property is farther from the base than
  its variants in other properties. Chance is the mean of 1 / variants.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.evaluation.rankings import Ranking
from mess.records.evaluation import ControlledResult

# The change that each aspect should follow.
OWN_CHANGE = {
    "tempo": "tempo",
    "rhythmic_energy": "tempo",
    "note_density": "tempo",
    "dynamics": "dynamics",
    "velocity_spread": "dynamics",
    "articulation": "articulation",
    "articulation_ratio": "articulation",
    "brightness": "instrument",
    "texture": "instrument",
    "warmth": "instrument",
}


def compare_variants(
    ranking: Ranking,
    *,
    own: str,
    variants: Mapping[int, Mapping[str, int]],
    works: NDArray[Any],
) -> ControlledResult | None:
    """Measure how a slider ranks variants; None if no base has its own variant and another.

    Parameters
    ----------
    ranking : callable
        Row of a base → scores of all tracks [n].
    own : str
        The change that the slider should follow.
    variants : mapping
        Row of a base → change → row of its variant.
    works : ndarray [shape=(n,)]
    """
    moved: dict[str, list[float]] = {}
    place: dict[str, list[float]] = {}
    wins, chances = [], []
    for base, changed in variants.items():
        scores = np.asarray(ranking(base), dtype=np.float64)
        distance = np.maximum(scores[base] - scores, 0.0)
        others = distance[works != works[base]]
        usual = float(np.median(others)) if len(others) else 0.0
        if usual <= 0:
            continue
        for change, row in changed.items():
            moved.setdefault(change, []).append(float(distance[row]) / usual)
            before = np.delete(scores, [base, row]) > scores[row]
            place.setdefault(change, []).append(float(before.mean()))
        rest = [distance[row] for change, row in changed.items() if change != own]
        if own in changed and rest:
            wins.append(float(distance[changed[own]] > max(rest)))
            chances.append(1 / len(changed))
    if not wins:
        return None
    return ControlledResult(
        own=own,
        moved={change: float(np.median(values)) for change, values in sorted(moved.items())},
        place={change: float(np.median(values)) for change, values in sorted(place.items())},
        told_apart=float(np.mean(wins)),
        chance=float(np.mean(chances)),
        n=len(wins),
    )


def find_variants(
    track_ids: Sequence[str], entries: Mapping[str, Mapping[str, str]]
) -> dict[int, dict[str, int]]:
    """Return the rows of the variants of each base recording, by change.

    Parameters
    ----------
    track_ids : sequence of str, length n
    entries : mapping
        A track's ``variant_of`` and ``changed``, by id.
    """
    row_of = {track_id: row for row, track_id in enumerate(track_ids)}
    variants: dict[int, dict[str, int]] = {}
    for track_id, row in row_of.items():
        about = entries.get(track_id, {})
        base, change = about.get("variant_of", ""), about.get("changed", "")
        if base in row_of and change:
            variants.setdefault(row_of[base], {})[change] = row
    return variants
