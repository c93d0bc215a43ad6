"""The controlled experiment: recordings that differ in exactly one thing, and what a slider sees.

Task: a *variant* differs from its base recording in one known property (the demo library's tempo,
dynamics, articulation or instrument). A slider of that property should tell the two apart, and
every other slider should not. No proxy is involved: what was changed is known.

Metrics
-------
* ``moved``: the distance between base and variant along the slider, over the median distance
  between base and recordings of other works. 0: the slider is blind to the change.
* ``place``: where the variant stands in the base's list, from 0 (the top) to 1 (the end): far down
  for the slider's own change, near the top for any other.
* ``told_apart``: how often the base's own variant (of the slider's property) is farther from it
  than its variants in other properties; chance is the mean of 1 / variants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.evaluation.rankings import Ranking

# Which aspect a change should move.
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


@dataclass(frozen=True)
class ControlledResult:
    """What a slider sees of each change.

    Attributes
    ----------
    own : str
        The change that it should see.
    moved, place : dict of str to float
        By change; medians over pairs.
    told_apart, chance : float
    n : int
        Bases that have the own variant and another.
    """

    own: str
    moved: dict[str, float]
    place: dict[str, float]
    told_apart: float
    chance: float
    n: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def compare_variants(
    ranking: Ranking,
    *,
    own: str,
    variants: Mapping[int, Mapping[str, int]],
    works: NDArray[Any],
) -> ControlledResult | None:
    """Measure what a slider sees of variants; None where no base has two of them, one its own.

    Parameters
    ----------
    ranking : callable
        Row of a base → scores of all tracks [n].
    own : str
        The change that the slider should see.
    variants : mapping
        Row of a base → change → row of its variant.
    works : ndarray [shape=(n,)]
    """
    moved: dict[str, list[float]] = {}
    place: dict[str, list[float]] = {}
    wins, chances = [], []
    for base, changed in variants.items():
        scores = np.asarray(ranking(base), dtype=np.float64)
        distance = np.sqrt(np.maximum(scores[base] - scores, 0.0))
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
    """Return the variants of each base recording by row.

    Parameters
    ----------
    track_ids : sequence of str, length n
    entries : mapping
        A track's ``variant_of`` and ``changed``, by id.
    """
    row = {track_id: place for place, track_id in enumerate(track_ids)}
    found: dict[int, dict[str, int]] = {}
    for track_id, place in row.items():
        about = entries.get(track_id, {})
        base, change = about.get("variant_of", ""), about.get("changed", "")
        if base in row and change:
            found.setdefault(row[base], {})[change] = place
    return found
