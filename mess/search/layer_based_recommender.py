"""The recommender: find the tracks that are similar to a query in chosen aspects.

An aspect ranks by one of four methods:

* ``probe``: distance in its targets as the layers predict them, out of fold;
* ``subspace``: distance in a subspace in which its targets and their course are predicted together;
* ``direct``: distance in its measured targets;
* ``layer``: cosine over the whole layer whose probe is best.

A learned head (`mess.search.heads`) is one more aspect; it ranks by a cosine of what it makes.

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

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactStale, MessError, UnknownName
from mess.records.evaluation import Method
from mess.records.features import FeaturesHeader
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
from mess.search.evaluated import Evaluated, read_evaluated, read_heard
from mess.search.fitting import fit_weights
from mess.search.heads import apply_indexed, left_out_of_index
from mess.search.layer_index import LayerIndex, Vectors
from mess.search.limits import Limits, capped_rows
from mess.search.ranking import Query, SearchSpace, point_shares
from mess.search.recommendation import Recommendation, explain
from mess.search.terms import By, Terms, Usual, check_choices
from mess.search.weights import check_apart, check_moves, share_weights
from mess.status.staleness import Sources, fitted_digests, require
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import MIDI_TARGETS

__all__ = ["LayerBasedRecommender", "Recommendation"]


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
        self.placed = record.placed
        self.track_ids = record.tracks
        self._row = {track_id: row for row, track_id in enumerate(self.track_ids)}
        self.works = np.array(record.works, dtype=object)
        self._limits = Limits(self.works, record.composers, record.copies)
        layers = LayerIndex(len(self.track_ids), self._store.indices.layer_reader(record))
        self.heads = {head.name: head for head in record.heads}
        self._projection_checksum = record.projection_crc32
        coordinates = None
        if record.columns and record.steering_crc32 is not None:
            content = self._store.indices.read_coordinates(
                self.dataset, self.encoder, checksum=record.steering_crc32
            )
            coordinates = CoordinateIndex(content, record.columns)
        self.space = SearchSpace(coordinates, layers, len(self.track_ids))
        cells = discovery.cells
        self.evidence = find_evidence(cells, discovery.summaries, predicted=record.columns)
        self.aspects: dict[str, Aspect] = find_aspects(
            cells, self.evidence, threshold=threshold, more=[*MIDI_TARGETS, *plugin_aspects()]
        )
        heard = read_heard(sources, also=also) if record.heads else {}
        for head in record.heads:
            self.aspects[head.name] = head_aspect(head, heard=heard.get((head.name, head.digest)))
        self.best_layers = find_best_layers(cells)
        chosen = read_evaluated(sources, also=also) if evaluated else Evaluated()
        self.warning = chosen.warning
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
        return list(self._limits.composers)

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
        return left_out_of_index(self._store, self.made_by, self.heads, dataset=self.dataset)

    def apply_heads(self, means: NDArray[np.floating[Any]]) -> dict[str, Vectors]:
        """Return what each head of the index makes of other recordings [n, outputs].

        A head that is gone or has changed since the index was built is left out.

        Parameters
        ----------
        means : ndarray [shape=(n, layers, dim)]
        """
        if not self.heads:
            return {}
        return apply_indexed(self._store, self.made_by, self.heads, means)

    @property
    def made_by(self) -> FeaturesHeader:
        """The header of the features: all that they depend on beside the audio."""
        return self._store.features.header(self.dataset, self.encoder)

    def get_available_aspects(self) -> list[str]:
        """Return the validated aspects; `aspects` has all, each with its R²."""
        return self.terms.validated()

    def usual_weights(
        self,
        queries: Sequence[str | Point],
        *,
        method: Method | None = None,
        by: By = "better",
    ) -> Usual:
        """Return the weight 1 for each validated aspect that can rank, and why others cannot."""
        check_choices(method, by)
        rows = [one if isinstance(one, Point) else self.row(one) for one in queries]
        return self.terms.usual(rows, method=method, by=by)

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
        one_per_work: bool = False,
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
        one_per_work : bool
            Keep only the best of several recordings of a work.
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
        check_apart([one for one in queries if isinstance(one, str)], unlike)
        if not liked:
            raise MessError("name at least one track to be like")
        if n_recommendations < 1:
            raise MessError(f"ask for at least 1 recommendation, not {n_recommendations}")
        check_choices(method, by)
        wanted = dict.fromkeys([*hold, *offset], 1.0) | dict(aspect_weights)
        names = [*aspect_names(), *self.heads]
        self._refuse_left_out(wanted, names)
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
        exclude, caps = self._limits.of(
            [row for row in liked if not isinstance(row, Point)],
            avoided,
            same_work=exclude_same_work,
            same_composer=exclude_same_composer,
            duplicates=exclude_duplicates,
            one_per_work=one_per_work,
            max_per_composer=max_per_composer,
        )
        parts = self.space.parts(query)
        scores = self.space.scores(query, parts=parts)
        best = capped_rows(scores, k=n_recommendations, exclude=exclude, caps=caps)
        return explain(self.space, query, best, parts=parts, track_ids=self.track_ids)

    def _refuse_left_out(self, wanted: Collection[str], known: Collection[str]) -> None:
        """Refuse a head that is in the data root and not in the index."""
        for name in set(self._store.heads.names()).intersection(wanted).difference(known):
            of, why = f"{self.dataset!r} by {self.encoder!r}", self.left_out_heads()[name]
            raise MessError(f"the head {name!r} has no slider on {of}: {why}")

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
        terms = [self.terms.make(name, 1.0) for name in names]
        weights = fit_weights(*self.space.compare(rows, terms))
        if not weights.any():
            raise MessError("the liked tracks share no aspect more than any others do")
        return dict(zip(names, weights.tolist(), strict=True))

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
