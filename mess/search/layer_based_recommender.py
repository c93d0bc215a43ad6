"""The recommender: find the tracks that are similar to a query in chosen aspects.

An aspect ranks by one of four methods:

* ``probe``: distance in its targets as the layers predict them, out of fold;
* ``subspace``: distance in a subspace in which its targets and their course are predicted together;
* ``direct``: distance in its measured targets;
* ``layer``: cosine over the whole layer whose probe is best.

A learned head (`mess.search.heads`) is one more aspect; it ranks by the cosine of what it makes of
two recordings.

`mess evaluate` measures which method follows the aspect best. That method is the default, and every
result names the methods that were used. Tempo is compared up to octaves (`mess.search.tempo`).

Examples
--------
>>> from mess import LayerBasedRecommender
>>> recommender = LayerBasedRecommender(dataset="demo", encoder="spectral")
>>> recommender.get_available_aspects()
['brightness', ...]
>>> track = recommender.track_ids[0]
>>> recommender.recommend_by_aspect(track, aspect="brightness", n_recommendations=5)
[Recommendation(track_id=...)]
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import (
    ArtifactError,
    ArtifactMissing,
    ArtifactStale,
    MessError,
    UnknownName,
)
from mess.records.evaluation import Method
from mess.records.factors import FactorScore
from mess.records.features import FeaturesHeader
from mess.records.index import IndexRecord
from mess.search.aspects import (
    LOWER_IS_MORE,
    THRESHOLD,
    Aspect,
    aspect_names,
    find_aspects,
    find_best_layers,
    find_evidence,
    head_aspect,
    plugin_aspects,
)
from mess.search.coordinate_index import CoordinateIndex, Point
from mess.search.coordinate_map import CoordinateMap
from mess.search.fitting import fit_weights
from mess.search.heads import apply_head, find_heads
from mess.search.layer_index import Layer, LayerIndex, Vectors, best_rows
from mess.search.ranking import Cap, Part, Query, SearchSpace, capped_rows, point_shares
from mess.search.tempo import DENSITY_SHARE
from mess.search.terms import BY, METHODS, By, Terms
from mess.search.weights import check_moves, share_weights
from mess.status.staleness import Source, Sources, attempt, fitted_digests, judge, require
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import MIDI_TARGETS


@dataclass(frozen=True)
class Recommendation:
    """A track that is similar to the query.

    Attributes
    ----------
    track_id : str
    score : float
        Weighted mean of the similarities in the aspects, from −1 to 1. In an aspect with a positive
        weight, 1 is equal to the query, 0 is as unlike as half of the tracks, and −1 is among the
        tenth that is least alike. A negative weight turns this round: 1 is among the least alike.
    contributions : dict of str to float
        Each aspect's part of the score; the parts add up to it.
    values : dict of str to dict
        The values behind the score: of each target, "query" and "track" in its unit, as predicted
        (with the method "direct", as measured). A target that is ranked both ways appears twice,
        once as ``<target>:measured``. Whole layers have no values.
    methods : dict of str to str
        The method of each aspect: "probe", "subspace", "direct", "layer", "head" or "overall".

    Examples
    --------
    >>> recommendation = Recommendation("Bach_BWV846_p1", score=0.9, contributions={"tempo": 0.9})
    >>> recommendation.as_dict()["score"]
    0.9
    """

    track_id: str
    score: float
    contributions: dict[str, float]
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as ``--json`` prints them."""
        return asdict(self)


@dataclass(frozen=True)
class Chosen:
    """What an evaluation found; the attributes are those of `Terms`."""

    defaults: Mapping[str, Method] = field(default_factory=dict)
    density_share: float = DENSITY_SHARE
    models: Mapping[str, Method] = field(default_factory=dict)
    faithful: Mapping[str, Mapping[Method, float | None]] = field(default_factory=dict)


