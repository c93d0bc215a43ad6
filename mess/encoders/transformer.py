"""The base of all transformer encoders: build a model, load its weights exactly, run it.

Weights are loaded exactly or not at all: every tensor of the file must belong to the model, and
every tensor of the model must be in the file. On a CPU, segments are encoded one at a time, because
batches are not faster; on a GPU they are encoded in batches.
"""

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.encoders.checkpoint import Architecture, Checkpoint, file_sha256
from mess.encoders.windows import WindowStates, averaging, pool_tensor, split_divisions
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    import torch

    from mess.audio.decoding import Signal

_GPU_BATCH = 16
_SELF_CHECK_TOLERANCE = 1e-4
Settings = dict[str, str | int | float | bool]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a model's weights come from; see `mess.encoders.Encoder`."""

    id: str
    licence: str
    weights_hash: str
    revision: str = ""
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class TransformerEncoder(ABC):
    """A transformer as an `Encoder`; a subclass computes hidden states from samples.

    Attributes
    ----------
    model : transformers.PreTrainedModel
        In evaluation mode, on its device.
    """

    def __init__(
        self,
        model: Any,
        *,
        architecture: Architecture,
        layers: int,
        dim: int,
        origin: Origin,
        device: str,
        dtype: str,
    ) -> None:
        self._device, self._dtype = _device(device), _dtype(dtype)
        self.model = model.to(device=self._device, dtype=self._dtype).eval()
        self.id = origin.id
        self.sample_rate = architecture.sample_rate
        self.normalise = architecture.normalise
        self.layers = layers
        self.layer_names = [str(layer) for layer in range(layers)]
        self.dim = dim
        self.licence = origin.licence
        self.revision = origin.revision
        self.weights_hash = origin.weights_hash
        self._precision = self._fastest_safe_precision()
        self.settings: Settings = {
            **origin.settings,
            "architecture": hash_of(architecture.config),
            "dtype": dtype,
            "matmul_precision": self._precision,
        }

    @abstractmethod
    def frames(self, samples: int) -> int:
        """Return the number of frames of a segment."""

    @abstractmethod
    def states(self, samples: "torch.Tensor") -> "list[torch.Tensor]":
        """Return the hidden states of [batch, samples]: one array [batch, time, dim] per layer."""

    def track_scale(self, signal: "Signal") -> tuple[float, float]:
        """Return the offset and the scale by which the samples of a track are normalised."""
        return signal.mean, max(signal.std, 1e-7)

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the hidden states of segments of equal length.

        Layer 0 is the input to the first block and layer i the output of block i; the last is
        what the model itself returns (after its final normalisation, where it has one).

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            Mono, float32, at ``sample_rate``; shifted and divided by what `track_scale` returns
            where ``normalise`` is set. Never padded.

        Returns
        -------
        ndarray [shape=(batch, layers, time, dim)]
            float32.

        Raises
        ------
        ValueError
            If ``segments`` is not of that shape.
        MessError
            If a segment is too short for a single frame, or too long for the model.
        """
        segments, frames = self._checked(segments)
        states = np.empty((len(segments), self.layers, frames, self.dim), dtype=np.float32)
        step = 1 if self._device.type == "cpu" else _GPU_BATCH
        for first in range(0, len(segments), step):
            batch = self._forward(segments[first : first + step], self._precision)
            for layer, values in enumerate(batch):
                states[first : first + step, layer] = values.float().cpu().numpy()
        return states

    def pool(
        self, segments: NDArray[np.float32], *, divisions: Sequence[int] = (1,)
    ) -> list[WindowStates | None]:
        """Return means and variances of the hidden states over windows of time.

        They are computed on the device, in float32, and nothing else leaves it. See
        `mess.encoders.Encoder.pool`; errors are those of `encode`.
        """
        import torch

        segments, frames = self._checked(segments)
        matrix = torch.from_numpy(averaging(frames, divisions)).to(self._device)
        step = 1 if self._device.type == "cpu" else _GPU_BATCH
        pooled = []
        for first in range(0, len(segments), step):
            states = self._forward(segments[first : first + step], self._precision)
            with torch.inference_mode(), _matmul_precision("highest"):
                layers = [pool_tensor(layer, matrix) for layer in states]
                pooled.append(torch.stack(layers, dim=3))
        values = torch.cat(pooled, dim=1).cpu().numpy()
        return split_divisions(values, frames=frames, divisions=divisions)

    def _checked(self, segments: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
        """Return segments as the model takes them, and how many frames each gives."""
        segments = np.ascontiguousarray(segments, dtype=np.float32)
        if segments.ndim != 2:
            raise ValueError(f"segments must be [batch, samples], not of shape {segments.shape}")
        frames = self.frames(segments.shape[1])
        if frames < 1:
            raise MessError(
                f"a segment of {segments.shape[1]} samples is too short for {self.id}; "
                "give at least a second"
            )
        return segments, frames

    def _forward(self, segments: NDArray[np.float32], precision: str) -> "list[torch.Tensor]":
        import torch

        samples = torch.tensor(segments, device=self._device)
        with torch.inference_mode(), _matmul_precision(precision):
            return self.states(samples)

    def _fastest_safe_precision(self) -> str:
        """Return the faster setting of float32 products on a CPU if it is exact enough.

        The meaning of "medium" depends on the CPU: float32 kernels of another library, or
        bfloat16. So its error is measured on a second of noise.
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
        # An error of 0 means that the same kernels ran, so the setting has no effect.
        return "medium" if 0 < error < _SELF_CHECK_TOLERANCE else "highest"


