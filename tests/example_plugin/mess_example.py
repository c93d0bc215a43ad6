"""A package that adds an encoder, a target and a dataset to MESS: copy it and change it.

Its `pyproject.toml` names what it offers; CONTRIBUTING.md says what each must be.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.datasets import Dataset, Track
from mess.encoders import Preset
from mess.errors import ArtifactError
from mess.targets import Analysis, AudioTarget, Tolerance

# An encoder: a preset for the lists, and a class that is made when the encoder is used. ----------

_FRAME, _BANDS = 1_024, 12
_EDGES = np.geomspace(4, _FRAME // 2, _BANDS).astype(int)  # bins of the spectrum


class Bands:
    """The logarithm of the power in twelve bands, and of their shares: an encoder of two layers."""

    id = "example-bands"
    sample_rate = 16_000
    layers, dim = 2, _BANDS
    layer_names = ["log share", "log power"]  # noqa: RUF012
    licence = "Apache-2.0"
    revision = ""
    weights_hash = "none"
    normalise = True
    settings = {"version": 1}  # noqa: RUF012 (raise it with any change of what `encode` returns)

    def track_scale(self, signal: Signal) -> tuple[float, float]:
        """Return what a track's samples are shifted and divided by."""
        return signal.mean, max(signal.std, 1e-7)

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the hidden states [batch, layers, frames, dim] of [batch, samples]."""
        frames = segments.shape[1] // _FRAME
        windows = segments[:, : frames * _FRAME].reshape(len(segments), frames, _FRAME)
        spectrum = np.abs(np.fft.rfft(windows * np.hanning(_FRAME))) ** 2
        power = np.add.reduceat(spectrum, [0, *_EDGES[:-1]], axis=-1) + 1e-9
        share = power / power.sum(axis=-1, keepdims=True)
        return np.stack([np.log10(share + 0.01), np.log10(power)], axis=1).astype(np.float32)


def load_bands(*, device: str, dtype: str) -> Bands:
    """Make the encoder; a large model is imported and loaded here, and not before."""
    return Bands()


BANDS = Preset(
    name="example-bands",
    kind="plugin",
    load=load_bands,
    licence="Apache-2.0",
    trained_on="none",
    sample_rate=16_000,
    layers=2,
    dim=_BANDS,
    layer_names=("log share", "log power"),
    cost=0.1,
    note="An example: the power in twelve bands.",
)


# A target: a function of the curves of a recording, and what a table says of it. ----------------


def mel_centre(music: Analysis) -> float:
    """Return the centre of gravity of the power in mel bands, as the number of a band."""
    power = music.mel.mean(axis=0)
    return float(np.arange(power.size) @ power / power.sum())


MEL_CENTRE = AudioTarget(
    name="mel_centre",
    family="timbre",
    unit="band",
    description="How high the sound lies, on a scale that is close to hearing.",
    level="segment",
    function=mel_centre,
    tolerance=Tolerance(relative=0.01),
    version=1,
)


# A dataset: a function of the folder that its recordings lie in. ---------------------------------


def load_tones(root: Path) -> Dataset:
    """Read ``<work>-<take>.wav`` below a folder."""
    paths = sorted(root.glob("*.wav"))
    if not paths:
        raise ArtifactError(
            "dataset 'example-tones'",
            f"has no recordings: put <work>-<take>.wav into {root}, then",
            "mess extract --dataset example-tones",
        )
    tracks = [Track(id=path.stem, path=path, work=path.stem.partition("-")[0]) for path in paths]
    return Dataset("example-tones", root, tuple(tracks), licence="CC0")
