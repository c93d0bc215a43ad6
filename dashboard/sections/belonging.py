"""Add an upload to a dataset, and run the usual pipelines over it."""

import os
import re

import streamlit as st

from dashboard import readers
from dashboard.components.text import plain
from dashboard.sidebar import start
from mess.datasets import KNOWN, available_datasets
from mess.errors import MessError
from mess.probing.folds import MIN_WORKS
from mess.storage.store import Store
from mess.storage.uploads import Upload, safe_name

_NEW = "my-recordings"


def offer_belonging(upload: Upload, *, encoder: str) -> None:
    """Draw the form that adds a file to a folder of recordings."""
    with st.expander("Add it to a dataset"):
        st.caption(
            "The file is copied into a folder of recordings, where it stays, and is extracted, "
            "measured and indexed with the others there."
        )
        dataset = st.selectbox(
            "Dataset", _folders(readers.store()), accept_new_options=True, key="upload-dataset"
        )
        title = st.text_input(
            "Name", safe_name(upload.name), max_chars=80, key=f"upload-title-{upload.token}"
        )
        if st.button("Add", key="upload-add"):
            try:
                name = dataset_name(dataset or "")
                count = add_to_dataset(readers.store(), upload, dataset=name, title=title)
            except MessError as error:
                st.warning(plain(readers.told(error)))
                return
            readers.store().uploads.forget(upload.token)
            st.session_state["upload_note"] = _note(name, count)
            start(name, _command(name, encoder, count))


def add_to_dataset(store: Store, upload: Upload, *, dataset: str, title: str) -> int:
    """Copy a file into a folder of recordings; return the number of recordings in it.

    Raises
    ------
    MessError
        If the dataset is no plain folder of this data root, or the name is taken.
    """
    folder = store.audio_dir(dataset)
    if dataset in KNOWN or folder.is_symlink():
        raise MessError(f"{dataset}: its recordings belong to others; choose another dataset")
    path = folder / f"{safe_name(title)}{upload.path.suffix}"
    if path.exists():
        raise MessError(f"{path.stem}: there is one of this name in {dataset}; choose another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store.uploads.give(upload.token, path)
    except OSError as error:
        raise MessError(f"{folder}: cannot be written ({error.strerror}); make room") from None
    return sum(1 for entry in os.scandir(folder) if entry.is_file())


def dataset_name(text: str) -> str:
    """Return a text as the name of a dataset.

    >>> dataset_name("../My Études!")
    'My-tudes'
    """
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", re.sub(r"[^\x20-\x7e]", "", text))
    return kept.strip("-._")[:60] or _NEW


def _folders(store: Store) -> list[str]:
    found = [
        name
        for name in available_datasets(store.audio_dir(""))
        if name not in KNOWN
        and store.audio_dir(name).is_dir()
        and not store.audio_dir(name).is_symlink()
    ]
    return found or [_NEW]


def _command(dataset: str, encoder: str, count: int) -> list[str]:
    step = "run-all" if count >= 2 * MIN_WORKS else "extract"
    return [step, "--dataset", dataset, "--encoder", encoder]


def _note(dataset: str, count: int) -> str:
    has = f"Added to {dataset}, which has {count} recording{'s' if count > 1 else ''} now"
    if count >= 2 * MIN_WORKS:
        return f"{has}; its pipelines run."
    return (
        f"{has}. From {2 * MIN_WORKS} on they can "
        "be probed and searched; until then they are extracted only."
    )
