"""Encoding on this machine: recordings are read ahead, and every frame may be kept."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, Signal, decode_at
from mess.datasets import Track
from mess.encoders.pooling import cut_segments
from mess.storage.store import Store
from pipelines.encoding import Encoded, ReadSignals, Signals, TrackEncoder
from pipelines.kept_states import KeptStates, States

_CUT_SECONDS = 20 * 60.0  # longer recordings are cut a batch at a time, for the sake of memory


@dataclass(frozen=True)
class Prepared:
    """One recording, as some encoders take it.

    Attributes
    ----------
    signals : mapping of int to Signal
        By sample rate.
    scales : dict of str to tuple of float
        What `Encoder.track_scale` returns, by encoder.
    segments : dict of str to list of ndarray
        What `mess.encoders.pooling.cut_segments` returns, by encoder: of those on a GPU, for which
        the thread that feeds it must not do what other threads can.
    """

    signals: Signals
    scales: dict[str, tuple[float, float]]
    segments: dict[str, list[NDArray[np.float32]]]


class LocalEncoding:
    """What this process computes of a track: pooled states and, if wanted, every frame."""

    def __init__(
        self,
        encoders: Mapping[str, TrackEncoder],
        *,
        store: Store,
        dataset: str,
        raw: bool,
        kept: Mapping[str, KeptStates],
        decode: Callable[[Path, Collection[int]], Signals] = decode_at,
    ) -> None:
        self._encoders, self._store, self._dataset = encoders, store, dataset
        self._raw, self._kept = raw, kept
        rates = {name: one.model.sample_rate for name, one in encoders.items()}
        self._read = ReadSignals(rates, decode)

    def prepare(self, track: Track, lacking: Sequence[str]) -> Prepared:
        """Read a recording, in a thread."""
        signals = self._read(track, lacking)
        models = {name: self._encoders[name].model for name in lacking}
        scales = {
            name: model.track_scale(signals[model.sample_rate])
            for name, model in models.items()
            if model.normalise
        }
        segments = {
            name: cut_segments(signals[model.sample_rate], model, scale=scales.get(name))
            for name, model in models.items()
            if getattr(model, "asynchronous", False)
            and signals[model.sample_rate].duration <= _CUT_SECONDS
        }
        return Prepared(signals, scales, segments)

    def begin(self, track: Track, name: str, prepared: Prepared) -> Callable[[], Encoded]:
        """Begin to encode a recording; if frames are wanted, that is done when it is finished."""
        signal = prepared.signals[self._encoders[name].model.sample_rate]
        scale, kept = prepared.scales.get(name), self._kept.get(name)
        if self._raw or not (kept is None or kept.full):
            return partial(self._with_frames, track, name, signal, scale=scale)
        segments = prepared.segments.pop(name, None)
        return self._encoders[name].begin(track, signal, scale=scale, segments=segments)

    def _with_frames(
        self, track: Track, name: str, signal: Signal, *, scale: tuple[float, float] | None
    ) -> Encoded:
        held: list[States] = []
        kept = self._kept.get(name)
        write = self._store.features.raw_writer(self._dataset, name, track.id)
        with write if self._raw else nullcontext() as writer:

            def take(states: NDArray[np.float32]) -> None:
                if writer is not None:
                    writer.append(states)
                if kept is not None:
                    held.append(states.astype(np.float16))

            encoder = self._encoders[name]
            encoded = encoder.begin(track, signal, scale=scale, on_states=take)()
        if kept is not None and held:
            segment = min(signal.duration, SEGMENT_SECONDS)
            kept.put(track.id, held, samples=signal.samples.size, seconds=segment)
        return replace(encoded, raw_bytes=writer.size if writer is not None else 0)
