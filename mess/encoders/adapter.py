"""The adapter: hidden states of any audio model that transformers has a class for.

`mess.encoders.native` lists the models and their inputs. A model is built by its class in
transformers, and its input is computed by its own feature extractor. Code beside the weights is
never run. The hidden states of every layer are converted to [time, dim], depending on the input:

* **waveform, features**: the states are already one vector per frame.
* **patches** (Audio Spectrogram Transformer): patches form a grid of frequency by time, which is
  averaged over frequency. The two tokens that are not patches are left out. A segment is encoded at
  its true length, with the position embeddings of its first patches, so no patch is padded.
* **image** (CLAP): the spectrogram of a fixed window (10 s) is folded into a square. A segment is
  repeated until the window is full, and cut there (the model's own way pads the rest with silence
  where the window is no multiple of the segment), so that nothing but the segment is averaged. The
  square is unfolded, and the mean over frequency is taken.
* **codec** (EnCodec): the outputs of the encoder's layers, but for its activations; the last one is
  what is quantised.

Layers may differ in rate and width. All are averaged to the slowest rate, which keeps their mean
over time. Narrow layers are padded with zeros, which change neither a probe nor a cosine.

A track is scaled as a whole: to unit variance if the extractor normalises samples, otherwise to the
level `LEVEL`. So the gain of a recording has no effect. Differences in loudness between segments
remain, unless the extractor removes them (that of Wav2Vec2-BERT normalises each mel band).

References
----------
Gong et al., "AST: Audio Spectrogram Transformer", Interspeech 2021. Wu et al., "Large-scale
contrastive language-audio pretraining", ICASSP 2023. Défossez et al., "High fidelity neural audio
compression", TMLR 2023. Barrault et al., "Seamless", 2023 (Wav2Vec2-BERT).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from mess.encoders.checkpoint import (
    Architecture,
    Checkpoint,
    first_line,
    read_tensors,
)
from mess.encoders.native import Native, find_native
from mess.encoders.transformer import TransformerEncoder
from mess.encoders.weights import Origin, build, hash_of, origin_of, random_origin
from mess.errors import MessError

if TYPE_CHECKING:
    import torch

    from mess.audio.decoding import Signal

LEVEL = 0.1  # root mean square of a track, full scale being 1
_VERSION = 1  # raise with any change of what `encode` returns
_WINDOW, _HOP = 400, 160  # samples: the frames of AST's spectrogram


class AdaptedEncoder(TransformerEncoder):
    """Any audio model of transformers as an `Encoder`; made by `load_adapted`, `random_adapted`."""

    def __init__(
        self, model: Any, *, architecture: Architecture, origin: Origin, device: str, dtype: str
    ) -> None:
        self._native = _native_of(architecture)
        self._id = origin.id
        self._frames: dict[int, int] = {}
        self._extractor = _extractor(self._native, architecture)
        model = getattr(model, self._native.part) if self._native.part else model
        if self._native.input == "patches":
            self._positions = model.embeddings.position_embeddings.detach()
        self._unit = architecture.normalise  # to unit variance, as the extractor would
        shapes = self._try(model.eval(), architecture)
        super().__init__(
            model,
            architecture=architecture,
            layers=len(shapes),
            dim=max(shapes),
            origin=origin,
            device=device,
            dtype=dtype,
        )
        self.normalise = self._unit or self._native.input != "waveform"
        self.settings |= {"adapter": _VERSION, "extractor": hash_of(architecture.preprocessor)}
        if not self._unit:
            self.settings["level"] = LEVEL

    def frames(self, samples: int) -> int:
        """Return how many frames a segment gives; the model is asked, once for each length."""
        import torch

        if samples not in self._frames:
            quiet = torch.zeros(1, samples, device=self._device)
            with torch.inference_mode():
                try:
                    self._frames[samples] = self.states(quiet)[0].shape[1]
                except (RuntimeError, ValueError):  # shorter than a window or a kernel
                    self._frames[samples] = 0
        return self._frames[samples]

    def track_scale(self, signal: "Signal") -> tuple[float, float]:
        """Return the track's mean, and its deviation over the level that it is brought to."""
        return signal.mean, max(signal.std, 1e-7) / (1.0 if self._unit else LEVEL)

    def states(self, samples: "torch.Tensor") -> "list[torch.Tensor]":
        """Return the hidden states, at one rate and of one width."""
        import torch

        layers = self._layers(self.model, samples, dtype=self._dtype)
        frames = min(layer.shape[1] for layer in layers)
        width = max(layer.shape[2] for layer in layers)
        return [
            torch.nn.functional.pad(_at_rate(layer, frames), (0, width - layer.shape[2]))
            for layer in layers
        ]

    def _layers(
        self, model: Any, samples: "torch.Tensor", *, dtype: "torch.dtype"
    ) -> "list[torch.Tensor]":
        """Return the hidden states as the model has them, each [batch, time, dim]."""
        import torch

        kind = self._native.input
        if kind == "codec":
            return _outputs(model, samples[:, None].to(dtype))
        if kind == "waveform":
            output = model(samples.to(dtype), output_hidden_states=True)
            return [*output.hidden_states[:-1], output.last_hidden_state]
        inputs = self._extract(samples)
        if kind == "patches":
            return self._patches(model, inputs["input_values"].to(samples.device, dtype))
        if kind == "image":
            features = inputs["input_features"].to(samples.device, dtype)
            longer = torch.zeros(len(samples), 1, dtype=torch.bool, device=samples.device)
            output = model(features, is_longer=longer, output_hidden_states=True)
            ratio = model.audio_encoder.freq_ratio
            last = output.last_hidden_state.mean(dim=2).transpose(1, 2)
            return [*(_unfold(state, ratio) for state in output.hidden_states[:-1]), last]
        mask = inputs.pop("attention_mask", None)
        if mask is not None and not bool(mask.all()):
            raise MessError(f"{self._id}: its extractor pads a segment; choose another model")
        (features,) = inputs.values()
        output = model(features.to(samples.device, dtype), output_hidden_states=True)
        return [*output.hidden_states[:-1], output.last_hidden_state]

    def _extract(self, samples: "torch.Tensor") -> dict[str, Any]:
        """Return what the model's own extractor makes of segments."""
        extractor, length = self._extractor, samples.shape[1]
        how: dict[str, Any] = {}
        if self._native.input == "patches":
            frames = 1 + (length - _WINDOW) // _HOP
            if frames > self._most_frames():
                raise self._too_long(length)
            extractor.max_length = frames
        elif self._native.input == "image":
            if length > extractor.nb_max_samples:
                raise self._too_long(length)
            fused = bool(self._config.get("enable_fusion"))
            how = {"padding": "repeat", "truncation": "fusion" if fused else "rand_trunc"}
        elif self._native.extractor == "SeamlessM4TFeatureExtractor":
            how = {"pad_to_multiple_of": None}  # an odd last frame is left out
        segments = list(samples.float().cpu().numpy().astype(np.float64))
        made = extractor(
            segments, sampling_rate=extractor.sampling_rate, return_tensors="pt", **how
        )
        return {key: value for key, value in made.items() if key != "is_longer"}

    def _most_frames(self) -> int:
        return int(self._config["max_length"])

    def _too_long(self, length: int) -> MessError:
        seconds = length / self._extractor.sampling_rate
        return MessError(
            f"{self._id}: a segment of {seconds:.1f} s is longer than the model's window; "
            "choose another model"
        )

    def _patches(self, model: Any, features: "torch.Tensor") -> "list[torch.Tensor]":
        """Return the states of a spectrogram transformer, averaged over frequency."""
        import torch

        config = model.config
        rows = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        columns = (features.shape[1] - config.patch_size) // config.time_stride + 1
        if columns < 1:
            raise ValueError("shorter than a patch")
        tokens, grid = self._positions[:, :2], self._positions[:, 2:]
        grid = grid.unflatten(1, (rows, -1))[:, :, :columns].flatten(1, 2)
        cut = torch.cat([tokens, grid], dim=1).to(features.device, features.dtype)
        model.embeddings.position_embeddings = torch.nn.Parameter(cut, requires_grad=False)
        output = model(features, output_hidden_states=True)
        states = [*output.hidden_states[:-1], output.last_hidden_state]
        return [state[:, 2:].unflatten(1, (rows, columns)).mean(dim=1) for state in states]

    def _try(self, model: Any, architecture: Architecture) -> list[int]:
        """Return the width of each layer, after one and two seconds of noise.

        Raises
        ------
        MessError
            If the model gives no hidden states, or always as many frames.
        """
        import torch

        self._config = model.config.to_dict() if hasattr(model, "config") else {}
        rate = architecture.sample_rate
        noise = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 2 * rate)))
        try:
            with torch.inference_mode():
                short, long = (
                    self._layers(model, LEVEL * noise[:, :n].float(), dtype=torch.float32)
                    for n in (rate, 2 * rate)
                )
            widths = [int(layer.shape[2]) for layer in long if layer.ndim == 3]
        except MessError:
            raise
        except Exception as error:  # whatever a class of transformers does with audio
            raise MessError(
                f"{self._id}: {self._native.model} gives no hidden states of audio "
                f"({first_line(error)}); choose another model"
            ) from None
        if len(widths) != len(long) or len(widths) < 2:
            raise MessError(f"{self._id}: gives no hidden states of frames; choose another model")
        padded = short[-1].shape[1] == long[-1].shape[1]
        if padded and self._native.input != "image":  # of an image the window is filled by music
            raise MessError(
                f"{self._id}: pads every recording to one length, and silence would be averaged; "
                "choose another model"
            )
        return widths


