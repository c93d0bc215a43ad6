"""Checkpoints: read the architecture and the weights of a published model, as data only.

A folder in the layout of the hub holds ``config.json``, the weights (``model.safetensors`` or
``pytorch_model.bin``) and usually ``preprocessor_config.json``. No code is ever executed: the
configuration is read as JSON, Python files are ignored, and a pickle may hold tensors only.
"""

import hashlib
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mess.encoders.families import FAMILIES
from mess.encoders.native import NATIVE, Native, find_native, too_large
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    import torch

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_MOST_WEIGHTS = 20_000_000_000
# Entries of config.json that say where a file is from, and not what the model computes.
_NO_SHAPE = frozenset(
    {"_name_or_path", "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version"}
)
_OLD_TO_NEW = {
    ".conv.weight_g": ".conv.parametrizations.weight.original0",
    ".conv.weight_v": ".conv.parametrizations.weight.original1",
}


@dataclass(frozen=True)
class Architecture:
    """What determines the shape of a model.

    Attributes
    ----------
    model_type : str
        A key of `FAMILIES`, or what `mess.encoders.native.find_native` knows.
    config : dict
        Arguments of the family's configuration class.
    sample_rate : int
        Hz.
    normalise : bool
        The samples are to have zero mean and unit variance (of a waveform model).
    preprocessor : dict
        Arguments of the feature extractor, of a model that `mess.encoders.adapter` runs.
    """

    model_type: str
    config: dict[str, Any]  # a class of transformers checks it, each family another
    sample_rate: int
    normalise: bool
    preprocessor: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A model on disk; ``revision`` is the commit on the hub, "" for a local folder."""

    architecture: Architecture
    weights: Path
    revision: str = ""


def architecture_of(
    config: Mapping[str, Any],
    preprocessor: Mapping[str, Any],
    *,
    source: str,
    sample_rate: int | None = None,
) -> Architecture:
    """Return the architecture that a model's two JSON files describe.

    Parameters
    ----------
    config : mapping
        ``config.json``.
    preprocessor : mapping
        ``preprocessor_config.json``, empty without one.
    source : str
        The name of the source, for error messages.
    sample_rate : int, optional
        Hz; used if neither file states it.

    Raises
    ------
    MessError
        If the class of transformers would compute other states than the published model.
    """
    model_type = config.get("model_type", "hubert")
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        native = find_native(model_type)
        if native is None:
            raise MessError(
                f"{source}: model_type is {model_type!r}, and only {', '.join(FAMILIES)}, "
                f"{', '.join(NATIVE)} and other audio encoders of transformers can be "
                "loaded; choose another model"
            )
        return _native_architecture(native, config, preprocessor, source=source, rate=sample_rate)
    # MERT's options that HubertModel lacks. `attention_relax` only rescales the softmax's
    # arguments around their maximum and leaves its value, so it needs no support.
    for option in ("feature_extractor_cqt", "deepnorm"):
        if config.get(option):
            raise MessError(
                f"{source}: {option} is on, which {family.model} does not have; "
                "choose another model"
            )
    # Adapters are layers that the bare model of transformers does not have.
    if config.get("adapter_attn_dim") is not None or config.get("add_adapter"):
        raise MessError(f"{source}: adapters are not supported; choose another model")
    rate = _sampling_rate(
        preprocessor.get("sampling_rate", config.get("sample_rate")),
        sample_rate or {"mert_model": 24_000, "whisper": 16_000}.get(model_type),
        source=source,
    )
    _check_size(config, source=source)
    return Architecture(
        model_type=model_type,
        config={key: config[key] for key in sorted(family.keys & config.keys())},
        sample_rate=rate,
        normalise=bool(preprocessor.get("do_normalize", True)),
    )


def _native_architecture(
    native: Native,
    config: Mapping[str, Any],
    preprocessor: Mapping[str, Any],
    *,
    source: str,
    rate: int | None,
) -> Architecture:
    """Return the architecture of a model that `mess.encoders.adapter` runs."""
    if config.get("add_adapter") or config.get("adapter_attn_dim") is not None:
        raise MessError(f"{source}: adapters are not supported; choose another model")
    if key := too_large(config):
        raise MessError(f"{source}: {key} is larger than any model has; get the file again")
    return Architecture(
        model_type=config["model_type"],
        config={key: config[key] for key in sorted(config) if key not in _NO_SHAPE},
        sample_rate=_sampling_rate(
            preprocessor.get("sampling_rate", config.get("sampling_rate")),
            rate or native.sample_rate,
            source=source,
        ),
        normalise=native.input == "waveform" and bool(preprocessor.get("do_normalize", True)),
        preprocessor=dict(preprocessor),
    )


def _sampling_rate(stated: object, usual: int | None, *, source: str) -> int:
    """Return the rate that a model works at, in Hz."""
    rate = usual if stated is None else stated
    if rate is None:
        raise MessError(
            f"{source}: says nowhere at which rate it works; add preprocessor_config.json "
            'with "sampling_rate"'
        )
    if not isinstance(rate, int) or not 1_000 <= rate <= 192_000:
        raise MessError(f"{source}: the sampling rate {rate!r} makes no sense; correct the file")
    return rate


def _check_size(config: Mapping[str, Any], *, source: str) -> None:
    """Refuse implausible sizes, which would take hours to build, or all memory."""
    most = {
        "num_hidden_layers": 200,
        "encoder_layers": 200,
        "hidden_size": 20_000,
        "d_model": 20_000,
        "intermediate_size": 100_000,
        "encoder_ffn_dim": 100_000,
        "num_attention_heads": 1_000,
        "encoder_attention_heads": 1_000,
        "num_conv_pos_embeddings": 10_000,
        "num_conv_pos_embedding_groups": 10_000,
        "conv_pos_kernel_size": 10_000,
        "num_buckets": 100_000,
        "max_bucket_distance": 1_000_000,
        "num_mel_bins": 1_000,
        "max_source_positions": 1_000_000,
    }
    for key, largest in most.items():
        value = config.get(key)
        if value is not None and not (_is_count(value) and value <= largest):
            raise MessError(
                f"{source}: {key} is {str(value)[:20]}, and a whole number from 1 to {largest} is "
                "needed; get the file again"
            )
    for key in ("conv_dim", "conv_kernel", "conv_stride"):
        value = config.get(key)
        if value is not None and not (
            isinstance(value, list | tuple)
            and 1 <= len(value) <= 30
            and all(_is_count(number) and number <= 20_000 for number in value)
        ):
            raise MessError(
                f"{source}: {key} is no list of at most 30 whole numbers from 1 to 20000; "
                "get the file again"
            )
    width = config.get("hidden_size") or config.get("d_model") or 768
    inner = config.get("intermediate_size") or config.get("encoder_ffn_dim") or 4 * width
    layers = config.get("num_hidden_layers") or config.get("encoder_layers") or 12
    size = layers * width * (4 * width + 2 * inner)
    if size > _MOST_WEIGHTS:
        raise MessError(
            f"{source}: describes a model of {size / 1e9:.0f} billion weights, more than can be "
            "built; get the file again"
        )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def read_architecture(folder: str | Path) -> Architecture:
    """Read ``config.json`` and ``preprocessor_config.json`` of a folder.

    Raises
    ------
    MessError
        If the folder or its configuration is missing, damaged or of another family.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise MessError(f"{folder}: there is no such folder; give one with config.json in it")
    if not (folder / "config.json").is_file():
        raise MessError(f"{folder}: holds no config.json; copy the model's files into it")
    preprocessor = folder / "preprocessor_config.json"
    return architecture_of(
        read_object(folder / "config.json"),
        read_object(preprocessor) if preprocessor.is_file() else {},
        source=str(folder / "config.json"),
    )


