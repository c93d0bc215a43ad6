"""What an encoder is, and how a name becomes one."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mess.encoders.presets import PRESETS, RANDOM, encoder_slug, is_folder, is_hub_id
from mess.errors import MessError, UnknownName


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
        Of the weights.
    revision : str
        The commit on the hub, "" if there is none.
    weights_hash : str
        sha256 of the weights' file; where there is no file, of what makes them.
    normalise : bool
        The samples must be given with zero mean and unit variance over the whole track (not over
        each segment: loudness between segments has to survive).
    settings : dict
        All else that changes the result. Features made with other settings are stale.
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

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the hidden states of segments of equal length.

        Parameters
        ----------
        segments : ndarray [shape=(batch, samples)]
            Mono, float32, at ``sample_rate``, never padded.

        Returns
        -------
        ndarray [shape=(batch, layers, time, dim)]
            float32.
        """
        ...


def load_encoder(
    name: str, *, device: str = "auto", dtype: str = "float32", seed: int = 0
) -> Encoder:
    """Return an encoder by name.

    Parameters
    ----------
    name : str
        A preset; ``random:`` and a preset or a folder (the same architecture with random
        weights, the control of a probe); a local folder with ``config.json`` and the weights; or
        a hub id, ``organisation/model``, of the HuBERT family.
    device : {"auto", "cpu", "cuda"}
        "auto" takes a GPU where there is one.
    dtype : {"float32", "bfloat16"}
        Of the computation. bfloat16 pays on GPUs and on CPUs with instructions for it, at an
        error of some 0.5 %; on other CPUs it is many times slower than float32.
    seed : int
        Of random weights.

    Raises
    ------
    UnknownName
        If nothing has this name; the message names the nearest.
    MessError
        If the model cannot be loaded exactly, or its hub is out of reach.
    MissingDependency
        If torch or transformers are needed and absent.
    """
    if name == "spectral":
        from mess.encoders.spectral import SpectralEncoder

        return SpectralEncoder()

    target = name.removeprefix(RANDOM)
    preset = PRESETS.get(target)
    wants_random = target != name
    if wants_random and target == "spectral":
        raise MessError("'random:spectral': the spectral encoder has no weights to randomise")
    known = preset is not None or is_folder(target) or (is_hub_id(target) and not wants_random)
    if not known:
        hubert = [key for key, value in PRESETS.items() if value.kind == "hubert"]
        raise UnknownName("encoder", name, [*PRESETS, *(RANDOM + key for key in hubert)])

    from mess.encoders.checkpoint import architecture_of, open_folder, read_architecture
    from mess.encoders.hub import fetch
    from mess.encoders.hubert import load_hubert, random_hubert

    if wants_random:
        architecture = (
            read_architecture(target)
            if preset is None
            else architecture_of(
                preset.config, {"sampling_rate": preset.sample_rate}, source=preset.name
            )
        )
        return random_hubert(
            architecture,
            id=RANDOM + (encoder_slug(target) if preset is None else target),
            seed=seed,
            device=device,
            dtype=dtype,
        )
    if preset is not None:
        checkpoint = fetch(preset.hub_id, revision=preset.revision)
        return load_hubert(
            checkpoint, id=preset.name, licence=preset.licence, device=device, dtype=dtype
        )
    if is_folder(target):
        checkpoint, identity = open_folder(target), encoder_slug(target)
    else:
        checkpoint, identity = fetch(target), target
    return load_hubert(
        checkpoint,
        id=identity,
        licence="unknown (see the model's card)",
        device=device,
        dtype=dtype,
    )
