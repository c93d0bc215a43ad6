"""Print the tracks that are most similar to one track, or several, in some aspects.

python pipelines/demo_recommendations.py --dataset demo --track ID --aspect brightness
python pipelines/demo_recommendations.py --file mine.mp3 --aspects "brightness=1,tempo=-0.5"
python pipelines/demo_recommendations.py --track ID --hold dynamics --offset "rhythmic_energy=-1"
"""

from pathlib import Path
from typing import Annotated, cast

import typer

from mess.as_json import as_json as to_json
from mess.encoders import load_encoder
from mess.errors import MessError, shown_path
from mess.new_recordings.encoding import (
    EncodedRecording,
    encode_recording,
    predicted_values,
    project_recording,
)
from mess.records.evaluation import Method
from mess.records.features import FeaturesHeader
from mess.search.aspects import parse_weights
from mess.search.coordinate_index import Point
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.terms import By
from mess.storage.store import Store
from mess.targets import unit_of
from pipelines.options import (
    ByOption,
    HoldOption,
    IndexedDatasetOption,
    IndexedEncoderOption,
    JsonOption,
    MethodOption,
    OffsetOption,
    run_script,
)
from pipelines.usual_aspects import usual_weights

SCALE = (
    "score: 1 is equal, 0 is as unlike as half of the tracks, -1 is among the tenth least alike; "
    "a negative weight turns this round"
)


def command(
    track: Annotated[
        list[str] | None,
        typer.Option(help="The id of the query; may be given again."),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(help="A recording that is in no dataset. May be given again."),
    ] = None,
    unlike: Annotated[
        list[str] | None,
        typer.Option(help="A track to be unlike; may be given again."),
    ] = None,
    aspect: Annotated[str | None, typer.Option(help="The one aspect to rank by.")] = None,
    aspects: Annotated[
        str | None,
        typer.Option(help='Several aspects: "brightness=0.6,texture=-0.4". Below 0: unlike.'),
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Find the weights that best explain several --track.")
    ] = False,
    hold: HoldOption = None,
    offset: OffsetOption = None,
    method: MethodOption = None,
    by: ByOption = "better",
    k: Annotated[int, typer.Option("-k", min=1, help="The number of results.")] = 5,
    dataset: IndexedDatasetOption = None,
    encoder: IndexedEncoderOption = None,
    exclude_same_work: Annotated[
        bool, typer.Option("--exclude-same-work", help="Leave out the query's work.")
    ] = False,
    exclude_same_composer: Annotated[
        bool, typer.Option("--exclude-same-composer", help="Leave out the query's composer.")
    ] = False,
    exclude_duplicates: Annotated[
        bool, typer.Option("--exclude-duplicates", help="Leave out the same recording again.")
    ] = False,
    one_per_work: Annotated[
        bool,
        typer.Option("--one-per-work", help="Keep only the best of several recordings of a work."),
    ] = False,
    max_per_composer: Annotated[
        int | None, typer.Option(min=1, help="The largest number of results of one composer.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recommend tracks that are similar in one or several aspects (default: all validated)."""
    if aspect and aspects:
        raise MessError("give --aspect or --aspects, not both")
    tracks, files = track or [], file or []
    if not tracks and not files:
        raise MessError("name a query: --track ID or --file PATH")
    if fit and files:
        raise MessError("--fit explains tracks of the index: give --track, not --file")
    recommender = LayerBasedRecommender(dataset, encoder)
    if recommender.warning:
        typer.echo(f"warning: {recommender.warning}", err=True)
    recordings = [encode_file(path, recommender.made_by, encoder=encoder) for path in files]
    queries: list[str | Point] = [*tracks]
    queries += (project_recording(one, recommender) for one in recordings)
    heads = Store().heads.names()
    wanted = cast(Method | None, method)
    held = [name.strip() for name in (hold or "").split(",") if name.strip()]
    moved = parse_weights(offset, heads=heads) if offset else {}
    if fit:
        weights = recommender.fit_weights(tracks)
        typer.echo(
            "weights: " + ", ".join(f"{name}={weight:.2f}" for name, weight in weights.items()),
            err=as_json,
        )
    elif aspects:
        weights = parse_weights(aspects, heads=heads)
    elif aspect:
        weights = {aspect: 1.0}
    elif held or moved:
        weights = {}
    else:
        weights = usual_weights(
            recommender, [*queries, *(unlike or [])], method=wanted, by=cast(By, by)
        )
    found = recommender.multi_aspect_recommendation(
        queries,
        weights,
        k,
        method=wanted,
        by=cast(By, by),
        unlike=unlike or [],
        hold=held,
        offset=moved,
        exclude_same_work=exclude_same_work,
        exclude_same_composer=exclude_same_composer,
        exclude_duplicates=exclude_duplicates,
        one_per_work=one_per_work,
        max_per_composer=max_per_composer,
    )
    if as_json:
        typer.echo(to_json(found, indent=1).decode())
        return
    for path, recording in zip(files, recordings, strict=True):
        _print_values(path, recording, recommender)
    labels = Store().features.manifest(recommender.dataset, recommender.encoder).done()
    typer.echo(
        f"{recommender.dataset} by {recommender.encoder}, like "
        f"{', '.join(map(shown_path, [*tracks, *files]))}:"
    )
    if found:
        methods = ", ".join(f"{name} by {method}" for name, method in found[0].methods.items())
        typer.echo(f"ranked: {methods}")
        typer.echo(SCALE)
    for rank, one in enumerate(found, start=1):
        entry = labels.get(one.track_id)
        shares = ", ".join(f"{name} {part:+.2f}" for name, part in one.contributions.items())
        who = shown_path(": ".join(filter(None, (entry.composer, entry.title)))) if entry else ""
        name = shown_path(one.track_id)
        typer.echo(f"{rank:>2}. {one.score:+.3f}  {name}  ({who})\n             {shares}")
    if not found:
        raise MessError("no other track is left: exclude fewer, or add recordings")


def encode_file(
    path: Path, header: FeaturesHeader, *, encoder: str | None = None
) -> EncodedRecording:
    """Encode a recording as the tracks of an index were.

    Parameters
    ----------
    path : Path
    header : FeaturesHeader
        Of the features of the tracks.
    encoder : str, optional
        By which name it is loaded: a folder is known to the manifest by its last part only.
    """
    model = load_encoder(encoder or header.encoder, dtype=header.dtype)
    return encode_recording(path, model, like=header)


def _print_values(
    path: Path, recording: EncodedRecording, recommender: LayerBasedRecommender
) -> None:
    typer.echo(f"{shown_path(path)}, {recording.duration:.1f} s (predicted / measured):")
    for name, value in predicted_values(recording, recommender).items():
        if recommender.evidence[name].doubt():
            continue
        own = f"{recording.measured[name]:.4g}" if name in recording.measured else "–"
        typer.echo(f"    {name} {value:.4g} / {own} {unit_of(name)}".rstrip())


if __name__ == "__main__":
    run_script(command)
