"""Surprises: recordings that the model finds alike although their composers differ."""

from dataclasses import dataclass

import numpy as np

from mess.search.aspects import OVERALL
from mess.search.layer_based_recommender import LayerBasedRecommender

_QUERIES = 200


@dataclass(frozen=True)
class Pair:
    """Two recordings.

    Attributes
    ----------
    first, second : str
        Track ids.
    score : float
        How alike the second is to the first over all layers: 1 is equal, 0 as unlike as half of the
        recordings.
    """

    first: str
    second: str
    score: float


def find_surprises(recommender: LayerBasedRecommender, *, most: int = 20) -> list[Pair]:
    """Return the pairs that are most alike overall, of different composers; the most alike first.

    Tracks without a composer are left out, and no work is in two pairs. In a large library evenly
    spaced tracks are asked.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    most : int

    Examples
    --------
    >>> from mess import LayerBasedRecommender
    >>> pairs = find_surprises(LayerBasedRecommender("demo", "spectral"), most=3)
    >>> len(pairs), all(-1 <= pair.score <= 1 for pair in pairs)
    (3, True)
    """
    known = [row for row, name in enumerate(recommender.composers) if name]
    asked = np.unique(np.linspace(0, len(known) - 1, min(len(known), _QUERIES)).round().astype(int))
    composer_of = dict(zip(recommender.track_ids, recommender.composers, strict=True))
    found: list[Pair] = []
    for place in asked.tolist():
        track = recommender.track_ids[known[place]]
        alike = recommender.multi_aspect_recommendation(
            track, {OVERALL: 1.0}, 5, exclude_same_work=True, exclude_same_composer=True
        )
        best = next((one for one in alike if composer_of[one.track_id]), None)
        if best is not None:
            found.append(Pair(track, best.track_id, best.score))
    found.sort(key=lambda pair: -pair.score)
    work_of = dict(zip(recommender.track_ids, recommender.works, strict=True))
    pairs: list[Pair] = []
    seen: set[str] = set()
    for pair in found:
        works = {work_of[pair.first], work_of[pair.second]}
        if not works & seen:
            seen |= works
            pairs.append(pair)
    return pairs[:most]