def load_adapted(
    checkpoint: Checkpoint, *, id: str, licence: str, device: str, dtype: str
) -> AdaptedEncoder:
    """Return the encoder that a checkpoint holds.

    Raises
    ------
    MessError
        If a tensor of the model is missing, unexpected or of another shape, or the file is unsafe.
    """
    architecture, source = checkpoint.architecture, str(checkpoint.weights)
    native = _native_of(architecture)
    weights = read_tensors(checkpoint.weights)

    def make() -> Any:
        import torch
        import transformers

        config = _config(native, architecture)
        masked = any(key.endswith("masked_spec_embed") for key in weights)
        if hasattr(config, "mask_time_prob"):  # decides whether the model has that vector
            config.mask_time_prob, config.mask_feature_prob = 0.05 if masked else 0.0, 0.0
        with _quietly():
            return getattr(transformers, native.model).from_pretrained(
                None,
                config=config,
                state_dict=weights,
                output_loading_info=True,
                dtype=torch.float32,
            )

    model, report = build(make, what=f"{native.model} that these weights fit")
    unexpected = [key for key in report["unexpected_keys"] if not key.startswith(native.heads)]
    for fault, keys in (
        ("lacks", sorted(report["missing_keys"])),
        ("has unexpected", sorted(unexpected)),
        ("has other shapes:", sorted(map(str, report["mismatched_keys"]))),
    ):
        if keys:
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise MessError(
                f"{source}: {fault} {', '.join(keys[:3])}{more}; "
                "take config.json and the weights from the same model"
            )
    return AdaptedEncoder(
        model,
        architecture=architecture,
        origin=origin_of(checkpoint, id=id, licence=licence),
        device=device,
        dtype=dtype,
    )


