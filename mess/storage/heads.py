"""Learned heads: folders that a user puts into the data root. MESS reads them and writes nothing.

::

    heads/<name>/
        head.toml               which encoder and layers it reads, its shapes, its licence
        weights.safetensors     or weights.npz: the weights, read as numbers only

A tensor is named by its place, as `torch.nn.Sequential` names it: the first linear layer has the
tensors ``….0.weight`` and ``….0.bias``, the next one those of a higher number. A bias may be
missing. A pickle (``.pt``, ``.bin``) is never opened, because it may hold code.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.errors import MessError, MissingDependency, shown_path
from mess.records.base import DoesNotFit
from mess.records.head import HeadDescription
from mess.storage.arrays import load_arrays
from mess.storage.files import names_in

DESCRIPTION = "head.toml"
WEIGHTS = ("weights.safetensors", "weights.npz")
GUIDE = "docs/method.md, section 'Learned heads', shows one"
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TENSOR = re.compile(r"(?:.*\.)?(\d+)\.(weight|bias)")
_MOST_BYTES = 1 << 30
_LONGEST_TEXT = 200

Floats = NDArray[np.float32]


class HeadError(MessError):
    """A head that cannot be used: the file, the reason and the way out."""

    def __init__(self, path: Path, reason: str, way_out: str) -> None:
        # From the data root on: a page shows it, and is not to tell where the server keeps it.
        parts = path.parts[-3:] if path.suffix else path.parts[-2:]
        super().__init__(f"{shown_path(Path(*parts))}: {reason}; {way_out}")


class Linear(NamedTuple):
    """One linear layer: weights [outputs, inputs], and the bias [outputs] (0 if it has none)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class StoredHead:
    """A head as it lies on disk, every part of it checked.

    Attributes
    ----------
    name : str
    description : HeadDescription
    linear : tuple of Linear
    digest : str
        Of both files.
    """

    name: str
    description: HeadDescription
    linear: tuple[Linear, ...]
    digest: str


@dataclass(frozen=True)
class HeadFiles:
    """The heads below one root folder."""

    root: Path

    @property
    def home(self) -> Path:
        """The folder of all heads."""
        return self.root / "heads"

    def names(self) -> list[str]:
        """Return the names of the folders, whether they can be read or not."""
        return sorted(
            name
            for name in names_in(self.home)
            if not name.startswith(".") and (self.home / name).is_dir()
        )

    def read(self, name: str) -> StoredHead:
        """Read a head.

        Raises
        ------
        HeadError
            If a part of it is missing or damaged, or does not fit the rest.
        """
        folder = self.home / name
        if not _NAME.fullmatch(name):
            raise HeadError(
                folder,
                "is no name of a slider",
                "rename the folder: small letters, digits, '_' and '-'",
            )
        about, weights = folder / DESCRIPTION, _weights_file(folder)
        return _read(name, about, _stamp(about), weights, _stamp(weights))

    def digest(self, encoder: str) -> str | None:
        """Return the digest of all heads that read an encoder, None if there are none.

        A head that cannot be read counts as absent.
        """
        found = []
        for name in self.names():
            try:
                head = self.read(name)
            except MessError:
                continue
            if encoder_slug(head.description.encoder) == encoder_slug(encoder):
                found.append((name, head.digest))
        return digest_of_heads(found)


def digest_of_heads(heads: list[tuple[str, str]]) -> str | None:
    """Return the digest of heads, each with its name and its own digest; None if there are none.

    >>> digest_of_heads([]) is None
    True
    """
    if not heads:
        return None
    return hashlib.sha256(repr(sorted(heads)).encode()).hexdigest()[:16]


def _weights_file(folder: Path) -> Path:
    there = names_in(folder)
    found = [name for name in WEIGHTS if name in there]
    if len(found) == 1:
        return folder / found[0]
    if found:
        raise HeadError(folder, f"has both {' and '.join(found)}", "remove one of them")
    pickled = sorted(name for name in there if name.endswith(_PICKLES))
    if pickled:
        raise HeadError(
            folder / pickled[0],
            "is a pickle, which may hold code and is not opened",
            f"save its tensors as {WEIGHTS[0]}: {GUIDE}",
        )
    raise HeadError(folder, f"has no {' or '.join(WEIGHTS)}", GUIDE)


