"""Repair what is damaged and not a step of `mess run-all`: maps, comparisons, cross tables, tests.

Stale artifacts are left as they are. Making them again may take long, and their pages offer it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale, MessError
from mess.records.discovery import ProbeSettings
from mess.records.untangled import KINDS
from mess.storage.store import Store
from pipelines.check_targets import check_targets
from pipelines.compare_encoders import compare_dataset
from pipelines.cross_datasets import cross_datasets
from pipelines.make_map import make_map
from pipelines.run_probing import run_probing
from pipelines.untangle import untangle


def mend_damaged(store: Store, dataset: str, encoder: str, *, tracking: bool) -> Iterator[str]:
    """Make every damaged artifact again; yield a line for each.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    tracking : bool
        Whether probes and comparisons are recorded in MLflow.
    """
    if _is_damaged(lambda: _read_segments(store, dataset, encoder)):
        settings = ProbeSettings(level="segment")
        run_probing(
            dataset=dataset, encoder=encoder, settings=settings, store=store, tracking=tracking
        )
        yield "the discovery on segments was damaged and is made anew"
    for layer, method, level in store.maps.available(dataset, encoder):
        place: dict[str, Any] = {"layer": layer, "method": method, "level": level}
        if _is_damaged(partial(store.maps.read, dataset, encoder, **place), begun=True):
            place |= _map_settings(store, dataset, encoder, **place)
            make_map(dataset=dataset, encoder=encoder, store=store, force=True, **place)
            yield f"the map of layer {layer} by {method} was damaged and is made anew"
    if _is_damaged(lambda: store.reliability.read(dataset)):
        check_targets(dataset=dataset, store=store)
        yield "the test of the targets was damaged and is made anew"
    if _is_damaged(lambda: store.comparisons.read(dataset)):
        compare_dataset(dataset=dataset, store=store, tracking=tracking)
        yield "the comparison of encoders was damaged and is made anew"
    for part, kind in KINDS.items():
        if _is_damaged(partial(store.untangled.read, dataset, encoder, kind)):
            untangle(dataset=dataset, encoder=encoder, what=[part], store=store, tracking=tracking)
            yield f"the record of {part} was damaged and is made anew"
    if _is_damaged(lambda: store.cross_tables.read(encoder)):
        datasets = store.features.datasets(encoder)
        try:
            cross_datasets(encoder=encoder, datasets=datasets, store=store)
            yield f"the cross table of {', '.join(datasets)} was damaged and is made anew"
        except MessError as error:  # another dataset lacks its features or targets
            yield f"the cross table is damaged and cannot be made: {error}"


def _read_segments(store: Store, dataset: str, encoder: str) -> None:
    record = store.discoveries.read(dataset, encoder, level="segment")
    lacking = store.discoveries.missing(dataset, encoder, record, whole=True)
    if lacking:
        raise ArtifactError(lacking[0], "is damaged", "")


def _map_settings(store: Store, dataset: str, encoder: str, **place: Any) -> dict[str, int]:
    """Return the settings of a map, as far as its damaged record still tells them."""
    try:
        record = store.maps.read_record(dataset, encoder, **place)
    except ArtifactError:
        return {}
    return {"clusters": record.clusters, "seed": record.seed}


def _is_damaged(read: Callable[[], object], *, begun: bool = False) -> bool:
    """Tell whether an artifact is damaged: it cannot be read, or only a part of it exists."""
    try:
        read()
    except ArtifactStale:
        return False
    except ArtifactMissing:
        return begun
    except ArtifactError:
        return True
    return False
