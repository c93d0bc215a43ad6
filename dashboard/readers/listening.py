"""What listeners are asked, and what their answers say."""

import streamlit as st

from dashboard.readers.data import store
from mess.listening.agreement import ListeningResult, analyse
from mess.records.listening import ListeningPlan

_DRAWS = 1000


# A plan never changes: its id is its digest.
@st.cache_resource(max_entries=8, show_spinner=False)
def _plan(root: str, plan: str) -> ListeningPlan | None:
    return store().listening.plan(plan)


def listening_plan(plan: str) -> ListeningPlan | None:
    """Return a plan by its id, None if there is none. Nobody may change it."""
    return _plan(str(store().root), plan)


@st.cache_resource(max_entries=8, show_spinner=False)
def _newest(dataset: str, encoder: str, version: tuple[object, ...]) -> ListeningPlan | None:
    return next(iter(store().listening.plans(dataset, encoder)), None)


def newest_plan(dataset: str, encoder: str) -> ListeningPlan | None:
    """Return the newest plan of a dataset and an encoder, None if there is none."""
    return _newest(dataset, encoder, _version())


@st.cache_data(max_entries=8, show_spinner=False)
def _result(dataset: str, encoder: str, version: tuple[object, ...]) -> ListeningResult | None:
    answers = store().listening.answers(dataset, encoder)
    if not answers:
        return None
    return analyse(answers, dataset=dataset, encoder=encoder, draws=_DRAWS)


def listening_result(dataset: str, encoder: str) -> ListeningResult | None:
    """Return what the answers about a dataset and an encoder say, None where there are none."""
    return _result(dataset, encoder, _version())


@st.cache_resource(max_entries=4, show_spinner=False)
def _track_hashes(dataset: str, encoder: str, version: float) -> dict[str, str]:
    done = store().features.manifest(dataset, encoder).done()
    return {track: entry.sha256 for track, entry in done.items()}


def track_hashes(dataset: str, encoder: str) -> dict[str, str]:
    """Return the hash of the file of every track that has features, by id."""
    return _track_hashes(dataset, encoder, store().features.modified(dataset, encoder))


def _version() -> tuple[object, ...]:
    return str(store().root), store().listening.modified()
