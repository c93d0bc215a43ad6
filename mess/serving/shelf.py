"""What answers are made of, kept in memory until the files behind it change.

The API and the dashboard run in one process and share what is kept here. Whatever is returned is
shared by all requests: nobody may change it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from mess.datasets import available_datasets, is_dataset
from mess.errors import UnknownName
from mess.records.discovery import DiscoveryRecord, Level
from mess.records.features import FeaturesHeader
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.names import Names
from mess.search.passages.recommender import PassageRecommender
from mess.serving.tracks import TrackInfo, list_tracks, searchable
from mess.storage.garbage import without_collection
from mess.storage.held import may_wait
from mess.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Shelf(Generic[T]):
    """The last values of one kind, at most ``most`` of them; any thread may ask.

    Two threads that want the same value wait for one that makes it.

    Examples
    --------
    >>> shelf, made = Shelf(most=1), []
    >>> [shelf.get("a", version, lambda: made.append(1) or len(made)) for version in (1, 1, 2)]
    [1, 1, 2]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, tuple[Hashable, T]] = OrderedDict()
        self._lock = Lock()
        self._making: dict[Hashable, Lock] = {}

    def get(self, key: Hashable, version: Hashable, make: Callable[[], T]) -> T:
        """Return the value of ``key``, made anew if its version is another one.

        Raises
        ------
        NotHeld
            If it would be made where nobody may wait for it (`mess.storage.held`).
        """
        with self._lock:
            held = self._held.get(key)
            if held is not None and held[0] == version:
                self._held.move_to_end(key)
                return held[1]
            may_wait()
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                held = self._held.get(key)
                if held is not None and held[0] == version:
                    return held[1]
            try:
                value = make()
                with self._lock:
                    self._held[key] = version, value
                    self._held.move_to_end(key)
                    while len(self._held) > self._most:
                        self._held.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value


_recommenders: Shelf[LayerBasedRecommender] = Shelf(4)
_passages: Shelf[PassageRecommender] = Shelf(2)
_features: "Shelf[Featured]" = Shelf(8)
_names: Shelf[Names] = Shelf(4)
_encoders: Shelf[list[str]] = Shelf(64)
_discoveries: Shelf[DiscoveryRecord] = Shelf(8)
_targets: "Shelf[pd.DataFrame]" = Shelf(4)


def known_dataset(store: Store, name: str) -> str:
    """Return ``name`` if a dataset has it. No request reaches a dataset in another way.

    Raises
    ------
    UnknownName
        If no dataset has this name: it may be a path, empty, or very long.
    """
    root = store.audio_dir("")
    if not is_dataset(root, name):
        raise UnknownName("dataset", name, available_datasets(root))
    return name


def known_encoder(store: Store, dataset: str, name: str) -> str:
    """Return ``name`` if a known dataset has features by this encoder.

    Raises
    ------
    UnknownName
        If it has none.
    """
    names = encoders(store, known_dataset(store, dataset))
    if name not in names:
        raise UnknownName("encoder", name, names)
    return name


def which(store: Store, *, dataset: str = "", encoder: str = "") -> tuple[str, str]:
    """Return the dataset and the encoder that are meant; see `IndexFiles.newest`.

    Raises
    ------
    UnknownName
        If there is no such dataset, or no dataset has features by this encoder.
    ArtifactMissing
        If one of both is left to the newest index, and there is none.
    """
    if dataset and encoder:
        return dataset, known_encoder(store, dataset, encoder)
    if dataset:
        known_dataset(store, dataset)
    elif encoder:
        datasets = available_datasets(store.audio_dir(""))
        names = {name for one in datasets for name in encoders(store, one)}
        if encoder not in names:
            raise UnknownName("encoder", encoder, names)
    return store.indices.newest(dataset or None, encoder or None)


def encoders(store: Store, dataset: str) -> list[str]:
    """Return the encoders by which a dataset has features."""
    version = store.features.modified_by_folder(dataset)
    return _encoders.get((store.root, dataset), version, lambda: store.features.encoders(dataset))


def recommender(store: Store, dataset: str, encoder: str) -> LayerBasedRecommender:
    """Return the recommender of an index."""
    version = (
        store.indices.modified(dataset, encoder),
        store.discoveries.modified(dataset, encoder, "track"),
        store.features.modified(dataset, encoder),
        store.evaluations.modified(dataset, encoder),
        store.factors.modified(dataset, encoder),
    )
    return _recommenders.get(
        (store.root, dataset, encoder),
        version,
        lambda: LayerBasedRecommender(dataset, encoder, store=store),
    )


def passages(store: Store, dataset: str, encoder: str) -> PassageRecommender:
    """Return what searches the segments of a dataset."""
    version = (
        store.passages.modified(dataset, encoder),
        store.features.modified(dataset, encoder),
        store.targets.modified(dataset),
    )
    return _passages.get(
        (store.root, dataset, encoder),
        version,
        lambda: PassageRecommender(dataset, encoder, store=store),
    )


@dataclass(frozen=True)
class Featured:
    """What pages and programs ask of the features of a dataset by an encoder.

    Their manifest is read once for all of it, and not held: of 50,000 tracks it is large.

    Attributes
    ----------
    header : FeaturesHeader
    digest : str
        By which conclusions name them.
    tracks : dict of str to TrackInfo
    """

    header: FeaturesHeader
    digest: str
    tracks: dict[str, TrackInfo]


def features(store: Store, dataset: str, encoder: str) -> Featured:
    """Return what is known of the features of a dataset.

    Raises
    ------
    ArtifactError
        If they are missing or damaged.
    """

    def read() -> Featured:
        with without_collection():
            manifest = store.features.manifest(dataset, encoder)
            found = list_tracks(manifest, store.audio_dir(dataset))
            return Featured(manifest.header, manifest.digest(), found)

    version = store.features.modified(dataset, encoder)
    return _features.get((store.root, dataset, encoder), version, read)


def tracks(store: Store, dataset: str, encoder: str) -> dict[str, TrackInfo]:
    """Return every track that has features, by id."""
    return features(store, dataset, encoder).tracks


def names(store: Store, dataset: str, encoder: str) -> Names:
    """Return the names of every track that has features, made ready to be searched."""
    return _names.get(
        (store.root, dataset, encoder),
        store.features.modified(dataset, encoder),
        lambda: searchable(tracks(store, dataset, encoder)),
    )


def discovery(store: Store, dataset: str, encoder: str, *, level: Level) -> DiscoveryRecord:
    """Return the record of a discovery."""
    return _discoveries.get(
        (store.root, dataset, encoder, level),
        store.discoveries.modified(dataset, encoder, level),
        lambda: store.discoveries.read(dataset, encoder, level=level),
    )


def targets(store: Store, dataset: str, *, level: Level) -> "pd.DataFrame":
    """Return the targets of a dataset; see `TargetFiles.read`."""
    return _targets.get(
        (store.root, dataset, level),
        store.targets.modified(dataset),
        lambda: store.targets.read(dataset, level=level),
    )
