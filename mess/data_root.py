"""The data root: the folder of all data, ``data`` or what ``MESS_DATA`` names."""

import os
from pathlib import Path


def data_root() -> Path:
    """Return the root folder of all data; it need not exist.

    >>> data_root().name  # doctest: +SKIP
    'data'
    """
    return Path(os.environ.get("MESS_DATA") or "data").expanduser()
