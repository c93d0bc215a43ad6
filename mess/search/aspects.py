"""Aspects: the words of a listener, each backed by the proxy targets that measure it.

The layer of an aspect is never written here: it is read from a discovery. A target is *validated*
if three conditions hold. One of its cells is significant family-wise, or the prediction of an index
is, whichever way it is read (from means, from extremes, through time). It is predicted well enough
with every choice made inside the training folds. It was probed on enough works. An aspect is
validated if one of its targets is. Beside the ten aspects, a weight may name `OVERALL` (all that
the encoder represents), a MIDI target or a learned head (`mess.search.heads`), which needs no
validation here: others trained it, and `mess factors` tests it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mess.errors import MessError, UnknownName
from mess.probing.results import Cell, TargetSummary
from mess.probing.statistics import FEWEST_WORKS, SIGNIFICANT
from mess.records.factors import FactorScore
from mess.records.head import IndexedHead
from mess.records.index import Column
from mess.targets import MIDI_TARGETS, plugin_targets

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
HEARD: dict[str, str] = {  # what a model that hears an aspect hears
    "brightness": "how bright the sound is",
    "texture": "how crisp the sound is",
    "warmth": "how warm the sound is",
    "tempo": "how fast the beat is",
    "rhythmic_energy": "how densely notes fall",
    "dynamics": "how loud and soft differ",
    "crescendo": "how the music swells and fades",
    "harmonic_richness": "how rich the harmony is",
    "articulation": "how notes begin",
    "phrasing": "how the phrases are laid out",
}
THRESHOLD = 0.3  # least R² of a validated target, by the nested or the stacked probe
OVERALL = "overall"
LOWER_IS_MORE = frozenset({"warmth"})  # aspects that grow as their targets fall


def plugin_aspects() -> tuple[str, ...]:
    """Return the targets of other packages: each is an aspect of its own, by its own name."""
    return tuple(name for name in plugin_targets() if name not in {*ASPECTS, OVERALL})


def aspect_names() -> tuple[str, ...]:
    """Return whatever a weight may name.

    Examples
    --------
    >>> names = aspect_names()
    >>> "brightness" in names, "overall" in names, "velocity_mean" in names
    (True, True, True)
    """
    return (*ASPECTS, OVERALL, *MIDI_TARGETS, *plugin_aspects())


@dataclass(frozen=True)
class Evidence:
    """The evidence of a discovery and of an index about one target.

    Attributes
    ----------
    target : str
    p_family : float or None
        The smaller of two family-wise p: that of its best cell, and that of the prediction that an
        index ranks by. None if works were not shuffled.
    works : int
        The largest number of works in one of its cells.
    nested : float or None
        R² of the nested probe, whose layer each training fold chooses.
    stacked : float or None
        R² of the prediction by all layers and readings together, which an index ranks by.
    """

    target: str
    p_family: float | None = None
    works: int = 0
    nested: float | None = None
    stacked: float | None = None

    @property
    def r2(self) -> float | None:
        """The larger of both R²."""
        return max((r2 for r2 in (self.nested, self.stacked) if r2 is not None), default=None)

    def doubt(self, threshold: float = THRESHOLD) -> str:
        """Return why the target is not validated, "" if it is. This rule is stated only here.

        Examples
        --------
        >>> Evidence("tempo", p_family=0.01, works=45, nested=0.4).doubt()
        ''
        >>> Evidence("tempo", p_family=0.21, works=45, nested=0.4).doubt()
        'no layer is significant, p 0.21'
        """
        if self.r2 is None:
            return "undefined"
        if not self.works:  # not even folds could be made
            return f"at least {FEWEST_WORKS} works are needed"
        if self.works < FEWEST_WORKS:
            return f"{self.works} works, and {FEWEST_WORKS} are needed"
        if self.p_family is None:
            return "never tested against shuffled works"
        if self.p_family > SIGNIFICANT:
            return f"no layer is significant, p {self.p_family:.2f}"
        if self.r2 < threshold:
            return f"R² {self.r2:.3f} is under {threshold:g}"
        return ""


@dataclass(frozen=True)
class Aspect:
    """An aspect, its evidence, and the layer of its best probe.

    Attributes
    ----------
    name : str
    targets : tuple of str
    layer : int or None
        The layer of its best probe; None if no probe of its targets has an R².
    target : str or None
        The target of that probe.
    layer_r2 : float or None
        The R² of that probe.
    r2 : float or None
        The R² of its best target, nested or stacked; a validated target has precedence.
    validated : bool
        Whether one of its targets is validated.
    steered : tuple of str
        The validated targets that the index has predictions of; a slider ranks along these.
    doubt : str
        Why its best target is not validated; "" if the aspect is validated.
    head : IndexedHead, optional
        The learned head that this aspect is; it has no target then.
    heard : FactorScore, optional
        How often the head finds what shares its factor, if `mess factors` measured it.
    """

    name: str
    targets: tuple[str, ...]
    layer: int | None
    target: str | None
    layer_r2: float | None
    r2: float | None
    validated: bool
    steered: tuple[str, ...] = ()
    doubt: str = ""
    head: IndexedHead | None = None
    heard: FactorScore | None = None


def head_aspect(head: IndexedHead, *, heard: FactorScore | None = None) -> Aspect:
    """Return the aspect that a learned head is."""
    return Aspect(
        name=head.name,
        targets=(),
        layer=None,
        target=None,
        layer_r2=None,
        r2=None,
        validated=True,
        head=head,
        heard=heard,
    )


def find_evidence(
    cells: Sequence[Cell],
    summaries: Sequence[TargetSummary] = (),
    *,
    predicted: Sequence[Column] = (),
) -> dict[str, Evidence]:
    """Return the evidence about every target that was probed or is predicted.

    Parameters
    ----------
    cells, summaries : sequence
        Those of a discovery.
    predicted : sequence of Column
        Those of an index. The kind "probe" tells R² and p of each predicted target.
    """
    columns = {column.name: column for column in predicted if column.kind == "probe"}
    nested = {summary.target: summary.nested.r2 for summary in summaries}
    by_target: dict[str, list[Cell]] = {name: [] for name in [*columns, *nested]}
    for cell in cells:
        by_target.setdefault(cell.target, []).append(cell)
    return {
        target: Evidence(
            target=target,
            p_family=min(
                (p for p in _family_wise(own, columns.get(target)) if p is not None),
                default=None,
            ),
            works=max((cell.works for cell in own), default=0),
            nested=nested.get(target),
            stacked=columns[target].r2 if target in columns else None,
        )
        for target, own in by_target.items()
    }


def _family_wise(cells: Sequence[Cell], column: Column | None) -> list[float | None]:
    """Return the family-wise p of the cells of a target, and of what an index predicts of it."""
    return [*(cell.p_family for cell in cells), None if column is None else column.p_family]


def find_aspects(
    cells: Sequence[Cell],
    evidence: Mapping[str, Evidence],
    *,
    threshold: float = THRESHOLD,
    more: Sequence[str] = (),
) -> dict[str, Aspect]:
    """Return every aspect with its evidence, its layer and the targets that it ranks along.

    Parameters
    ----------
    cells : sequence of Cell
        The cells of a discovery: they give an aspect its layer, and do not validate it.
    evidence : mapping of str to Evidence
        From `find_evidence`.
    threshold : float
        Least R² of a validated target.
    more : sequence of str
        Targets that become aspects of their own if they are validated.

    Returns
    -------
    dict of str to Aspect
        All ten, in the order of `ASPECTS`; then those of ``more`` that are validated.
    """
    doubts = {target: known.doubt(threshold) for target, known in evidence.items()}
    own = [name for name in more if doubts.get(name, "undefined") == ""]
    aspects = {}
    for name, targets in {**ASPECTS, **{name: (name,) for name in own}}.items():
        scored = [
            (cell.r2, cell) for cell in cells if cell.target in targets and cell.r2 is not None
        ]
        best = max(scored, key=lambda pair: pair[0], default=(None, None))[1]
        known = [evidence[target] for target in targets if target in evidence]
        valid = [probed for probed in known if not doubts[probed.target]]
        ranked = sorted(valid or known, key=_r2_or_least)
        aspects[name] = Aspect(
            name=name,
            targets=targets,
            layer=best.layer if best else None,
            target=best.target if best else None,
            layer_r2=best.r2 if best else None,
            r2=ranked[-1].r2 if ranked else None,
            validated=bool(valid),
            steered=tuple(probed.target for probed in valid if probed.stacked is not None),
            doubt="" if valid else doubts[ranked[-1].target] if ranked else "undefined",
        )
    return aspects


def _r2_or_least(evidence: Evidence) -> float:
    """Return R², −∞ if it is undefined (an R² of 0 is defined)."""
    return -np.inf if evidence.r2 is None else evidence.r2


def find_best_layers(cells: Sequence[Cell]) -> dict[str, int]:
    """Return the layer with the highest R² of every target that has one."""
    best: dict[str, tuple[float, int]] = {}
    for cell in cells:
        if cell.r2 is not None and (cell.target not in best or cell.r2 > best[cell.target][0]):
            best[cell.target] = cell.r2, cell.layer
    return {target: layer for target, (_, layer) in best.items()}


def parse_weights(text: str, *, heads: Collection[str] = ()) -> dict[str, float]:
    """Parse weights as the command line takes them, or as an address has them.

    Parameters
    ----------
    text : str
    heads : collection of str
        The names of learned heads, which are aspects, too.

    Raises
    ------
    MessError
        If a part is not ``aspect=number`` or ``aspect:number``, or names an aspect twice.
    UnknownName
        If there is no such aspect.

    Examples
    --------
    >>> parse_weights("brightness=0.6, texture=0.4"), parse_weights("tempo:-1")
    ({'brightness': 0.6, 'texture': 0.4}, {'tempo': -1.0})
    """
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        sign = "=" if "=" in part else ":"
        name, _, number = (piece.strip() for piece in part.partition(sign))
        try:
            value = float(number)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            shown = part if len(part) <= 80 else f"{part[:80]}…"
            raise MessError(f"{shown!r} is no weight: write aspects as 'brightness=0.6,tempo=0.4'")
        known = (*aspect_names(), *heads)
        if name not in known:
            raise UnknownName("aspect", name, known)
        if name in weights:
            raise MessError(f"aspect {name!r} is given twice")
        weights[name] = value
    if not weights:
        raise MessError("no weights given: write aspects as 'brightness=0.6,tempo=0.4'")
    return weights
