"""Weights from ratings: what likes and dislikes, given while exploring, have in common.

Task: a rating says that a track is like its query, or does not belong to it. Find the weights of
the aspects that separate the two kinds (`mess.search.fitting`), and say how well they do.

Conventions: how well is measured on ratings that the fit did not see. Each rating is left out once;
told is the share of pairs of a like and a dislike in which the like has the higher score (the area
under the ROC curve, Hanley & McNeil 1982), 0.5 by chance. Where there are fewer than
`FEWEST_DISLIKES` dislikes, all tracks that nobody rated stand beside them.

References
----------
J. A. Hanley, B. J. McNeil: The meaning and use of the area under a receiver operating
characteristic (ROC) curve. Radiology 143, 1982.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.search.fitting import fit_weights
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.ranking import Query

Array = NDArray[np.float64]
FEWEST_LIKES = 3
FEWEST_DISLIKES = 3
MOST = 200  # the latest ratings, by which weights are fitted


@dataclass(frozen=True)
class Rated:
    """One rating: whether a track is like a query."""

    query: str
    track: str
    liked: bool


@dataclass(frozen=True)
class Learned:
    """What ratings have in common.

    Attributes
    ----------
    weights : dict of str to float
        From 0 to 1, of each available aspect.
    likes, dislikes : int
        That were used.
    told : float or None
        See the module; None with too few of either.
    """

    weights: dict[str, float]
    likes: int
    dislikes: int
    told: float | None


def learn_from_ratings(recommender: LayerBasedRecommender, ratings: Sequence[Rated]) -> Learned:
    """Return the weights that separate likes from dislikes.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    ratings : sequence of Rated
        In the order in which they were given: the last one of a pair counts. Ratings of tracks that
        are not in the index are left out.

    Raises
    ------
    MessError
        If there are too few likes, or they have nothing in common.
    """
    names = recommender.get_available_aspects()
    if not names:
        raise MessError("no aspect is validated, so none can explain what is liked")
    row = {track: number for number, track in enumerate(recommender.track_ids)}
    last = {
        (one.query, one.track): one.liked
        for one in ratings
        if one.query in row and one.track in row and one.query != one.track
    }
    kept = list(last.items())[-MOST:]
    likes = sum(liked for _, liked in kept)
    if likes < FEWEST_LIKES:
        raise MessError(f"{likes} likes are kept, and {FEWEST_LIKES} are needed: like more results")
    similar: dict[str, Array] = {}
    everyone = np.arange(len(row))
    for query in dict.fromkeys(query for (query, _), _ in kept):
        terms = [recommender.terms.make(name, 1.0) for name in names]
        asked = Query(terms, [(row[query], 1.0)])
        similar[query] = recommender.space.shares(asked, everyone)
    pairs = np.array([similar[query][:, row[track]] for (query, track), _ in kept])
    liked = np.array([one for _, one in kept])
    unrated = np.empty((0, len(names)))
    if (~liked).sum() < FEWEST_DISLIKES:
        rated = {track for pair, _ in kept for track in pair}
        others = [number for track, number in row.items() if track not in rated]
        unrated = np.concatenate([one[:, others].T for one in similar.values()])
    weights = fit_weights(pairs[liked], np.vstack([pairs[~liked], unrated]))
    if not weights.any():
        raise MessError("what you liked has no aspect in common that the rest has not")
    return Learned(
        weights=dict(zip(names, weights.tolist(), strict=True)),
        likes=int(likes),
        dislikes=int((~liked).sum()),
        told=_told_apart(pairs, liked),
    )


def _told_apart(pairs: Array, liked: NDArray[np.bool_]) -> float | None:
    """Return how surely weights tell likes from dislikes that they were not fitted to."""
    if min(liked.sum(), (~liked).sum()) < FEWEST_DISLIKES:
        return None
    scores = np.empty(len(pairs))
    for number in range(len(pairs)):
        others = np.arange(len(pairs)) != number
        weights = fit_weights(pairs[others & liked], pairs[others & ~liked])
        scores[number] = pairs[number] @ weights / max(weights.sum(), 1e-12)
    apart = scores[liked][:, None] - scores[~liked][None]
    return float(np.mean(np.where(apart == 0, 0.5, apart > 0)))
