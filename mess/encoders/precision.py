"""The device and the precision of a computation by torch, by the names that users give them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mess.errors import MessError

if TYPE_CHECKING:
    import torch


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """Let float32 products be computed in float32 ("highest"), or in a faster way.

    On a GPU, the faster way is TensorFloat-32, which has 19 bits, for convolutions too. Without
    this, cuDNN takes it for convolutions in any case.
    """
    import torch

    products = torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision(precision)
    torch.backends.cudnn.allow_tf32 = precision != "highest"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions


def device_of(name: str) -> "torch.device":
    """Return the device that a name means: "auto" is the GPU where torch sees one.

    Raises
    ------
    MessError
        If torch sees no GPU, or there is no such name.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise MessError("device 'cuda': torch sees no GPU; use --device cpu")
    if name not in {"cpu", "cuda"}:
        raise MessError(f"device {name!r}: there are auto, cpu, cuda")
    return torch.device(name)


def dtype_of(name: str, device: "torch.device") -> "torch.dtype":
    """Return the type of the weights and states."""
    import torch

    types = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in types:
        raise MessError(f"dtype {name!r}: there are {', '.join(types)}")
    if name == "tf32" and device.type == "cpu":
        raise MessError("dtype 'tf32': only GPUs have it; use --dtype float32")
    return types[name]
