"""The base of all transformer encoders: build a model, load its weights exactly, run it.

Weights are loaded exactly or not at all: every tensor of the file must belong to the model, and
every tensor of the model must be in the file. On a CPU, segments are encoded one at a time, because
batches are not faster; on a GPU they are encoded in batches.
"""

import copy
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.encoders.batches import Batches
from mess.encoders.checkpoint import Architecture, Checkpoint, file_sha256
from mess.encoders.fourier import use_fourier
from mess.encoders.windows import WindowStates, averaging, pool_tensor, split_divisions
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    import torch

    from mess.audio.decoding import Signal

_GPU_FRAMES = 16  # segments at a time whose frames leave a GPU
_POOLED_LAYERS = 4  # at a time on a GPU: to start many small products takes its feeder long
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
        self._device = _device(device)
        self._dtype = _dtype(dtype, self._device)
        coarse = dtype != "float32"
        self._exact = copy.deepcopy(model) if coarse else None  # until `precision_error` is asked
        self._batches = Batches(self._device)
        self._averaging: dict[tuple[int, ...], torch.Tensor] = {}  # by frames and divisions
        self._one_at_a_time = Lock()  # torch's precision is one for all threads
        model = model.to(self._device).eval()
        fourier = use_fourier(model)  # of the weights in float32
        self.model = model.to(dtype=self._dtype)
        self.id = origin.id
        self.sample_rate = architecture.sample_rate
        self.normalise = architecture.normalise
        self.layers = layers
        self.layer_names = [str(layer) for layer in range(layers)]
        self.dim = dim
        self.licence = origin.licence
        self.revision = origin.revision
        self.weights_hash = origin.weights_hash
        self._precision = "high" if dtype == "tf32" else self._fastest_safe_precision()
        self.settings: Settings = {
            **origin.settings,
            "architecture": hash_of(architecture.config),
            "dtype": dtype,
            "matmul_precision": self._precision,
        }
        if fourier and (coarse or self._device.type != "cpu"):
            self.settings["positional_convolution"] = "fourier"
        if self._device.type != "cpu" and dtype == "float32":
            self.settings["convolutions"] = "float32"  # older code let cuDNN take 19 bits

    @property
    def asynchronous(self) -> bool:
        """Whether `start_pooling` returns before all is computed, as on a GPU."""
        return self._device.type != "cpu"

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
        step = 1 if self._device.type == "cpu" else _GPU_FRAMES
        for first, last, layers in self._batches.each(segments, self._forward, most=lambda: step):
            for layer, values in enumerate(layers):
                states[first:last, layer] = values.float().cpu().numpy()
        return states

    def pool(
        self, segments: NDArray[np.float32], *, divisions: Sequence[int] = (1,)
    ) -> list[WindowStates | None]:
        """Return means and variances of the hidden states over windows of time.

        They are computed on the device, in float32, and nothing else leaves it. See
        `mess.encoders.Encoder`; errors are those of `encode`, and a MemoryError if a single
        segment does not fit into the memory of the device.
        """
        return self.start_pooling(segments, divisions=divisions)()

    def start_pooling(
        self,
        segments: NDArray[np.float32],
        *,
        divisions: Sequence[int] = (1,),
        halves: bool = False,
    ) -> Callable[[], list[WindowStates | None]]:
        """Start what `pool` computes, and return a function that waits for the result.

        On a GPU, the processor can prepare other segments meanwhile. On a CPU, all is computed when
        the result is asked for.

        Parameters
        ----------
        segments, divisions
            As for `pool`.
        halves : bool
            Whether a GPU rounds the means to float16 and leaves out the variances, of all
            divisions but the first. That is less to copy, and nothing to round for the processor.
        """
        import torch

        segments, frames = self._checked(segments)
        matrix = self._matrix(frames, divisions)
        exact = len(matrix)
        if halves and self._device.type != "cpu":
            exact = divisions[0] if divisions[0] <= frames else 0

        def compute(samples: "torch.Tensor") -> "tuple[torch.Tensor, ...]":
            with self._one_at_a_time, torch.inference_mode():
                with _matmul_precision(self._precision):
                    states = self.states(samples)
                pooled = _pool_layers(states, matrix)
                return pooled[:, :, :exact], pooled[:1, :, exact:].half()

        result = self._batches.start(segments, compute)

        def split() -> list[WindowStates | None]:
            pooled, rounded = result()
            return split_divisions(pooled, frames=frames, divisions=divisions, rounded=rounded)

        return split

    def _matrix(self, frames: int, divisions: Sequence[int]) -> "torch.Tensor":
        """Return what averages; kept, because a copy waits for all that a GPU has begun."""
        import torch

        key = (frames, *divisions)
        if key not in self._averaging:
            matrix = torch.from_numpy(averaging(frames, divisions))
            self._averaging[key] = matrix.to(self._device)
        return self._averaging[key]

    def empty_segments(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return an array for segments from which they come to the device fastest."""
        return self._batches.empty(shape)

    def pool_frames(
        self, states: NDArray[np.float32], *, divisions: Sequence[int]
    ) -> list[WindowStates | None]:
        """Return what `pool` does, of the states that `encode` returned."""
        import torch

        frames = states.shape[2]
        matrix = torch.from_numpy(averaging(frames, divisions))
        pooled = [_pool_layers(list(torch.from_numpy(one)[:, None]), matrix) for one in states]
        values = torch.cat(pooled, dim=1).numpy()
        return split_divisions(values, frames=frames, divisions=divisions)

    def precision_error(self, segments: NDArray[np.float32]) -> float | None:
        """Return how far the pooled states are from those of the same model in float32.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            As for `encode`.

        Returns
        -------
        float or None
            ‖coarse − exact‖ / ‖exact‖ of the means over the segments, the greatest of the layers;
            None for an encoder in float32. The exact model is let go, so it can be asked once.
        """
        if self._exact is None:
            return None
        coarse, *_ = self.pool(segments)
        with self._in_float32():
            exact, *_ = self.pool(segments)
        if coarse is None or exact is None:
            return None
        error, size = (
            np.sqrt(np.square(values, dtype=np.float64).sum(axis=(0, 1, 3)))
            for values in (coarse.mean - exact.mean, exact.mean)
        )
        return float((error / size.clip(1e-12)).max())

    @contextmanager
    def _in_float32(self) -> Iterator[None]:
        import torch

        coarse = self.model, self._dtype, self._precision
        assert self._exact is not None  # noqa: S101 (asked by the only caller)
        self.model, self._dtype = self._exact.to(self._device).eval(), torch.float32
        self._exact, self._precision = None, "highest"
        try:
            yield
        finally:
            self.model, self._dtype, self._precision = coarse

    @contextmanager
    def precision(self) -> Iterator[None]:
        """Let torch compute products as this encoder does."""
        with _matmul_precision(self._precision):
            yield

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

    def _forward(
        self, segments: NDArray[np.float32], precision: str | None = None
    ) -> "list[torch.Tensor]":
        import torch

        samples = torch.tensor(segments, device=self._device)
        with torch.inference_mode(), _matmul_precision(precision or self._precision):
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


def _pool_layers(states: "list[torch.Tensor]", matrix: "torch.Tensor") -> "torch.Tensor":
    """Return means and variances of all layers, [2, batch, windows, layers, dim], in float32."""
    import torch

    some = 1 if matrix.device.type == "cpu" else _POOLED_LAYERS
    with torch.inference_mode(), _matmul_precision("highest"):
        if some == 1:
            return torch.stack([pool_tensor(layer, matrix) for layer in states], dim=3)
        parts = [states[first : first + some] for first in range(0, len(states), some)]
        pooled = [pool_tensor(torch.stack(part), matrix) for part in parts]
        return torch.cat(pooled, dim=1).permute(0, 2, 3, 1, 4).contiguous()


@contextmanager
def _matmul_precision(precision: str) -> Iterator[None]:
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


def _device(name: str) -> "torch.device":
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise MessError("device 'cuda': torch sees no GPU; use --device cpu")
    if name not in {"cpu", "cuda"}:
        raise MessError(f"device {name!r}: there are auto, cpu, cuda")
    return torch.device(name)


def _dtype(name: str, device: "torch.device") -> "torch.dtype":
    """Return the type of the weights and states."""
    import torch

    types = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in types:
        raise MessError(f"dtype {name!r}: there are {', '.join(types)}")
    if name == "tf32" and device.type == "cpu":
        raise MessError("dtype 'tf32': only GPUs have it; use --dtype float32")
    return types[name]
