"""Probe every layer of an encoder for every proxy target of a dataset.

    python pipelines/run_probing.py --dataset smd --encoder mert-v1-95m --folds 10

Several values of ``--alpha`` or ``--folds`` make a sweep: one parent run in MLflow with a child
for each setting. The first setting's result is the one that is kept on disk.
"""

import itertools
from dataclasses import asdict, dataclass
from typing import Annotated, Any, cast, get_args

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, MessError, UnknownName
from mess.probing.discovery import Alpha, Discovery, discover
from mess.store import Features, Level, Store, command_for
from mess.targets import TARGETS
from mess.tracking import start_run
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    LevelOption,
    encoder_or_default,
    interrupted,
    run_script,
)
from pipelines.progress import progress


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """What a discovery depends on beside its inputs.

    Attributes
    ----------
    alpha : float or "auto"
    folds, seed : int
    samples : int or None
        How many tracks take part, drawn with the seed; None for all.
    level : "track" or "segment"
    """

    alpha: Alpha = "auto"
    folds: int = 10
    samples: int | None = None
    level: Level = "track"
    seed: int = 0


@dataclass(frozen=True)
class ProbingData:
    """Aligned rows: features, targets and the work of each."""

    features: Features
    targets: NDArray[np.float64]
    names: list[str]
    works: list[str]
    targets_fingerprint: str


def load_probing_data(
    dataset: str, encoder: str, *, settings: ProbeSettings, store: Store
) -> ProbingData:
    """Read features and targets of the tracks that have both.

    Raises
    ------
    ArtifactError
        If one of them is missing or damaged, or they were made from different audio.
    """
    features = store.read_features(dataset, encoder, level=settings.level)
    entries = store.features_manifest(dataset, encoder).done()
    measured = store.targets_manifest(dataset)
    tracks = sorted(set(entries) & set(measured.done()))
    for track_id in tracks:
        if entries[track_id]["sha256"] != measured.tracks[track_id]["sha256"]:
            raise ArtifactError(
                f"features and targets of {track_id!r}",
                "were made from different audio",
                f"{command_for('extract', dataset, encoder)} && {command_for('targets', dataset)}",
            )
    if settings.samples is not None and settings.samples < len(tracks):
        rng = np.random.default_rng(settings.seed)
        tracks = sorted(rng.choice(tracks, settings.samples, replace=False).tolist())
    chosen = set(tracks)
    rows = np.array([track in chosen for track in features.tracks], dtype=bool)
    features = Features(
        tracks=[track for track in features.tracks if track in chosen],
        segments=features.segments[rows],
        values=features.values[rows],
        manifest=features.manifest,
    )
    table = store.read_targets(dataset, level=settings.level)
    index = pd.MultiIndex.from_arrays([features.tracks, features.segments])
    names = [name for name in TARGETS if name in table]
    return ProbingData(
        features=features,
        targets=table.reindex(index)[names].to_numpy(),
        names=names,
        works=[entries[track]["work"] for track in features.tracks],
        targets_fingerprint=measured.fingerprint(),
    )


def run_probing(
    *,
    dataset: str,
    encoder: str,
    settings: ProbeSettings | None = None,
    store: Store | None = None,
    tracking: bool = True,
    nested: bool = False,
    keep: bool = True,
) -> dict[str, Any]:
    """Run one discovery, record it, and write it to disk.

    Parameters
    ----------
    dataset, encoder : str
    settings : ProbeSettings, optional
    store : Store, optional
    tracking : bool
        Whether to record the run in MLflow.
    nested : bool
        Whether the run is a child of an open one.
    keep : bool
        False leaves the discovery on disk as it is.

    Returns
    -------
    dict
        The record as it lies on disk: how it was made, and every cell.
    """
    settings = settings or ProbeSettings()
    store = store or Store()
    data = load_probing_data(dataset, encoder, settings=settings, store=store)
    layers = data.features.values.shape[1]
    tags = {
        "dataset": dataset,
        "encoder": data.features.manifest["encoder"],
        "features": data.features.manifest["fingerprint"],
        "targets": data.targets_fingerprint,
    }
    name = f"probe {dataset} {encoder}"
    with start_run(name, store=store, tags=tags, enabled=tracking, nested=nested) as run:
        run.params(asdict(settings) | {"dataset": dataset, "encoder": encoder})
        with progress(f"probe {dataset} with {encoder}", layers, unit="layers") as shown:
            found = discover(
                data.features.values,
                data.targets,
                data.works,
                names=data.names,
                alpha=settings.alpha,
                folds=settings.folds,
                seed=settings.seed,
                on_layer=lambda layer: shown.advance(f"layer {layer}"),
            )
        record = _record(data, found, settings, tags)
        run.metrics(
            {f"r2/{cell.target}/layer_{cell.layer:02d}": cell.r2 for cell in found.cells}
            | {f"best_r2/{name}": _best(found, name) for name in data.names}
        )
        run.record(f"{encoder_slug(encoder)}.json", record)
        if keep:
            store.write_discovery(
                dataset, encoder, record=record, predictions=_predictions(data, found)
            )
    return record


