"""Encode a new recording once, and compute its coordinates in an existing index.

Encoding needs the encoder, so a dashboard runs it in another process. Computing coordinates takes a
few matrix products.

Examples
--------
>>> from mess import LayerBasedRecommender, load_dataset, load_encoder
>>> from mess.new_recordings.encoding import encode_recording, project_recording
>>> recommender = LayerBasedRecommender("demo", "spectral")
>>> path = load_dataset("demo").tracks[0].path  # or any other recording
>>> new = encode_recording(path, load_encoder("spectral"), like=recommender.made_by)
>>> point = project_recording(new, recommender)
>>> len(recommender.multi_aspect_recommendation(point, {"brightness": 1.0}, 3))
3
"""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.as_text import as_words
from mess.audio.decoding import decode_at
from mess.audio.moments import moment_grid
from mess.curves.registry import CURVES, compute_curves
from mess.curves.windows import Windows
from mess.encoders import Encoder
from mess.encoders.pooling import describe_encoder, pool_segments
from mess.errors import AudioError, MessError
from mess.lanes.recordings import MeasuredCurves
from mess.records.base import Record
from mess.records.features import EncoderRecord, FeaturesHeader
from mess.search.coordinate_index import Point
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender
from mess.search.placing import place
from mess.storage.arrays import load_arrays
from mess.storage.paths import command_for
from mess.targets import TARGET_SAMPLE_RATE, analyse
from mess.targets.measuring import measure_targets

MAX_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class _About(Record):
    """What stands beside the arrays of an encoded recording; see `EncodedRecording`."""

    made_by: EncoderRecord
    duration: float
    measured: dict[str, float]


