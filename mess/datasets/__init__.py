"""Datasets: what recordings there are, of which works, and where they lie.

``demo``, ``smd`` and ``maestro`` are read as their authors lay them out; any other folder below
``data/audio`` is a dataset under its own name.

Examples
--------
>>> from mess.datasets import load_dataset
>>> demo = load_dataset("demo", root="data/audio/demo")          # doctest: +SKIP
>>> demo.tracks[0].composer                                      # doctest: +SKIP
'Bach'
"""

import re
from pathlib import Path

from mess.datasets.base import Dataset, Track
from mess.datasets.demo import load_demo
from mess.datasets.folder import load_folder
from mess.datasets.maestro import load_maestro
from mess.datasets.smd import load_smd
from mess.errors import MessError, UnknownName

__all__ = ["KNOWN", "Dataset", "Track", "available_datasets", "load_dataset"]

KNOWN = {"demo": load_demo, "smd": load_smd, "maestro": load_maestro}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def load_dataset(name: str, *, root: str | Path) -> Dataset:
    """Read the dataset ``name`` whose recordings lie in ``root``.

    Raises
    ------
    UnknownName
        If the name is none of the known datasets and ``root`` is no folder.
    ArtifactError
        If its recordings are missing; the message says where they belong.
    """
    root = Path(root)
    if not _NAME.fullmatch(name):
        raise MessError(f"{name!r} is no dataset name: use letters, digits, '.', '_' and '-'")
    if name in KNOWN:
        return KNOWN[name](root)
    if not root.is_dir() and name != "folder":
        raise UnknownName("dataset", name, available_datasets(root.parent))
    return load_folder(root, name=name)


def available_datasets(audio_root: str | Path) -> list[str]:
    """Return the known datasets and every folder below ``audio_root``."""
    audio_root = Path(audio_root)
    folders = [path.name for path in sorted(audio_root.glob("*")) if path.is_dir()]
    return list(dict.fromkeys([*KNOWN, "folder", *folders]))
