"""Weights of models: built at random, or loaded exactly, and where they come from.

Weights are loaded exactly or not at all: every tensor of the file must belong to the model, and
every tensor of the model must be in the file.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mess.encoders.checkpoint import Architecture, Checkpoint, file_sha256
from mess.errors import MessError, MissingDependency

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a model's weights come from; see `mess.encoders.Encoder`."""

    id: str
    licence: str
    weights_hash: str
    revision: str = ""
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)


def build(make: Callable[[], Any], *, what: str, seed: int = 0, allocate: bool = True) -> Any:
    """Build a model with random weights, or without memory for its tensors.

    Parameters
    ----------
    make : callable
        Imports the model's class and calls it.
    what : str
        The kind of model, for the error message.
    seed : int
        The same seed gives the same weights. The random state of the caller does not change.
    allocate : bool
        False if all values will be replaced, so that only shapes are needed.

    Raises
    ------
    MessError
        If transformers refuses the configuration.
    """
    try:
        import torch
        import transformers  # noqa: F401 (a missing one is reported here)
    except ImportError as error:
        raise MissingDependency(error.name or "transformers", "ml") from None

    _ask_for_huge_pages()
    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu" if allocate else "meta"):
            torch.manual_seed(seed)
            return make()
    except Exception as error:  # the checks of transformers raise many kinds of errors
        reason = " ".join(str(error).split())[:200]
        raise MessError(
            f"config.json describes no {what} ({reason}); choose another model"
        ) from None


def load_exactly(model: Any, weights: "dict[str, torch.Tensor]", *, source: str) -> None:
    """Load weights into a model.

    Raises
    ------
    MessError
        If a single tensor is missing, unexpected or of another shape.
    """
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in weights.items()}
    misshapen = [
        f"{key} is {given[key]}, not {expected[key]}"
        for key in sorted(expected.keys() & given.keys())
        if expected[key] != given[key]
    ]
    for fault, keys in (
        ("lacks", sorted(expected.keys() - given.keys())),
        ("has unexpected", sorted(given.keys() - expected.keys())),
        ("has other shapes:", misshapen),
    ):
        if keys:
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise MessError(
                f"{source}: {fault} {', '.join(keys[:3])}{more}; "
                "take config.json and the weights from the same model"
            )
    model.load_state_dict(weights, strict=True, assign=True)


def origin_of(checkpoint: Checkpoint, *, id: str, licence: str) -> Origin:
    """Return the origin of the weights of a checkpoint."""
    return Origin(
        id=id,
        licence=licence,
        revision=checkpoint.revision,
        weights_hash=file_sha256(checkpoint.weights),
    )


def random_origin(architecture: Architecture, *, id: str, seed: int) -> Origin:
    """Return the origin of random weights; the hash is that of the settings that determine them.

    The same seed gives the same weights only with the same versions of torch and transformers. So
    the hash includes these versions.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingDependency(error.name or "transformers", "ml") from None

    made_by = {
        "config": architecture.config,
        "seed": seed,
        "torch": torch.__version__.partition("+")[0],
        "transformers": transformers.__version__,
    }
    return Origin(
        id=id,
        licence="none (random weights)",
        weights_hash=hash_of(made_by),
        settings={"seed": seed},
    )


def hash_of(value: object) -> str:
    """Return the sha256 of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _ask_for_huge_pages() -> None:
    """Let torch allocate large tensors on huge pages, unless the user has set this.

    Activations are allocated for every segment. With pages of 4 KiB, this takes a seventh of a
    forward pass on Linux. It must be set before the first large tensor of the process.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
