"""Print the passages of other tracks that are most similar to a moment of one.

python pipelines/find_passages.py --track ID --at 12 --aspects "brightness=1,texture=-1"
"""

from typing import Annotated

import typer

from mess.as_json import as_json as to_json
from mess.as_text import clock
from mess.errors import MessError, shown_path
from mess.search.aspects import OVERALL, parse_weights
from mess.search.passages.recommender import PassageRecommender
from mess.storage.store import Store
from pipelines.options import (
    HoldOption,
    IndexedDatasetOption,
    IndexedEncoderOption,
    JsonOption,
    OffsetOption,
    run_script,
)


def command(
    track: Annotated[str, typer.Option(help="The id of the query's track.")],
    at: Annotated[float, typer.Option(min=0, help="The moment in that track, in seconds.")],
    aspects: Annotated[
        str | None,
        typer.Option(help='"brightness=0.6,texture=-0.4"; below 0: unlike. [overall=1]'),
    ] = None,
    hold: HoldOption = None,
    offset: OffsetOption = None,
    k: Annotated[int, typer.Option("-k", min=1, help="The number of results.")] = 5,
    dataset: IndexedDatasetOption = None,
    encoder: IndexedEncoderOption = None,
    exclude_same_work: Annotated[
        bool, typer.Option("--exclude-same-work", help="Leave out the query's work.")
    ] = False,
    max_per_track: Annotated[
        int | None, typer.Option(min=1, help="The largest number of results of one track.")
    ] = None,
    max_per_composer: Annotated[
        int | None, typer.Option(min=1, help="The largest number of results of one composer.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages of other tracks that are most similar to a moment of a track."""
    store = Store()
    dataset, encoder = store.indices.newest(dataset, encoder)
    recommender = PassageRecommender(dataset, encoder, store=store)
    held = [name.strip() for name in (hold or "").split(",") if name.strip()]
    moved = parse_weights(offset) if offset else {}
    weights: dict[str, float] = {} if held or moved else {OVERALL: 1.0}
    if aspects:
        weights = parse_weights(aspects)
    found = recommender.recommend(
        (track, at),
        weights,
        k,
        hold=held,
        offset=moved,
        exclude_same_work=exclude_same_work,
        max_per_track=max_per_track,
        max_per_composer=max_per_composer,
    )
    if as_json:
        typer.echo(to_json(found, indent=1).decode())
        return
    start, end = recommender.window(track, at)
    name = shown_path(track)
    typer.echo(f"{dataset} by {encoder}, like {name} from {clock(start)} to {clock(end)}:")
    for rank, one in enumerate(found, start=1):
        shares = ", ".join(f"{name} {part:+.2f}" for name, part in one.contributions.items())
        typer.echo(
            f"{rank:>2}. {one.score:+.3f}  {clock(one.start)} to {clock(one.end)}  "
            f"{shown_path(one.track_id)}\n"
            f"             {shares}"
        )
    if not found:
        raise MessError("no other track is left: allow the same work, or add recordings")


if __name__ == "__main__":
    run_script(command)
