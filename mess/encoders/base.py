"""The encoder protocol, and loading an encoder by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from mess.encoders import whisper_wheel
from mess.encoders.catalogue import PRESETS, RANDOM, Preset, encoder_slug, is_folder, is_hub_id
from mess.encoders.families import FAMILIES
from mess.errors import MessError, UnknownName
from mess.plugins import told

if TYPE_CHECKING:
    from mess.audio.decoding import Signal
    from mess.encoders.checkpoint import Architecture
    from mess.encoders.windows import WindowStates


_REST = ("licence", "weights_hash", "normalise", "settings", "track_scale", "encode")


class Encoder(Protocol):
    """A model that turns audio segments into hidden states.

    Attributes
    ----------
    id : str
        Its name; `encoder_slug` of it is the folder of its features.
    sample_rate : int
        Hz of the samples that `encode` takes.
    layers, dim : int
        Hidden states per frame, and values in each.
    layer_names : list of str, length layers
    licence : str
        The licence of the weights.
    revision : str
        The commit on the hub, "" if there is none.
    weights_hash : str
        sha256 of the file of weights; without a file, of the settings that determine them.
    normalise : bool
        Whether samples must be normalised by what `track_scale` returns for the whole track. (To
        normalise each segment would remove the differences in loudness between segments.)
    settings : dict
        All other settings that change the result. Features made with other settings are stale.

    Examples
    --------
    >>> encoder = load_encoder("spectral")
    >>> encoder.id, encoder.layers, encoder.dim
    ('spectral', 10, 128)
    """

    id: str
    sample_rate: int
    layers: int
    dim: int
    layer_names: list[str]
    licence: str
    revision: str
    weights_hash: str
    normalise: bool
    settings: dict[str, str | int | float | bool]

    def track_scale(self, signal: "Signal") -> tuple[float, float]:
        """Return the offset and the scale by which the samples of a whole track are normalised.

        For most encoders these are mean and standard deviation. Memory does not grow with the
        length of the track.
        """
        ...

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the hidden states of segments of equal length.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            Mono, float32, at ``sample_rate``, never padded; normalised if ``normalise`` is set.

        Returns
        -------
        ndarray [shape=(batch, layers, time, dim)]
            float32.
        """
        ...

    def pool(
        self, segments: NDArray[np.float32], *, divisions: Sequence[int] = (1,)
    ) -> "list[WindowStates | None]":
        """Return means and variances of the hidden states over windows of time.

        Only these leave the device. An encoder of another package may lack this method: then
        `mess.encoders.pooling` takes the states of every frame from `encode`.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            As for `encode`.
        divisions : sequence of int
            Into how many windows of equal length a segment is divided: 1 is the segment itself,
            10 its half seconds if it has five seconds.

        Returns
        -------
        list of WindowStates or None
            One for each division; None where a segment has fewer frames than windows.
        """
        ...


def load_encoder(
    name: str, *, device: str = "auto", dtype: str = "float32", seed: int = 0
) -> Encoder:
    """Return an encoder by name.

    Parameters
    ----------
    name : str
        A preset or the encoder of a plug-in; ``random:`` and a preset or a folder (the same
        architecture with random weights, the control of a probe); a local folder with
        ``config.json`` and the weights; or a hub id, ``organisation/model``, of an audio model
        (`mess.encoders.families`, `mess.encoders.native`).
    device : {"auto", "cpu", "cuda"}
        "auto" uses a GPU if there is one.
    dtype : {"float32", "tf32", "bfloat16"}
        Precision of the computation. tf32 (TensorFloat-32, on GPUs only) has float32 weights and
        products of 19 bits, with an error of some 0.05 %. bfloat16 is faster on GPUs and on CPUs
        with instructions for it, with an error of some 0.5 %. On other CPUs it is many times slower
        than float32.
    seed : int
        Seed of random weights.

    Raises
    ------
    UnknownName
        If nothing has this name; the message names the nearest.
    MessError
        If the model cannot be loaded exactly, or its hub is out of reach.
    MissingDependency
        If torch or transformers are needed and absent.

    Examples
    --------
    >>> import numpy as np
    >>> encoder = load_encoder("spectral")
    >>> segment = np.random.default_rng(0).standard_normal((1, 5 * encoder.sample_rate))
    >>> encoder.encode(segment.astype(np.float32)).shape[::3]  # batch and dim
    (1, 128)
    """
    if name == "spectral":
        from mess.encoders.spectral import SpectralEncoder

        return SpectralEncoder()

    target, preset = resolve(name)
    how = {"device": device, "dtype": dtype}
    if preset is not None and preset.load is not None:
        return _from_plugin(preset, how=how)
    if target != name:
        return _random(target, preset, seed=seed, how=how)

    from mess.encoders.checkpoint import open_folder
    from mess.encoders.hub import fetch

    licence = "unknown (see the model's card)"
    if preset is not None:
        if preset.name == "whisper-tiny" and (installed := _from_wheel(preset, how=how)):
            return installed
        with whisper_wheel.naming_the_wheel(preset.name):
            checkpoint = fetch(
                preset.hub_id, revision=preset.revision, sample_rate=preset.sample_rate
            )
        identity, licence = preset.name, preset.licence
    elif is_folder(target):
        checkpoint, identity = open_folder(target), encoder_slug(target)
    else:
        checkpoint, identity = fetch(target), target
    if checkpoint.architecture.model_type == "whisper":
        from mess.encoders.whisper import load_whisper

        return load_whisper(checkpoint, id=identity, licence=licence, **how)
    if checkpoint.architecture.model_type not in FAMILIES:
        from mess.encoders.adapter import load_adapted

        return load_adapted(checkpoint, id=identity, licence=licence, **how)
    from mess.encoders.wav2vec2 import load_wav2vec2

    return load_wav2vec2(checkpoint, id=identity, licence=licence, **how)


