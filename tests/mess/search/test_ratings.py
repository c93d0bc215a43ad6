"""Sliders are set by what was liked and what was not, and it is said how well that tells them."""

from pathlib import Path

import numpy as np
import pytest

from mess.errors import MessError
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.ratings import Rated, learn_from_ratings
from mess.storage.store import Store


@pytest.fixture(scope="module")
def recommender(demo_library: Path) -> LayerBasedRecommender:
    return LayerBasedRecommender("demo", "spectral", store=Store(demo_library))


def ratings_by(recommender: LayerBasedRecommender, aspect: str) -> list[Rated]:
    """Ratings of a person who hears one aspect and nothing else."""
    found = []
    for query in recommender.track_ids[:4]:
        ranked = recommender.recommend_by_aspect(query, aspect, 100)
        found += [Rated(query, one.track_id, True) for one in ranked[:2]]
        found += [Rated(query, one.track_id, False) for one in ranked[-2:]]
    return found


def test_the_aspect_that_a_person_listens_to_gets_the_weight(
    recommender: LayerBasedRecommender,
) -> None:
    for aspect in recommender.get_available_aspects()[:2]:
        learned = learn_from_ratings(recommender, ratings_by(recommender, aspect))
        assert learned.weights[aspect] > 0.5 and max(learned.weights.values()) == 1
        assert (learned.likes, learned.dislikes) == (8, 8)
        assert learned.told is not None and learned.told > 0.8


def test_random_ratings_tell_nothing_that_the_fit_did_not_see(
    recommender: LayerBasedRecommender,
) -> None:
    told = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        pairs = [rng.permutation(recommender.track_ids)[:2] for _ in range(24)]
        rated = [Rated(*map(str, pair), bool(n % 2)) for n, pair in enumerate(pairs)]
        try:
            told.append(learn_from_ratings(recommender, rated).told)
        except MessError:
            told.append(0.5)  # nothing in common
    assert float(np.mean([one or 0.5 for one in told])) < 0.65


def test_likes_alone_are_set_beside_everything_else(recommender: LayerBasedRecommender) -> None:
    aspect = recommender.get_available_aspects()[0]
    likes = [one for one in ratings_by(recommender, aspect) if one.liked]
    learned = learn_from_ratings(recommender, likes)
    assert learned.dislikes == 0 and learned.told is None and learned.weights[aspect] > 0


def test_the_last_word_counts_and_unknown_tracks_do_not(
    recommender: LayerBasedRecommender,
) -> None:
    aspect = recommender.get_available_aspects()[0]
    rated = ratings_by(recommender, aspect)
    taken_back = [Rated(one.query, one.track, not one.liked) for one in rated]
    gone = [Rated("gone", one.track, True) for one in rated]
    learned = learn_from_ratings(recommender, [*taken_back, *gone, *rated])
    assert learned == learn_from_ratings(recommender, rated)
    with pytest.raises(MessError, match="2 likes are kept, and 3 are needed"):
        learn_from_ratings(recommender, [one for one in rated if one.liked][:2])
