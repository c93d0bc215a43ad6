"""Why something that a page read is stale, if it is."""

import streamlit as st

from dashboard.readers.data import store
from mess.errors import ArtifactMissing
from mess.records.base import Origin
from mess.records.cross import CrossRecord
from mess.records.reliability import ReliabilityRecord
from mess.serving import shelf
from mess.status.staleness import (
    Conclusion,
    Source,
    Sources,
    attempt,
    judge,
    judge_comparison,
    judge_cross,
    judge_reliability,
)


class _Kept(Sources):
    """Sources whose features are read once for all kinds: many tracks take seconds."""

    def digest(self, name: Source) -> str | None:
        if name != "features":
            return super().digest(name)
        try:
            return shelf.features(self.store, self.dataset, self.encoder).digest
        except ArtifactMissing:
            return None


@st.cache_data(max_entries=32, show_spinner=False)
def _stale(
    kind: Conclusion, dataset: str, encoder: str, origin: Origin, version: tuple[object, ...]
) -> str:
    return str(judge(kind, origin, _Kept(store(), dataset, encoder)))


def stale(kind: Conclusion, dataset: str, encoder: str, origin: Origin) -> str:
    """Return why something that was read is stale, "" where it is not; see `judge`."""
    version = (
        store().features.modified(dataset, encoder),
        store().targets.modified(dataset),
        store().indices.modified(dataset, encoder),
        store().discoveries.modified(dataset, encoder, "track"),
        store().heads.digest(encoder),
    )
    return _stale(kind, dataset, encoder, origin, version)


@st.cache_data(max_entries=8, show_spinner=False)
def _stale_comparison(dataset: str, version: tuple[float, ...]) -> str:
    return str(judge_comparison(store(), dataset, store().comparisons.read(dataset)))


def stale_comparison(dataset: str) -> str:
    """Return why a comparison is stale, "" where it is not."""
    encoders = store().features.encoders(dataset)
    times = [store().discoveries.modified(dataset, encoder, "track") for encoder in encoders]
    return _stale_comparison(dataset, (store().comparisons.modified(dataset), *times))


def stale_reliability(dataset: str, record: ReliabilityRecord) -> str:
    """Return why a test of the targets is stale, "" where it is not."""
    return str(judge_reliability(record, attempt(lambda: store().targets.manifest(dataset))))


def stale_cross(encoder: str, record: CrossRecord) -> str:
    """Return why a cross table is stale, "" where it is not."""
    return str(judge_cross(store(), encoder, record))
