"""Which recordings of a dataset a conclusion is drawn without."""

from collections.abc import Callable
from typing import TypeVar

from mess.errors import ArtifactError
from mess.records.left_out import LeftOut
from mess.storage.paths import command_for
from mess.storage.store import Store

M = TypeVar("M")


def find_left_out(
    store: Store, dataset: str, encoder: str, *, targets: bool = True
) -> LeftOut | None:
    """Return the recordings without features or targets, None if all have both.

    A recording is known if its features or its targets were tried. One that was tried in neither
    is not looked for here: `mess status` counts those.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    targets : bool
        Whether the conclusion needs targets; without, features alone are looked at.
    """
    features = _try(lambda: store.features.manifest(dataset, encoder))
    measured = _try(lambda: store.targets.manifest(dataset))
    failed: dict[str, str] = {}
    for manifest in (features, measured if targets else None):
        failed |= manifest.failed() if manifest else {}
    featured = features.done().keys() if features else set()
    known = measured.done().keys() if measured else set()
    lacking = [("features", known - featured, command_for("extract", dataset, encoder))]
    if targets:
        lacking.append(("targets", featured - known, command_for("targets", dataset)))
    for what, tracks, command in lacking:
        for track in sorted(tracks - failed.keys()):
            failed[track] = f"{track}: has no {what} yet: run `{command}`"
    used = featured & known if targets else featured
    return LeftOut.among(failed, done=len(used - failed.keys())) if failed else None


def _try(read: Callable[[], M]) -> M | None:
    try:
        return read()
    except ArtifactError:
        return None
