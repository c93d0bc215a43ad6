"""Recommendations by aspect: the layer that encodes an aspect decides what is similar in it.

Examples
--------
>>> from mess.search.layer_based_recommender import LayerBasedRecommender
>>> recommender = LayerBasedRecommender(dataset="demo", encoder="spectral")    # doctest: +SKIP
>>> recommender.get_available_aspects()                                        # doctest: +SKIP
['brightness', 'texture', ...]
>>> recommender.recommend_by_aspect(
...     "Beethoven_Op027No1-01", aspect="brightness", n_recommendations=5
... )                                                                          # doctest: +SKIP
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, ArtifactMissing, MessError, UnknownName
from mess.search.aspects import ASPECTS, THRESHOLD, Aspect, find_aspects
from mess.search.index import LayerIndex
from mess.store import Store, command_for


@dataclass(frozen=True)
class Recommendation:
    """A track that is similar to the query.

    Attributes
    ----------
    track_id : str
    score : float
        Weighted mean of the aspects' cosines, from −1 to 1.
    contributions : dict of str to float
        Each aspect's part of the score; the parts add up to it.
    """

    track_id: str
    score: float
    contributions: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as ``--json`` prints them."""
        return asdict(self)


class LayerBasedRecommender:
    """Search one dataset's index by the layers that a discovery found.

    Parameters
    ----------
    dataset, encoder : str, optional
        Which index; by default the one that was built last.
    store : Store, optional
        Where the artifacts lie.
    threshold : float
        Least R² of a validated aspect.

    Raises
    ------
    ArtifactError
        If the index or the discovery is missing, damaged or older than the features.
    """

    def __init__(
        self,
        dataset: str | None = None,
        encoder: str | None = None,
        *,
        store: Store | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        self._store = store or Store()
        self.dataset, self.encoder = self._choose(dataset, encoder)
        record = self._store.read_index_record(self.dataset, self.encoder)
        discovery = self._store.read_discovery(self.dataset, self.encoder)
        self._check_fresh(record, discovery)
        self.track_ids: list[str] = record["tracks"]
        self._row = {track_id: row for row, track_id in enumerate(self.track_ids)}
        self._works = np.array(record["works"], dtype=object)
        self.aspects: dict[str, Aspect] = find_aspects(discovery["cells"], threshold=threshold)
        checksums = record["crc32"]
        self._index = LayerIndex(
            len(self.track_ids),
            lambda layer: self._store.read_index_layer(
                self.dataset, self.encoder, layer, checksum=checksums[layer]
            ),
        )

    def _choose(self, dataset: str | None, encoder: str | None) -> tuple[str, str]:
        if dataset is not None and encoder is not None:
            return dataset, encoder
        wanted = None if encoder is None else encoder_slug(encoder)
        for found_dataset, found_encoder in self._store.indexed():
            if dataset in (None, found_dataset) and wanted in (None, encoder_slug(found_encoder)):
                return found_dataset, found_encoder
        what = f"an index of {dataset!r}" if dataset else "an index"
        raise ArtifactMissing(what, f"mess run-all --dataset {dataset or 'demo'}")

    def _check_fresh(self, record: Mapping[str, Any], discovery: Mapping[str, Any]) -> None:
        features = self._store.features_manifest(self.dataset, self.encoder).fingerprint()
        for what, step, made_from in (
            ("index", "index", record["features"]),
            ("discovery", "probe", discovery["features"]),
        ):
            if made_from != features:
                raise ArtifactError(
                    f"the {what} of {self.dataset!r} by {self.encoder!r}",
                    "is older than the features",
                    command_for(step, self.dataset, self.encoder),
                )

    def get_available_aspects(self) -> list[str]:
        """Return the validated aspects; `aspects` has all, each with its R²."""
        return [name for name, aspect in self.aspects.items() if aspect.validated]

    def recommend_by_aspect(
        self,
        track_id: str,
        aspect: str,
        n_recommendations: int = 5,
        *,
        exclude_same_work: bool = False,
    ) -> list[Recommendation]:
        """Return the tracks most similar to ``track_id`` in one aspect, best first.

        Raises
        ------
        UnknownName
            If there is no such track or aspect.
        MessError
            If no probe of the aspect is validated.
        """
        return self.multi_aspect_recommendation(
            track_id,
            {aspect: 1.0},
            n_recommendations,
            exclude_same_work=exclude_same_work,
        )

    def multi_aspect_recommendation(
        self,
        track_id: str,
        aspect_weights: Mapping[str, float],
        n_recommendations: int = 5,
        *,
        exclude_same_work: bool = False,
    ) -> list[Recommendation]:
        """Return the tracks most similar to ``track_id`` in several weighted aspects.

        Parameters
        ----------
        track_id : str
            The query; never among the results.
        aspect_weights : mapping of str to float
            Weight of each aspect, not negative; only their ratios matter.
        n_recommendations : int
        exclude_same_work : bool
            Leave out other recordings of the query's work.

        Returns
        -------
        list of Recommendation
            Best first; fewer where the dataset has too few tracks.
        """
        row = self._row.get(track_id)
        if row is None:
            raise UnknownName("track", track_id, self._row)
        if n_recommendations < 1:
            raise MessError(f"ask for at least 1 recommendation, not {n_recommendations}")
        weights = self._checked_weights(aspect_weights)
        layer_of = {name: self._layer_of(name) for name in weights}
        layers: dict[int, float] = {}
        for name, weight in weights.items():
            layers[layer_of[name]] = layers.get(layer_of[name], 0.0) + weight
        exclude = np.zeros(len(self.track_ids), dtype=bool)
        exclude[row] = True
        if exclude_same_work:
            exclude |= self._works == self._works[row]
        rows, cosines = self._index.search(row, layers, k=n_recommendations, exclude=exclude)
        position = {layer: place for place, layer in enumerate(layers)}
        recommendations = []
        for column, found in enumerate(rows):
            parts = {
                name: weight * float(cosines[position[layer_of[name]], column])
                for name, weight in weights.items()
            }
            recommendations.append(
                Recommendation(self.track_ids[found], sum(parts.values()), parts)
            )
        return recommendations

    def _checked_weights(self, aspect_weights: Mapping[str, float]) -> dict[str, float]:
        for name, weight in aspect_weights.items():
            if name not in ASPECTS:
                raise UnknownName("aspect", name, ASPECTS)
            if not np.isfinite(weight) or weight < 0:
                raise MessError(f"the weight of {name!r} must be 0 or more, not {weight}")
        used = {name: float(weight) for name, weight in aspect_weights.items() if weight > 0}
        if not used:
            raise MessError("give at least one aspect a weight above 0")
        total = sum(used.values())
        return {name: weight / total for name, weight in used.items()}

    def _layer_of(self, name: str) -> int:
        aspect = self.aspects[name]
        if not aspect.validated or aspect.layer is None:
            r2 = "undefined" if aspect.r2 is None else f"{aspect.r2:.2f}"
            valid = ", ".join(self.get_available_aspects()) or "none"
            raise MessError(
                f"aspect {name!r} is not validated by {self.encoder!r} on {self.dataset!r} "
                f"(best R² {r2}); validated: {valid}"
            )
        return aspect.layer
