"""Pooling: encode the segments of a recording, and average the hidden states over time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, Signal, segment_bounds
from mess.audio.moments import moment_grid
from mess.encoders.base import Encoder
from mess.errors import MessError
from mess.versions import FEATURES_VERSION

_BATCH = 8  # segments in memory at a time
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
    """Yield the hidden states of each segment, [layers, time, dim].

    If the encoder needs normalised audio, the whole track is shifted and scaled by the same
    numbers, so the differences in loudness between segments remain.
    """
    offset, scale = map(np.float32, model.track_scale(signal) if model.normalise else (0.0, 1.0))
    bounds = segment_bounds(signal.samples.size, round(SEGMENT_SECONDS * signal.sample_rate))
    for first in range(0, len(bounds), _BATCH):
        batch = np.stack([signal.samples[a:b] for a, b in bounds[first : first + _BATCH]])
        if model.normalise:
            batch = (batch - offset) / scale
        states = model.encode(batch)
        if states.shape[:2] + states.shape[3:] != (len(batch), model.layers, model.dim):
            raise MessError(
                f"encoder {model.id!r}: gives hidden states of shape {states.shape}, and "
                f"({len(batch)}, {model.layers}, frames, {model.dim}) is needed; mend its code"
            )
        yield from states


def pool_segments(
    signal: Signal,
    model: Encoder,
    *,
    on_states: Callable[[NDArray[np.float32]], None] | None = None,
    moments: bool = False,
) -> Pooled:
    """Encode a recording, and return means and deviations over time.

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
    means, squares = [], []
    grid = moment_grid(signal.samples.size, signal.sample_rate)
    of_moments: list[NDArray[np.float16]] = []
    for number, states in enumerate(encode_segments(signal, model)):
        if not np.isfinite(states).all():
            raise FloatingPointError("hidden states are not finite")
        means.append(states.mean(axis=1, dtype=np.float64))
        squares.append(np.square(states, dtype=np.float64).mean(axis=1))
        if moments and states.shape[1] >= grid.per_segment:
            kept = grid.number[grid.segment == number]
            of_moments.append(moment_means(states, count=grid.per_segment)[kept])
        if on_states is not None:
            on_states(states)
    segments, power = np.stack(means), np.stack(squares)
    whole = segments.mean(axis=0)
    return Pooled(
        segments=segments.astype(np.float16),
        segments_std=_deviation(power, segments).astype(np.float16),
        whole=whole.astype(np.float32),
        whole_std=_deviation(power.mean(axis=0), whole).astype(np.float32),
        moments=np.concatenate(of_moments) if of_moments else None,
    )


def moment_means(states: NDArray[np.float32], *, count: int) -> NDArray[np.float16]:
    """Return the means of a segment's states over moments of equal length.

    If the number of states is not a multiple of ``count``, lengths differ by one state.

    Parameters
    ----------
    states : ndarray [shape=(layers, time, dim)]
    count : int
        Number of moments; at most ``time``.

    Returns
    -------
    ndarray [shape=(count, layers, dim), dtype=float16]
    """
    edges = np.rint(np.linspace(0, states.shape[1], count + 1)).astype(np.int64)
    total = np.add.reduceat(states, edges[:-1], axis=1, dtype=np.float32)
    mean = total / np.diff(edges).astype(np.float32)[:, None]
    return mean.transpose(1, 0, 2).astype(np.float16)


def _deviation(power: Array, mean: Array) -> Array:
    return np.sqrt(np.maximum(power - np.square(mean), 0.0))


def describe_encoder(model: Encoder) -> dict[str, Any]:
    """Return all that features by this encoder depend on beside the audio."""
    return {
        "encoder": model.id,
        "revision": model.revision,
        "weights_sha256": model.weights_hash,
        "licence": model.licence,
        "sample_rate": model.sample_rate,
        "layers": model.layers,
        "dim": model.dim,
        "layer_names": list(model.layer_names),
        "normalise": "track" if model.normalise else "none",
        "settings": dict(model.settings),
        "segment_seconds": SEGMENT_SECONDS,
        "code_version": FEATURES_VERSION,
    }
