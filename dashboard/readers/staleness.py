"""Why something that a page read is stale, if it is."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.readers.data import store
from mess.status.staleness import (
    Conclusion,
    Sources,
    attempt,
    judge,
    judge_comparison,
    judge_cross,
    judge_reliability,
)


@st.cache_data(max_entries=32, show_spinner=False)
def _stale(
    kind: Conclusion, dataset: str, encoder: str, made_from: str, version: tuple[float, ...]
) -> str:
    return str(judge(kind, json.loads(made_from), Sources(store(), dataset, encoder)))


def stale(kind: Conclusion, dataset: str, encoder: str, record: Mapping[str, Any]) -> str:
    """Return why something that was read is stale, "" where it is not; see `judge`."""
    names = ("code_version", "features", "targets", "index", "discovery", "inputs")
    made_from = {name: record[name] for name in names if name in record}
    version = (
        store().features.modified(dataset, encoder),
        store().targets.modified(dataset),
        store().indices.modified(dataset, encoder),
        store().discoveries.modified(dataset, encoder, "track"),
    )
    return _stale(kind, dataset, encoder, json.dumps(made_from, sort_keys=True), version)


@st.cache_data(max_entries=8, show_spinner=False)
def _stale_comparison(dataset: str, version: tuple[float, ...]) -> str:
    return str(judge_comparison(store(), dataset, store().comparisons.read(dataset)))


def stale_comparison(dataset: str) -> str:
    """Return why a comparison is stale, "" where it is not."""
    encoders = store().features.encoders(dataset)
    times = [store().discoveries.modified(dataset, encoder, "track") for encoder in encoders]
    return _stale_comparison(dataset, (store().comparisons.modified(dataset), *times))


def stale_reliability(dataset: str, record: Mapping[str, Any]) -> str:
    """Return why a test of the targets is stale, "" where it is not."""
    return str(judge_reliability(record, attempt(lambda: store().targets.manifest(dataset))))


def stale_cross(encoder: str, record: Mapping[str, Any]) -> str:
    """Return why a cross table is stale, "" where it is not."""
    return str(judge_cross(store(), encoder, record))
