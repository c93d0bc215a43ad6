"""What searches the tracks and the passages of a dataset."""

import streamlit as st

from dashboard.readers.data import store
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender
from mess.search.surprise import Pair, find_surprises
from mess.serving import shelf


def recommender(dataset: str, encoder: str) -> LayerBasedRecommender:
    """Return the recommender of an index; shared by all sessions, which only read it."""
    return shelf.recommender(store(), dataset, encoder)


@st.cache_resource(max_entries=4, show_spinner=False)
def _surprises(dataset: str, encoder: str, version: float) -> list[Pair]:
    return find_surprises(recommender(dataset, encoder))


def surprises(dataset: str, encoder: str) -> list[Pair]:
    """Return pairs of recordings that an index finds alike though their composers differ."""
    return _surprises(dataset, encoder, store().indices.modified(dataset, encoder))


def passages(dataset: str, encoder: str) -> PassageRecommender:
    """Return what searches the segments of a dataset; shared by all sessions."""
    return shelf.passages(store(), dataset, encoder)
