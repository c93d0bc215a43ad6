"""What searches the tracks and the passages of a dataset; the API asks the same copies."""

from dashboard.readers.data import store
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender
from mess.serving import shelf


def recommender(dataset: str, encoder: str) -> LayerBasedRecommender:
    """Return the recommender of an index; shared by all sessions, which only read it."""
    return shelf.recommender(store(), dataset, encoder)


def passages(dataset: str, encoder: str) -> PassageRecommender:
    """Return what searches the segments of a dataset; shared by all sessions."""
    return shelf.passages(store(), dataset, encoder)