class LayerBasedRecommender:
    """Search the index of one dataset by aspects that a discovery validated.

    Parameters
    ----------
    dataset, encoder : str, optional
        The index to search; by default the one that was built last.
    store : Store, optional
        The data root; by default that of this process.
    threshold : float
        Least R² of a validated target.
    evaluated : bool
        Whether each aspect ranks by the method that `mess evaluate` chose.

    Attributes
    ----------
    warning : str
        Why aspects do not rank by the methods that were evaluated; "" if they do, or if nothing
        was evaluated yet.
    placed : list of str
        Recordings that came after the probes were fitted (`mess watch`): the probes of the others
        gave them their coordinates.
    aspects : dict of str to Aspect
        The ten aspects, the MIDI targets that are validated, and the learned heads.
    heads : dict of str to IndexedHead
    evidence : dict of str to Evidence
        Of each target.
    best_layers : dict of str to int
        Of each target.
    track_ids : list of str
    works : ndarray [shape=(n,), dtype=object]
        The work of each track.

    Raises
    ------
    ArtifactError
        If the index or the discovery is missing, damaged or stale.

    Examples
    --------
    >>> recommender = LayerBasedRecommender(dataset="demo", encoder="spectral")
    >>> track = recommender.track_ids[0]
    >>> similar = recommender.recommend_by_aspect(track, aspect="brightness", n_recommendations=3)
    >>> len(similar), track in {result.track_id for result in similar}
    (3, False)
    """

    def __init__(
        self,
        dataset: str | None = None,
        encoder: str | None = None,
        *,
        store: Store | None = None,
        threshold: float = THRESHOLD,
        evaluated: bool = True,
    ) -> None:
        self._store = store or Store()
        self.dataset, self.encoder = self._store.indices.newest(dataset, encoder)
        record = self._store.indices.read_record(self.dataset, self.encoder)
        discovery = self._store.discoveries.read(self.dataset, self.encoder)
        sources = Sources(self._store, self.dataset, self.encoder)
        # Heads that came or went since do not change the rest; `left_out_heads` tells of them.
        require("index", record.origin, sources, beside=("heads",))
        also = fitted_digests(record)
        require("discovery", discovery.origin, sources, also=also)
        self.warning = ""
        self.placed = record.placed
        self.track_ids = record.tracks
        self._row = {track_id: row for row, track_id in enumerate(self.track_ids)}
        self.works = np.array(record.works, dtype=object)
        self._composers = record.composers
        self._copies = np.array(record.copies, dtype=np.int64)
        layers = LayerIndex(
            len(self.track_ids),
            self._layer_reader(record),
        )
        self.heads = {head.name: head for head in record.heads}
        self._projection_checksum = record.projection_crc32
        coordinates = None
        if record.columns and record.steering_crc32 is not None:
            content = self._store.indices.read_coordinates(
                self.dataset, self.encoder, checksum=record.steering_crc32
            )
            coordinates = CoordinateIndex(content, record.columns)
        self.space = SearchSpace(coordinates, layers, len(self.track_ids))
        self.evidence = find_evidence(
            discovery.cells,
            discovery.summaries,
            predicted=record.columns,
        )
        self.aspects: dict[str, Aspect] = find_aspects(
            discovery.cells,
            self.evidence,
            threshold=threshold,
            more=[*MIDI_TARGETS, *plugin_aspects()],
        )
        heard = self._read_heard(sources, also) if record.heads else {}
        for head in record.heads:
            self.aspects[head.name] = head_aspect(head, heard=heard.get((head.name, head.digest)))
        self.best_layers = find_best_layers(discovery.cells)
        chosen = self._read_evaluated(sources, also) if evaluated else Chosen()
        self.terms = Terms(
            dataset=self.dataset,
            encoder=self.encoder,
            track_ids=self.track_ids,
            aspects=self.aspects,
            indexed=coordinates,
            defaults=chosen.defaults,
            density_share=chosen.density_share,
            models=chosen.models,
            faithful=chosen.faithful,
        )

    @property
    def composers(self) -> list[str]:
        """The composer of each track, "" where nobody told."""
        return list(self._composers)

    def _layer_reader(self, record: IndexRecord) -> Callable[[Layer], bytes]:
        """Return what reads the file of a layer, or of a head."""
        of_heads = {head.name: head.crc32 for head in record.heads}
        files, where = self._store.indices, (self.dataset, self.encoder)

        def read(layer: Layer) -> bytes:
            if isinstance(layer, str):
                return files.read_head(*where, layer, checksum=of_heads[layer])
            return files.read_layer(*where, layer, checksum=record.crc32[layer])

        return read

    def _read_evaluated(self, sources: Sources, also: Mapping[Source, str]) -> Chosen:
        """Return what `mess evaluate` chose.

        A damaged evaluation is an error; a stale one becomes a warning.
        """
        evaluation = attempt(lambda: self._store.evaluations.read(self.dataset, self.encoder))
        if isinstance(evaluation, ArtifactMissing):
            return Chosen()
        command = command_for("evaluate", self.dataset, self.encoder)
        if isinstance(evaluation, ArtifactStale):
            self.warning = str(evaluation)
            return Chosen()
        if isinstance(evaluation, ArtifactError):
            raise evaluation
        verdict = judge("evaluation", evaluation.origin, sources, also=also)
        if verdict:
            self.warning = f"the evaluation of the sliders is stale ({verdict}): run `{command}`"
            return Chosen()
        return Chosen(
            defaults={name: one.method for name, one in evaluation.defaults.items()},
            density_share=evaluation.tempo.density_share if evaluation.tempo else DENSITY_SHARE,
            models={
                name: max(one.marks, key=lambda method: one.marks[method])
                for name, one in evaluation.defaults.items()
                if one.marks
            },
            faithful={name: one.faithful for name, one in evaluation.defaults.items()},
        )

    def _read_heard(
        self, sources: Sources, also: Mapping[Source, str]
    ) -> dict[tuple[str, str], FactorScore]:
        """Return how often each head finds what shares its factor, by name and digest.

        A factor table of another index tells nothing; a table that other heads joined tells of its
        own.
        """
        table = attempt(lambda: self._store.factors.read(self.dataset, self.encoder))
        if isinstance(table, ArtifactError):
            return {}
        if judge("factors", table.origin, sources, also=also, beside=("heads",)):
            return {}
        return {
            (row.name, row.digest): row.scores[row.own]
            for row in table.rows
            if row.kind == "head" and row.own is not None
        }

    @cached_property
    def projection(self) -> CoordinateMap:
        """The map that gives a recording outside the index its coordinates.

        Raises
        ------
        ArtifactError
            If the index has no such map.
        """
        _ = self.terms.coordinates  # without targets there are no coordinates
        if self._projection_checksum is None:
            raise ArtifactStale(
                f"the index of {self.dataset!r} by {self.encoder!r}",
                "has nothing that places recordings of one's own",
                command_for("index", self.dataset, self.encoder),
            )
        content = self._store.indices.read_coordinate_map(
            self.dataset, self.encoder, checksum=self._projection_checksum
        )
        return CoordinateMap.deserialise(content)

    def left_out_heads(self) -> dict[str, str]:
        """Return the learned heads of the data root that have no slider here, each with the reason.

        A head that was put there, or changed, after the index was built waits for `mess index`.
        """
        if not self._store.heads.names():
            return {}
        found = find_heads(self._store, self.made_by)
        command = command_for("index", self.dataset, self.encoder)
        left_out = dict(found.unusable)
        for name, reads in found.elsewhere.items():
            left_out[name] = f"reads {reads}: run `{command_for('run-all', self.dataset, reads)}`"
        for name, head in found.usable.items():
            if name not in self.heads or head.digest != self.heads[name].digest:
                left_out[name] = f"is newer than the index: run `{command}`"
        return left_out

    def apply_heads(self, means: NDArray[np.floating[Any]]) -> dict[str, Vectors]:
        """Return what each head of the index makes of other recordings [n, outputs].

        A head that is gone or has changed since the index was built is left out.

        Parameters
        ----------
        means : ndarray [shape=(n, layers, dim)]
        """
        if not self.heads:
            return {}
        found = find_heads(self._store, self.made_by).usable
        return {
            name: apply_head(found[name], means)
            for name, indexed in self.heads.items()
            if name in found and found[name].digest == indexed.digest
        }

    @property
    def made_by(self) -> FeaturesHeader:
        """The header of the features: all that they depend on beside the audio."""
        return self._store.features.manifest(self.dataset, self.encoder).header

    def get_available_aspects(self) -> list[str]:
        """Return the validated aspects; `aspects` has all, each with its R²."""
        return self.terms.validated()

    def usual_weights(self, queries: Sequence[str | Point]) -> dict[str, float]:
        """Return the weight 1 for each validated aspect that is known of all queries."""
        rows = [one if isinstance(one, Point) else self.row(one) for one in queries]
        return dict.fromkeys(self.terms.rankable(rows), 1.0)

    def recommend_by_aspect(
        self, track_id: str, aspect: str, n_recommendations: int = 5, **options: Any
    ) -> list[Recommendation]:
        """Return the tracks most similar to ``track_id`` in one aspect, best first.

        Parameters
        ----------
        track_id, aspect : str
        n_recommendations : int
        **options
            Those of `multi_aspect_recommendation`.

        Raises
        ------
        UnknownName
            If there is no such track or aspect.
        MessError
            If the aspect is not validated.
        """
        return self.multi_aspect_recommendation(
            track_id, {aspect: 1.0}, n_recommendations, **options
        )

    def multi_aspect_recommendation(
        self,
        track_id: str | Point | Sequence[str | Point],
        aspect_weights: Mapping[str, float],
        n_recommendations: int = 5,
        *,
        method: Method | None = None,
        by: By = "better",
        unlike: Sequence[str] = (),
        hold: Sequence[str] = (),
        offset: Mapping[str, float] | None = None,
        exclude_same_work: bool = False,
        exclude_same_composer: bool = False,
        exclude_duplicates: bool = False,
        max_per_composer: int | None = None,
    ) -> list[Recommendation]:
        """Return the tracks most similar to the query in several weighted aspects.

        Parameters
        ----------
        track_id : str or sequence of str
            The query, or several queries, whose scores are averaged. No query is a result. A
            `Point` stands for a recording that is not in the index (`mess.search.coordinate_map`).
        aspect_weights : mapping of str to float
            Weight of each aspect; a negative weight asks for tracks that differ in it. Only the
            ratios matter, and equal weights count equally, because similarities are ranks.
            `mess.search.aspects.OVERALL` is one more aspect.
        n_recommendations : int
        method : {"probe", "subspace", "direct", "layer"}, optional
            The method of all aspects; by default each aspect uses its own.
        by : {"better", "model", "measurement"}
            Whether each aspect ranks by what the model predicts, by what was measured on the
            recordings, or by the better of both, as `mess evaluate` found. Where one of them is not
            known, the other one ranks; `Recommendation.methods` tells which.
        unlike : sequence of str
            Tracks that the results should differ from; their mean score counts negatively, as much
            as that of the queries.
        hold : sequence of str
            Aspects in which the results should equal the query; they get weight 1.
        offset : mapping of str to float, optional
            Moves the query along aspects, in standard deviations over the dataset: ``{"tempo":
            -1}`` asks for a similar but slower track. Such an aspect has weight 1 by default.
        exclude_same_work : bool
            Leave out other recordings of a query's work.
        exclude_same_composer : bool
            Leave out all works by a query's composer, if the composer is known.
        exclude_duplicates : bool
            Leave out copies of a query, and keep only the best of the copies of a result.
        max_per_composer : int, optional
            Largest number of results by one composer.

        Returns
        -------
        list of Recommendation
            Best first; fewer if the dataset has too few tracks.
        """
        offset = check_moves(offset or {})
        queries = [track_id] if isinstance(track_id, str | Point) else list(track_id)
        liked = [query if isinstance(query, Point) else self.row(query) for query in queries]
        avoided = [self.row(track) for track in unlike]
        if not liked:
            raise MessError("name at least one track to be like")
        if n_recommendations < 1:
            raise MessError(f"ask for at least 1 recommendation, not {n_recommendations}")
        if method is not None and method not in METHODS:
            raise UnknownName("method", method, METHODS)
        if by not in BY:
            raise UnknownName("choice", by, BY)
        wanted = dict.fromkeys([*hold, *offset], 1.0) | dict(aspect_weights)
        names = [*aspect_names(), *self.heads]
        self._check_heads(wanted, names)
        rows: list[int | Point] = [*liked, *avoided]
        terms = [
            self.terms.make(name, weight, method=method, by=by, moved=name in offset, rows=rows)
            for name, weight in share_weights(wanted, names).items()
        ]
        signs = point_shares(len(liked), len(avoided))
        query = Query(
            terms=terms,
            points=list(zip(rows, signs, strict=True)),
            moves={n: float(-by if n in LOWER_IS_MORE else by) for n, by in offset.items()},
        )
        exclude = np.zeros(len(self.track_ids), dtype=bool)
        indexed = [row for row in rows if not isinstance(row, Point)]
        exclude[indexed] = True
        mine = [row for row in liked if not isinstance(row, Point)]
        if exclude_same_work:
            exclude |= np.isin(self.works, self.works[mine])
        if exclude_same_composer:
            left_out = {self._composers[row] for row in mine} - {""}
            exclude |= np.array([composer in left_out for composer in self._composers])
        caps: list[Cap] = []
        if exclude_duplicates:
            exclude |= np.isin(self._copies, self._copies[indexed])
            caps.append(Cap(self._copies.tolist(), 1))
        if max_per_composer is not None:
            caps.append(Cap(self._composers, max_per_composer))
        parts = self.space.parts(query)
        scores = self.space.scores(query, parts=parts)
        if caps:
            best = capped_rows(scores, k=n_recommendations, exclude=exclude, caps=caps)
        else:
            best = best_rows(scores, k=n_recommendations, exclude=exclude)
        return self._explain(query, parts, best)

    def _check_heads(self, wanted: Collection[str], known: Collection[str]) -> None:
        """Refuse a head that is in the data root and not in the index."""
        for name in wanted:
            if name not in known and name in self._store.heads.names():
                raise MessError(
                    f"the head {name!r} has no slider on {self.dataset!r} by {self.encoder!r}: "
                    f"{self.left_out_heads()[name]}"
                )

    def fit_weights(self, liked: Sequence[str]) -> dict[str, float]:
        """Return the weights, from 0 to 1, of the aspects that a few liked tracks share.

        Parameters
        ----------
        liked : sequence of str
            At least two tracks.

        Raises
        ------
        MessError
            If there are fewer, or they share no aspect.
        """
        rows = list(dict.fromkeys(self.row(track_id) for track_id in liked))
        if len(rows) < 2:
            raise MessError("weights are fitted to two tracks or more")
        names = self.get_available_aspects()
        if not names:
            raise MessError("no aspect is validated, so none can explain what is liked")
        everyone = np.arange(len(self.track_ids))
        others = np.setdiff1d(everyone, rows)
        alike, rest = [], []
        for row in rows:
            terms = [self.terms.make(name, 1.0) for name in names]
            similar = self.space.shares(Query(terms, [(row, 1.0)]), everyone)
            alike += [similar[:, other] for other in rows if other != row]
            rest += list(similar[:, others].T)
        weights = fit_weights(np.array(alike), np.array(rest).reshape(-1, len(names)))
        if not weights.any():
            raise MessError("the liked tracks share no aspect more than any others do")
        return dict(zip(names, weights.tolist(), strict=True))

    def _explain(
        self, query: Query, parts: Sequence[Part], rows: NDArray[np.int64]
    ) -> list[Recommendation]:
        shares = self.space.shares(query, rows, parts=parts)
        values = self.space.values(query, rows)
        names = [term.name for term in query.terms]
        methods = {term.name: term.method for term in query.terms}
        return [
            Recommendation(
                track_id=self.track_ids[row],
                score=float(sum(own)),
                contributions=dict(zip(names, own, strict=True)),
                values=values[index],
                methods=methods,
            )
            for index, (row, own) in enumerate(zip(rows, shares.T.tolist(), strict=True))
        ]

    def row(self, track_id: str) -> int:
        """Return the place of a track in `track_ids`.

        Raises
        ------
        UnknownName
            If there is no such track.
        """
        if track_id not in self._row:
            raise UnknownName("track", track_id, self._row)
        return self._row[track_id]
