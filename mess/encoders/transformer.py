"""The base of all transformer encoders: run a model, and average its states where they are.

On a CPU, segments are encoded one at a time, because batches are not faster; on a GPU they are
encoded in batches.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.encoders.batches import Batches
from mess.encoders.checkpoint import Architecture
from mess.encoders.fourier import use_fourier
from mess.encoders.precision import device_of, dtype_of, matmul_precision
from mess.encoders.weights import Origin, hash_of
from mess.encoders.windows import WindowStates, averaging, pool_tensor, split_divisions
from mess.errors import MessError

if TYPE_CHECKING:
    import torch

    from mess.audio.decoding import Signal

_GPU_FRAMES = 16  # segments at a time whose frames leave a GPU
_POOLED_LAYERS = 4  # at a time on a GPU: to start many small products takes its feeder long
_SELF_CHECK_TOLERANCE = 1e-4
Settings = dict[str, str | int | float | bool]


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
        self._device = device_of(device)
        self._dtype = dtype_of(dtype, self._device)
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
                with matmul_precision(self._precision):
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
        with matmul_precision(self._precision):
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
        with torch.inference_mode(), matmul_precision(precision or self._precision):
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


def _pool_layers(states: "list[torch.Tensor]", matrix: "torch.Tensor") -> "torch.Tensor":
    """Return means and variances of all layers, [2, batch, windows, layers, dim], in float32."""
    import torch

    some = 1 if matrix.device.type == "cpu" else _POOLED_LAYERS
    with torch.inference_mode(), matmul_precision("highest"):
        if some == 1:
            return torch.stack([pool_tensor(layer, matrix) for layer in states], dim=3)
        parts = [states[first : first + some] for first in range(0, len(states), some)]
        pooled = [pool_tensor(torch.stack(part), matrix) for part in parts]
        return torch.cat(pooled, dim=1).permute(0, 2, 3, 1, 4).contiguous()
