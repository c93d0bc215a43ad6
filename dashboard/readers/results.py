"""What probing, evaluating and comparing found."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.readers.data import store
from mess.datasets import available_datasets
from mess.reports.encoder_comparison import with_rates
from mess.storage.paths import Level


@st.cache_data(max_entries=8, show_spinner=False)
def _discovery(dataset: str, encoder: str, level: Level, version: float) -> dict[str, Any]:
    return store().read_discovery(dataset, encoder, level=level)


def discovery(dataset: str, encoder: str, *, level: Level = "track") -> dict[str, Any]:
    """Return the record of a discovery; see `Store.read_discovery`."""
    return _discovery(dataset, encoder, level, store().discovery_time(dataset, encoder, level))


# A resource is shared, not copied: nobody changes it, and there may be a million predictions.
@st.cache_resource(max_entries=4, show_spinner=False)
def _predictions(dataset: str, encoder: str, level: Level, version: float) -> pd.DataFrame:
    return store().read_predictions(dataset, encoder, level=level)


def predictions(dataset: str, encoder: str, *, level: Level = "track") -> pd.DataFrame:
    """Return the out-of-fold predictions of a discovery."""
    return _predictions(dataset, encoder, level, store().discovery_time(dataset, encoder, level))


@st.cache_data(max_entries=8, show_spinner=False)
def _evaluation(dataset: str, encoder: str, version: float) -> dict[str, Any]:
    return store().read_evaluation(dataset, encoder)


def evaluation(dataset: str, encoder: str) -> dict[str, Any]:
    """Return how well search does what it says; see `Store.read_evaluation`."""
    return _evaluation(dataset, encoder, store().evaluation_time(dataset, encoder))


@st.cache_data(max_entries=4, show_spinner=False)
def _comparison(dataset: str, version: float) -> dict[str, Any]:
    return with_rates(store(), store().read_comparison(dataset))


def comparison(dataset: str) -> dict[str, Any]:
    """Return the encoders of a dataset beside each other; see `Store.read_comparison`."""
    return _comparison(dataset, store().comparison_time(dataset))


def reliability(dataset: str) -> dict[str, Any]:
    """Return how far the targets of a dataset are to be trusted."""
    return store().read_reliability(dataset)


def discoveries() -> list[tuple[str, str, Level]]:
    """Return dataset, encoder and level of every discovery that there is."""
    levels: tuple[Level, ...] = ("track", "segment")
    return [
        (dataset, encoder, level)
        for dataset in available_datasets(store().audio_dir(""))
        for encoder in store().encoders_of(dataset)
        for level in levels
        if store().discovery_time(dataset, encoder, level) > 0
    ]


def datasets_of(encoder: str) -> list[str]:
    """Return the datasets that have features by an encoder."""
    datasets = available_datasets(store().audio_dir(""))
    return [name for name in datasets if store().features_time(name, encoder) > 0]


def cross(encoder: str) -> dict[str, Any]:
    """Return how the probes of one dataset do on another."""
    return store().read_cross(encoder)
