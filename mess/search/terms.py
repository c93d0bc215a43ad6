"""Terms: the method, columns or layer by which an aspect ranks, and when it may not rank."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, MessError, UnknownName
from mess.records.evaluation import Method
from mess.records.index import Kind
from mess.search.aspects import OVERALL, THRESHOLD, Aspect
from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, Point
from mess.search.ranking import Term
from mess.search.tempo import DENSITY_SHARE, TEMPO, octave_shares
from mess.storage.paths import command_for
from mess.targets import MIDI_TARGETS

By = Literal["better", "model", "measurement"]
METHODS: tuple[Method, ...] = get_args(Method)
BY: tuple[By, ...] = get_args(By)
_Columns = tuple[NDArray[np.int64], NDArray[np.float64]]
_Part = tuple[ColumnWeights, tuple[int, ...]]
_OCTAVES: Mapping[str, Kind] = {"probe": "probe_octaves", "direct": "direct_octaves"}


class Usual(NamedTuple):
    """What ranks where nobody gives weights.

    Attributes
    ----------
    weights : dict of str to float
        The weight 1 for each validated aspect that can rank.
    left_out : dict of str to str
        The reason, by each validated aspect that cannot.
    """

    weights: dict[str, float]
    left_out: dict[str, str]

    def required(self) -> "Usual":
        """Return it, or raise `MessError` where nothing can rank, with the first reason."""
        if not self.weights and self.left_out:
            raise MessError(f"no aspect can rank so: {next(iter(self.left_out.values()))}")
        return self


def check_choices(method: str | None, by: str) -> None:
    """Raise `UnknownName` if there is no such method, or nothing of the kind to rank by."""
    if method is not None and method not in METHODS:
        raise UnknownName("method", method, METHODS)
    if by not in BY:
        raise UnknownName("choice", by, BY)


@dataclass(frozen=True)
class Terms:
    """The terms that one index can rank by.

    Attributes
    ----------
    dataset, encoder : str
    track_ids : list of str
    aspects : dict of str to Aspect
    indexed : CoordinateIndex or None
        The coordinates; None if the index was built without targets.
    defaults : mapping of str to str
        The evaluated method of each aspect.
    density_share : float
        The evaluated share of the density of onsets in tempo.
    models : mapping of str to str
        The best evaluated method of each aspect that needs no measurement.
    faithful : mapping of str to mapping
        Aspect → method → the evaluated faithfulness.
    """

    dataset: str
    encoder: str
    track_ids: list[str]
    aspects: dict[str, Aspect]
    indexed: CoordinateIndex | None
    defaults: Mapping[str, Method]
    density_share: float = DENSITY_SHARE
    models: Mapping[str, Method] = field(default_factory=dict)
    faithful: Mapping[str, Mapping[Method, float | None]] = field(default_factory=dict)
    # What `columns` and `_part` found: it is the same for every query.
    _columns: dict[Hashable, _Columns] = field(default_factory=dict, init=False, repr=False)
    _parts: dict[Hashable, _Part] = field(default_factory=dict, init=False, repr=False)

    def validated(self) -> list[str]:
        """Return the validated aspects."""
        return [name for name, aspect in self.aspects.items() if aspect.validated]

    def usual(
        self,
        rows: Sequence[int | Point] = (),
        *,
        method: Method | None = None,
        by: By = "better",
    ) -> "Usual":
        """Return the validated aspects by which these queries can be compared with the tracks.

        A method may say nothing of an aspect: where the layers do not tell the tempo, only what was
        measured ranks by it. And a query may lack the one value that an aspect ranks by.
        """
        found = Usual({}, {})
        for name in self.validated():
            try:
                self.make(name, 1.0, method=method, by=by, rows=rows)
            except MessError as reason:
                found.left_out[name] = str(reason)
            else:
                found.weights[name] = 1.0
        return found

    def default_method(self, name: str, *, by: By = "better") -> Method:
        """Return the default method of an aspect.

        It is the evaluated method; without an evaluation it is "probe". If that method is not
        available for every track, it is the other one of "probe" and "direct". `mess evaluate`
        reports its decision by this function.

        Parameters
        ----------
        name : str
        by : {"better", "model", "measurement"}
            Whether what the model predicts ranks, or what was measured, or the better of both.
        """
        if by == "measurement":
            chosen: Method = "direct"
        elif by == "model":
            chosen = self.models.get(name, "probe")
        else:
            chosen = self.defaults.get(name, "probe")
        if chosen == "direct" and not self._is_complete(name):
            chosen = "probe"
        if chosen == "probe" and self._is_lost_on_circle(name):
            chosen = "direct"
        return chosen

    def ranks_by(
        self,
        name: str,
        *,
        method: Method | None = None,
        by: By = "better",
        moved: bool = False,
        rows: Sequence[int | Point] = (),
    ) -> Method | Literal["overall", "head"]:
        """Return the method by which a query ranks; see `make`.

        "probe" replaces an evaluated "subspace" or "layer" if the query is moved, and "direct" if
        the query lacks a measured value.
        """
        if name == OVERALL:
            return "overall"
        if name in self.aspects and self.aspects[name].head is not None:
            return "head"
        if method is not None:
            return method
        chosen = self.default_method(name, by=by)
        if moved and chosen in ("subspace", "layer"):
            chosen = "probe"
        if chosen == "direct" and not self._is_measured(name, rows, moved=moved):
            chosen = "probe"
        return chosen

    @property
    def coordinates(self) -> CoordinateIndex:
        """The coordinates of the tracks.

        Raises
        ------
        ArtifactError
            If the index was built without targets.
        """
        if self.indexed is None:
            raise ArtifactError(
                f"the index of {self.dataset!r} by {self.encoder!r}",
                "was built without targets and knows whole layers only",
                f"{command_for('targets', self.dataset)} && "
                + command_for("index", self.dataset, self.encoder),
            )
        return self.indexed

    def make(
        self,
        name: str,
        weight: float,
        *,
        method: Method | None = None,
        by: By = "better",
        moved: bool = False,
        rows: Sequence[int | Point] = (),
    ) -> Term:
        """Return the term of an aspect.

        Parameters
        ----------
        name : str
        weight : float
        method : str, optional
        by : {"better", "model", "measurement"}
            See `default_method`; a method that is named has precedence.
        moved : bool
            Whether the query is moved along the aspect. A subspace or a layer cannot be moved
            along, because it has no unit. Tempo is then compared in beats per minute.
        rows : sequence of int or Point
            The queries; their values must be known.

        Raises
        ------
        MessError
            If the method cannot rank by the aspect.
        """
        chosen = self.ranks_by(name, method=method, by=by, moved=moved, rows=rows)
        if chosen == "overall":
            return Term(name, weight, self.coordinates.overall, None, (), chosen)
        if chosen == "head":
            if moved:
                raise MessError(f"{name!r} is a learned head and has no unit to be moved by")
            return Term(name, weight, None, name, (), chosen)
        if "direct" not in (method, chosen if by == "measurement" else None):
            self._check_validated(name, chosen)
        if moved and chosen in ("subspace", "layer"):
            raise MessError(f"{name!r} cannot be moved by the method {chosen!r}: use 'probe'")
        if chosen == "layer":
            return Term(name, weight, None, self.aspects[name].layer, (), chosen)
        if chosen == "probe" and not moved and self._is_lost_on_circle(name):
            raise MessError(
                f"the layers do not tell {name!r} up to octaves: use the method 'direct', "
                "for recordings whose tempo is measured"
            )
        part, shown = self._part(name, chosen, moved=moved)
        coordinates = self.coordinates
        for row in rows:
            if not coordinates.is_known(row, part.columns):
                who = "the recording" if isinstance(row, Point) else repr(self.track_ids[row])
                what = "measured" if chosen == "direct" else "predicted"
                raise MessError(f"{who} has no {what} value of {name!r}: use another method")
        return Term(name, weight, part, None, shown, chosen)

    def shared_targets(self, names: Collection[str]) -> dict[str, list[str]]:
        """Return the targets that more than one of some aspects rank by, each with these aspects.

        In a mix, such a target counts more than once.
        """
        found: dict[str, list[str]] = {}
        for name in names:
            for target in self.aspects[name].steered if name in self.aspects else ():
                found.setdefault(target, []).append(name)
        return {target: own for target, own in found.items() if len(own) > 1}

    def _is_complete(self, name: str) -> bool:
        """Tell whether an aspect is measured; a MIDI target must be known for all tracks.

        If only some tracks have MIDI, ranking by it would hide the others.
        """
        columns = self.columns(self._targets(name), "direct")[0]
        if not len(columns):
            return False
        return name not in MIDI_TARGETS or bool(self.coordinates.complete[columns].all())

    def _is_measured(self, name: str, rows: Sequence[int | Point], *, moved: bool) -> bool:
        """Tell whether the queries have a measured value of an aspect."""
        columns = self.columns(self._targets(name), "direct", moved=moved)[0]
        return all(self.coordinates.is_known(row, columns) for row in rows)

    def _is_lost_on_circle(self, name: str) -> bool:
        """Tell whether tempo is measured but not predicted well enough on the circle of octaves."""
        if name != TEMPO or self.indexed is None:
            return False
        columns = self.indexed.find(TEMPO, "probe_octaves")
        r2 = self.indexed.columns[columns[0]].r2 if columns else None
        return (r2 is None or r2 < THRESHOLD) and bool(self.indexed.find(TEMPO, "direct_octaves"))

    def _targets(self, name: str) -> tuple[str, ...]:
        aspect = self.aspects.get(name)
        return aspect.targets if aspect else (name,)

    def columns(
        self, targets: Sequence[str], kind: Literal["probe", "direct"], *, moved: bool = False
    ) -> _Columns:
        """Return the columns that targets are ranked by, and the share of each column.

        All targets have the same share. Tempo is ranked up to octaves (`mess.search.tempo`), unless
        the query is moved: on a circle there is no faster and no slower.
        """
        key = (tuple(targets), kind, moved)
        if key not in self._columns:
            self._columns[key] = self._find_columns(targets, kind, moved=moved)
        return self._columns[key]

    def _find_columns(
        self, targets: Sequence[str], kind: Literal["probe", "direct"], *, moved: bool
    ) -> _Columns:
        coordinates = self.coordinates
        columns, shares = [], []
        for target in targets:
            if target == TEMPO and not moved:
                own = coordinates.find(target, _OCTAVES[kind])
                counts = octave_shares(len(own), density=self.density_share)
            else:
                own = coordinates.find(target, kind)
                counts = np.ones(len(own))
            if own:
                columns += own
                shares.append(counts)
        if not columns:
            return np.empty(0, dtype=np.int64), np.empty(0)
        return np.array(columns, dtype=np.int64), np.concatenate(shares) / len(shares)

    def _part(
        self, name: str, kind: Literal["probe", "subspace", "direct"], *, moved: bool
    ) -> _Part:
        """Return the columns of an aspect, and the columns whose values explain it."""
        key = (name, kind, moved)
        if key not in self._parts:
            self._parts[key] = self._find_part(name, kind, moved=moved)
        return self._parts[key]

    def _find_part(
        self, name: str, kind: Literal["probe", "subspace", "direct"], *, moved: bool
    ) -> _Part:
        coordinates, targets = self.coordinates, self._targets(name)
        if kind == "subspace":
            columns = np.array(coordinates.find(name, "subspace"), dtype=np.int64)
            shares = np.ones(len(columns))
            shown = [c for target in targets for c in coordinates.find(target, "probe")]
        else:
            aspect = self.aspects.get(name)
            used = aspect.steered if aspect and kind == "probe" else targets
            columns, shares = self.columns(used, kind, moved=moved)
            shown = [c for target in used for c in coordinates.find(target, kind)]
        if not len(columns):
            raise MessError(f"nothing is known of {name!r} by the method {kind!r}")
        return ColumnWeights(name, columns, shares), tuple(shown)

    def _check_validated(self, name: str, method: Method) -> None:
        aspect = self.aspects.get(name)
        if aspect and aspect.validated:
            if method != "layer":
                _ = self.coordinates  # raises if there are none
            elif aspect.layer is None:
                raise MessError(f"no layer stands for {name!r} here: use another method")
            return
        doubt = "undefined" if aspect is None else aspect.doubt
        valid = ", ".join(self.validated()) or "none"
        if self.indexed is not None and len(self.columns(self._targets(name), "direct")[0]):
            valid += "; the method 'direct' ranks by what was measured"
        raise MessError(
            f"aspect {name!r} is not validated by {self.encoder!r} on {self.dataset!r} "
            f"({doubt}); validated: {valid}"
        )
