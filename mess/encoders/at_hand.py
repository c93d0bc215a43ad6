"""Are the weights of an encoder there, or to be had? Asked before time is spent otherwise."""

from collections.abc import Iterable
from importlib.util import find_spec

from mess.encoders import whisper_wheel
from mess.encoders.base import architecture_of_name, resolve
from mess.encoders.catalogue import PRESETS, is_folder
from mess.errors import MissingDependency

_PACKAGES = ("torch", "transformers", "huggingface_hub")


def weights_at_hand(name: str) -> bool:
    """Tell whether a preset can run on this machine without a download.

    Its packages must be installed. Its weights, if it has any, must be in the cache of the hub or
    in an installed package. Nothing is loaded.

    Examples
    --------
    >>> weights_at_hand("spectral")
    True
    """
    preset = PRESETS[name]
    if preset.kind in ("spectral", "plugin"):  # a plug-in's weights are its own affair
        return True
    if not all(find_spec(package) for package in _PACKAGES):
        return False
    if name == "whisper-tiny" and whisper_wheel.installed_file() is not None:
        return True
    from mess.encoders.hub import in_cache

    return in_cache(preset.hub_id, revision=preset.revision)


def require_weights(names: Iterable[str]) -> None:
    """Look for the weights of encoders: on this machine, or else by asking the hub.

    Nothing is loaded and nothing is downloaded, so this costs seconds at most. A command asks it
    first: else it would find out after minutes of other work that one of its encoders cannot be
    had.

    Parameters
    ----------
    names : iterable of str
        What `load_encoder` takes.

    Raises
    ------
    UnknownName
        If nothing has a name; the message names the nearest.
    MessError
        If weights are missing: a folder holds none, the hub has no such model or is out of reach.
    MissingDependency
        If a package that runs the encoder is absent.

    Examples
    --------
    >>> require_weights(["spectral"])
    """
    for name in names:
        _require(name)


def _require(name: str) -> None:
    target, preset = resolve(name)
    if preset is not None and preset.kind in ("spectral", "plugin"):
        return
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise MissingDependency(package, "ml")
    if target != name:  # random weights need a configuration alone
        architecture_of_name(target, preset)
    elif preset is not None:
        if not weights_at_hand(name):
            from mess.encoders.hub import describe

            with whisper_wheel.naming_the_wheel(name):
                describe(preset.hub_id, revision=preset.revision)
    elif is_folder(target):
        from mess.encoders.checkpoint import open_folder

        open_folder(target)
    else:
        from mess.encoders.hub import describe, in_cache

        if not in_cache(target):
            describe(target)
