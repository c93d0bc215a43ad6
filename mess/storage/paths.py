"""Names of files and folders below the root, and the command that makes an artifact.

The root is the folder ``data`` or what the environment variable ``MESS_DATA`` names. Each module of
`mess.storage` knows the paths of its own kind of artifact; ``data/README.md`` draws the whole.
"""

import hashlib
import os
import shlex
from pathlib import Path
from urllib.parse import quote

from mess.audio.addresses import as_path, is_address, linked_address
from mess.data_root import data_root
from mess.encoders import encoder_slug
from mess.errors import MessError
from mess.records.discovery import Level
from mess.storage.address_server import SHARED
from mess.storage.mirrors import open_mirror

POOLED = ("aggregated", "segments", "aggregated_std", "segments_std")  # kinds of features
_MAX_STEM = 120
_MAX_NAME = 255  # bytes, of every usual file system


def file_stem(track_id: str) -> str:
    """Return a track's id as a file name without suffix: readable, and safe on any system.

    >>> file_stem("Beethoven_Op027No1-01")
    'Beethoven_Op027No1-01'
    >>> file_stem("../a b")
    '..%2Fa b'
    """
    stem = quote(track_id, safe=" -_.,()'&+=!@#", errors="surrogatepass")
    if stem.startswith(".") and not stem.strip("."):
        stem = stem.replace(".", "%2E")
    if len(stem) > _MAX_STEM:
        digest = hashlib.sha256(track_id.encode(errors="surrogatepass")).hexdigest()
        stem = f"{stem[:_MAX_STEM]}~{digest[:12]}"
    return stem


def folder_name(name: str) -> str:
    """Return a name that is one folder or file, and never a way to another place.

    Raises
    ------
    MessError
        If it has a slash or a NUL, is too long for a file system, or is "." or "..".

    >>> folder_name("my-quartets")
    'my-quartets'
    """
    length = len(name.encode(errors="surrogatepass"))
    if "/" in name or "\0" in name or name in (".", "..") or length > _MAX_NAME:
        shown = name if len(name) <= 80 else f"{name[:79]}…"
        raise MessError(f"{shown!r} is no dataset name: use letters, digits, '.', '_' and '-'")
    return name


def usable_root(root: str | Path | None = None) -> Path:
    """Return the root folder: the one that is given, or the usual one.

    Of an address it is the folder through which it is read; see `mess.storage.mirrors`.

    Raises
    ------
    MessError
        If it exists and is not a folder.
    """
    named = str(root or os.environ.get("MESS_DATA") or "")
    if is_address(named) and not named.startswith("file://"):
        return open_mirror(named)
    if "://" in named and not named.startswith("file://"):
        raise MessError(
            f"MESS_DATA={named[:80]!r}: is neither a folder nor s3://, gs:// or file://"
        )
    path = Path(as_path(str(root))).expanduser() if root else data_root()
    try:
        usable = path.is_dir() or not os.path.lexists(path)
    except (OSError, ValueError):  # too long, say
        usable = False
    if not usable:
        raise MessError(f"{str(path)[:80]!r} is no folder: name another by MESS_DATA")
    return path


def features_dir(root: Path, dataset: str, encoder: str) -> Path:
    """Return the folder of the features of a dataset by an encoder."""
    return processed(root, "features", dataset, encoder_slug(encoder))


def audio_dir(root: Path, dataset: str) -> Path:
    """Return the folder of a dataset's recordings, or the address that `mess add` linked."""
    folder = root / "audio" / folder_name(dataset)
    return linked_address(folder) or folder


def processed(root: Path, kind: str, *parts: str) -> Path:
    """Return a path below the folder of one kind of artifact.

    Raises
    ------
    MessError
        If a part is not the name of one file or folder; see `folder_name`.
    """
    return root.joinpath(SHARED, kind, *map(folder_name, parts))


def command_for(
    step: str, dataset: str, encoder: str | None = None, *, level: Level = "track"
) -> str:
    """Return the command line that makes an artifact."""
    words = ["mess", step, "--dataset", dataset]
    if encoder is not None:
        words += ["--encoder", encoder]
    if level == "segment":
        words += ["--level", "segment"]
    return shlex.join(words)
