"""Encoding on this machine: recordings are read ahead, and every frame may be kept."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, Signal
from mess.datasets import Track
from mess.storage.store import Store
from pipelines.encoding import Encoded, ReadSignals, Signals, TrackEncoder
from pipelines.kept_states import KeptStates, States


@dataclass(frozen=True)
class Prepared:
    """One recording, as some encoders take it.

    Attributes
    ----------
    signals : mapping of int to Signal
        By sample rate.
    scales : dict of str to tuple of float
        What `Encoder.track_scale` returns, by encoder.
    """

    signals: Signals
    scales: dict[str, tuple[float, float]]


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
    ) -> None:
        self._encoders, self._store, self._dataset = encoders, store, dataset
        self._raw, self._kept = raw, kept
        self._read = ReadSignals({name: one.model.sample_rate for name, one in encoders.items()})

    def prepare(self, track: Track, lacking: Sequence[str]) -> Prepared:
        """Read a recording, in a thread."""
        signals = self._read(track, lacking)
        models = {name: self._encoders[name].model for name in lacking}
        scales = {
            name: model.track_scale(signals[model.sample_rate])
            for name, model in models.items()
            if model.normalise
        }
        return Prepared(signals, scales)

    def begin(self, track: Track, name: str, prepared: Prepared) -> Callable[[], Encoded]:
        """Begin to encode a recording; if frames are wanted, that is done when it is finished."""
        signal = prepared.signals[self._encoders[name].model.sample_rate]
        scale, kept = prepared.scales.get(name), self._kept.get(name)
        if self._raw or not (kept is None or kept.full):
            return partial(self._with_frames, track, name, signal, scale=scale)
        return self._encoders[name].begin(track, signal, scale=scale)

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
