"""The import of librosa, by one process at a time.

librosa compiles functions with numba while it is imported, and numba keeps them in files beside the
package. Two processes that compile at the same time leave files that do not fit together; from then
on every process that calls such a function dies of a segmentation fault (numba, issue 10128).
"""

import fcntl
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# The modules of librosa in use that compile at import.
_COMPILING = ("librosa.util", "librosa.core.audio", "librosa.core.pitch")


def librosa_file() -> Path:
    """Return the file of librosa whose lock an import holds, without importing it."""
    spec = find_spec("librosa")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'librosa'", name="librosa")
    return Path(spec.origin)


@cache
def import_librosa() -> Any:
    """Import librosa while no other process imports it from the same place.

    The first import on a machine compiles for some 15 s, and other processes wait. Later imports
    read what it left. On a file system without locks nobody waits.

    Returns
    -------
    module
        `librosa`; its submodules are imported on their first use.

    Examples
    --------
    >>> librosa = import_librosa()
    >>> float(librosa.hz_to_midi(440))
    69.0
    """
    with librosa_file().open("rb") as package:
        with suppress(OSError):
            fcntl.flock(package, fcntl.LOCK_EX)
        for name in _COMPILING:
            import_module(name)
    return import_module("librosa")
