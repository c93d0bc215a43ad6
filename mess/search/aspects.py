"""Aspects: a listener's words, each backed by the proxy targets that measure it.

Which layer stands for an aspect is never written here: it is read from a discovery, and an
aspect whose best probe stays under the threshold is not validated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mess.errors import MessError, UnknownName

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


@dataclass(frozen=True)
class Aspect:
    """An aspect and the probe that stands for it.

    Attributes
    ----------
    name : str
    targets : tuple of str
    layer : int or None
        Where its best probe sits; None if no probe of its targets has an R².
    target : str or None
        The target of that probe.
    r2 : float or None
    validated : bool
        Whether ``r2`` reaches the threshold.
    """

    name: str
    targets: tuple[str, ...]
    layer: int | None
    target: str | None
    r2: float | None
    validated: bool


def find_aspects(
    cells: Sequence[Mapping[str, Any]], *, threshold: float = THRESHOLD
) -> dict[str, Aspect]:
    """Give every aspect the layer of its best probe.

    Parameters
    ----------
    cells : sequence of mapping
        The cells of a discovery, with ``layer``, ``target`` and ``r2``.
    threshold : float
        Least R² of a validated aspect.

    Returns
    -------
    dict of str to Aspect
        All ten, in the order of `ASPECTS`.
    """
    found = {}
    for name, targets in ASPECTS.items():
        scored = [cell for cell in cells if cell["target"] in targets and cell["r2"] is not None]
        best = max(scored, key=lambda cell: cell["r2"], default=None)
        found[name] = Aspect(
            name=name,
            targets=targets,
            layer=best["layer"] if best else None,
            target=best["target"] if best else None,
            r2=best["r2"] if best else None,
            validated=best is not None and best["r2"] >= threshold,
        )
    return found


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
        if name not in ASPECTS:
            raise UnknownName("aspect", name, ASPECTS)
        if name in weights:
            raise MessError(f"aspect {name!r} is given twice")
        weights[name] = value
    if not weights:
        raise MessError("no weights given: write aspects as 'brightness=0.6,tempo=0.4'")
    return weights
