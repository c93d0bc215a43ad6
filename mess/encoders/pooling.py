"""Pooling: encode the segments of a recording, and average the hidden states over time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, Signal, segment_bounds
from mess.audio.moments import MomentGrid, moment_grid
from mess.encoders.base import Encoder
from mess.encoders.windows import WindowStates, pool_frames
from mess.errors import MessError
from mess.records.base import DoesNotFit
from mess.records.features import EncoderRecord
from mess.versions import FEATURES_VERSION

_BATCH = 96  # segments of samples in memory at a time; the encoder divides them
_FRAMES_BATCH = 8  # segments whose frames are in memory at a time
_TRIAL = 4  # segments that tell the error of a coarse precision
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """Means and standard deviations over time.

    Attributes
    ----------
    segments, segments_std : ndarray [shape=(segments, layers, dim), dtype=float16]
    whole, whole_std : ndarray [shape=(layers, dim), dtype=float32]
        The same over all segments.
    moments : ndarray [shape=(moments, layers, dim), dtype=float16] or None
        Means over half a second (`mess.audio.moments`); None unless asked for, or if the encoder
        has fewer states in a segment than there are moments.

    Examples
    --------
    >>> import numpy as np
    >>> segments, whole = np.zeros((4, 10, 128), np.float16), np.zeros((10, 128), np.float32)
    >>> Pooled(segments, segments, whole, whole).whole.shape
    (10, 128)
    """

    segments: NDArray[np.float16]
    segments_std: NDArray[np.float16]
    whole: NDArray[np.float32]
    whole_std: NDArray[np.float32]
    moments: NDArray[np.float16] | None = None


def encode_segments(signal: Signal, model: Encoder) -> Iterator[NDArray[np.float32]]:
    """Yield the hidden states of each segment, [layers, time, dim]: every frame of them.

    If the encoder needs normalised audio, the whole track is shifted and scaled by the same
    numbers, so the differences in loudness between segments remain.
    """
    for segments in _segments(signal, model, most=_FRAMES_BATCH):
        yield from _frames(segments, model)


def _segments(
    signal: Signal, model: Encoder, *, most: int, scale: tuple[float, float] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield the segments of a recording as an encoder takes them, at most so many at a time."""
    if model.normalise and scale is None:
        scale = model.track_scale(signal)
    offset, width = map(np.float32, scale or (0.0, 1.0))
    empty = getattr(model, "empty_segments", _empty)
    bounds = segment_bounds(signal.samples.size, round(SEGMENT_SECONDS * signal.sample_rate))
    for first in range(0, len(bounds), most):
        batch = _cut(signal.samples, bounds[first : first + most], empty=empty)
        if model.normalise:
            batch -= offset
            batch /= width
        yield batch


