"""What an encoder computes of one recording, wherever that happens; nothing is written here."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal, decode_at
from mess.datasets import Track
from mess.encoders import Encoder, load_encoder
from mess.encoders.catalogue import RANDOM, is_folder
from mess.encoders.pooling import Pooled, begin_pooling, describe_encoder, first_precision_error
from mess.errors import AudioError, MessError
from mess.records.features import EncoderRecord

Signals = Mapping[int, Signal]  # a recording, by sample rate


@dataclass(frozen=True)
class Encoded:
    """The pooled states of a recording, and what its manifest entry says of it.

    Attributes
    ----------
    pooled : Pooled
    samples : int
        At the rate of the encoder.
    duration : float
        Seconds.
    seconds : float
        How long encoding took, without reading the file.
    notes : tuple of str
        What is doubtful about the file.
    precision_error : float or None
        The first that this encoder measured; see `mess.encoders.pooling`.
    raw_bytes : int
        The size of the file of frames; 0 where they were not wanted.
    """

    pooled: Pooled
    samples: int
    duration: float
    seconds: float
    notes: tuple[str, ...]
    precision_error: float | None = None
    raw_bytes: int = 0


@dataclass
class TrackEncoder:
    """An encoder that is given one recording after another.

    Attributes
    ----------
    model : Encoder
    moments : bool
        Whether to compute means over moments.
    precision_error : float or None
        Of the first recording, in a coarse precision.
    """

    model: Encoder
    moments: bool = True
    precision_error: float | None = field(default=None, init=False)
    _asked: bool = field(default=False, init=False)  # an encoder tells it once

    def begin(
        self,
        track: Track,
        signal: Signal,
        *,
        scale: tuple[float, float] | None = None,
        segments: Sequence[NDArray[np.float32]] | None = None,
        on_states: Callable[[NDArray[np.float32]], None] | None = None,
    ) -> Callable[[], Encoded]:
        """Start to encode a recording where the encoder can; return what waits for the result.

        Parameters
        ----------
        track : Track
        signal : Signal
            At the rate of the encoder.
        scale, segments, on_states
            See `mess.encoders.pooling.begin_pooling`.

        Raises
        ------
        AudioError
            With the result, if hidden states are not finite.
        """
        if not self._asked:
            self._asked = True
            error = first_precision_error(signal, self.model)
            if error is not None and np.isfinite(error):
                self.precision_error = error
        began = time.perf_counter()
        pooled = begin_pooling(
            signal,
            self.model,
            scale=scale,
            segments=segments,
            on_states=on_states,
            moments=self.moments,
        )
        spent = time.perf_counter() - began

        def result() -> Encoded:
            again = time.perf_counter()
            try:
                found = pooled()
            except FloatingPointError:
                raise AudioError(
                    track.path, "gives hidden states that are not finite", "try --dtype float32"
                ) from None
            return Encoded(
                pooled=found,
                samples=signal.samples.size,
                duration=round(signal.duration, 3),
                seconds=spent + time.perf_counter() - again,
                notes=signal.notes,
                precision_error=self.precision_error,
            )

        return result


def absolute_encoder(name: str) -> str:
    """Return the name of an encoder as another process understands it: folders are whole paths."""
    target = name.removeprefix(RANDOM)
    if not is_folder(target):
        return name
    return name.removesuffix(target) + str(Path(target).expanduser().absolute())


@dataclass(frozen=True)
class ReadSignals:
    """Decodes a recording at the rates of the encoders that lack it.

    Attributes
    ----------
    rates : mapping of str to int
        By encoder.
    decode : callable
        (path, sample rates) → the recording at each of them.
    """

    rates: Mapping[str, int]
    decode: Callable[[Path, Collection[int]], Signals] = decode_at

    def __call__(self, track: Track, lacking: Sequence[str]) -> Signals:
        """Return the recording at each rate."""
        return self.decode(track.path, {self.rates[name] for name in lacking})


@dataclass(frozen=True)
class LoadEncoders:
    """Loads encoders in another process, and checks that they are the ones that are meant.

    Attributes
    ----------
    names : mapping of str to str
        What `mess.encoders.load_encoder` takes, by the name of the step.
    device, dtype : str
    moments : bool
    records : mapping of str to EncoderRecord
        What each must be; the manifest has it.
    """

    names: Mapping[str, str]
    device: str
    dtype: str
    moments: bool
    records: Mapping[str, EncoderRecord]

    def describe(self) -> dict[str, EncoderRecord]:
        """Return what each encoder is where this runs."""
        return {name: describe_encoder(model) for name, model in self._load().items()}

    def _load(self) -> dict[str, Encoder]:
        how: dict[str, Any] = {"device": self.device, "dtype": self.dtype}
        return {name: load_encoder(target, **how) for name, target in self.names.items()}

    def __call__(self) -> Callable[[Track, str, Signals], Encoded]:
        """Return what encodes a recording.

        Raises
        ------
        MessError
            If an encoder is not the one that is meant.
        """
        models = self._load()
        for name, model in models.items():
            if (found := describe_encoder(model)) != self.records[name]:
                fields = found.__dataclass_fields__
                other = [f for f in fields if getattr(found, f) != getattr(self.records[name], f)]
                raise MessError(
                    f"encoder {name!r} differs between the machines of the cluster "
                    f"({', '.join(other)}); give all of them the same version of MESS, the same "
                    "weights and the same kind of processor"
                )
        encoders = {name: TrackEncoder(model, self.moments) for name, model in models.items()}

        def encode(track: Track, name: str, signals: Signals) -> Encoded:
            encoder = encoders[name]
            return encoder.begin(track, signals[encoder.model.sample_rate])()

        return encode