@dataclass(frozen=True)
class RecordingInTime:
    """When the moments of a new recording begin, and its measured curves.

    Attributes
    ----------
    start : ndarray [shape=(m,)]
        When each moment of the states begins, in seconds.
    curves : MeasuredCurves
    """

    start: NDArray[np.float64]
    curves: MeasuredCurves

    def serialise(self) -> bytes:
        """Return it as npz."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            start=self.start,
            curves_start=self.curves.start,
            curves=self.curves.values,
            names=np.array(list(CURVES)),
        )
        return buffer.getvalue()

    @classmethod
    def deserialise(cls, content: bytes) -> "RecordingInTime":
        """Read what `serialise` wrote.

        Raises
        ------
        ValueError
            If the content was not written by `serialise`, or holds other curves.
        """
        arrays = load_arrays(content)
        try:
            if arrays["names"].tolist() != list(CURVES):
                raise ValueError("other curves")
            curves = MeasuredCurves(arrays["curves_start"], arrays["curves"])
            return cls(arrays["start"], curves)
        except KeyError as error:
            raise ValueError("no recording in time") from error


@dataclass(frozen=True)
class EncodedRecording:
    """The features and targets of a new recording.

    Attributes
    ----------
    made_by : EncoderRecord
        All that the features depend on, beside the audio.
    duration : float
        Seconds.
    whole : ndarray [shape=(layers, 2 · dim)]
        Means and standard deviations over time.
    segments : ndarray [shape=(s, layers, dim)]
    measured : dict of str to float
        Its proxy targets; undefined targets are left out.
    moments : ndarray [shape=(m, layers, dim)]
        Means over half a second; none if the encoder has no course inside segments.
    in_time : RecordingInTime, optional
        What `serialise` leaves out: it is asked for when a lane is opened.
    """

    made_by: EncoderRecord
    duration: float
    whole: NDArray[np.float32]
    segments: NDArray[np.float16]
    measured: dict[str, float]
    moments: NDArray[np.float16]
    in_time: RecordingInTime | None = None

    def features(self, *, width: int) -> NDArray[np.float32]:
        """Return the first ``width`` features of each layer, as an index takes them [1, layers, w].

        These are means and deviations over time, then the least and greatest means of a segment.
        """
        ends = [self.segments.min(axis=0), self.segments.max(axis=0)]
        return np.concatenate([self.whole, *ends], axis=-1)[None, :, :width].astype(np.float32)

    def states(self, layer: int) -> NDArray[np.float16]:
        """Return the states of the moments in one layer [m, dim]."""
        return self.moments[:, layer]

    def serialise(self) -> bytes:
        """Return it as npz."""
        about = _About(made_by=self.made_by, duration=self.duration, measured=self.measured)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            about=np.frombuffer(json.dumps(about.to_json()).encode(), dtype=np.uint8),
            whole=self.whole,
            segments=self.segments,
            moments=self.moments,
        )
        return buffer.getvalue()

    @classmethod
    def deserialise(cls, content: bytes) -> "EncodedRecording":
        """Read what `serialise` wrote.

        Raises
        ------
        ValueError
            If the content was not written by `serialise`.
        """
        try:
            arrays = load_arrays(content)
            about = _About.from_json(json.loads(arrays["about"].tobytes()))
            return cls(
                about.made_by,
                about.duration,
                arrays["whole"],
                arrays["segments"],
                about.measured,
                arrays["moments"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError("no recording that was encoded") from error


def check_same_encoder(made_by: EncoderRecord, like: FeaturesHeader) -> None:
    """Refuse an encoder whose settings differ from those that the features were made with.

    Parameters
    ----------
    made_by : EncoderRecord
        From `describe_encoder`.
    like : FeaturesHeader
        Of the features.

    Raises
    ------
    MessError
        If a setting differs; the message names it.
    """
    different = made_by.differences(like)
    if different:
        raise MessError(
            f"the features of {like.dataset!r} were made by another {like.encoder!r} than the one "
            f"here ({', '.join(as_words(name) for name in different)}): "
            f"run `{command_for('extract', like.dataset, like.encoder)}`, "
            "then probe and index again"
        )


def encode_recording(
    path: str | Path,
    model: Encoder,
    *,
    like: FeaturesHeader,
    max_seconds: float = MAX_SECONDS,
) -> EncodedRecording:
    """Decode, encode and measure a recording.

    Parameters
    ----------
    path : str or Path
    model : Encoder
    like : FeaturesHeader
        Of the features that it will be compared with.
    max_seconds : float
        Longer recordings are refused; the decoded length counts, not that of the header.

    Raises
    ------
    AudioError
        If the file cannot be used.
    MessError
        If ``model`` is not the encoder of ``like``.
    """
    made_by = describe_encoder(model)
    check_same_encoder(made_by, like)
    signals = decode_at(path, {model.sample_rate, TARGET_SAMPLE_RATE}, max_seconds=max_seconds)
    signal = signals[model.sample_rate]
    try:
        pooled = pool_segments(signal, model, moments=True)
    except FloatingPointError:
        raise AudioError(
            path, "gives hidden states that are not finite", "export it again"
        ) from None
    heard = signals[TARGET_SAMPLE_RATE]
    analysis = analyse(heard)
    measured = measure_targets(analysis, heard).track
    windows = Windows.of(moment_grid(heard.samples.size, heard.sample_rate))
    curves = MeasuredCurves(windows.start, compute_curves(analysis, windows))
    start = moment_grid(signal.samples.size, signal.sample_rate).start
    return EncodedRecording(
        made_by=made_by,
        duration=round(signal.duration, 3),
        whole=np.concatenate([pooled.whole, pooled.whole_std], axis=1),
        segments=pooled.segments,
        measured={name: float(v) for name, v in measured.items() if math.isfinite(v)},
        moments=(
            np.empty((0, model.layers, model.dim), dtype=np.float16)
            if pooled.moments is None
            else pooled.moments
        ),
        in_time=RecordingInTime(start, curves),
    )


def project_recording(recording: EncodedRecording, recommender: LayerBasedRecommender) -> Point:
    """Return the coordinates of a recording in an index.

    Raises
    ------
    MessError
        If it was encoded with other settings than the tracks, or the index has no coordinates.
    """
    check_same_encoder(recording.made_by, recommender.made_by)
    point = place(
        recommender.projection,
        recommender.terms.coordinates.columns,
        features=recording.features(width=recommender.projection.width),
        states=recording.states,
        measured=recording.measured,
    )
    means = recording.features(width=recording.made_by.dim)
    made = recommender.apply_heads(means)
    return point._replace(heads={name: vectors[0] for name, vectors in made.items()})


def project_segments(recording: EncodedRecording, passages: PassageRecommender) -> list[Point]:
    """Return the coordinates of the segments of a recording in an index of segments.

    Raises
    ------
    MessError
        If it was encoded with other settings than the segments of the index.
    """
    check_same_encoder(recording.made_by, passages.made_by)
    x = passages.projection.coordinates(recording.segments)
    overall = passages.projection.overall(recording.segments)
    return [Point.from_coordinates(*pair) for pair in zip(x, overall, strict=True)]


def predicted_values(
    recording: EncodedRecording, recommender: LayerBasedRecommender
) -> dict[str, float]:
    """Return the predicted targets of a recording, in their units."""
    coordinates = recommender.terms.coordinates
    columns = [n for n, column in enumerate(coordinates.columns) if column.kind == "probe"]
    values = coordinates.point_values(project_recording(recording, recommender), columns)
    return {
        coordinates.columns[number].name: float(value)
        for number, value in zip(columns, values, strict=True)
        if math.isfinite(value)
    }
