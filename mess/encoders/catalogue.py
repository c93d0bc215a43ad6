"""The catalogue of encoders: hub id, revision, training data, shape and cost of each preset.

This module imports nothing heavy: the command line, the dashboard and the docs read it. It also
gives every encoder the name of the folder that holds its features (`encoder_slug`). Licences are
listed in `mess.encoders.licences`.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from mess.plugins import registry

if TYPE_CHECKING:
    from mess.encoders.base import Encoder

from mess.encoders.licences import LICENCES

RANDOM = "random:"
MODULATION_BANDS = ((0.2, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 50.0))
SPECTRAL_LAYERS = (
    "linear spectrum",
    "log spectrum",
    "log deviation",
    "positive flux",
    *(f"{low:g}–{high:g} Hz modulation" for low, high in MODULATION_BANDS),
)
_MAX_SLUG = 80
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_PLUGIN_NAME = re.compile(r"(?!random-|local-)[a-z0-9]+([._-][a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """An encoder that has a name.

    Attributes
    ----------
    name : str
    kind : {"waveform", "whisper", "spectral", "plugin"}
        Which implementation runs it: samples or a log-mel spectrogram into a transformer, or
        neither; that of another package.
    hub_id, revision : str
        The address of its weights on the hub, and the commit that is used. A revision of "" means
        the default branch; the commit is then recorded with the features.
    weights_sha256 : str
        Of the file of weights at that commit, where it is known.
    licence : str
        Of the weights.
    trained_on : {"music", "speech", "none"}
        What the weights were trained on.
    sample_rate : int
        Hz.
    layers, dim : int
        Shape of one frame's hidden states; layer 0 is the input to the first block.
    layer_names : tuple of str
        Short, for figures.
    cost : float
        Seconds of computation per minute of audio, decoding included, on two CPU cores; see
        `COST_SOURCE`. It depends on the architecture and not on the weights.
    model_type, config : str, mapping
        The configuration of the architecture, in the names of transformers.
    note : str
        One sentence for people.
    load : callable, optional
        Of a plug-in: ``load(device=…, dtype=…)`` returns the encoder.
    package : str
        The package that a plug-in comes from; filled in when it is found.

    Examples
    --------
    >>> PRESETS["spectral"].layers, PRESETS["spectral"].dim
    (10, 128)
    """

    name: str
    kind: Literal["waveform", "whisper", "spectral", "plugin"]
    hub_id: str = ""
    revision: str = ""
    weights_sha256: str = ""
    licence: str
    trained_on: Literal["music", "speech", "none"]
    sample_rate: int
    layers: int
    dim: int
    layer_names: tuple[str, ...]
    cost: float
    model_type: str = ""
    config: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    load: "Callable[..., Encoder] | None" = None
    package: str = ""


COST_SOURCE = (
    "`python -m benchmarks --only costs`: two x86-64 cores with AVX-512, torch 2.13, float32, "
    "decoding included, random weights of the same shape where a model has any"
)

_BASE: Mapping[str, object] = MappingProxyType(
    {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "feat_extract_norm": "group",
        "feat_extract_activation": "gelu",
        "feat_proj_layer_norm": True,
        "conv_dim": (512,) * 7,
        "conv_kernel": (10, 3, 3, 3, 3, 2, 2),
        "conv_stride": (5, 2, 2, 2, 2, 2, 2),
        "conv_bias": False,
        "num_conv_pos_embeddings": 128,
        "num_conv_pos_embedding_groups": 16,
        "do_stable_layer_norm": False,
    }
)
_LARGE: Mapping[str, object] = MappingProxyType(
    {
        **_BASE,
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "do_stable_layer_norm": True,
    }
)
_DATA2VEC: Mapping[str, object] = MappingProxyType(
    {
        **{
            key: value
            for key, value in _BASE.items()
            if key not in {"feat_extract_norm", "feat_proj_layer_norm", "do_stable_layer_norm"}
        },
        "num_conv_pos_embeddings": 5,
        "conv_pos_kernel_size": 19,
    }
)
# Whisper tiny.en.
WHISPER_TINY: Mapping[str, object] = MappingProxyType(
    {
        "d_model": 384,
        "encoder_layers": 4,
        "encoder_attention_heads": 6,
        "encoder_ffn_dim": 1536,
        "num_mel_bins": 80,
        "max_source_positions": 1500,
        "activation_function": "gelu",
        "scale_embedding": False,
    }
)

BUILT_IN: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                name="mert-v1-95m",
                kind="waveform",
                hub_id="m-a-p/MERT-v1-95M",
                revision="12af15fef9d0ac838c3f475bfbbf26d2060dd4f5",
                weights_sha256="a2b8b747f72c06e0595aeae41ae5473f4364938c6b39b2c58be38c48e6bd3fcd",
                licence=LICENCES["mert-v1-95m"],
                trained_on="music",
                sample_rate=24_000,
                layers=13,
                dim=768,
                layer_names=tuple(map(str, range(13))),
                cost=7.5,
                model_type="mert_model",
                config=_BASE,
                note="MERT (Li et al., ICLR 2024), 12 blocks; no commercial use.",
            ),
            Preset(
                name="mert-v1-330m",
                kind="waveform",
                hub_id="m-a-p/MERT-v1-330M",
                licence=LICENCES["mert-v1-330m"],
                trained_on="music",
                sample_rate=24_000,
                layers=25,
                dim=1024,
                layer_names=tuple(map(str, range(25))),
                cost=16.7,
                model_type="mert_model",
                config=_LARGE,
                note="MERT (Li et al., ICLR 2024), 24 blocks; no commercial use; no pinned commit.",
            ),
            Preset(
                name="music2vec",
                kind="waveform",
                hub_id="m-a-p/music2vec-v1",
                licence=LICENCES["music2vec"],
                trained_on="music",
                sample_rate=16_000,
                layers=13,
                dim=768,
                layer_names=tuple(map(str, range(13))),
                cost=5.5,
                model_type="data2vec-audio",
                config=_DATA2VEC,
                note="music2vec (Li et al., 2022), 12 blocks; no commercial use; no pinned commit.",
            ),
            Preset(
                name="hubert-base",
                kind="waveform",
                hub_id="facebook/hubert-base-ls960",
                revision="dba3bb02fda4248b6e082697eee756de8fe8aa8a",
                licence=LICENCES["hubert-base"],
                trained_on="speech",
                sample_rate=16_000,
                layers=13,
                dim=768,
                layer_names=tuple(map(str, range(13))),
                cost=4.7,
                model_type="hubert",
                config=_BASE,
                note="HuBERT (Hsu et al., 2021), 12 blocks, trained on 960 h of read English.",
            ),
            Preset(
                name="whisper-tiny",
                kind="whisper",
                hub_id="openai/whisper-tiny.en",
                revision="87c7102498dcde7456f24cfd30239ca606ed9063",
                licence=LICENCES["whisper-tiny"],
                trained_on="speech",
                sample_rate=16_000,
                layers=5,
                dim=384,
                layer_names=tuple(map(str, range(5))),
                cost=0.42,
                model_type="whisper",
                config=WHISPER_TINY,
                note="The encoder of Whisper tiny.en (Radford et al., 2022), 4 blocks, trained to "
                "transcribe English speech; small, and installable without the hub.",
            ),
            Preset(
                name="spectral",
                kind="spectral",
                licence=LICENCES["spectral"],
                trained_on="none",
                sample_rate=24_000,
                layers=len(SPECTRAL_LAYERS),
                dim=128,
                layer_names=SPECTRAL_LAYERS,
                cost=0.12,
                note="The baseline: statistics and modulations of a mel spectrogram; no weights.",
            ),
        )
    }
)


def _accept(name: str, package: str, offered: object) -> Preset:
    """Return the preset that a package offers, or raise why it cannot be used."""
    if not isinstance(offered, Preset):
        raise TypeError(f"it is a {type(offered).__name__}, not a mess.encoders.Preset")
    if offered.name != name:
        raise ValueError(f"the preset is called {offered.name!r}")
    if not _PLUGIN_NAME.fullmatch(name) or len(name) > _MAX_SLUG:
        raise ValueError("a name has small letters and digits, with '.', '_' or '-' between")
    if offered.kind != "plugin" or not callable(offered.load):
        raise ValueError('a plug-in has kind="plugin" and load=FUNCTION')
    if len(offered.layer_names) != offered.layers or offered.layers < 1 or offered.dim < 1:
        raise ValueError("layers, dim and layer_names do not fit each other")
    return replace(offered, package=package)


PRESETS: Mapping[str, Preset] = registry(
    BUILT_IN, kind="encoder", group="mess.encoders", accept=_accept
)


def by_interest(encoders: Iterable[str]) -> list[str]:
    """Return encoders in the order in which they are listed.

    Trained networks first, in the order of `PRESETS` and then by name; the baseline; random
    controls last.

    Examples
    --------
    >>> by_interest(["random:whisper-tiny", "spectral", "whisper-tiny"])
    ['whisper-tiny', 'spectral', 'random:whisper-tiny']
    """
    order = {name: number for number, name in enumerate(PRESETS)}

    def rank(name: str) -> tuple[int, int, str]:
        if name.startswith(RANDOM):
            return 2, 0, name
        return int(name == "spectral"), order.get(name, len(order)), name

    return sorted(encoders, key=rank)


def is_hub_id(name: str) -> bool:
    """Tell whether a name has the form of a hub id, ``organisation/model``."""
    return _HUB_ID.fullmatch(name) is not None


def is_folder(name: str) -> bool:
    """Tell whether a name means a local folder: an existing one, or a name written as a path."""
    if name in PRESETS:
        return False
    written_as_path = (
        name.startswith(("/", "./", "../", "~")) or "\\" in name or name in {".", ".."}
    )
    try:
        return written_as_path or Path(name).is_dir() or name.count("/") > 1
    except (OSError, ValueError):  # too long for a path, or a NUL in it
        return False


def encoder_slug(name: str) -> str:
    """Return an encoder's folder name: safe on any file system and never empty.

    Parameters
    ----------
    name : str
        Whatever `load_encoder` takes. A slug is its own slug.

    Examples
    --------
    >>> encoder_slug("random:mert-v1-95m")
    'random-mert-v1-95m'
    >>> encoder_slug("facebook/hubert-base-ls960")
    'facebook--hubert-base-ls960'
    >>> encoder_slug("/models/my MERT (tuned)")
    'my-MERT-tuned'
    """
    if name in PRESETS:
        return name
    if name.startswith(RANDOM):
        return f"random-{encoder_slug(name.removeprefix(RANDOM))}"[:_MAX_SLUG].rstrip("-.")
    if is_folder(name):
        slug = _sanitise(_basename(name), original=name)
        # A folder must not have the slug of a preset or of a random control.
        return f"local-{slug}" if slug in PRESETS or slug.startswith("random-") else slug
    return "--".join(_sanitise(part, original=name) for part in name.split("/"))[:_MAX_SLUG]


def _basename(folder: str) -> str:
    try:
        return Path(folder.replace("\\", "/")).expanduser().resolve().name
    except (OSError, ValueError, RuntimeError):
        return folder.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _sanitise(name: str, *, original: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:_MAX_SLUG].strip("-.")
    if kept:
        return kept
    return f"encoder-{hashlib.sha256(original.encode(errors='replace')).hexdigest()[:8]}"
