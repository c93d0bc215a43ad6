"""Rankers: every way in which an index can rank its tracks, as functions from a query to scores."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.evaluation.composition import Similarities
from mess.evaluation.rankings import Ranking
from mess.probing.metrics import spearman
from mess.records.evaluation import Method, Ranker
from mess.search.aspects import ASPECTS
from mess.search.coordinate_index import ColumnWeights
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.layer_index import Layer
from mess.search.ranking import Query, Term
from mess.search.tempo import TEMPO


class Rankers:
    """The rankings of one index.

    Parameters
    ----------
    recommender : LayerBasedRecommender
        Its index must have coordinates, that is, it must have been built with targets.
    layers : int
    seed : int
        Seed of the random ranking.
    """

    def __init__(self, recommender: LayerBasedRecommender, *, layers: int, seed: int = 0) -> None:
        self._recommender = recommender
        self._space = recommender.space
        self._rows = np.arange(self._space.n)
        self._layers = layers
        self._seed = seed

    def of_target(self, target: str, method: Ranker, *, layer: int | None) -> Ranking | None:
        """Return the ranking of a method by one target; None if the method cannot rank by it.

        Parameters
        ----------
        target : str
        method : str
        layer : int or None
            The target's best layer.
        """
        coordinates = self._recommender.terms.coordinates
        if method == "mean_layers":
            return self._by_mean_of_layers
        if method == "random":
            return self._by_chance
        if method == "layer":
            return None if layer is None else self._by_layer(layer)
        if method == "subspace":
            aspect = next((name for name, own in ASPECTS.items() if target in own), "")
            columns = np.array(coordinates.find(aspect, "subspace"), dtype=np.int64)
            shares = np.ones(len(columns))
        else:
            columns, shares = self._recommender.terms.columns([target], method)
        if not len(columns):
            return None
        return self._by_part(ColumnWeights(target, columns, shares))

    def of_tempo(self, *, density_share: float) -> Ranking | None:
        """Return the ranking by measured tempo, with this share of the density of onsets."""
        terms = replace(self._recommender.terms, density_share=density_share)
        columns, shares = terms.columns([TEMPO], "direct")
        return self._by_part(ColumnWeights(TEMPO, columns, shares)) if len(columns) else None

    def of_aspect(self, name: str, method: Method) -> Ranking | None:
        """Return the ranking of a method by one aspect; None if the aspect is not validated."""
        try:
            term = self._recommender.terms.make(name, 1.0, method=method)
        except MessError:
            return None
        if term.column_weights is not None:
            return self._by_part(term.column_weights)
        return None if term.layer is None else self._by_layer(term.layer)

    def direction(self, target: str, values: NDArray[np.float64]) -> int:
        """Return −1 where the predictions of a target fall as its true values rise, 1 elsewhere.

        The distance along a reversed probe orders tracks as that along the right one does, but the
        probe says the opposite of the truth.
        """
        coordinates = self._recommender.terms.coordinates
        columns = coordinates.find(target, "probe")
        if not columns:
            return 1
        predicted = coordinates.values(self._rows, columns)[:, 0]
        known = np.isfinite(predicted) & np.isfinite(values)
        rank = spearman(predicted[known], values[known]) if known.sum() > 2 else None
        return -1 if rank is not None and rank < 0 else 1

    def bounded(self, terms: Sequence[Term]) -> Similarities:
        """Return the similarities that search ranks by, term by term."""

        def similar(row: int) -> dict[str, NDArray[np.floating[Any]]]:
            shares = self._space.shares(Query(terms, [(row, 1.0)]), self._rows)
            return {one.name: own for one, own in zip(terms, shares, strict=True)}

        return similar

    def parabola(self, terms: Sequence[Term]) -> Similarities:
        """Return similarities without a bound: 1 − d²/2 along coordinates, else the cosine."""
        coordinates = self._recommender.terms.coordinates

        def similar(row: int) -> dict[str, NDArray[np.floating[Any]]]:
            found: dict[str, NDArray[np.floating[Any]]] = {}
            for one in terms:
                if one.layer is not None:
                    found[one.name] = self._space.cosines(row, one.layer)
                elif one.column_weights is not None:
                    apart = coordinates.everything.distances(
                        one.column_weights, coordinates.point(row)
                    )
                    half = 1.0 if one.column_weights.overall else 0.5
                    found[one.name] = np.nan_to_num(1 - half * apart)
            return found

        return similar

    def overall(self) -> Ranking:
        """Return the ranking by the centred, whitened cosine of all layers."""
        return self._by_part(self._recommender.terms.coordinates.overall)

    def mean_of_layers(self) -> Ranking:
        """Return the ranking by the mean cosine over all layers."""
        return self._by_mean_of_layers

    def _by_part(self, part: ColumnWeights) -> Ranking:
        def rank(row: int) -> NDArray[np.float64]:
            query = Query([Term(part.name, 1.0, part, None, ())], [(row, 1.0)])
            return self._space.shares(query, self._rows)[0]

        return rank

    def _by_layer(self, layer: Layer) -> Ranking:
        return lambda row: self._space.cosines(row, layer)

    def _by_mean_of_layers(self, row: int) -> NDArray[np.float32]:
        cosines = [self._space.cosines(row, layer) for layer in range(self._layers)]
        return np.mean(cosines, axis=0)

    def _by_chance(self, row: int) -> NDArray[np.float64]:
        return np.random.default_rng([self._seed, row]).random(self._space.n)
