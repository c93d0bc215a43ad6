"""The data root that this server shows."""

from mess.storage.store import Store


def store() -> Store:
    """Return the store that this server shows."""
    return Store()
