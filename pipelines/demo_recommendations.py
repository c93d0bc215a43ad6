"""Print the tracks that are most similar to one track in some aspects.

python pipelines/demo_recommendations.py --dataset demo --track ID --aspect brightness
"""

import json
from typing import Annotated

import typer

from mess.errors import MessError
from mess.search.aspects import parse_weights
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.store import Store
from pipelines.options import JsonOption, run_script


def command(
    track: Annotated[str, typer.Option(help="The query's id.", show_default=False)],
    aspect: Annotated[str | None, typer.Option(help="One aspect.")] = None,
    aspects: Annotated[
        str | None, typer.Option(help='Several: "brightness=0.6,texture=0.4".')
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 5,
    dataset: Annotated[
        str | None, typer.Option(help="[default: the index that was built last]")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="[default: likewise]")] = None,
    exclude_same_work: Annotated[
        bool, typer.Option("--exclude-same-work", help="Leave out the query's work.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Recommend tracks that are alike in one or several aspects (default: all validated)."""
    if aspect and aspects:
        raise MessError("give --aspect or --aspects, not both")
    recommender = LayerBasedRecommender(dataset, encoder)
    if aspects:
        weights = parse_weights(aspects)
    else:
        chosen = [aspect] if aspect else recommender.get_available_aspects()
        weights = dict.fromkeys(chosen, 1.0)
    found = recommender.multi_aspect_recommendation(
        track, weights, k, exclude_same_work=exclude_same_work
    )
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], indent=1))
        return
    labels = Store().features_manifest(recommender.dataset, recommender.encoder).tracks
    typer.echo(f"{recommender.dataset} by {recommender.encoder}, like {track}:")
    for rank, one in enumerate(found, start=1):
        entry = labels.get(one.track_id, {})
        shares = ", ".join(f"{name} {part:+.2f}" for name, part in one.contributions.items())
        who = ": ".join(filter(None, (entry.get("composer"), entry.get("title"))))
        typer.echo(f"{rank:>2}. {one.score:+.3f}  {one.track_id}  ({who})\n             {shares}")


if __name__ == "__main__":
    run_script(command)