def sweep(
    *,
    dataset: str,
    encoder: str,
    settings: list[ProbeSettings],
    store: Store | None = None,
    tracking: bool = True,
) -> list[dict[str, Any]]:
    """Run a discovery for each setting, as children of one MLflow run.

    Returns
    -------
    list of dict
        One record a setting; only the first is written to disk.
    """
    store = store or Store()
    if len(settings) == 1:
        only = run_probing(
            dataset=dataset, encoder=encoder, settings=settings[0], store=store, tracking=tracking
        )
        return [only]
    with start_run(f"sweep {dataset} {encoder}", store=store, enabled=tracking):
        return [
            run_probing(
                dataset=dataset,
                encoder=encoder,
                settings=setting,
                store=store,
                tracking=tracking,
                nested=True,
                keep=number == 0,
            )
            for number, setting in enumerate(settings)
        ]


def _best(found: Discovery, target: str) -> float | None:
    scores = [cell.r2 for cell in found.cells if cell.target == target and cell.r2 is not None]
    return max(scores, default=None)


def _record(
    data: ProbingData, found: Discovery, settings: ProbeSettings, tags: dict[str, str]
) -> dict[str, Any]:
    return {
        **tags,
        "settings": asdict(settings),
        "layer_names": data.features.manifest["layer_names"],
        "target_names": data.names,
        "n": len(data.features.tracks),
        "works": len(set(data.works)),
        "cells": [cell.as_dict() for cell in found.cells],
    }


def _predictions(data: ProbingData, found: Discovery) -> pd.DataFrame:
    """Return out-of-fold predictions as a long table; undefined rows are left out."""
    layers, n, targets = found.predicted.shape
    layer, row, target = np.meshgrid(
        np.arange(layers), np.arange(n), np.arange(targets), indexing="ij"
    )
    rows, columns = row.ravel(), target.ravel()
    table = pd.DataFrame(
        {
            "track": pd.Categorical(np.asarray(data.features.tracks, dtype=object)[rows]),
            "segment": data.features.segments[rows].astype(np.int32),
            "target": pd.Categorical(np.asarray(data.names, dtype=object)[columns]),
            "layer": layer.ravel().astype(np.int16),
            "fold": found.fold[rows].astype(np.int16),
            "true": data.targets[rows, columns],
            "predicted": found.predicted.ravel(),
        }
    )
    return table[np.isfinite(table["predicted"])]


def parse_alphas(text: str) -> list[Alpha]:
    """Parse ``auto``, a number, or several with commas between.

    >>> parse_alphas("auto, 0.5")
    ['auto', 0.5]

    Raises
    ------
    MessError
        If a part is neither.
    """
    try:
        return ["auto" if part.strip() == "auto" else float(part) for part in text.split(",")]
    except ValueError:
        raise MessError(f"--alpha takes numbers or 'auto', not {text!r}") from None


def parse_folds(text: str) -> list[int]:
    """Parse a whole number, or several with commas between.

    Raises
    ------
    MessError
        If a part is none.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise MessError(f"--folds takes whole numbers, not {text!r}") from None


def checked_level(level: str) -> Level:
    """Return ``level``, or raise `UnknownName`."""
    if level not in get_args(Level):
        raise UnknownName("level", level, get_args(Level))
    return cast(Level, level)


def print_best(record: dict[str, Any]) -> None:
    """Print the best layer of every target."""
    settings = record["settings"]
    typer.echo(
        f"{record['dataset']} by {record['encoder']}: {record['n']} {settings['level']}s of "
        f"{record['works']} works, alpha {settings['alpha']}, {settings['folds']} folds by work"
    )
    typer.echo(f"{'target':<22}{'layer':>6}  {'name':<26}{'R²':>7}{'Spearman':>10}{'n':>7}")
    for target in record["target_names"]:
        cells = [
            cell for cell in record["cells"] if cell["target"] == target and cell["r2"] is not None
        ]
        if not cells:
            typer.echo(f"{target:<22}{'–':>6}  {'undefined on these tracks'}")
            continue
        best = max(cells, key=lambda cell: cell["r2"])
        rank = "–" if best["spearman"] is None else f"{best['spearman']:.2f}"
        typer.echo(
            f"{target:<22}{best['layer']:>6}  {record['layer_names'][best['layer']]:<26}"
            f"{best['r2']:>7.2f}{rank:>10}{best['n']:>7}"
        )


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    alpha: Annotated[
        str, typer.Option(help="A penalty, or auto (chosen inside each training fold); a,b sweeps.")
    ] = "auto",
    folds: Annotated[str, typer.Option(help="Folds, by work; a,b sweeps.")] = "10",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Use this many tracks. [default: all]")
    ] = None,
    level: LevelOption = "track",
    seed: Annotated[int, typer.Option(min=0, help="Of folds and samples.")] = 0,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Probe which layer linearly encodes which target."""
    settings = [
        ProbeSettings(
            alpha=one_alpha,
            folds=one_folds,
            samples=samples,
            level=checked_level(level),
            seed=seed,
        )
        for one_alpha, one_folds in itertools.product(parse_alphas(alpha), parse_folds(folds))
    ]
    try:
        records = sweep(
            dataset=dataset,
            encoder=encoder_or_default(encoder, dataset),
            settings=settings,
            tracking=mlflow,
        )
    except KeyboardInterrupt:
        raise interrupted() from None
    for record in records:
        print_best(record)
    if len(records) > 1:
        typer.echo("search goes by the first of these settings; the others are in MLflow")


if __name__ == "__main__":
    run_script(command)
