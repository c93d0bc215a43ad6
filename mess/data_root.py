"""The data root: the folder of all data, ``data`` or what ``MESS_DATA`` names."""

import os
from pathlib import Path


def data_root() -> Path:
    """Return the root folder of all data; it need not exist.

    Examples
    --------
    >>> isinstance(data_root(), Path)
    True
    """
    return Path(os.environ.get("MESS_DATA") or "data").expanduser()
