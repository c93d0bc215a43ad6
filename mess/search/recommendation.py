"""One result of a search for tracks, with the reasons for its score."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.search.ranking import Part, Query, SearchSpace


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
    >>> from mess import Recommendation
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


def explain(
    space: SearchSpace,
    query: Query,
    rows: NDArray[np.int64],
    *,
    parts: Sequence[Part],
    track_ids: Sequence[str],
) -> list[Recommendation]:
    """Return the results in ``rows``, each with the reasons for its score.

    Parameters
    ----------
    space : SearchSpace
    query : Query
    rows : ndarray [shape=(k,)]
        Best first.
    parts : sequence of Part
        Of the query, by `SearchSpace.parts`.
    track_ids : sequence of str
        Of all tracks.
    """
    shares = space.shares(query, rows, parts=parts)
    values = space.values(query, rows)
    names = [term.name for term in query.terms]
    methods = {term.name: term.method for term in query.terms}
    return [
        Recommendation(
            track_id=track_ids[row],
            score=float(sum(own)),
            contributions=dict(zip(names, own, strict=True)),
            values=values[index],
            methods=methods,
        )
        for index, (row, own) in enumerate(zip(rows, shares.T.tolist(), strict=True))
    ]