def build(make: Callable[[], Any], *, what: str, seed: int = 0, allocate: bool = True) -> Any:
    """Build a model with random weights, or without memory for its tensors.

    Parameters
    ----------
    make : callable
        Imports the model's class and calls it.
    what : str
        The kind of model, for the error message.
    seed : int
        The same seed gives the same weights. The random state of the caller does not change.
    allocate : bool
        False if all values will be replaced, so that only shapes are needed.

    Raises
    ------
    MessError
        If transformers refuses the configuration.
    """
    try:
        import torch
        import transformers  # noqa: F401 (a missing one is reported here)
    except ImportError as error:
        raise MissingDependency(error.name or "transformers", "ml") from None

    _ask_for_huge_pages()
    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu" if allocate else "meta"):
            torch.manual_seed(seed)
            return make()
    except Exception as error:  # the checks of transformers raise many kinds of errors
        reason = " ".join(str(error).split())[:200]
        raise MessError(
            f"config.json describes no {what} ({reason}); choose another model"
        ) from None


def load_exactly(model: Any, weights: "dict[str, torch.Tensor]", *, source: str) -> None:
    """Load weights into a model.

    Raises
    ------
    MessError
        If a single tensor is missing, unexpected or of another shape.
    """
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
    model.load_state_dict(weights, strict=True, assign=True)


def origin_of(checkpoint: Checkpoint, *, id: str, licence: str) -> Origin:
    """Return the origin of the weights of a checkpoint."""
    return Origin(
        id=id,
        licence=licence,
        revision=checkpoint.revision,
        weights_hash=file_sha256(checkpoint.weights),
    )


def random_origin(architecture: Architecture, *, id: str, seed: int) -> Origin:
    """Return the origin of random weights; the hash is that of the settings that determine them.

    The same seed gives the same weights only with the same versions of torch and transformers. So
    the hash includes these versions.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingDependency(error.name or "transformers", "ml") from None

    made_by = {
        "config": architecture.config,
        "seed": seed,
        "torch": torch.__version__.partition("+")[0],
        "transformers": transformers.__version__,
    }
    return Origin(
        id=id,
        licence="none (random weights)",
        weights_hash=hash_of(made_by),
        settings={"seed": seed},
    )


def hash_of(value: object) -> str:
    """Return the sha256 of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _ask_for_huge_pages() -> None:
    """Let torch allocate large tensors on huge pages, unless the user has set this.

    Activations are allocated for every segment. With pages of 4 KiB, this takes a seventh of a
    forward pass on Linux. It must be set before the first large tensor of the process.
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
