"""Small learned heads in the layout of MERIT: two linear layers, the second one without a bias."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]


def head_tensors(inputs: int, hidden: int = 8, outputs: int = 4, *, seed: int = 0) -> Tensors:
    """Return random weights, named as the state of MERIT's heads."""
    rng = np.random.default_rng(seed)
    return {
        "net.0.weight": rng.standard_normal((hidden, inputs)).astype(np.float32),
        "net.0.bias": rng.standard_normal(hidden).astype(np.float32),
        "net.2.weight": rng.standard_normal((outputs, hidden)).astype(np.float32),
    }


def write_head(
    root: Path,
    name: str,
    *,
    encoder: str,
    layers: Sequence[int],
    tensors: Tensors,
    file: str = "weights.safetensors",
    **changes: Any,
) -> Path:
    """Put a head into a data root; return its folder."""
    from safetensors.numpy import save

    folder = root / "heads" / name
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "factor": "melody",
        "encoder": encoder,
        "layers": list(layers),
        "pooling": "mean",
        "activation": "relu",
        "shapes": [list(tensors[key].shape) for key in tensors if key.endswith("weight")],
        "licence": "MIT",
    } | changes
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    (folder / "head.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if file.endswith(".npz"):
        np.savez(folder / file, **tensors)  # type: ignore[arg-type]
    else:
        (folder / file).write_bytes(save(tensors))
    return folder


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
