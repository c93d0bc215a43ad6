"""Aspects: a listener's words, each backed by the proxy targets that measure it.

Which layer stands for an aspect is never written here: it is read from a discovery, and an
aspect whose best probe stays under the threshold is not validated. Beside the ten aspects a weight
may name `OVERALL`, all that the encoder hears, or a target that only MIDI tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mess.errors import MessError, UnknownName
from mess.targets import PERFORMANCE_TARGETS

ASPECTS: dict[str, tuple[str, ...]] = {
    "brightness": ("spectral_centroid",),
    "texture": ("spectral_rolloff", "zero_crossing_rate"),
    "warmth": ("spectral_bandwidth", "spectral_centroid"),
    "tempo": ("tempo",),
    "rhythmic_energy": ("onset_density",),
    "dynamics": ("dynamic_range", "dynamic_variance"),
    "crescendo": ("crescendo_strength", "diminuendo_strength"),
    "harmonic_richness": ("harmonic_complexity",),
    "articulation": ("attack_slopes", "attack_sharpness"),
    "phrasing": ("phrase_regularity", "num_phrases"),
}
THRESHOLD = 0.3  # least R² of the best probe of a validated aspect
OVERALL = "overall"
NAMES = (*ASPECTS, OVERALL, *PERFORMANCE_TARGETS)  # whatever a weight may name
LOWER_IS_MORE = frozenset({"warmth"})  # aspects that grow as their targets fall


@dataclass(frozen=True)
class Aspect:
    """An aspect and the probe that stands for it.

    Attributes
    ----------
    name : str
    targets : tuple of str
    layer : int or None
        Where the best probe of one layer sits; None if no probe of its targets has an R².
    target : str or None
        The target of that probe.
    layer_r2 : float or None
        The R² of that probe.
    r2 : float or None
        What it is searched by: of the best of ``steered``, as all layers together predict it, out
        of fold; where there is none, ``layer_r2``.
    validated : bool
        Whether ``r2`` reaches the threshold.
    steered : tuple of str
        The targets whose predictions reach the threshold: what a slider moves along.
    """

    name: str
    targets: tuple[str, ...]
    layer: int | None
    target: str | None
    layer_r2: float | None
    r2: float | None
    validated: bool
    steered: tuple[str, ...] = ()


def find_aspects(
    cells: Sequence[Mapping[str, Any]],
    *,
    threshold: float = THRESHOLD,
    predicted: Mapping[str, float | None] | None = None,
    more: Sequence[str] = (),
) -> dict[str, Aspect]:
    """Give every aspect the layer of its best probe, and the targets that it can be steered by.

    Parameters
    ----------
    cells : sequence of mapping
        The cells of a discovery, with ``layer``, ``target`` and ``r2``.
    threshold : float
        Least R² of a validated aspect.
    predicted : mapping of str to float, optional
        R² of each target as all layers together predict it.
    more : sequence of str
        Targets that become aspects of their own if they are predicted well enough.

    Returns
    -------
    dict of str to Aspect
        All ten, in the order of `ASPECTS`; then those of ``more`` that are validated.
    """
    known = {name: r2 for name, r2 in (predicted or {}).items() if r2 is not None}
    own = [name for name in more if known.get(name, -np.inf) >= threshold]
    found = {}
    for name, targets in {**ASPECTS, **{name: (name,) for name in own}}.items():
        scored = [cell for cell in cells if cell["target"] in targets and cell["r2"] is not None]
        best = max(scored, key=lambda cell: cell["r2"], default=None)
        layer_r2 = best["r2"] if best else None
        steered = tuple(t for t in targets if known.get(t, -np.inf) >= threshold)
        r2 = max((known[target] for target in steered), default=layer_r2)
        found[name] = Aspect(
            name=name,
            targets=targets,
            layer=best["layer"] if best else None,
            target=best["target"] if best else None,
            layer_r2=layer_r2,
            r2=r2,
            validated=r2 is not None and r2 >= threshold,
            steered=steered,
        )
    return found


def find_best_layers(cells: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the layer with the highest R² of every target that has one."""
    best: dict[str, Mapping[str, Any]] = {}
    for cell in cells:
        known = best.get(cell["target"])
        if cell["r2"] is not None and (known is None or cell["r2"] > known["r2"]):
            best[cell["target"]] = cell
    return {target: int(cell["layer"]) for target, cell in best.items()}


def parse_weights(text: str) -> dict[str, float]:
    """Parse weights as the command line takes them.

    >>> parse_weights("brightness=0.6, texture=0.4")
    {'brightness': 0.6, 'texture': 0.4}

    Raises
    ------
    MessError
        If a part is not ``aspect=number`` or names an aspect twice.
    UnknownName
        If there is no such aspect.
    """
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            equals = ""
            value = 0.0
        if not equals:
            raise MessError(f"{part!r} is no weight: write aspects as 'brightness=0.6,tempo=0.4'")
        if name not in NAMES:
            raise UnknownName("aspect", name, NAMES)
        if name in weights:
            raise MessError(f"aspect {name!r} is given twice")
        weights[name] = value
    if not weights:
        raise MessError("no weights given: write aspects as 'brightness=0.6,tempo=0.4'")
    return weights
