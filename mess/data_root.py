"""The data root: the folder of all data, ``data`` or what ``MESS_DATA`` names.

If ``MESS_DATA`` is an address (``s3://bucket/prefix``), the root is a folder of this machine, the
*mirror* of the address: ``MESS_MIRROR``, or one for each address below ``~/.cache/mess``. What lies
at the address, and what in the mirror alone, says `mess.storage.mirrors`.
"""

import os
from pathlib import Path
from urllib.parse import quote


def data_root() -> Path:
    """Return the root folder of all data; it need not exist.

    Examples
    --------
    >>> isinstance(data_root(), Path)
    True
    """
    named = os.environ.get("MESS_DATA") or "data"
    if named.startswith("file://"):
        return Path(named.removeprefix("file://"))
    return mirror_folder(named) if "://" in named else Path(named).expanduser()


def mirror_folder(address: str) -> Path:
    """Return the folder of this machine through which the artifacts at an address are read.

    >>> mirror_folder("s3://bucket/mess").name
    's3%3A%2F%2Fbucket%2Fmess'
    """
    named = os.environ.get("MESS_MIRROR")
    if named:
        return Path(named).expanduser()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return caches / "mess" / quote(address.rstrip("/"), safe="")
