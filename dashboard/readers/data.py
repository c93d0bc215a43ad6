"""The data root that this server shows."""

from mess.data_root import data_root
from mess.errors import without_places
from mess.storage.store import Store


def store() -> Store:
    """Return the store that this server shows."""
    return Store()


def told(error: object) -> str:
    """Return a message for a page: without the places of files on the server."""
    return without_places(str(error), data_root())