def random_adapted(
    architecture: Architecture, *, id: str, seed: int, device: str, dtype: str
) -> AdaptedEncoder:
    """Return the same architecture with random weights: what a probe finds without training."""
    native = _native_of(architecture)

    def make() -> Any:
        import transformers

        return getattr(transformers, native.model)(_config(native, architecture))

    return AdaptedEncoder(
        build(make, what=f"{native.model}", seed=seed),
        architecture=architecture,
        origin=random_origin(architecture, id=id, seed=seed),
        device=device,
        dtype=dtype,
    )


def _native_of(architecture: Architecture) -> Native:
    native = find_native(architecture.model_type)
    if native is None:
        raise MessError(f"{architecture.model_type!r} is no audio model that can be loaded")
    return native


def _config(native: Native, architecture: Architecture) -> Any:
    """Return transformers' configuration of the model: data, whatever code lies beside it."""
    from transformers import CONFIG_MAPPING

    config = CONFIG_MAPPING[architecture.model_type].from_dict(dict(architecture.config))
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError("an encoder with a decoder")
    if getattr(config, "chunk_length_s", None):
        raise ValueError("a model that hears chunks")
    return getattr(config, native.config_part) if native.config_part else config


def _extractor(native: Native, architecture: Architecture) -> Any:
    if not native.extractor:
        return None
    import transformers

    given = {key: value for key, value in architecture.preprocessor.items() if key not in _NAMES}
    try:
        return getattr(transformers, native.extractor)(
            **{**given, "sampling_rate": architecture.sample_rate}
        )
    except Exception as error:  # whatever a wrong value makes of it
        raise MessError(
            f"preprocessor_config.json describes no {native.extractor} ({first_line(error)}); "
            "get it again"
        ) from None


_NAMES = ("feature_extractor_type", "processor_class", "image_processor_type")


def _at_rate(state: "torch.Tensor", frames: int) -> "torch.Tensor":
    """Return [batch, time, dim] averaged down to fewer frames."""
    import torch

    if state.shape[1] == frames:
        return state
    pooled = torch.nn.functional.adaptive_avg_pool1d(state.transpose(1, 2), frames)
    return pooled.transpose(1, 2)


def _unfold(state: "torch.Tensor", ratio: int) -> "torch.Tensor":
    """Return the square [batch, dim, height, width] of a folded spectrogram as [batch, time, dim].

    ``ratio`` stretches of time lie above each other, each with all its frequencies.
    """
    stretches = state.unflatten(2, (ratio, -1)).mean(dim=3)  # [batch, dim, ratio, width]
    return stretches.flatten(2).transpose(1, 2)


def _outputs(encoder: Any, samples: "torch.Tensor") -> "list[torch.Tensor]":
    """Return what each layer of a codec's encoder gives, but for activations."""
    import torch

    found: list[torch.Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _in, out: found.append(out.transpose(1, 2)))
        for layer in encoder.layers
        if not isinstance(layer, torch.nn.ELU)
    ]
    try:
        encoder(samples)
    finally:
        for hook in hooks:
            hook.remove()
    return found


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers' bar and its report of loaded names off the terminal: it is read here."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    bar = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bar:
            logging.enable_progress_bar()
