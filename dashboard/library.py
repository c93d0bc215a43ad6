"""The datasets, encoders and steps that exist, cached until their files change."""

import streamlit as st

from dashboard.jobs import queue as jobs
from dashboard.readers import store
from mess.datasets import Dataset, available_datasets
from mess.encoders import PRESETS, by_interest
from mess.errors import UnknownName
from mess.serving import shelf
from mess.status.inventory import Inventory, find_recordings, take_inventory
from mess.status.steps import StepStatus, survey, survey_targets
from mess.storage.files import modified

_SECONDS = 20  # after which the recordings are listed again

Version = tuple[float, ...]


def known_dataset(name: str) -> str:
    """Return ``name`` if a dataset has it. No address reaches a dataset in another way.

    Raises
    ------
    UnknownName
        If no dataset has this name: it may be a path, empty, or very long.
    """
    return shelf.known_dataset(store(), name)


def known_encoder(dataset: str, name: str) -> str:
    """Return ``name`` if it is a preset, or an encoder that a dataset has features by.

    Raises
    ------
    UnknownName
        If the dataset, or the encoder, does not exist.
    """
    names = [*encoders(known_dataset(dataset)), *PRESETS]
    if name not in names:
        raise UnknownName("encoder", name, names)
    return name


def encoders(dataset: str) -> list[str]:
    """Return the encoders by which a dataset has features."""
    return shelf.encoders(store(), dataset)


def with_features() -> list[str]:
    """Return the datasets that have features."""
    return [name for name in available_datasets(store().audio_dir("")) if encoders(name)]


def is_empty() -> bool:
    """Tell whether there is nothing to show; an unfinished demo library counts as nothing."""
    datasets = available_datasets(store().audio_dir(""))
    return not any(
        encoders(name) or (name != "demo" and store().audio_dir(name).is_dir()) for name in datasets
    )


def first_dataset() -> str:
    """Return the dataset that a first visit shows: one that has an index, or recordings."""
    datasets = available_datasets(store().audio_dir(""))
    for dataset, _ in store().indices.available():
        if dataset in datasets:
            return dataset
    with_audio = (name for name in datasets if store().audio_dir(name).is_dir())
    return next(with_audio, "demo")


def first_encoder(dataset: str) -> str:
    """Return the encoder that a first visit shows: the most interesting one that is complete."""
    known = by_interest(encoders(dataset))
    if not known:
        return usual_encoder(dataset)
    indexed = {encoder for name, encoder in store().indices.available() if name == dataset}
    return next((name for name in known if name in indexed), known[0])


def usual_encoder(dataset: str) -> str:
    """Return the encoder that `mess run-all` uses for a dataset without features."""
    return "spectral" if dataset == "demo" else "mert-v1-95m"


def recordings(dataset: str) -> Dataset | None:
    """Return the recordings of a dataset, None where they are not on this machine."""
    return _recordings(dataset, jobs.stamp(store()))


def inventory(dataset: str, encoder: str) -> Inventory:
    """Return the inventory of a dataset by an encoder."""
    return _inventory(dataset, encoder, _version(dataset, encoder))


def statuses(dataset: str, encoder: str) -> list[StepStatus]:
    """Return the status of every step. No step needs the last one, the test of the targets."""
    return _statuses(dataset, encoder, _version(dataset, encoder))


def _version(dataset: str, encoder: str) -> Version:
    paths = store().artifact_paths(dataset, encoder).values()
    times = [modified(path) for group in paths for path in group]
    index = store().indices.modified(dataset, encoder)
    return (*times, index, modified(store().audio_dir(dataset)), float(jobs.stamp(store())))


@st.cache_resource(max_entries=16, ttl=_SECONDS, show_spinner=False)
def _recordings(dataset: str, version: int) -> Dataset | None:
    return find_recordings(store(), dataset)


@st.cache_data(max_entries=64, show_spinner=False)
def _inventory(dataset: str, encoder: str, version: Version) -> Inventory:
    return take_inventory(store(), dataset, encoder, recordings=recordings(dataset))


@st.cache_data(max_entries=64, ttl=_SECONDS, show_spinner=False)
def _statuses(dataset: str, encoder: str, version: Version) -> list[StepStatus]:
    found = survey(store(), dataset, encoder, recordings=recordings(dataset))
    return [*found, survey_targets(store(), dataset)]
