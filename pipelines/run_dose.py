"""Change recordings by known steps, and see whether the predictions follow.

    python pipelines/run_dose.py --dataset demo --encoder whisper-tiny

Sounds are changed in memory and nothing of them is kept. A recording that is done is on disk: a run
that was stopped goes on, and a run with other edits adds them.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from mess.as_text import duration
from mess.doses.plan import (
    ALL_EDITS,
    AnyEdit,
    as_record,
    chosen_edits,
)
from mess.doses.readings import FittedReadings, fit_readings
from mess.doses.responses import as_cells, changes, find_responses, usual_readings
from mess.edits.registry import EDITS_VERSION
from mess.encoders import load_encoder
from mess.encoders.pooling import describe_encoder
from mess.errors import MessError
from mess.experiments.rows import ProbingData, load_probing_data
from mess.new_recordings.encoding import check_same_encoder
from mess.records.discovery import DiscoveryRecord
from mess.records.dose import DoseRecord, DoseSettings, DoseTrack
from mess.records.left_out import LeftOut
from mess.status.staleness import Sources, digest_of, require
from mess.storage.manifest import digest
from mess.storage.store import Store
from mess.targets import targets_version
from mess.tracking.recording import start_run
from mess.versions import DOSES_VERSION
from pipelines.changed_tracks import ChangedTracks, choose_tracks
from pipelines.dose_text import dose_lines
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    ForceOption,
    JsonOption,
    encoder_or_default,
    incomplete,
    run_script,
)
from pipelines.progress import progress


def run_dose(
    *,
    dataset: str,
    encoder: str,
    settings: DoseSettings | None = None,
    store: Store | None = None,
    tracking: bool = True,
    force: bool = False,
) -> DoseRecord:
    """Change recordings, ask the probes, and write what they answer to disk.

    Parameters
    ----------
    dataset, encoder : str
    settings : DoseSettings, optional
    store : Store, optional
    tracking : bool
        Whether to record the run in MLflow.
    force : bool
        Whether to change recordings anew that an earlier run has changed.

    Returns
    -------
    DoseRecord

    Raises
    ------
    ArtifactError
        If there is no discovery of whole tracks, or it is stale.
    MessError
        If no recording can be changed.
    """
    settings = settings or DoseSettings()
    if not settings.edits:
        settings = replace(settings, edits=tuple(ALL_EDITS))
    store = store or Store()
    edits = chosen_edits(",".join(settings.edits))
    discovery = store.discoveries.read(dataset, encoder)
    require("discovery", discovery.origin, Sources(store, dataset, encoder))
    data = load_probing_data(dataset, encoder, settings=discovery.settings, store=store)
    model = load_encoder(encoder)
    check_same_encoder(describe_encoder(model), data.features.header)
    key = _key(discovery, settings)
    chosen, left_out = choose_tracks(data, dataset=dataset, settings=settings, store=store)
    typer.echo(
        _cost(len(chosen), edits, dataset, encoder, settings=settings, store=store), err=True
    )
    with progress(f"fit {dataset} by {encoder}", data.features.values.shape[1], unit="layers") as p:
        fitted = fit_readings(
            data,
            dataset=dataset,
            encoder=encoder,
            settings=discovery.settings,
            store=store,
            on_layer=lambda layer: p.advance(f"layer {layer}"),
        )
    works = dict(zip(data.features.tracks, data.works, strict=True))
    changed = ChangedTracks(
        dataset=dataset,
        encoder=encoder,
        settings=settings,
        edits=edits,
        fitted=fitted,
        model=model,
        pooling=discovery.settings.pooling,
        works=works,
        store=store,
        key=key,
        force=force,
    )
    tracks = changed.change_all(chosen, left_out)
    if not tracks:
        raise MessError(f"no recording could be changed: {next(iter(left_out.values()))}")
    record, responses = _conclude(
        data,
        discovery,
        fitted,
        tracks,
        edits=edits,
        settings=settings,
        key=key,
        left_out=left_out,
        remarks=changed.remarks,
        store=store,
    )
    name = f"dose {dataset} {encoder}"
    tags = {"dataset": dataset, "encoder": record.encoder, "discovery": record.discovery}
    without = LeftOut.among(record.left_out, done=len(record.tracks)) if record.left_out else None
    with start_run(name, store=store, tags=tags, enabled=tracking, left_out=without) as mlflow:
        mlflow.params(settings.as_params() | {"dataset": dataset, "encoder": encoder})
        mlflow.metrics(_metrics(record))
        record = store.doses.write(dataset, encoder, record, responses)
        mlflow.record("doses.json", record.to_json())
    return record


def _conclude(
    data: ProbingData,
    discovery: DiscoveryRecord,
    fitted: FittedReadings,
    tracks: Sequence[DoseTrack],
    *,
    edits: Sequence[AnyEdit],
    settings: DoseSettings,
    key: str,
    left_out: dict[str, str],
    remarks: list[str],
    store: Store,
) -> tuple[DoseRecord, pd.DataFrame]:
    """Return the record of the changed recordings, and the table of all responses."""
    names = [one.track for one in tracks]
    # What a dataset states, such as a rating, cannot be measured on changed audio.
    probed = [one.target for one in discovery.summaries if one.target in fitted.names]
    usual = usual_readings(discovery, fitted, probed)
    record = DoseRecord(
        dataset=discovery.dataset,
        encoder=discovery.encoder,
        code_version=DOSES_VERSION,
        features=data.features.digest,
        targets=data.targets_digest,
        discovery=digest_of(discovery),
        key=key,
        settings=settings,
        layer_names=discovery.layer_names,
        readings=fitted.readings,
        edits=[],
        tracks=list(tracks),
        targets_read=usual,
        cells=[],
        left_out=left_out,
        remarks=remarks,
    )
    points = store.doses.read_points(discovery.dataset, discovery.encoder, record, names)
    asked = {"", *(edit.name for edit in edits)}
    points = points[points["edit"].isin(asked) & points["target"].isin(probed)]
    made = set(points["edit"])
    if made == {""}:
        raise MessError("none of these edits could be made: the recordings have no MIDI")
    deviation = dict(zip(fitted.names, fitted.deviation.tolist(), strict=True))
    speeds = {(edit.name, dose): edit.speed(dose) for edit in edits for dose in edit.doses}
    responses = find_responses(
        changes(points, deviation, speeds=speeds),
        works={one.track: one.work for one in tracks},
        across={
            (reading, layer, target): float(fitted.across[r, layer, t])
            for r, reading in enumerate(fitted.readings)
            for layer in range(fitted.layers)
            for t, target in enumerate(fitted.names)
        },
        resamples=settings.bootstrap,
        seed=settings.seed,
    )
    told = [as_record(edit) for edit in edits if edit.name in made]
    return replace(record, edits=told, cells=as_cells(responses, usual)), responses


def _key(discovery: DiscoveryRecord, settings: DoseSettings) -> str:
    """Return the digest of all that what is found of one recording depends on."""
    return digest(
        {
            "discovery": digest_of(discovery),
            "code": DOSES_VERSION,
            "edits": EDITS_VERSION,
            "targets": targets_version(),
            "seconds": settings.seconds,
        }
    )


def _cost(
    tracks: int,
    edits: Sequence[AnyEdit],
    dataset: str,
    encoder: str,
    *,
    settings: DoseSettings,
    store: Store,
) -> str:
    """Return the line that tells what encoding will cost at most."""
    ways = sum(len(edit.doses) for edit in edits)
    seconds = tracks * ways * settings.seconds
    rates = store.timings.read_rates(dataset, encoder)
    takes = f", some {duration(seconds * float(np.median(rates)))} of encoding" if rates else ""
    return (
        f"changes {tracks} recordings in up to {ways} ways: at most {seconds / 3600:.1f} hours of "
        f"sound{takes}; --tracks, --edits and --seconds make it less"
    )


def _metrics(record: DoseRecord) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for cell in record.cells:
        place = f"{cell.edit.replace(' ', '_')}/{cell.target}"
        found[f"slope/{place}"] = cell.response.slope
        found[f"moved/{place}"] = cell.response.predicted
    return found


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    tracks: Annotated[
        int, typer.Option(min=1, help="The number of recordings, of as many works as possible.")
    ] = DoseSettings.tracks,
    edits: Annotated[
        str,
        typer.Option(help=f"Names with commas between, of: {', '.join(ALL_EDITS)}. [default: all]"),
    ] = "",
    seconds: Annotated[
        float, typer.Option(min=5.0, help="At most so much of each recording, from its middle.")
    ] = DoseSettings.seconds,
    bootstrap: Annotated[
        int, typer.Option(min=10, help="Bootstrap draws of works behind the intervals.")
    ] = DoseSettings.bootstrap,
    seed: Annotated[int, typer.Option(min=0, help="The seed of all random numbers.")] = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Change recordings by known steps, and see whether the predictions follow."""
    wanted = tuple(edit.name for edit in chosen_edits(edits or "all"))
    record = run_dose(
        dataset=dataset,
        encoder=encoder_or_default(encoder, dataset),
        settings=DoseSettings(
            tracks=tracks, edits=wanted, seconds=seconds, bootstrap=bootstrap, seed=seed
        ),
        tracking=mlflow,
        force=force,
    )
    if as_json:
        typer.echo(json.dumps(record.to_json(), indent=1))
    else:
        name = encoder_or_default(encoder, dataset)
        responses = Store().doses.read_responses(dataset, name, record)
        for line in dose_lines(record, responses):
            typer.echo(line)
    if record.left_out:
        raise incomplete(record.left_out, done=len(record.tracks))


if __name__ == "__main__":
    run_script(command)
