"""Datasets: the recordings of a collection, the work of each, and the path of each file.

``demo``, ``smd``, ``maestro``, ``percepiano`` and ``syntheory`` are read in the layout of their
authors. Any other folder below
``data/audio`` is a dataset under its own name. Other packages may
bring more datasets (`mess.plugins`). Files that are skipped are listed in a dataset's
``notes``.

Examples
--------
>>> from mess import load_dataset
>>> demo = load_dataset("demo")  # made by `mess run-all --dataset demo`
>>> demo.tracks[0].composer
'Johann Sebastian Bach'
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from mess.audio.addresses import Address, as_path, linked_address
from mess.audio.decoding import AUDIO_SUFFIXES
from mess.datasets.base import Dataset, Track
from mess.datasets.demo import load_demo
from mess.datasets.folder import load_folder
from mess.datasets.listing import PassedOver
from mess.datasets.maestro import load_maestro
from mess.datasets.percepiano import load_percepiano
from mess.datasets.smd import load_smd
from mess.datasets.syntheory import load_syntheory
from mess.errors import MessError, UnknownName
from mess.plugins import registry, told
from mess.storage.features import datasets_elsewhere
from mess.storage.paths import audio_dir, usable_root

__all__ = [
    "BUILT_IN",
    "KNOWN",
    "Dataset",
    "Track",
    "available_datasets",
    "is_dataset",
    "load_dataset",
    "stray_names",
]

Loader = Callable[[Path], Dataset]
BUILT_IN: Mapping[str, Loader] = {
    "demo": load_demo,
    "smd": load_smd,
    "maestro": load_maestro,
    "percepiano": load_percepiano,
    "syntheory": load_syntheory,
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LONGEST = 255  # letters that a file system lets a name have


def _accept(name: str, package: str, offered: object) -> Loader:
    """Return the loader that a package offers, or raise why it cannot be used."""
    if not callable(offered):
        raise TypeError(f"it is a {type(offered).__name__}, not a function of a folder")
    if not _NAME.fullmatch(name) or name == "folder":
        raise ValueError("a name has letters, digits, '.', '_' and '-', and is not 'folder'")

    def load(root: Path) -> Dataset:
        source = f"plug-in {package}: dataset {name!r}"
        try:
            found = offered(root)
        except MessError:
            raise
        except Exception as error:  # whatever foreign code does
            raise MessError(
                f"{source} cannot be read ({told(error)}); mend or uninstall the package"
            ) from error
        if not isinstance(found, Dataset) or found.name != name:
            raise MessError(f"{source} is no mess.datasets.Dataset of this name; mend the package")
        return found

    return load


KNOWN: Mapping[str, Loader] = registry(
    BUILT_IN, kind="dataset", group="mess.datasets", accept=_accept
)


def load_dataset(name: str, *, root: str | Path | None = None) -> Dataset:
    """Read the dataset ``name``.

    Parameters
    ----------
    name : str
    root : str or Path, optional
        The folder of its recordings, or its address (`mess.audio.addresses`); by default
        ``audio/<name>`` below the data root.

    Raises
    ------
    UnknownName
        If the name is not a known dataset and ``root`` is not a folder.
    ArtifactError
        If its recordings are missing; the message says where to put them.

    Examples
    --------
    >>> demo = load_dataset("demo")  # made by `mess run-all --dataset demo`
    >>> demo.tracks[0].label
    'Johann Sebastian Bach: ...'
    """
    if not _NAME.fullmatch(name):
        raise MessError(f"{name!r} is no dataset name: use letters, digits, '.', '_' and '-'")
    root = as_path(root) if root is not None else audio_dir(usable_root(), name)
    if name in KNOWN:
        return KNOWN[name](root)
    if not isinstance(root, Address) and not root.is_dir() and name != "folder":
        raise UnknownName("dataset", name, available_datasets(root.parent))
    return load_folder(root, name=name)


def available_datasets(audio_root: str | Path | None = None) -> list[str]:
    """Return the known datasets and every folder below ``audio_root`` that can be one.

    By default that is the folder ``audio`` below the data root. If artifacts lie at an address,
    those datasets are among them whose recordings other machines have.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("recordings/jazz").mkdir(parents=True)
    >>> available_datasets("recordings")
    ['demo', 'smd', 'maestro', 'percepiano', 'syntheory', 'folder', 'jazz']
    """
    audio_root = Path(audio_root) if audio_root is not None else audio_dir(usable_root(), "")
    elsewhere = datasets_elsewhere(audio_root.parent)
    return list(dict.fromkeys([*KNOWN, "folder", *_folders(audio_root)[0], *elsewhere]))


def is_dataset(audio_root: str | Path, name: str) -> bool:
    """Tell whether `available_datasets` has a name, without listing the others.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("recordings/jazz").mkdir(parents=True)
    >>> [is_dataset("recordings", name) for name in ("smd", "jazz", "../recordings/jazz", "")]
    [True, True, False, False]
    """
    if name in KNOWN or name == "folder":
        return True
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        return False
    root = Path(audio_root)
    return _is_folder(root / name) or name in datasets_elsewhere(root.parent)


def _is_folder(path: Path) -> bool:
    """Tell whether a path is a folder of recordings, or the address of one."""
    return path.is_dir() or bool(linked_address(path))


def stray_names(audio_root: str | Path) -> list[str]:
    """Return a line about each file directly below ``audio_root`` that belongs to no dataset.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("recordings").mkdir()
    >>> _ = Path("recordings/lost.wav").write_bytes(b"")
    >>> stray_names("recordings")
    ['not read: lost.wav (in no dataset: put it into a folder of recordings)']
    """
    return _folders(Path(audio_root))[1]


def _folders(audio_root: Path) -> tuple[list[str], list[str]]:
    """Return the names of the datasets, and a line about each other file."""
    names, stray = [], PassedOver()
    try:
        paths = sorted(audio_root.iterdir())
    except FileNotFoundError:
        paths = []
    except OSError as error:
        return [], [f"{audio_root}: cannot be read ({error.strerror}); change its permissions"]
    for path in paths:
        if path.name.startswith("."):
            continue
        if _is_folder(path):
            if _NAME.fullmatch(path.name):
                names.append(path.name)
            else:
                stray.add(path.name, "no name of a dataset: use letters, digits, '.', '_' and '-'")
        elif path.is_symlink():
            stray.add(path.name, "a link that leads nowhere")
        elif path.suffix.lower() in AUDIO_SUFFIXES:
            stray.add(path.name, f"in no dataset: put it into a folder of {audio_root}")
    return names, list(stray.lines())