def _stamp(path: Path) -> tuple[int, int]:
    """Return size and time of a file, by which a change is noticed."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise HeadError(path, "is missing", GUIDE) from None
    except OSError as error:
        raise HeadError(
            path, f"cannot be read ({error.strerror})", "change its permissions"
        ) from None
    if found.st_size > _MOST_BYTES:
        raise HeadError(path, "is larger than 1 GiB", "a head is a few linear layers: see the file")
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=64)
def _read(
    name: str, about: Path, _about: tuple[int, int], weights: Path, _weights: tuple[int, int]
) -> StoredHead:
    """Read a head; the stamps are in the key of the cache."""
    try:
        text, content = about.read_bytes(), weights.read_bytes()
    except OSError as error:
        where = about if error.filename == str(about) else weights
        raise HeadError(
            where, f"cannot be read ({error.strerror})", "change its permissions"
        ) from None
    description = parse_description(text, path=about)
    linear = _linear(_tensors(content, path=weights), description, path=weights)
    digest = hashlib.sha256(hashlib.sha256(text).digest() + hashlib.sha256(content).digest())
    return StoredHead(name, description, linear, digest.hexdigest()[:16])


def parse_description(content: bytes, *, path: Path) -> HeadDescription:
    """Parse the description of a head.

    Parameters
    ----------
    content : bytes
        TOML.
    path : Path
        The file, for messages.

    Raises
    ------
    HeadError
        If it is no TOML, lacks a key, has another one, or a value is not what it should be.

    Examples
    --------
    >>> text = b'''
    ... factor = "melody"
    ... encoder = "mert-v1-330m"
    ... layers = [3, 4, 5, 6, 23]
    ... pooling = "mean"
    ... activation = "relu"
    ... shapes = [[512, 5120], [128, 512]]
    ... licence = "MIT"
    ... '''
    >>> parse_description(text, path=Path("head.toml")).layers
    [3, 4, 5, 6, 23]
    """
    try:
        found: dict[str, Any] = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HeadError(path, f"is no TOML ({error})", GUIDE) from None
    for key in found:
        if key not in HeadDescription.KEYS:
            near = get_close_matches(key, HeadDescription.KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "remove it"
            raise HeadError(path, f"has the unknown key {key[:80]!r}", hint)
    try:
        one = HeadDescription.from_json(found)
    except DoesNotFit as error:
        raise HeadError(path, f"does not describe a head ({error})", GUIDE) from None
    for key in ("factor", "encoder", "licence", "source"):
        text = getattr(one, key)
        if (not text.strip() and key != "source") or not text.isprintable():
            raise HeadError(path, f"{key} is empty or no line of text", f'write {key} = "…"')
        if len(text) > _LONGEST_TEXT:
            raise HeadError(path, f"{key} is longer than {_LONGEST_TEXT} characters", "shorten it")
    if not one.layers or min(one.layers) < 0 or len(set(one.layers)) < len(one.layers):
        raise HeadError(
            path, f"layers = {one.layers} are no different layers from 0 on", "correct it"
        )
    if not one.shapes or any(size < 1 for shape in one.shapes for size in shape):
        raise HeadError(path, "shapes has no layer, or a size under 1", GUIDE)
    for (before, _), (_, inputs) in zip(one.shapes, one.shapes[1:], strict=False):
        if before != inputs:
            raise HeadError(
                path,
                f"shapes do not follow each other: {before} outputs, then {inputs} inputs",
                "write [[outputs, inputs], …] in the order of computation",
            )
    return one


def _tensors(content: bytes, *, path: Path) -> dict[str, NDArray[Any]]:
    if path.suffix == ".npz":
        try:
            return load_arrays(content)
        except ValueError:
            raise HeadError(
                path, "is damaged, or holds more than numbers", "save the weights again"
            ) from None
    try:
        from safetensors.numpy import load
    except ImportError:
        raise MissingDependency("safetensors", "ml") from None
    try:
        return dict(load(content))
    except Exception as error:  # its errors, and those of number formats that NumPy lacks
        reason = " ".join(str(error).split())[:120]
        raise HeadError(
            path, f"is no safetensors file of plain numbers ({reason})", "save the weights again"
        ) from None


def _linear(
    tensors: dict[str, NDArray[Any]], description: HeadDescription, *, path: Path
) -> tuple[Linear, ...]:
    """Return the linear layers of a head, in the order of computation."""
    parts: dict[int, dict[str, NDArray[Any]]] = {}
    for name, values in tensors.items():
        matched = _TENSOR.fullmatch(name)
        if matched is None:
            raise HeadError(
                path,
                f"the tensor {name[:80]!r} is no weight or bias of a numbered layer",
                "name tensors '0.weight', '0.bias', '2.weight', as torch.nn.Sequential does",
            )
        own = parts.setdefault(int(matched[1]), {})
        if matched[2] in own:
            raise HeadError(
                path, f"two tensors are the {matched[2]} of layer {matched[1]}", "remove one"
            )
        own[matched[2]] = values
    if len(parts) != len(description.shapes):
        raise HeadError(
            path,
            f"holds {len(parts)} linear layers, and {DESCRIPTION} says {len(description.shapes)}",
            f"correct shapes in {DESCRIPTION}, or save the weights again",
        )
    found = []
    for (number, own), shape in zip(sorted(parts.items()), description.shapes, strict=True):
        wanted = {"weight": tuple(shape), "bias": (shape[0],)}
        if "weight" not in own:
            raise HeadError(path, f"layer {number} has no weight", "save the weights again")
        for part, values in sorted(own.items(), reverse=True):  # the weight first
            if values.dtype.kind != "f":
                raise HeadError(path, f"{number}.{part} holds {values.dtype}", "save it as float32")
            if values.shape != wanted[part]:
                raise HeadError(
                    path,
                    f"{number}.{part} has the shape {list(values.shape)}, and {DESCRIPTION} says "
                    f"{list(wanted[part])}",
                    f"correct shapes in {DESCRIPTION}, or save the weights again",
                )
            if not np.isfinite(values.astype(np.float32)).all():
                raise HeadError(
                    path, f"{number}.{part} holds NaN or infinity", "get the weights again"
                )
        bias = own.get("bias", np.zeros(shape[0]))
        found.append(Linear(own["weight"].astype(np.float32), bias.astype(np.float32)))
    return tuple(found)
