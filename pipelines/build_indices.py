"""Build the index that recommendations are searched in.

    python pipelines/build_indices.py --dataset smd --encoder mert-v1-95m

Where the dataset's targets are measured, every track also gets the coordinates that sliders move
along; without them only whole layers can be searched.
"""

from typing import Any

import numpy as np
import pandas as pd
import typer

from mess.errors import ArtifactMissing
from mess.fingerprint import find_copies
from mess.manifest import fingerprint
from mess.probing.folds import MIN_WORKS
from mess.probing.stacking import Segments
from mess.search.coordinates import Coordinates, describe_course, make_coordinates
from mess.search.index import normalise_layers, serialise_layer
from mess.search.steering import serialise
from mess.store import Features, Store
from mess.versions import INDEX_VERSION
from pipelines.options import DatasetOption, EncoderOption, encoder_or_default, run_script
from pipelines.probing_data import aligned_targets

SEGMENTS = 6000  # at most so many teach the coordinates


def build_index(*, dataset: str, encoder: str, store: Store | None = None) -> int:
    """Index the layers and the coordinates of every track; return how many tracks.

    Raises
    ------
    ArtifactError
        If the features are missing or damaged, or the targets are damaged.
    """
    store = store or Store()
    features = store.read_features(dataset, encoder, pooling="mean_std")
    entries = store.features_manifest(dataset, encoder).done()
    works = [entries[track]["work"] for track in features.tracks]
    half = features.values.shape[2] // 2
    vectors = normalise_layers(features.values[:, :, :half])
    targets = _targets_fingerprint(store, dataset)
    made = _coordinates(store, dataset, features, works) if targets else None
    store.write_index(
        dataset,
        encoder,
        layers=[serialise_layer(vectors[:, layer]) for layer in range(vectors.shape[1])],
        record={
            "dataset": dataset,
            "encoder": features.manifest["encoder"],
            "features": features.manifest["fingerprint"],
            "targets": targets,
            "inputs": {
                "features": store.features_manifest(dataset, encoder).parts(),
                "targets": store.targets_manifest(dataset).parts() if targets else None,
            },
            "code_version": INDEX_VERSION,
            "fingerprint": fingerprint([features.manifest["fingerprint"], targets, INDEX_VERSION]),
            "tracks": features.tracks,
            "works": works,
            "composers": [entries[track].get("composer", "") for track in features.tracks],
            "copies": find_copies(
                [store.read_fingerprint(dataset, track) for track in features.tracks]
            ),
            "columns": [column.as_dict() for column in made.columns] if made else [],
        },
        steering=serialise(made.values, made.overall) if made else None,
    )
    return len(features.tracks)


def _targets_fingerprint(store: Store, dataset: str) -> str | None:
    try:
        return store.targets_manifest(dataset).fingerprint()
    except ArtifactMissing:
        return None


def _coordinates(
    store: Store, dataset: str, features: Features, works: list[str]
) -> Coordinates | None:
    table = store.read_targets(dataset)
    targets, names = aligned_targets(table, features)
    known = np.flatnonzero(np.isfinite(targets).any(axis=1))
    if len({works[row] for row in known}) < MIN_WORKS:
        return None
    measured = store.read_targets(dataset, level="segment")
    return make_coordinates(
        features.values,
        targets,
        works,
        names=names,
        course=describe_course(measured, features.tracks),
        segments=_segments(store, dataset, features, measured, names),
    )


def _segments(
    store: Store, dataset: str, features: Features, measured: pd.DataFrame, names: list[str]
) -> Segments:
    """Read at most `SEGMENTS` segments, evenly spaced within each track."""
    rows = {track: row for row, track in enumerate(features.tracks)}
    most = max(1, SEGMENTS // len(rows))
    tracks, numbers, values = [], [], []
    for track, pooled in store.read_segments(dataset, features.manifest["encoder"]):
        chosen = np.unique(np.linspace(0, len(pooled) - 1, min(most, len(pooled))).round())
        chosen = chosen.astype(np.int64)
        tracks += [track] * len(chosen)
        numbers.append(chosen)
        values.append(pooled[chosen].astype(np.float32))
    index = pd.MultiIndex.from_arrays([tracks, np.concatenate(numbers)])
    pooled = np.concatenate(values)
    return Segments(
        predictors=[pooled[:, layer] for layer in range(pooled.shape[1])],
        targets=measured.reindex(index=index, columns=names).to_numpy(dtype=np.float64),
        owner=np.array([rows[track] for track in tracks], dtype=np.int64),
    )


def describe_index(record: dict[str, Any]) -> str:
    """Return what an index can answer, in a few words."""
    probes = sum(column["kind"] == "probe" for column in record["columns"])
    return f"{len(record['tracks'])} tracks, {len(record['crc32'])} layers, " + (
        f"{probes} targets to steer by" if probes else "no targets to steer by"
    )


def command(dataset: DatasetOption, encoder: EncoderOption = None) -> None:
    """Build the index that `mess recommend` searches."""
    encoder = encoder_or_default(encoder, dataset)
    build_index(dataset=dataset, encoder=encoder)
    record = Store().read_index_record(dataset, encoder)
    typer.echo(f"index of {dataset} by {encoder}: {describe_index(record)}")


if __name__ == "__main__":
    run_script(command)
