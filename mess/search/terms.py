"""How an aspect ranks: its method, its columns or its layer, and why it may not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mess.errors import ArtifactError, MessError
from mess.places import command_for
from mess.search.aspects import OVERALL, THRESHOLD, Aspect
from mess.search.ranking import Term
from mess.search.steering import Kind, Part, Point, Steering
from mess.targets import PERFORMANCE_TARGETS

Method = Literal["probe", "subspace", "direct", "layer"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True)
class Terms:
    """What one index can rank by.

    Attributes
    ----------
    dataset, encoder : str
    track_ids : list of str
    aspects : dict of str to Aspect
    found : Steering or None
        The coordinates; None where the index was built without targets.
    defaults : mapping of str to str
        The method of each aspect, as it was evaluated.
    """

    dataset: str
    encoder: str
    track_ids: list[str]
    aspects: dict[str, Aspect]
    found: Steering | None
    defaults: Mapping[str, Method]

    def validated(self) -> list[str]:
        """Return the validated aspects."""
        return [name for name, aspect in self.aspects.items() if aspect.validated]

    def default_method(self, aspect: str) -> Method:
        """Return the method that ranks an aspect unless another is asked for."""
        if self.found is None or not self.aspects[aspect].steered:
            return "layer"
        return self.defaults.get(aspect, "probe")

    @property
    def steering(self) -> Steering:
        """The coordinates of the tracks.

        Raises
        ------
        ArtifactError
            If the index was built without targets.
        """
        if self.found is None:
            raise ArtifactError(
                f"the index of {self.dataset!r} by {self.encoder!r}",
                "was built without targets and knows whole layers only",
                f"{command_for('targets', self.dataset)} && "
                + command_for("index", self.dataset, self.encoder),
            )
        return self.found

    def make(
        self,
        name: str,
        weight: float,
        *,
        method: Method | None = None,
        moved: bool = False,
        rows: Sequence[int | Point] = (),
    ) -> Term:
        """Return what an aspect is ranked by.

        Parameters
        ----------
        name : str
        weight : float
        method : str, optional
        moved : bool
            Whether the query is moved along the aspect: a subspace or a layer has no unit.
        rows : sequence of int or Point
            The queries, whose values must be known.

        Raises
        ------
        MessError
            If the method cannot rank by the aspect.
        """
        if name == OVERALL:
            return Term(name, weight, self.steering.overall, None, ())
        chosen = method
        if chosen is None:
            chosen = self.default_method(name) if name in self.aspects else "probe"
            if moved and chosen in ("subspace", "layer"):
                chosen = "probe"
            if chosen == "direct" and not self._is_measured(name, rows):
                chosen = "probe"
        if chosen != "direct":
            self._check_validated(name, chosen)
        if moved and chosen in ("subspace", "layer"):
            raise MessError(f"{name!r} cannot be moved by the method {chosen!r}: use 'probe'")
        if chosen == "layer":
            return Term(name, weight, None, self.aspects[name].layer, ())
        part, shown = self._part(name, chosen)
        steering = self.steering
        for row in rows:
            if chosen == "direct" and not steering.is_known(row, part.columns):
                who = "the recording" if isinstance(row, Point) else repr(self.track_ids[row])
                raise MessError(f"{who} has no measured value of {name!r}: use another method")
        return Term(name, weight, part, None, shown)

    def _is_measured(self, name: str, rows: Sequence[int | Point]) -> bool:
        """Tell whether the queries have a measured value of an aspect, and all tracks if MIDI's.

        Where only some tracks have MIDI, ranking by it would hide the others.
        """
        columns = self._part(name, "direct")[0].columns
        if name in PERFORMANCE_TARGETS:
            return bool(self.steering.complete[columns].all())
        return all(self.steering.is_known(row, columns) for row in rows)

    def _part(self, name: str, kind: Kind) -> tuple[Part, tuple[int, ...]]:
        """Return the columns of an aspect, and those whose values explain it."""
        steering = self.steering
        aspect = self.aspects.get(name)
        targets = aspect.targets if aspect else (name,)
        if kind == "subspace":
            columns = steering.find(name, "subspace")
            shares = np.ones(len(columns))
            shown = [c for target in targets for c in steering.find(target, "probe")]
        else:
            used = aspect.steered if aspect and kind == "probe" else targets
            columns = [c for target in used for c in steering.find(target, kind)]
            shares = np.full(len(columns), 1 / max(len(columns), 1))
            shown = columns
        if not columns:
            raise MessError(f"nothing is known of {name!r} by the method {kind!r}")
        return Part(name, np.array(columns, dtype=np.int64), shares), tuple(shown)

    def _check_validated(self, name: str, method: Method) -> None:
        aspect = self.aspects.get(name)
        if method == "layer" and aspect and aspect.validated and aspect.layer is not None:
            return
        if method != "layer" and aspect and aspect.steered:
            return
        if method != "layer" and aspect and aspect.validated:
            _ = self.steering  # tells that there is none
            raise MessError(
                f"{name!r} can only be searched over a whole layer here (its R² when all layers "
                f"predict it together is under {THRESHOLD}): use the method 'layer'"
            )
        doubt = "undefined" if aspect is None else aspect.doubt
        valid = ", ".join(self.validated()) or "none"
        raise MessError(
            f"aspect {name!r} is not validated by {self.encoder!r} on {self.dataset!r} "
            f"({doubt}); validated: {valid}"
        )