def resolve(name: str) -> tuple[str, Preset | None]:
    """Return what a name means, without ``random:``, and its preset, if it has one.

    Raises
    ------
    UnknownName
        If nothing has this name.
    MessError
        If random weights are asked for and the preset has none.
    """
    target = name.removeprefix(RANDOM)
    preset = PRESETS.get(target)
    wants_random = target != name
    if wants_random and preset is not None and not preset.config:
        raise MessError(f"{name!r}: the {target} encoder has no weights to randomise")
    known = preset is not None or is_folder(target) or (is_hub_id(target) and not wants_random)
    if not known:
        if wants_random:
            networks = (RANDOM + key for key, value in PRESETS.items() if value.config)
            raise UnknownName("encoder", name, networks, also=f"or {RANDOM}FOLDER")
        also = f"or {RANDOM} and one of these, a folder, or a hub id (organisation/model)"
        raise UnknownName("encoder", name, PRESETS, also=also)
    return target, preset


def architecture_of_name(target: str, preset: Preset | None) -> "Architecture":
    """Return the architecture of a preset, or of a folder."""
    from mess.encoders.checkpoint import architecture_of, read_architecture

    if preset is None:
        return read_architecture(target)
    return architecture_of(
        {"model_type": preset.model_type, **preset.config},
        {"sampling_rate": preset.sample_rate},
        source=preset.name,
    )


def _random(target: str, preset: Preset | None, *, seed: int, how: dict[str, str]) -> Encoder:
    architecture = architecture_of_name(target, preset)
    identity = RANDOM + (encoder_slug(target) if preset is None else target)
    if architecture.model_type == "whisper":
        from mess.encoders.whisper import random_whisper

        return random_whisper(architecture, id=identity, seed=seed, **how)
    if architecture.model_type not in FAMILIES:
        from mess.encoders.adapter import random_adapted

        return random_adapted(architecture, id=identity, seed=seed, **how)
    from mess.encoders.wav2vec2 import random_wav2vec2

    return random_wav2vec2(architecture, id=identity, seed=seed, **how)


def _from_plugin(preset: Preset, *, how: dict[str, str]) -> Encoder:
    """Return the encoder of another package, if it is what its preset says.

    Raises
    ------
    MessError
        If it cannot be made, or is another one.
    """
    source = f"plug-in {preset.package}: encoder {preset.name!r}"
    try:
        encoder: Encoder = preset.load(**how)  # type: ignore[misc]
        differs = [
            f"{key} is {getattr(encoder, key)!r}, not {stated!r}"
            for key, stated in (
                ("id", preset.name),
                ("sample_rate", preset.sample_rate),
                ("layers", preset.layers),
                ("dim", preset.dim),
                ("layer_names", list(preset.layer_names)),
                ("revision", preset.revision or encoder.revision),
            )
            if getattr(encoder, key) != stated
        ]
        lacks = [key for key in _REST if not hasattr(encoder, key)]
    except MessError:
        raise
    except Exception as error:  # whatever foreign code does
        raise MessError(
            f"{source} cannot be loaded ({told(error)}); mend or uninstall the package"
        ) from error
    wrong = [*differs, *(f"{key} is missing" for key in lacks)]
    if wrong:
        raise MessError(f"{source} is not what it says: {'; '.join(wrong)}; mend the package")
    return encoder


def _from_wheel(preset: Preset, *, how: dict[str, str]) -> Encoder | None:
    """Return a preset whose weights an installed package holds, None without the package."""
    path = whisper_wheel.installed_file()
    if path is None:
        return None
    from mess.encoders.weights import Origin
    from mess.encoders.whisper import whisper_of

    architecture = architecture_of_name(preset.name, preset)
    arrays = whisper_wheel.read_weights(path, heads=architecture.config["encoder_attention_heads"])
    return whisper_of(
        whisper_wheel.as_torch(arrays),
        architecture,
        source=str(path),
        origin=Origin(
            id=preset.name,
            licence=preset.licence,
            weights_hash=whisper_wheel.SHA256,
            settings={"weights_from": whisper_wheel.PINNED},
        ),
        **how,
    )