def open_folder(folder: str | Path) -> Checkpoint:
    """Return the checkpoint in a local folder.

    Raises
    ------
    MessError
        If a file is missing or describes another kind of model.
    """
    architecture = read_architecture(folder)
    folder = Path(folder).expanduser()
    for name in WEIGHTS:
        if (folder / name).is_file():
            return Checkpoint(architecture, folder / name)
    raise MessError(f"{folder}: holds no weights; put {' or '.join(WEIGHTS)} beside config.json")


def read_tensors(path: Path) -> dict[str, "torch.Tensor"]:
    """Read a file of weights as data only, with the names of current versions of torch.

    The old ``weight_g`` and ``weight_v`` of a weight-normalised convolution become
    ``parametrizations.weight.original0`` and ``original1``.

    Raises
    ------
    MessError
        If the file is damaged or holds more than tensors.
    """
    try:
        import safetensors
        import torch
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingDependency(error.name or "torch", "ml") from None

    try:
        if path.suffix == ".safetensors":
            content: object = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise MessError(
            f"{path}: holds more than tensors, or is damaged, and was not read (a pickle can run "
            "code); get the weights again, as safetensors where there are"
        ) from None
    except (
        safetensors.SafetensorError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        zipfile.BadZipFile,
    ) as error:
        raise MessError(
            f"{path}: cannot be read as weights ({first_line(error)}); get it again"
        ) from None
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items()
    ):
        raise MessError(f"{path}: is no table of tensors; give the model's own weights")
    return {_new_name(key): value for key, value in content.items()}


def body_of(
    weights: "dict[str, torch.Tensor]", model_type: str, *, source: str
) -> "dict[str, torch.Tensor]":
    """Return the tensors of the bare model, without the prefix of their names.

    Raises
    ------
    MessError
        If a tensor belongs neither to the bare model nor to a known head.
    """
    family = FAMILIES[model_type]
    for prefix in family.prefixes:
        if not any(key.startswith(prefix) for key in weights):
            continue
        others = [key for key in weights if not key.startswith((prefix, *family.heads))]
        if others:
            raise MessError(
                f"{source}: has unexpected {', '.join(sorted(others)[:3])}; "
                "take config.json and the weights from the same model"
            )
        return {
            key.removeprefix(prefix): value
            for key, value in weights.items()
            if key.startswith(prefix)
        }
    return weights


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _new_name(key: str) -> str:
    for old, new in _OLD_TO_NEW.items():
        if key.endswith(old):
            return key.removesuffix(old) + new
    return key


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    MessError
        If the file is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MessError(f"{path}: cannot be read ({first_line(error)}); get it again") from None
    if not isinstance(content, dict):
        raise MessError(f"{path}: is no JSON object; get it again")
    return content


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, shortened."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
