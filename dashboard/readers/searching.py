"""What searches the tracks and the passages of a dataset."""

import streamlit as st

from dashboard.readers.data import store
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender


@st.cache_resource(max_entries=4, show_spinner=False)
def _recommender(dataset: str, encoder: str, version: tuple[float, ...]) -> LayerBasedRecommender:
    return LayerBasedRecommender(dataset, encoder, store=store())


def recommender(dataset: str, encoder: str) -> LayerBasedRecommender:
    """Return the recommender of an index; shared by all sessions, which only read it."""
    version = (
        store().indices.modified(dataset, encoder),
        store().discoveries.modified(dataset, encoder, "track"),
        store().features.modified(dataset, encoder),
        store().evaluations.modified(dataset, encoder),
    )
    return _recommender(dataset, encoder, version)


@st.cache_resource(max_entries=2, show_spinner=False)
def _passages(dataset: str, encoder: str, version: tuple[float, ...]) -> PassageRecommender:
    return PassageRecommender(dataset, encoder, store=store())


def passages(dataset: str, encoder: str) -> PassageRecommender:
    """Return what searches the segments of a dataset; shared by all sessions."""
    version = (
        store().passages.modified(dataset, encoder),
        store().features.modified(dataset, encoder),
        store().targets.modified(dataset),
    )
    return _passages(dataset, encoder, version)
