"""Print recordings that lead evenly from one recording to another.

python pipelines/find_path.py --from ID --to ID --aspects "brightness=1,tempo=0.5"
"""

from typing import Annotated, cast

import typer

from mess.as_json import as_json as to_json
from mess.as_text import clock
from mess.errors import shown_path
from mess.records.evaluation import Method
from mess.search.aspects import parse_weights
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.paths import MOST_STEPS, STEPS, path_between
from mess.search.terms import By
from mess.storage.store import Store
from pipelines.options import (
    ByOption,
    IndexedDatasetOption,
    IndexedEncoderOption,
    JsonOption,
    MethodOption,
    run_script,
)
from pipelines.usual_aspects import usual_weights


def command(
    start: Annotated[str, typer.Option("--from", help="The id of the track where it begins.")],
    end: Annotated[str, typer.Option("--to", help="The id of the track where it ends.")],
    aspects: Annotated[
        str | None,
        typer.Option(help='"brightness=0.6,texture=0.4", above 0. [default: all validated]'),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="How many tracks lie between.")
    ] = STEPS,
    method: MethodOption = None,
    by: ByOption = "better",
    dataset: IndexedDatasetOption = None,
    encoder: IndexedEncoderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find tracks that lead evenly from one track to another, at most one of each work."""
    store = Store()
    recommender = LayerBasedRecommender(dataset, encoder, store=store)
    if recommender.warning:
        typer.echo(f"warning: {recommender.warning}", err=True)
    wanted, reading = cast(Method | None, method), cast(By, by)
    path = path_between(
        recommender,
        start,
        end,
        parse_weights(aspects, heads=store.heads.names())
        if aspects
        else usual_weights(recommender, [start, end], method=wanted, by=reading),
        steps=steps,
        method=wanted,
        by=reading,
    )
    if as_json:
        typer.echo(to_json(path.as_dict(), indent=1).decode())
        return
    labels = store.features.manifest(recommender.dataset, recommender.encoder).done()
    methods = ", ".join(f"{name} by {one}" for name, one in path.methods.items())
    typer.echo(
        f"{recommender.dataset} by {recommender.encoder}, from {shown_path(start)} "
        f"to {shown_path(end)}"
    )
    typer.echo(f"along: {methods}")
    typer.echo(
        f"evenness {path.evenness:.2f} (1: all distances are equal); where each lies on the way, "
        "and how far aside:"
    )
    for step in path.steps:
        entry = labels.get(step.track_id)
        who = shown_path(": ".join(filter(None, (entry.composer, entry.title)))) if entry else ""
        length = f", {clock(entry.duration)}" if entry else ""
        name = shown_path(step.track_id)
        typer.echo(f"{step.position:>6.0%}  {step.aside:>5.0%}  {name}  ({who}{length})")


if __name__ == "__main__":
    run_script(command)
