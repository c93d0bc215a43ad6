"""Whisper: hidden states of its encoder, run by the class of transformers.

Whisper is trained on speech, with log-mel spectrograms of 30 s; shorter recordings are padded with
silence. Here a segment is encoded at its true length, with the position embeddings of its first
seconds, so no frame attends to silence that the music does not have. Padded to 30 s, as in training
and at six times the cost, the same frames differ little in the first layers and by a third in the
last one. On 58 recordings of the demo library, the R² of the best layer, averaged over 22 targets,
was 0.42 with padding to 30 s, and 0.39 at the true length or with padding to 10 s.

Conventions: the log-mel spectrogram is that of Whisper (80 bands, 25 ms Hann windows, 100 frames
per second, decimal logarithm, floor 80 dB below the maximum, ``(x + 4) / 4``), except that the
maximum is that of the track. So a softer segment remains softer. Samples are shifted by the mean of
their track, and scaled so that the loudest band of the track has the power `LOUDEST`. So the gain
of a whole track has no effect.

References
----------
Radford et al., "Robust speech recognition via large-scale weak supervision", ICML 2023.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mess.encoders.checkpoint import (
    Architecture,
    Checkpoint,
    body_of,
    read_tensors,
)
from mess.encoders.transformer import TransformerEncoder
from mess.encoders.weights import Origin, build, load_exactly, origin_of, random_origin
from mess.errors import MessError

if TYPE_CHECKING:
    import torch

    from mess.audio.decoding import Signal

SAMPLE_RATE = 16_000
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 100 frames a second
LOUDEST = 10.0  # power of the loudest mel band, as of speech at a usual level
_RANGE = 8.0  # decades of power that the spectrogram keeps: 80 dB
_LOWEST_POWER = 1e-10
_VERSION = 1  # raise with any change of what `encode` returns
_FIRST = 2 * HOP - WINDOW // 2  # start of the first frame that lies completely in a track
_BLOCK = 3_000  # frames that are measured at a time


class WhisperTrackEncoder(TransformerEncoder):
    """Whisper's encoder as an `Encoder`; made by `load_whisper` and `random_whisper`."""

    def __init__(
        self, model: Any, *, architecture: Architecture, origin: Origin, device: str, dtype: str
    ) -> None:
        if architecture.sample_rate != SAMPLE_RATE:
            raise MessError(
                f"{origin.id}: Whisper works at {SAMPLE_RATE} Hz, not {architecture.sample_rate}; "
                "correct preprocessor_config.json"
            )
        self._mel: torch.Tensor | None = None
        super().__init__(
            model,
            architecture=architecture,
            layers=model.config.encoder_layers + 1,
            dim=model.config.d_model,
            origin=origin,
            device=device,
            dtype=dtype,
        )
        self.normalise = True
        self.settings |= {"log_mel": _VERSION, "loudest": LOUDEST}

    def frames(self, samples: int) -> int:
        """Return the number of frames of a segment: 250 for 5 s."""
        return samples // HOP // 2

    def track_scale(self, signal: "Signal") -> tuple[float, float]:
        """Return the track's mean, and the root of its loudest band's power over `LOUDEST`."""
        import torch

        loudest, step = 0.0, _BLOCK * HOP
        with torch.inference_mode():
            for start in range(_FIRST, signal.samples.size, step):
                block = np.asarray(signal.samples[start : start + step + WINDOW - HOP])
                if block.size >= WINDOW:
                    centred = torch.from_numpy(block - np.float32(signal.mean))
                    loudest = max(loudest, float(self._power(centred[None], pad=False).max()))
        return signal.mean, max(loudest / LOUDEST, 1e-12) ** 0.5

    def log_mel(self, samples: "torch.Tensor") -> "torch.Tensor":
        """Return Whisper's log-mel spectrogram of segments of a scaled track.

        Parameters
        ----------
        samples : Tensor [shape=(batch, n)]

        Returns
        -------
        Tensor [shape=(batch, bands, n // 160)]
        """
        import torch

        power = self._power(samples, pad=True)[..., : samples.shape[1] // HOP]
        logarithm = power.clamp(min=_LOWEST_POWER).log10()
        floor = float(np.log10(LOUDEST)) - _RANGE
        return torch.div(logarithm.clamp(min=floor) + 4.0, 4.0)

    def states(self, samples: "torch.Tensor") -> "list[torch.Tensor]":
        """Return the hidden states of segments, at their true length."""
        frames = self.frames(samples.shape[1])
        self._take_positions(frames)
        # Two frames of the spectrogram give one frame of the model; an odd last one is left out.
        features = self.log_mel(samples)[..., : 2 * frames]
        output = self.model(features.to(self._dtype), output_hidden_states=True)
        return [*output.hidden_states[:-1], output.last_hidden_state]

    def _take_positions(self, frames: int) -> None:
        """Shorten the position embeddings of the model to the first frames.

        The model requires an input of exactly as many frames as it has positions.
        """
        import torch

        model = self.model
        if not hasattr(model, "all_positions"):
            model.all_positions = model.embed_positions.weight.detach()
        if frames > len(model.all_positions):
            raise MessError(
                f"a segment of {frames} frames is too long for {self.id}; "
                f"give at most {len(model.all_positions)}"
            )
        if model.embed_positions.num_embeddings != frames:
            shortened = model.all_positions[:frames]
            model.embed_positions = torch.nn.Embedding.from_pretrained(shortened)
            model.config.max_source_positions = frames

    def _power(self, samples: "torch.Tensor", *, pad: bool) -> "torch.Tensor":
        """Return the mel power spectrogram [batch, bands, frames]."""
        import torch

        if self._mel is None:
            from transformers.audio_utils import mel_filter_bank

            matrix = mel_filter_bank(
                num_frequency_bins=1 + WINDOW // 2,
                num_mel_filters=self.model.config.num_mel_bins,
                min_frequency=0.0,
                max_frequency=SAMPLE_RATE / 2,
                sampling_rate=SAMPLE_RATE,
                norm="slaney",
                mel_scale="slaney",
            )
            self._mel = torch.tensor(matrix.T, dtype=torch.float32)
        spectrum = torch.stft(
            samples,
            WINDOW,
            HOP,
            window=torch.hann_window(WINDOW, device=samples.device),
            center=pad,
            pad_mode="reflect",
            return_complex=True,
        )
        return self._mel.to(samples.device) @ (spectrum.real.square() + spectrum.imag.square())


def load_whisper(
    checkpoint: Checkpoint, *, id: str, licence: str, device: str, dtype: str
) -> WhisperTrackEncoder:
    """Return the encoder of a checkpoint in the hub's layout.

    Raises
    ------
    MessError
        If a single tensor is missing, unexpected or of another shape, or the file is unsafe.
    """
    source = str(checkpoint.weights)
    return whisper_of(
        body_of(read_tensors(checkpoint.weights), "whisper", source=source),
        checkpoint.architecture,
        source=source,
        origin=origin_of(checkpoint, id=id, licence=licence),
        device=device,
        dtype=dtype,
    )


def whisper_of(
    weights: "dict[str, torch.Tensor]",
    architecture: Architecture,
    *,
    source: str,
    origin: Origin,
    device: str,
    dtype: str,
) -> WhisperTrackEncoder:
    """Return the encoder with these weights, named as transformers' WhisperEncoder names them.

    Raises
    ------
    MessError
        If the weights do not fit exactly.
    """
    model = _build(architecture, allocate=False)
    load_exactly(model, weights, source=source)
    return WhisperTrackEncoder(
        model, architecture=architecture, origin=origin, device=device, dtype=dtype
    )


def random_whisper(
    architecture: Architecture, *, id: str, seed: int, device: str, dtype: str
) -> WhisperTrackEncoder:
    """Return the same architecture with random weights, as a control without training."""
    return WhisperTrackEncoder(
        _build(architecture, seed=seed),
        architecture=architecture,
        origin=random_origin(architecture, id=id, seed=seed),
        device=device,
        dtype=dtype,
    )


def _build(architecture: Architecture, *, seed: int = 0, allocate: bool = True) -> Any:
    def make() -> Any:
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        return WhisperEncoder(WhisperConfig(**architecture.config))

    return build(make, what="Whisper model", seed=seed, allocate=allocate)
