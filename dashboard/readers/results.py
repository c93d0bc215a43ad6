"""What probing, evaluating and comparing found."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.readers.data import store
from mess.datasets import available_datasets
from mess.records.comparison import ComparisonRecord
from mess.records.cross import CrossRecord
from mess.records.discovery import DiscoveryRecord, Level
from mess.records.evaluation import EvaluationRecord
from mess.records.factors import FactorsRecord
from mess.records.reliability import ReliabilityRecord
from mess.records.untangled import KINDS, Part, Untangled
from mess.reports.encoder_comparison import with_rates
from mess.search.repeats import Repeats, find_repeats
from mess.serving import shelf

if TYPE_CHECKING:
    import pandas as pd


def discovery(dataset: str, encoder: str, *, level: Level = "track") -> DiscoveryRecord:
    """Return the record of a discovery; see `DiscoveryFiles.read`. Nobody may change it."""
    return shelf.discovery(store(), dataset, encoder, level=level)


# A resource is shared, not copied: nobody changes it, and there may be a million predictions.
@st.cache_resource(max_entries=4, show_spinner=False)
def _predictions(dataset: str, encoder: str, level: Level, version: float) -> "pd.DataFrame":
    return store().discoveries.read_predictions(dataset, encoder, level=level)


def predictions(dataset: str, encoder: str, *, level: Level = "track") -> "pd.DataFrame":
    """Return the out-of-fold predictions of a discovery."""
    return _predictions(
        dataset, encoder, level, store().discoveries.modified(dataset, encoder, level)
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _evaluation(dataset: str, encoder: str, version: float) -> EvaluationRecord:
    return store().evaluations.read(dataset, encoder)


def evaluation(dataset: str, encoder: str) -> EvaluationRecord:
    """Return how well search does what it says; see `EvaluationFiles.read`."""
    return _evaluation(dataset, encoder, store().evaluations.modified(dataset, encoder))


@st.cache_data(max_entries=4, show_spinner=False)
def _repeats(dataset: str, encoder: str, version: float) -> Repeats:
    record = store().indices.read_record(dataset, encoder)
    return find_repeats(record.tracks, works=record.works, copies=record.copies)


def repeats(dataset: str, encoder: str) -> Repeats:
    """Return the copies of an index, and its works in several recordings."""
    return _repeats(dataset, encoder, store().indices.modified(dataset, encoder))


def factors(dataset: str, encoder: str) -> FactorsRecord:
    """Return which similarity follows which factor; see `FactorTableFiles.read`."""
    return store().factors.read(dataset, encoder)


@st.cache_data(max_entries=4, show_spinner=False)
def _comparison(dataset: str, version: float) -> ComparisonRecord:
    return with_rates(store(), store().comparisons.read(dataset))


def comparison(dataset: str) -> ComparisonRecord:
    """Return the encoders of a dataset beside each other; see `ComparisonFiles.read`."""
    return _comparison(dataset, store().comparisons.modified(dataset))


@st.cache_data(max_entries=8, show_spinner=False)
def _untangled(dataset: str, encoder: str, part: Part, version: float) -> Untangled:
    return store().untangled.read(dataset, encoder, KINDS[part])


def untangled(dataset: str, encoder: str, part: Part) -> Untangled:
    """Return an erasure, codelengths or confounds; see `UntangledFiles.read`."""
    return _untangled(dataset, encoder, part, store().untangled.modified(dataset, encoder, part))


def reliability(dataset: str) -> ReliabilityRecord:
    """Return how far the targets of a dataset are to be trusted."""
    return store().reliability.read(dataset)


def discoveries() -> list[tuple[str, str, Level]]:
    """Return dataset, encoder and level of every discovery that there is."""
    levels: tuple[Level, ...] = ("track", "segment")
    return [
        (dataset, encoder, level)
        for dataset in available_datasets(store().audio_dir(""))
        for encoder in store().features.encoders(dataset)
        for level in levels
        if store().discoveries.modified(dataset, encoder, level) > 0
    ]


def datasets_of(encoder: str) -> list[str]:
    """Return the datasets that have features by an encoder."""
    datasets = available_datasets(store().audio_dir(""))
    return [name for name in datasets if store().features.modified(name, encoder) > 0]


def cross(encoder: str) -> CrossRecord:
    """Return how the probes of one dataset do on another."""
    return store().cross_tables.read(encoder)
