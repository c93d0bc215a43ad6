"""Which recordings of a dataset a conclusion is drawn without."""

from mess.errors import ArtifactError
from mess.records.left_out import LeftOut
from mess.storage.store import Store


def find_left_out(store: Store, dataset: str, encoder: str) -> LeftOut | None:
    """Return the recordings without features or targets, None if all have both.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    """
    failed: dict[str, str] = {}
    done: set[str] = set()
    for read in (
        lambda: store.features.manifest(dataset, encoder),
        lambda: store.targets.manifest(dataset),
    ):
        try:
            manifest = read()
        except ArtifactError:
            continue
        failed |= manifest.failed()
        done |= manifest.done().keys()
    return LeftOut.among(failed, done=len(done - failed.keys())) if failed else None
