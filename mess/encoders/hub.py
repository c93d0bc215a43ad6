"""Models of the Hugging Face hub: read from the local cache, or downloaded.

Only data is downloaded: the two configuration files and the weights.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mess.encoders.checkpoint import (
    WEIGHTS,
    Checkpoint,
    architecture_of,
    first_line,
    read_object,
)
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

_TIMEOUT = 5.0  # seconds
_FOLDER = "--encoder /path/to/folder (config.json and the weights)"


def fetch(hub_id: str, *, revision: str = "", sample_rate: int | None = None) -> Checkpoint:
    """Return a model of the hub.

    Parameters
    ----------
    hub_id : str
        ``organisation/model``.
    revision : str
        Commit; "" means the default branch, or the cached version of it.
    sample_rate : int, optional
        Hz; used if the files of the model do not state it.

    Raises
    ------
    MessError
        If the hub does not answer within seconds, or does not have the model.
    """
    with _errors_for_people(hub_id, revision):
        config = _get(hub_id, "config.json", revision)
        if config is None:
            raise MessError(f"{hub_id}: the hub's model has no config.json; choose another model")
        commit = config.parent.name  # the cache keeps a folder per commit
        preprocessor = _get(hub_id, "preprocessor_config.json", commit)
        architecture = architecture_of(
            read_object(config),
            read_object(preprocessor) if preprocessor else {},
            source=f"{hub_id} (config.json)",
            sample_rate=sample_rate,
        )
        # Cached weights in either format are used before a download is tried.
        cached = (_cached(hub_id, name, commit)[0] for name in WEIGHTS)
        weights = next((path for path in cached if path), None)
        for name in WEIGHTS:
            weights = weights or _get(hub_id, name, commit)
    if weights is None:
        raise MessError(f"{hub_id}: has neither {' nor '.join(WEIGHTS)}; choose another model")
    return Checkpoint(architecture, weights, commit)


def in_cache(hub_id: str, *, revision: str = "") -> bool:
    """Tell whether `fetch` would find a model without asking the hub."""
    try:
        config, _ = _cached(hub_id, "config.json", revision)
        return config is not None and any(
            _cached(hub_id, name, config.parent.name)[0] for name in WEIGHTS
        )
    except MissingDependency:
        return False


@dataclass(frozen=True)
class HubFile:
    """One file of a model of the hub, and its place in the local cache.

    ``checksum`` is what the hub states: a sha256 (64 digits) or git's hash of a blob (40 digits).
    """

    name: str
    url: str
    size: int
    checksum: str
    path: Path


@dataclass(frozen=True)
class HubModel:
    """The files that `fetch` needs of a model, and the notes that the cache keeps beside them.

    Attributes
    ----------
    commit : str
    files : tuple of HubFile
        Both configuration files, as far as there are two, and the weights last.
    absent : tuple of Path
        Where the cache notes that a model has no file of a name.
    reference : Path
        Where the cache notes the commit of the default branch.
    """

    commit: str
    files: tuple[HubFile, ...]
    absent: tuple[Path, ...]
    reference: Path


def describe(hub_id: str, *, revision: str = "") -> HubModel:
    """Ask the hub for the files of a model; download none.

    Raises
    ------
    MessError
        As `fetch` does.
    """
    with _errors_for_people(hub_id, revision):
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        _require_hub(hub_id)
        config = _ask(hub_id, "config.json", revision or "main")
        if config is None:
            raise MessError(f"{hub_id}: the hub's model has no config.json; choose another model")
        commit = config.commit_hash or revision
        folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=hub_id, repo_type="model")
        found, absent = [], []
        for name in ("config.json", "preprocessor_config.json", *WEIGHTS):
            about = _ask(hub_id, name, commit)
            if about is None or about.size is None or about.etag is None:
                absent.append(folder / ".no_exist" / commit / name)
                continue
            place = folder / "snapshots" / commit / name
            url = _address(hub_id, name, commit)
            found.append(HubFile(name, url, about.size, about.etag, place))
            if name in WEIGHTS:
                break
    if found[-1].name not in WEIGHTS:
        raise MessError(f"{hub_id}: has neither {' nor '.join(WEIGHTS)}; choose another model")
    return HubModel(commit, tuple(found), tuple(absent), folder / "refs" / "main")


def _ask(hub_id: str, name: str, revision: str) -> "HfFileMetadata | None":
    """Return what the hub states about a file, None if the model has no file of this name."""
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return get_hf_file_metadata(_address(hub_id, name, revision), timeout=_TIMEOUT)
    except EntryNotFoundError:
        return None


def _address(hub_id: str, name: str, revision: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{hub_id}/resolve/{revision}/{name}"


def _get(hub_id: str, name: str, revision: str) -> Path | None:
    """Return a file of a model, None if the model has no file of this name."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    path, known_absent = _cached(hub_id, name, revision)
    if path is not None or known_absent:
        return path
    # Without a connection, the client of the hub retries for 20 s and more: test it first.
    _require_hub(hub_id)
    try:
        downloaded = hf_hub_download(hub_id, name, revision=revision or None, etag_timeout=_TIMEOUT)
    except LocalEntryNotFoundError:  # the connection was lost meanwhile
        raise _out_of_reach(hub_id) from None
    except EntryNotFoundError:
        return None
    return Path(downloaded)


def _cached(hub_id: str, name: str, revision: str) -> tuple[Path | None, bool]:
    """Return a cached file, and whether the hub is known to have no file of this name."""
    try:
        from huggingface_hub import constants, try_to_load_from_cache
    except ImportError:
        raise MissingDependency("huggingface_hub", "ml") from None

    cached = try_to_load_from_cache(
        hub_id, name, revision=revision or None, cache_dir=constants.HF_HUB_CACHE
    )
    return (Path(cached), False) if isinstance(cached, str) else (None, cached is not None)


def _require_hub(hub_id: str) -> None:
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise _out_of_reach(hub_id)
    head: Callable[..., object] = get_session().head
    try:
        head(constants.ENDPOINT, timeout=_TIMEOUT)
    except Exception:  # the kind of error depends on the HTTP client of the hub's package
        raise _out_of_reach(hub_id) from None


@contextmanager
def _errors_for_people(hub_id: str, revision: str) -> Iterator[None]:
    try:
        from huggingface_hub.errors import (
            GatedRepoError,
            HFValidationError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    except ImportError:
        raise MissingDependency("huggingface_hub", "ml") from None
    try:
        yield
    except GatedRepoError:
        raise MessError(
            f"{hub_id}: its authors ask for consent; accept on the hub and run `hf auth login`"
        ) from None
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError):
        at = f" at {revision}" if revision else ""
        raise MessError(
            f"{hub_id}: the hub has no such public model{at}; check the name, or give a folder: "
            f"{_FOLDER}"
        ) from None
    except (
        OSError
    ) as error:  # an error of the disk or of the connection: HTTP errors of the hub are OSErrors
        raise MessError(
            f"{hub_id}: the download failed ({first_line(error)}); try again, or give a folder: "
            f"{_FOLDER}"
        ) from None


def _out_of_reach(hub_id: str) -> MessError:
    return MessError(
        f"{hub_id}: is not in the local cache and the Hugging Face hub is out of reach; "
        f"download it elsewhere and give its folder: {_FOLDER}; --encoder spectral needs no weights"
    )
