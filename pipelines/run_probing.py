"""Probe every layer of an encoder for every proxy target of a dataset.

    python pipelines/run_probing.py --dataset smd --encoder mert-v1-95m --folds 10

Several values of ``--alpha``, ``--folds`` or ``--pooling`` make a sweep: one parent run in MLflow
with a child for each setting. The first setting's result is the one that is kept on disk.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import typer

from mess.encoders import encoder_slug, require_weights
from mess.errors import ArtifactError
from mess.experiments.controls import (
    find_beyond_baselines,
    find_controls,
    find_learning_curve,
    find_sensitivity,
    read_baselines,
)
from mess.experiments.in_time import find_in_time
from mess.experiments.record import as_record, as_table
from mess.experiments.rows import ProbingData, load_probing_data
from mess.probing.curve_probes import CurveProbes
from mess.probing.discovery import discover
from mess.probing.results import BaselineScore, BeyondScore, CurvePoint, Discovery
from mess.records.discovery import DiscoveryRecord, ProbeSettings, Split
from mess.records.in_time import InTimeRecord
from mess.status.left_out import find_left_out
from mess.storage.store import Store
from mess.tracking.recording import OpenRun, start_run
from pipelines.frame_pass import NoFrames, frame_pass
from pipelines.in_time_text import in_time_lines
from pipelines.kept_states import KeptStates
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    LevelOption,
    concluded_without,
    encoder_or_default,
    run_script,
)
from pipelines.probing_options import (
    checked_frames,
    checked_level,
    parse_alphas,
    parse_folds,
    parse_groupings,
    parse_poolings,
)
from pipelines.probing_text import print_beside, print_best
from pipelines.progress import progress


def run_probing(
    *,
    dataset: str,
    encoder: str,
    settings: ProbeSettings | None = None,
    store: Store | None = None,
    tracking: bool = True,
    parent: OpenRun | None = None,
    keep: bool = True,
    kept: KeptStates | None = None,
) -> DiscoveryRecord:
    """Run one discovery, record it, and write it to disk.

    Parameters
    ----------
    dataset, encoder : str
    settings : ProbeSettings, optional
    store : Store, optional
    tracking : bool
        Whether to record the run in MLflow.
    parent : OpenRun, optional
        The sweep in MLflow that this is a part of.
    keep : bool
        False leaves the discovery on disk as it is.
    kept : KeptStates, optional
        Hidden states that are in memory already.

    Returns
    -------
    DiscoveryRecord
        How it was made, and every cell.
    """
    settings = settings or ProbeSettings()
    store = store or Store()
    if settings.frames == "on":
        require_weights([encoder])  # the frames are asked for last, after minutes of probing
    data = load_probing_data(dataset, encoder, settings=settings, store=store, stated=True)
    layers = data.features.values.shape[1]
    tags = {
        "dataset": dataset,
        "encoder": data.features.header.encoder,
        "features": data.features.digest,
        "targets": data.targets_digest,
    }
    name = f"probe {dataset} {encoder}"
    with start_run(
        name,
        store=store,
        tags=tags,
        enabled=tracking,
        parent=parent,
        left_out=find_left_out(store, dataset, encoder),
    ) as run:
        run.params(settings.as_params() | {"dataset": dataset, "encoder": encoder})
        with progress(f"probe {dataset} with {encoder}", layers, unit="layers") as shown:
            found = discover(
                data.features.values,
                data.targets,
                data.groups,
                names=data.names,
                settings=data.experiment(settings),
                on_layer=lambda layer: shown.advance(f"layer {layer}"),
            )
        beside = _beside(data, dataset=dataset, encoder=encoder, settings=settings, store=store)
        in_time, curve_probes = None, None
        if keep and settings.level == "track":
            in_time, curve_probes = _in_time(
                data, dataset=dataset, encoder=encoder, settings=settings, store=store, kept=kept
            )
        record = as_record(
            data,
            found,
            dataset=dataset,
            settings=settings,
            inputs={
                "features": store.features.manifest(dataset, encoder).parts(),
                "targets": store.targets.manifest(dataset).parts(),
            },
            **beside._asdict(),
            in_time=in_time,
        )
        if keep:
            store.discoveries.write(
                dataset,
                encoder,
                record=record,
                predictions=as_table(data, found),
                curve_probes=curve_probes,
            )
        run.metrics(
            {f"r2/{cell.target}/layer_{cell.layer:02d}": cell.r2 for cell in found.cells}
            | {f"best_r2/{name}": _best(found, name) for name in data.names}
            | {f"nested_r2/{one.target}": one.nested.r2 for one in found.summaries}
            | {
                f"chosen_r2/{reading.target}": reading.r2
                for reading in (in_time.readings if in_time else [])
            }
        )
        run.record(f"{encoder_slug(encoder)}.json", record.to_json())
    return record


class _Beside(NamedTuple):
    """What stands beside the cells: see `DiscoveryRecord`."""

    sensitivity: list[Split]
    curve: list[CurvePoint] | None = None
    controls: list[BaselineScore] | None = None
    beyond: list[BeyondScore] | None = None


def _beside(
    data: ProbingData, *, dataset: str, encoder: str, settings: ProbeSettings, store: Store
) -> _Beside:
    """Run the controls: other groupings and seeds, fewer works, baselines, and what is beyond."""
    runs = len(settings.group_by) + settings.repeats - 1
    with progress(f"check {dataset} with {encoder}", runs + 3 * settings.controls) as shown:
        sensitivity = find_sensitivity(data, settings=settings, on_run=shown.advance)
        if not settings.controls:
            return _Beside(sensitivity)
        curve = find_learning_curve(data, settings=settings)
        shown.advance("learning curve")
        baselines = read_baselines(
            data, dataset=dataset, encoder=encoder, settings=settings, store=store
        )
        controls = find_controls(data, baselines, settings=settings)
        shown.advance("baselines")
        beyond = None
        if settings.level == "track":
            beyond = find_beyond_baselines(data, baselines, encoder=encoder, settings=settings)
        shown.advance("beyond baselines")
    return _Beside(sensitivity, curve, controls, beyond)


def _in_time(
    data: ProbingData,
    *,
    dataset: str,
    encoder: str,
    settings: ProbeSettings,
    store: Store,
    kept: KeptStates | None,
) -> tuple[InTimeRecord, CurveProbes | None]:
    """Probe curves and read the targets in every way; beside it the untrained network."""
    probes: list[CurveProbes | None] = []
    place: dict[str, Any] = {"dataset": dataset, "settings": settings, "store": store}
    found = _find_in_time(
        data, encoder=encoder, significance=True, kept=kept, on_probes=probes.append, **place
    )
    if not settings.controls or encoder.startswith("random:"):
        return found, probes[0]
    control = f"random:{encoder}"
    try:
        untrained = load_probing_data(dataset, control, settings=settings, store=store, stated=True)
    except ArtifactError:
        return found, probes[0]
    beside = _find_in_time(untrained, encoder=control, significance=False, **place)
    control_r2 = {reading.target: reading.r2 for reading in beside.readings}
    return replace(found, control=control_r2, control_tempo=beside.tempo), probes[0]


def _find_in_time(
    data: ProbingData,
    *,
    dataset: str,
    encoder: str,
    settings: ProbeSettings,
    store: Store,
    significance: bool,
    kept: KeptStates | None = None,
    on_probes: Callable[[CurveProbes | None], None] = lambda _: None,
) -> InTimeRecord:
    passes, why = None, ""
    try:
        passes = frame_pass(
            data,
            dataset=dataset,
            encoder=encoder,
            frames=settings.frames,
            store=store,
            kept=kept,
        )
    except NoFrames as reason:
        why = str(reason)
    layers = data.features.values.shape[1]
    with progress(f"in time {dataset} with {encoder}", layers, unit="layers") as shown:
        found = find_in_time(
            data,
            dataset=dataset,
            encoder=encoder,
            settings=settings,
            store=store,
            significance=significance,
            passes=passes,
            on_layer=lambda layer: shown.advance(f"layer {layer}"),
            on_probes=on_probes,
        )
    return replace(found, no_frames=why)


def sweep(
    *,
    dataset: str,
    encoder: str,
    settings: list[ProbeSettings],
    store: Store | None = None,
    tracking: bool = True,
) -> list[DiscoveryRecord]:
    """Run a discovery for each setting, as children of one MLflow run.

    Returns
    -------
    list of DiscoveryRecord
        One record a setting; only the first is written to disk.
    """
    store = store or Store()
    if len(settings) == 1:
        only = run_probing(
            dataset=dataset, encoder=encoder, settings=settings[0], store=store, tracking=tracking
        )
        return [only]
    name = f"sweep {dataset} {encoder}"
    with start_run(name, store=store, enabled=tracking) as parent:
        return [
            run_probing(
                dataset=dataset,
                encoder=encoder,
                settings=setting,
                store=store,
                tracking=tracking,
                parent=parent,
                keep=number == 0,
            )
            for number, setting in enumerate(settings)
        ]


def _best(found: Discovery, target: str) -> float | None:
    scores = [cell.r2 for cell in found.cells if cell.target == target and cell.r2 is not None]
    return max(scores, default=None)


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    alpha: Annotated[
        str, typer.Option(help="A penalty, or auto (chosen inside each training fold); a,b sweeps.")
    ] = "auto",
    folds: Annotated[str, typer.Option(help="The number of folds, by work; a,b sweeps.")] = "10",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Use this many tracks. [default: all]")
    ] = None,
    level: LevelOption = "track",
    pooling: Annotated[
        str,
        typer.Option(help="Pooling over time: mean or mean_std; a,b sweeps."),
    ] = "mean",
    seed: Annotated[int, typer.Option(min=0, help="The seed of all random numbers.")] = 0,
    permutations: Annotated[
        int, typer.Option(min=0, help="Shuffles of works behind the significance.")
    ] = 1000,
    bootstrap: Annotated[
        int,
        typer.Option(min=10, help="Bootstrap draws of works behind the intervals."),
    ] = 1000,
    group_by: Annotated[
        str,
        typer.Option(
            help="What folds never split: work, composer or year; those after the first "
            "are reported beside it."
        ),
    ] = "work,composer",
    own_split: Annotated[
        bool,
        typer.Option(
            help="Give each part of a dataset's own split (MAESTRO's train, validation and test) "
            "folds of its own."
        ),
    ] = True,
    repeats: Annotated[int, typer.Option(min=1, help="Seeds of the nested experiment.")] = 3,
    controls: Annotated[
        bool, typer.Option(help="Compare with baselines, and draw the learning curve.")
    ] = True,
    frames: Annotated[
        str,
        typer.Option(
            help="Read the tempo from every hidden state, which encodes the recordings again: "
            "on, off or auto (small collections)."
        ),
    ] = "auto",
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Probe which layer linearly encodes which target."""
    settings = [
        ProbeSettings(
            alpha=one_alpha,
            folds=one_folds,
            samples=samples,
            level=checked_level(level),
            pooling=one_pooling,
            seed=seed,
            permutations=permutations,
            bootstrap=bootstrap,
            group_by=parse_groupings(group_by),
            own_split=own_split,
            repeats=repeats,
            controls=controls,
            frames=checked_frames(frames),
        )
        for one_alpha, one_folds, one_pooling in itertools.product(
            parse_alphas(alpha), parse_folds(folds), parse_poolings(pooling)
        )
    ]
    records = sweep(
        dataset=dataset,
        encoder=encoder_or_default(encoder, dataset),
        settings=settings,
        tracking=mlflow,
    )
    for record in records:
        print_best(record)
        print_beside(record)
        if record.in_time is not None:
            for line in in_time_lines(record.in_time):
                typer.echo(line)
    if len(records) > 1:
        typer.echo("search goes by the first of these settings; the others are in MLflow")
    name = encoder_or_default(encoder, dataset)
    concluded_without(find_left_out(Store(), dataset, name))


if __name__ == "__main__":
    run_script(command)
