"""Map tracks or segments of one layer onto a plane: PCA, t-SNE or UMAP, with groups by k-means.

python pipelines/make_map.py --dataset demo --encoder spectral --layer 1 --method tsne
"""

import json
from functools import partial
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from mess.errors import ArtifactError, MessError, UnknownName
from mess.maps import (
    CLUSTERS,
    METHODS,
    cluster_rows,
    likeliest_layer,
    make_plane_map,
    trustworthiness_of,
)
from mess.records.discovery import Level
from mess.records.map import MapPoints, MapRecord
from mess.status.left_out import find_left_out
from mess.storage.store import Store
from mess.versions import MAPS_VERSION
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    ForceOption,
    JsonOption,
    concluded_without,
    encoder_or_default,
    run_script,
)
from pipelines.probing_options import checked_level
from pipelines.progress import progress


def make_map(
    *,
    dataset: str,
    encoder: str,
    layer: int | None = None,
    method: str = "pca",
    level: str = "track",
    clusters: int = CLUSTERS,
    seed: int = 0,
    force: bool = False,
    store: Store | None = None,
) -> MapRecord:
    """Make a map and write it to disk; leave one that is up to date as it is.

    Parameters
    ----------
    dataset, encoder : str
    layer : int, optional
        The layer of the highest mean R² if the layers were probed, else the last.
    method : {"pca", "tsne", "umap"}
    level : {"track", "segment"}
    clusters : int
        The number of groups.
    seed : int
        The seed of all random numbers.
    force : bool
        Make the map again though it is up to date.
    store : Store, optional

    Returns
    -------
    MapRecord
        How it was made, and how far it may be believed.

    Raises
    ------
    ArtifactError
        If there are no features.
    MessError
        If there is no such layer, method or level, or there are too few rows.
    """
    store = store or Store()
    rows = checked_level(level)
    if method not in METHODS:
        raise UnknownName("method", method, METHODS)
    manifest = store.features.manifest(dataset, encoder)
    names = manifest.header.layer_names
    if layer is None:
        layer = _best_layer(store, dataset, encoder, layers=len(names), level=rows)
    if not 0 <= layer < len(names):
        raise MessError(f"there is no layer {layer}: layers go from 0 to {len(names) - 1}")
    wanted = partial(
        MapRecord,
        dataset=dataset,
        encoder=manifest.header.encoder,
        level=rows,
        layer=layer,
        layer_name=names[layer],
        method=method,
        seed=seed,
        clusters=clusters,
        code_version=MAPS_VERSION,
        features=manifest.digest(),
    )
    if not force and (old := _up_to_date(store, wanted)):
        return old
    with progress(f"map of {dataset} by {METHODS[method]}", 4, unit="steps") as shown:
        tracks, segments, values = read_layer(store, dataset, encoder, layer=layer, level=rows)
        shown.advance("read")
        found = make_plane_map(values, method=method, seed=seed)
        shown.advance("projected")
        groups = cluster_rows(found.reduced, clusters=clusters, seed=seed)
        shown.advance("grouped")
        ids = list(dict.fromkeys(tracks))
        position = {track: number for number, track in enumerate(ids)}
        record = wanted(
            n=len(tracks),
            settings=found.settings,
            explained=found.explained,
            trust=trustworthiness_of(found.reduced, found.points, seed=seed),
            tracks=ids,
        )
        points = MapPoints(
            track=np.array([position[track] for track in tracks], dtype=np.int32),
            segment=segments.astype(np.int32),
            points=found.points,
            cluster=groups,
        )
        store.maps.write(record, points)
        shown.advance("written")
    return record


def read_layer(
    store: Store, dataset: str, encoder: str, *, layer: int, level: Level
) -> tuple[list[str], NDArray[np.int64], NDArray[np.floating[Any]]]:
    """Read one layer of every row: track ids, segments, values [n, dim]."""
    if level == "track":
        features = store.features.read(dataset, encoder)
        return features.tracks, features.segments, features.values[:, layer]
    tracks: list[str] = []
    numbers, parts = [], []
    for track, values in store.features.read_segments(dataset, encoder):
        tracks += [track] * len(values)
        numbers.append(np.arange(len(values)))
        parts.append(values[:, layer].copy())  # a view would keep all layers in memory
    if not parts:
        raise MessError(f"features of {dataset!r} by {encoder!r} are empty: extract them again")
    return tracks, np.concatenate(numbers), np.concatenate(parts)


def _best_layer(store: Store, dataset: str, encoder: str, *, layers: int, level: Level) -> int:
    try:
        discovery = store.discoveries.read(dataset, encoder, level=level)
        return likeliest_layer(discovery.cells, layers=layers)
    except ArtifactError:
        return layers - 1


def _up_to_date(store: Store, wanted: "partial[MapRecord]") -> MapRecord | None:
    """Return the map that is there if it was made as it is wanted."""
    made = wanted.keywords
    try:
        old, _ = store.maps.read(
            made["dataset"],
            made["encoder"],
            layer=made["layer"],
            method=made["method"],
            level=made["level"],
        )
    except ArtifactError:
        return None
    return old if made.items() <= vars(old).items() else None


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    layer: Annotated[
        int | None,
        typer.Option(
            min=0, help="[default: the best probed one, else the last]", show_default=False
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="pca, tsne or umap.")] = "pca",
    level: Annotated[str, typer.Option(help="track, or segment for 5 s segments.")] = "track",
    clusters: Annotated[
        int, typer.Option(min=1, max=10, help="The number of k-means groups.")
    ] = CLUSTERS,
    seed: Annotated[int, typer.Option(min=0, help="The seed of all random numbers.")] = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Map tracks or segments onto a plane: near each other where a layer is similar."""
    name = encoder_or_default(encoder, dataset)
    record = make_map(
        dataset=dataset,
        encoder=name,
        layer=layer,
        method=method,
        level=level,
        clusters=clusters,
        seed=seed,
        force=force,
    )
    if as_json:
        typer.echo(json.dumps(record.summary(), indent=1))
    else:
        _print_map(record)
    concluded_without(find_left_out(Store(), dataset, name, targets=False))


def _print_map(record: MapRecord) -> None:
    believed = "" if record.trust is None else f", trustworthiness {record.trust:.2f}"
    carried = sum(record.explained)
    typer.echo(
        f"map: {record.n} {record.level}s of {record.dataset} by layer {record.layer} "
        f"({record.layer_name}), {METHODS[record.method]}{believed}; "
        f"the first two components carry {carried:.0%} of the variance"
    )


if __name__ == "__main__":
    run_script(command)