def _empty(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.empty(shape, dtype=np.float32)


def _cut(
    samples: NDArray[np.float32],
    bounds: Sequence[tuple[int, int]],
    *,
    empty: Callable[[tuple[int, ...]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return a copy of segments that follow each other, except that the last may be shifted."""
    (begin, end), (last, stop) = bounds[0], bounds[-1]
    size = end - begin
    shifted = last != begin + (len(bounds) - 1) * size
    straight = len(bounds) - shifted
    batch = empty((len(bounds), size))
    batch[:straight] = samples[begin : begin + straight * size].reshape(straight, size)
    if shifted:
        batch[-1] = samples[last:stop]
    return batch


def cut_segments(
    signal: Signal, model: Encoder, *, scale: tuple[float, float] | None = None
) -> list[NDArray[np.float32]]:
    """Return the segments of a recording as `begin_pooling` takes them, in batches.

    So a thread can prepare what another one gives to a GPU.

    Parameters
    ----------
    signal, model, scale
        As for `begin_pooling`.
    """
    return list(_segments(signal, model, scale=scale, most=_BATCH))


def _frames(segments: NDArray[np.float32], model: Encoder) -> NDArray[np.float32]:
    states = model.encode(segments)
    frames = states.shape[2] if states.ndim == 4 else 0
    _check_shape(model, states, (len(segments), model.layers, frames or "frames", model.dim))
    return states


def pool_states(
    segments: NDArray[np.float32],
    model: Encoder,
    *,
    divisions: Sequence[int],
    on_states: Callable[[NDArray[np.float32]], None] | None = None,
) -> list[WindowStates | None]:
    """Return means and variances over windows of segments, computed where the states are.

    An encoder without `Encoder.pool` gives the states of every frame, and so does any
    encoder if ``on_states`` wants them. They are averaged here.

    Parameters
    ----------
    segments : ndarray [shape=(batch, samples)]
    model : Encoder
    divisions : sequence of int
        See `mess.encoders.windows`.
    on_states : callable, optional
        Called with the hidden states of each segment [layers, time, dim].

    Raises
    ------
    MessError
        If the encoder gives an array of another shape than it states.
    """
    if on_states is None and hasattr(model, "pool"):
        return _checked(model.pool(segments, divisions=divisions), model, divisions, len(segments))
    pool = getattr(model, "pool_frames", pool_frames)
    parts = []
    for first in range(0, len(segments), _FRAMES_BATCH):
        states = _frames(segments[first : first + _FRAMES_BATCH], model)
        parts.append(pool(states, divisions=divisions))
        if on_states is not None:
            for one in states:
                on_states(one)
    return [_joined(found) for found in zip(*parts, strict=True)]


def _start(
    segments: NDArray[np.float32],
    model: Encoder,
    *,
    divisions: Sequence[int],
    on_states: Callable[[NDArray[np.float32]], None] | None,
) -> Callable[[], list[WindowStates | None]]:
    """Start `pool_states`, and return what waits for it; only encoders on a GPU do start it."""
    start = getattr(model, "start_pooling", None)
    if on_states is not None or start is None:
        return partial(pool_states, segments, model, divisions=divisions, on_states=on_states)
    result = start(segments, divisions=divisions, halves=True)
    return lambda: _checked(result(), model, divisions, len(segments))


def _checked(
    pooled: list[WindowStates | None], model: Encoder, divisions: Sequence[int], segments: int
) -> list[WindowStates | None]:
    for windows, found in zip(divisions, pooled, strict=True):
        if found is not None:
            _check_shape(model, found.mean, (segments, windows, model.layers, model.dim))
    return pooled


def _joined(parts: Sequence[WindowStates | None]) -> WindowStates | None:
    there = [part for part in parts if part is not None]
    if len(there) < len(parts):
        return None
    variances = [part.variance for part in there if part.variance is not None]
    return WindowStates(np.concatenate([part.mean for part in there]), np.concatenate(variances))


def _check_shape(model: Encoder, array: NDArray[Any], wanted: tuple[int | str, ...]) -> None:
    if array.shape != wanted:
        raise MessError(
            f"encoder {model.id!r}: gives hidden states of shape {array.shape}, and "
            f"({', '.join(map(str, wanted))}) is needed; mend its code"
        )


def pool_segments(
    signal: Signal,
    model: Encoder,
    *,
    on_states: Callable[[NDArray[np.float32]], None] | None = None,
    moments: bool = False,
) -> Pooled:
    """Encode a recording, and return means and deviations over time.

    If the encoder needs normalised audio, the whole track is shifted and scaled by the same
    numbers, so the differences in loudness between segments remain.

    Parameters
    ----------
    signal : Signal
    model : Encoder
    on_states : callable, optional
        Called with the hidden states of each segment [layers, time, dim].
    moments : bool
        Whether to compute means over moments, too.

    Raises
    ------
    FloatingPointError
        If hidden states are not finite.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> from mess import decode, load_encoder
    >>> encoder = load_encoder("spectral")
    >>> pooled = pool_segments(decode("tone.wav", encoder.sample_rate), encoder)
    >>> pooled.segments.shape, pooled.whole.shape
    ((2, 10, 128), (10, 128))
    """
    return begin_pooling(signal, model, on_states=on_states, moments=moments)()


def begin_pooling(
    signal: Signal,
    model: Encoder,
    *,
    scale: tuple[float, float] | None = None,
    segments: Sequence[NDArray[np.float32]] | None = None,
    on_states: Callable[[NDArray[np.float32]], None] | None = None,
    moments: bool = False,
) -> Callable[[], Pooled]:
    """Start `pool_segments`, and return a function that waits for the result.

    A GPU computes while the processor does something else, and a thread takes what it gives back.
    Any other encoder begins when the result is asked for.

    Parameters
    ----------
    scale : tuple of float, optional
        What `Encoder.track_scale` returns for the signal, if it is known.
    segments : sequence of ndarray, optional
        What `cut_segments` returns, if it is known.
    signal, model, on_states, moments
        As for `pool_segments`, and so are the errors; all may come with the result.
    """
    grid = moment_grid(signal.samples.size, signal.sample_rate)
    divisions = (1, grid.per_segment) if moments else (1,)
    batches = segments or _segments(signal, model, scale=scale, most=_BATCH)

    def start_next() -> Iterator[Callable[[], list[WindowStates | None]]]:
        for batch in batches:
            yield _start(batch, model, divisions=divisions, on_states=on_states)

    waiting = start_next()
    ahead = next(waiting) if getattr(model, "asynchronous", False) else None

    def result() -> Pooled:
        current: Callable[[], list[WindowStates | None]] | None = ahead or next(waiting)
        collected = _Collected(grid)
        while current is not None:
            following = next(waiting, None)
            collected.add(current())
            current = following
        return collected.pooled()

    if not getattr(model, "asynchronous", False):
        return result
    # The rounding of a track's moments takes a while, and the next track can be begun meanwhile.
    thread = ThreadPoolExecutor(1)
    future = thread.submit(result)
    thread.shutdown(wait=False)
    return future.result


class _Collected:
    """The pooled states of the segments of a recording, batch by batch."""

    def __init__(self, grid: MomentGrid) -> None:
        self._grid = grid
        self._segments = 0
        self._means: list[Array] = []
        self._squares: list[Array] = []
        self._moments: list[NDArray[np.float16]] = []

    def add(self, pooled: list[WindowStates | None]) -> None:
        whole, *parts = pooled
        if whole is None or whole.variance is None or not _finite(whole.mean, whole.variance):
            raise FloatingPointError("hidden states are not finite")
        self._means.append(whole.mean[:, 0].astype(np.float64))
        self._squares.append(whole.mean_square[:, 0])
        numbers = self._grid.segment - self._segments
        here = (numbers >= 0) & (numbers < len(whole.mean))
        for part in parts:
            if part is not None:
                kept = np.zeros(part.mean.shape[:2], dtype=bool)
                kept[numbers[here], self._grid.number[here]] = True
                self._moments.append(_rounded(part.mean, kept))
        self._segments += len(whole.mean)

    def pooled(self) -> Pooled:
        segments, power = np.concatenate(self._means), np.concatenate(self._squares)
        whole = segments.mean(axis=0)
        return Pooled(
            segments=segments.astype(np.float16),
            segments_std=_deviation(power, segments).astype(np.float16),
            whole=whole.astype(np.float32),
            whole_std=_deviation(power.mean(axis=0), whole).astype(np.float32),
            moments=np.concatenate(self._moments) if self._moments else None,
        )


def _rounded(mean: NDArray[np.floating[Any]], kept: NDArray[np.bool_]) -> NDArray[np.float16]:
    """Return the means of the windows that are kept, rounded; nearly always all but a few are."""
    whole = len(kept) - 1  # segments: the windows of the last may be those of the one before
    if not kept[:whole].all():
        return mean[kept].astype(np.float16)
    rounded = np.empty((int(kept.sum()), *mean.shape[2:]), dtype=np.float16)
    straight = whole * kept.shape[1]
    rounded[:straight].reshape(whole, *mean.shape[1:])[...] = mean[:whole]
    rounded[straight:] = mean[whole][kept[whole]]
    return rounded


def first_precision_error(signal: Signal, model: Encoder) -> float | None:
    """Return how far a coarse precision moves the pooled states of the first segments.

    Returns
    -------
    float or None
        Relative to float32, see `TransformerEncoder.precision_error`. None for encoders in float32,
        and where it was measured before.
    """
    measure = getattr(model, "precision_error", None)
    if measure is None:
        return None
    error: float | None = measure(next(_segments(signal, model, most=_TRIAL)))
    return error


def _finite(*values: NDArray[np.floating[Any]]) -> bool:
    return all(bool(np.isfinite(one).all()) for one in values)


def _deviation(power: Array, mean: Array) -> Array:
    return np.sqrt(np.maximum(power - np.square(mean), 0.0))


def describe_encoder(model: Encoder) -> EncoderRecord:
    """Return all that features by this encoder depend on, beside the audio.

    Raises
    ------
    MessError
        If the encoder (of another package, say) has an attribute of a wrong type.
    """
    try:
        return EncoderRecord.of(
            encoder=model.id,
            revision=model.revision,
            weights_sha256=model.weights_hash,
            licence=model.licence,
            sample_rate=model.sample_rate,
            layers=model.layers,
            dim=model.dim,
            layer_names=list(model.layer_names),
            normalise="track" if model.normalise else "none",
            settings=dict(model.settings),
            segment_seconds=SEGMENT_SECONDS,
            code_version=FEATURES_VERSION,
        )
    except (DoesNotFit, TypeError) as error:
        raise MessError(
            f"the encoder {model.id!r} cannot be recorded ({error}); mend its package"
        ) from error
