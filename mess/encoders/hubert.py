"""Hidden states of the HuBERT family (HuBERT, MERT), run by transformers' own HubertModel.

Weights are loaded exactly or not at all: every tensor of the file has its place in the model and
every place its tensor. Segments are encoded one at a time on a CPU, where batches do not pay, and
in batches on a GPU.

References
----------
Hsu et al., "HuBERT: Self-supervised speech representation learning by masked prediction of hidden
units", IEEE/ACM TASLP 29, 2021. Li et al., "MERT: Acoustic music understanding model with
large-scale self-supervised training", ICLR 2024.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.encoders.checkpoint import Architecture, Checkpoint, file_sha256, read_tensors
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    import torch
    from transformers import HubertModel

_GPU_BATCH = 16
_SELF_CHECK_TOLERANCE = 1e-4


class HubertEncoder:
    """A HubertModel as an `Encoder`; made by `load_hubert` and `random_hubert`.

    Attributes
    ----------
    model : transformers.HubertModel
        In evaluation mode, on its device.
    """

    def __init__(
        self,
        model: "HubertModel",
        *,
        id: str,
        architecture: Architecture,
        licence: str,
        revision: str,
        weights_hash: str,
        device: str,
        dtype: str,
        settings: dict[str, str | int | float | bool],
    ) -> None:
        self._device, self._dtype = _device(device), _dtype(dtype)
        untyped: Any = model  # its `to` is a wrapper that mypy cannot follow
        self.model = untyped.to(device=self._device, dtype=self._dtype).eval()
        self.id = id
        self.sample_rate = architecture.sample_rate
        self.normalise = architecture.normalise
        self.layers = model.config.num_hidden_layers + 1
        self.layer_names = [str(layer) for layer in range(self.layers)]
        self.dim = model.config.hidden_size
        self.licence = licence
        self.revision = revision
        self.weights_hash = weights_hash
        self._precision = self._fastest_safe_precision()
        self.settings = {
            **settings,
            "architecture": _hash(architecture.config),
            "dtype": dtype,
            "matmul_precision": self._precision,
        }

    def frames(self, samples: int) -> int:
        """Return how many frames a segment gives: 374 for MERT's 5 s of 24 kHz."""
        for kernel, stride in zip(
            self.model.config.conv_kernel, self.model.config.conv_stride, strict=True
        ):
            samples = max(samples - kernel, -stride) // stride + 1
        return samples

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the hidden states of segments of equal length.

        Layer 0 is the input to the first block and layer i the output of block i; the last is
        what the model itself returns (after its final normalisation, where it has one).

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            Mono, float32, at ``sample_rate``; zero mean and unit variance over the track where
            ``normalise`` is set. Never padded: the first convolution's normalisation spans time.

        Returns
        -------
        ndarray [shape=(batch, layers, time, dim)]
            float32.

        Raises
        ------
        ValueError
            If ``segments`` is not of that shape.
        MessError
            If a segment is too short for a single frame.
        """
        segments = np.ascontiguousarray(segments, dtype=np.float32)
        if segments.ndim != 2:
            raise ValueError(f"segments must be [batch, samples], not of shape {segments.shape}")
        frames = self.frames(segments.shape[1])
        if frames < 1:
            raise MessError(
                f"a segment of {segments.shape[1]} samples is too short for {self.id}; "
                "give at least a second"
            )
        states = np.empty((len(segments), self.layers, frames, self.dim), dtype=np.float32)
        step = 1 if self._device.type == "cpu" else _GPU_BATCH
        for first in range(0, len(segments), step):
            batch = self._forward(segments[first : first + step], self._precision)
            for layer, values in enumerate(batch):
                states[first : first + step, layer] = values.float().cpu().numpy()
        return states

    def _forward(self, segments: NDArray[np.float32], precision: str) -> "list[torch.Tensor]":
        import torch

        samples = torch.tensor(segments, dtype=self._dtype, device=self._device)
        with torch.inference_mode(), _matmul_precision(precision):
            output = self.model(samples, output_hidden_states=True)
        # transformers 5 gives the last state before the final normalisation, 4 gave it after.
        return [*output.hidden_states[:-1], output.last_hidden_state]

    def _fastest_safe_precision(self) -> str:
        """Let torch choose its faster float32 products on a CPU where they prove exact enough.

        What "medium" means depends on the CPU: another library's float32 kernels on one, true
        bfloat16 on another. So it is tried on a second of noise.
        """
        import torch

        if self._device.type != "cpu" or self._dtype != torch.float32:
            return "highest"
        noise = np.random.default_rng(0).standard_normal((1, self.sample_rate), dtype=np.float32)
        if self.frames(noise.shape[1]) < 1:
            return "highest"
        exact = self._forward(noise, "highest")
        fast = self._forward(noise, "medium")
        error = max(
            float((a - b).norm() / b.norm().clamp_min(1e-12))
            for a, b in zip(fast, exact, strict=True)
        )
        # No difference at all: the same kernels ran, and there is nothing to choose.
        return "medium" if 0 < error < _SELF_CHECK_TOLERANCE else "highest"


def load_hubert(
    checkpoint: Checkpoint, *, id: str, licence: str, device: str, dtype: str
) -> HubertEncoder:
    """Return the encoder that a checkpoint holds.

    Raises
    ------
    MessError
        If a single tensor is missing, unexpected or of another shape, or the file is unsafe.
    """
    _ask_for_huge_pages()
    weights = read_tensors(checkpoint.weights)
    # Every value is about to be replaced: shapes suffice.
    model = _build(checkpoint.architecture, allocate=False)
    _require_exact_fit(model, weights, source=str(checkpoint.weights))
    model.load_state_dict(weights, strict=True, assign=True)
    return HubertEncoder(
        model,
        id=id,
        architecture=checkpoint.architecture,
        licence=licence,
        revision=checkpoint.revision,
        weights_hash=file_sha256(checkpoint.weights),
        device=device,
        dtype=dtype,
        settings={},
    )


def random_hubert(
    architecture: Architecture, *, id: str, seed: int, device: str, dtype: str
) -> HubertEncoder:
    """Return the same architecture with random weights: what a probe finds without training.

    The same seed gives the same weights (under the same torch and transformers, which is why
    their versions are part of the hash), and the caller's random state is left as it was.
    """
    _ask_for_huge_pages()
    model = _build(architecture, seed=seed)
    import torch
    import transformers

    made_by = {
        "config": architecture.config,
        "seed": seed,
        "torch": torch.__version__.partition("+")[0],
        "transformers": transformers.__version__,
    }
    return HubertEncoder(
        model,
        id=id,
        architecture=architecture,
        licence="none (random weights)",
        revision="",
        weights_hash=_hash(made_by),
        device=device,
        dtype=dtype,
        settings={"seed": seed},
    )


def _build(architecture: Architecture, *, seed: int = 0, allocate: bool = True) -> "HubertModel":
    """Return a HubertModel with random weights, or without any memory behind its tensors."""
    try:
        import torch
        from transformers import HubertConfig, HubertModel
    except ImportError as error:
        raise MissingDependency(error.name or "transformers", "ml") from None

    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu" if allocate else "meta"):
            torch.manual_seed(seed)
            return HubertModel(HubertConfig(**architecture.config))
    except Exception as error:  # transformers' checks raise many kinds
        reason = " ".join(str(error).split())[:200]
        raise MessError(
            f"config.json describes no HuBERT model ({reason}); choose another model"
        ) from None


def _require_exact_fit(
    model: "HubertModel", weights: "dict[str, torch.Tensor]", *, source: str
) -> None:
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in weights.items()}
    misshapen = [
        f"{key} is {given[key]}, not {expected[key]}"
        for key in sorted(expected.keys() & given.keys())
        if expected[key] != given[key]
    ]
    for fault, keys in (
        ("lacks", sorted(expected.keys() - given.keys())),
        ("has unexpected", sorted(given.keys() - expected.keys())),
        ("has other shapes:", misshapen),
    ):
        if keys:
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise MessError(
                f"{source}: {fault} {', '.join(keys[:3])}{more}; "
                "take config.json and the weights from the same model"
            )


def _ask_for_huge_pages() -> None:
    """Have torch put large tensors on huge pages, unless the user has decided.

    Every segment allocates its activations anew; with 4 KiB pages Linux spends a seventh of a
    forward pass handing them out. Works if it comes before the process's first large tensor.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


@contextmanager
def _matmul_precision(precision: str) -> Iterator[None]:
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _device(name: str) -> "torch.device":
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise MessError("device 'cuda': torch sees no GPU; use --device cpu")
    if name not in {"cpu", "cuda"}:
        raise MessError(f"device {name!r}: there are auto, cpu, cuda")
    return torch.device(name)


def _dtype(name: str) -> "torch.dtype":
    import torch

    types = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in types:
        raise MessError(f"dtype {name!r}: there are {', '.join(types)}")
    return types[name]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
