"""By which aspects a command ranks where it is given none."""

from collections.abc import Sequence

import typer

from mess.records.evaluation import Method
from mess.search.coordinate_index import Point
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.terms import By


def usual_weights(
    recommender: LayerBasedRecommender,
    queries: Sequence[str | Point],
    *,
    method: Method | None,
    by: By,
) -> dict[str, float]:
    """Return the weights where none are given; say which aspects are left out, and why."""
    usual = recommender.usual_weights(queries, method=method, by=by).required()
    for name, reason in usual.left_out.items():
        typer.echo(f"left out: {name} ({reason})", err=True)
    return usual.weights
