"""Batches: as many segments at a time as a device is best at, and its memory allows.

On a CPU, segments are computed one at a time, because batches are not faster. On a GPU a batch is
as large as free memory allows, up to `MOST`: the first batch tells what a segment takes. If memory
runs out all the same (another process may need it, too), the batch is halved and tried again.

Work on a GPU is started here and collected later. Samples go through pinned memory, so the copy of
one batch overlaps the computation of another, and the processor prepares the next ones meanwhile.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

MOST = 96  # segments: more are no faster on an H200
_TRIAL = 2  # segments, to see how much memory one takes
_SHARE = 0.8  # of the free memory
Arrays = tuple[NDArray[Any], ...]
Result = Callable[[], Arrays]
Part = TypeVar("Part")


class Batches:
    """Computes something of many segments on a device, batch by batch.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: "torch.device") -> None:
        self._device = device
        self._sizes: dict[int, int] = {}  # by the length of a segment: what memory allows
        self._limits: dict[int, int] = {}  # what was seen to be too much, halved
        self._copies: Any = None  # the stream of copies to a GPU

    def size(self, samples: int) -> int:
        """Return how many segments of so many samples are computed at a time, if memory allows."""
        return self._sizes.get(samples, 1 if self._device.type == "cpu" else _TRIAL)

    def empty(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return an array for segments, in pinned memory if they go to a GPU.

        Any thread may fill it. Then the thread that feeds the GPU has nothing to copy.
        """
        if self._device.type == "cpu":
            return np.empty(shape, dtype=np.float32)
        import torch

        pinned: NDArray[np.float32] = torch.empty(shape, pin_memory=True).numpy()
        return pinned

    def start(
        self,
        segments: NDArray[np.float32],
        compute: "Callable[[torch.Tensor], tuple[torch.Tensor, ...]]",
    ) -> Result:
        """Start the computation on a GPU; on a CPU, the result is computed when it is asked for.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
        compute : callable
            Tensor [batch, samples] on the device → Tensors that have the batch in their second
            dimension.

        Returns
        -------
        callable
            Returns the arrays of all segments when it is called.

        Raises
        ------
        MemoryError
            If a single segment needs more memory than the device has. On a CPU and while batches
            are collected, the result raises it.
        """
        if self._device.type == "cpu":
            return lambda: _together([part() for part in self._start_all(segments, compute)])
        parts = self._start_all(segments, compute)
        return lambda: _together([part() for part in parts])

    def _start_all(
        self,
        segments: NDArray[np.float32],
        compute: "Callable[[torch.Tensor], tuple[torch.Tensor, ...]]",
    ) -> list[Result]:
        samples = segments.shape[1]
        start = partial(self._start_one, compute=compute)
        parts = self.each(segments, start, most=lambda: self.size(samples))
        return [part for *_, part in parts]

    def each(
        self,
        segments: NDArray[np.float32],
        compute: Callable[[NDArray[np.float32]], Part],
        *,
        most: Callable[[], int],
    ) -> Iterator[tuple[int, int, Part]]:
        """Yield what ``compute`` makes of each batch, with its first segment and the one after it.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
        compute : callable
            Takes some of the segments.
        most : callable
            Returns how many segments are taken next; fewer are where memory ran out.

        Raises
        ------
        MemoryError
            If a single segment needs more memory than the device has.
        """
        import torch

        first, samples = 0, segments.shape[1]
        while first < len(segments):
            size = min(most(), self._limits.get(samples, MOST), len(segments) - first)
            try:
                made = compute(segments[first : first + size])
            except torch.OutOfMemoryError:
                if size == 1:
                    raise MemoryError("a segment needs more memory than the GPU has") from None
                self._limits[samples] = size // 2
                torch.cuda.empty_cache()
                continue
            yield first, first + size, made
            first += size

    def _start_one(
        self,
        batch: NDArray[np.float32],
        compute: "Callable[[torch.Tensor], tuple[torch.Tensor, ...]]",
    ) -> Result:
        import torch

        if self._device.type == "cpu":
            values = tuple(one.numpy() for one in compute(torch.from_numpy(batch)))
            return lambda: values
        new = batch.shape[1] not in self._sizes
        if new:  # to ask takes a while
            before = torch.cuda.memory_allocated(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
        on_device = compute(self._to_device(batch))
        if new:
            taken = torch.cuda.max_memory_allocated(self._device) - before
            self._sizes[batch.shape[1]] = self._fitting(taken / len(batch))
        on_host = [
            torch.empty(one.shape, dtype=one.dtype, pin_memory=True).copy_(one, non_blocking=True)
            for one in on_device
        ]
        there = torch.cuda.Event(blocking=True)  # any other keeps a processor busy that waits
        there.record()

        def result() -> Arrays:
            there.synchronize()
            # This function keeps the batch until here: its pinned memory is read until then.
            return tuple(one.numpy()[:, : len(batch)] for one in on_host)

        return result

    def _to_device(self, batch: NDArray[np.float32]) -> "torch.Tensor":
        import torch

        pinned = torch.from_numpy(batch) if batch.flags.writeable else torch.tensor(batch)
        if not pinned.is_pinned():
            pinned = pinned.pin_memory()
        if self._copies is None:
            self._copies = torch.cuda.Stream(self._device)
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._copies):
            copied = pinned.to(self._device, non_blocking=True)
        computing.wait_stream(self._copies)
        copied.record_stream(computing)
        return copied

    def _fitting(self, taken: float) -> int:
        """Return how many segments fit, if one takes so many bytes."""
        import torch

        outside, _ = torch.cuda.mem_get_info(self._device)
        unused = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(
            self._device
        )
        return fitting(outside + unused, taken)


def fitting(free: float, taken: float) -> int:
    """Return the size of a batch, if one segment takes so many of the free bytes.

    >>> fitting(100e9, 0.2e9), fitting(10e9, 0.2e9), fitting(0.1e9, 0.2e9)
    (96, 40, 1)
    """
    return int(min(max(_SHARE * free / max(taken, 1.0), 1), MOST))


def _together(parts: list[Arrays]) -> Arrays:
    if len(parts) == 1:
        return parts[0]
    return tuple(np.concatenate(same, axis=1) for same in zip(*parts, strict=True))
