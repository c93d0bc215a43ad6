"""Recordings in every format that is decoded, written on the spot."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

RATE = 22_050
# By name: the format of libsndfile and its subtype.
SNDFILE = {
    "a.wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "long.rf64": ("RF64", "PCM_16"),
    "a.w64": ("W64", "PCM_16"),
    "a.aiff": ("AIFF", "PCM_16"),
    "a.aifc": ("AIFF", "ULAW"),
    "a.au": ("AU", "PCM_16"),
    "a.caf": ("CAF", "PCM_16"),
    "a.flac": ("FLAC", "PCM_16"),
    "a.mp3": ("MP3", None),
    "a.ogg": ("OGG", "VORBIS"),
    "a.opus": ("OGG", "OPUS"),
}
# By name: the format of FFmpeg, its codec, and options.
FFMPEG = {
    "a.m4a": ("ipod", "aac", {}),
    "index-first.m4a": ("ipod", "aac", {"movflags": "faststart"}),
    "lossless.m4b": ("ipod", "alac", {}),
    "lossless.caf": ("caf", "alac", {}),
    "a.aac": ("adts", "aac", {}),
    "a.wma": ("asf", "wmav2", {}),
    "a.webm": ("webm", "libopus", {}),
    "a.mka": ("matroska", "aac", {}),
}


def sines(
    seconds: float, frequency: float = 440.0, *, rate: int = RATE, channels: int = 1
) -> NDArray[np.float32]:
    """Return a sine [frames, channels]."""
    time = np.arange(round(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
    return np.repeat(wave[:, None], channels, axis=1)


def coded(samples: NDArray[np.float32], name: str, *, rate: int = RATE, **how: object) -> bytes:
    """Return [frames, channels] as a file of a name in `SNDFILE` or `FFMPEG`."""
    buffer = io.BytesIO()
    if name in SNDFILE:
        kind, subtype = SNDFILE[name]
        with soundfile.SoundFile(
            buffer, "w", rate, samples.shape[1], format=kind, subtype=subtype, **how
        ) as sink:
            sink.write(samples)
        return buffer.getvalue()
    av = pytest.importorskip("av", reason=f"{name} needs PyAV, of the extra 'ml'")
    kind, codec, options = FFMPEG[name]
    rate = 48_000 if codec == "libopus" else rate
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(path, "w", format=kind, options=options) as media:
            media.metadata["title"] = str(how.get("title", "Etude"))
            stream = media.add_stream(codec, rate=rate)
            stream.layout = layout
            stream.bit_rate = 64_000
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples.T), format="fltp", layout=layout
            )
            frame.sample_rate = rate
            resampler = av.AudioResampler(
                format=stream.format.name,
                layout=layout,
                rate=rate,
                frame_size=stream.codec_context.frame_size or 1024,
            )
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                piece.pts = None
                media.mux(stream.encode(piece))
            media.mux(stream.encode(None))
        return path.read_bytes()
