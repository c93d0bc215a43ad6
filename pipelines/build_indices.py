"""Build the index that recommendations are searched in.

    python pipelines/build_indices.py --dataset smd --encoder mert-v1-95m

If the targets of the dataset are measured, every track also gets the coordinates that the sliders
rank by. Without them, only whole layers can be searched.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mess.audio.fingerprint import join_works
from mess.errors import ArtifactMissing
from mess.experiments.moment_rows import load_moment_rows
from mess.experiments.rows import ProbingData, aligned_targets, copies_of, parts_of
from mess.probing.folds import MIN_WORKS, parts_of_groups
from mess.probing.stacking import folds_of
from mess.records.index import IndexRecord
from mess.search.coordinate_index import serialise
from mess.search.coordinates import Coordinates, describe_course, make_coordinates
from mess.search.heads import find_heads, index_heads
from mess.search.layer_index import normalise_layers, serialise_layer
from mess.search.passages.build import (
    Sample,
    build_passages,
    describe_passages,
    sample_segments,
)
from mess.search.through_time import Courses, read_courses
from mess.status.left_out import find_left_out
from mess.storage.features import Features
from mess.storage.manifest import TargetsManifest, digest
from mess.storage.store import Store
from mess.versions import INDEX_VERSION
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    concluded_without,
    encoder_or_default,
    run_script,
)
from pipelines.update_indices import source_digests


def build_index(
    *, dataset: str, encoder: str, store: Store | None = None, passages: bool = True
) -> int:
    """Index the layers and the coordinates of every track; return how many tracks.

    Parameters
    ----------
    dataset, encoder : str
    store : Store, optional
    passages : bool
        Whether segments are indexed, too.

    Raises
    ------
    ArtifactError
        If the features are missing or damaged, or the targets are damaged.
    """
    store = store or Store()
    features = store.features.read(dataset, encoder, pooling="mean_std")
    entries = store.features.manifest(dataset, encoder).done()
    first_of = copies_of(features.tracks, dataset=dataset, store=store)
    row_of = {track: row for row, track in enumerate(features.tracks)}
    copies = [row_of[first_of[track]] for track in features.tracks]
    works = join_works([entries[track].work for track in features.tracks], copies)
    half = features.values.shape[2] // 2
    vectors = normalise_layers(features.values[:, :, :half])
    usable = find_heads(store, features.header).usable
    heads, of_heads = index_heads(usable, features.values[:, :, :half])
    measured = _measured(store, dataset)
    targets = measured.digest() if measured else None
    sources = source_digests(store.features.manifest(dataset, encoder), measured)
    sample = sample_segments(store, dataset, features)
    part_of = parts_of_groups(works, parts_of(features.tracks, entries))
    made = (
        _coordinates(store, dataset, encoder, features, works, sample, part_of) if targets else None
    )
    store.indices.write(
        dataset,
        encoder,
        layers=[serialise_layer(vectors[:, layer]) for layer in range(vectors.shape[1])],
        record=IndexRecord(
            dataset=dataset,
            encoder=features.header.encoder,
            features=features.digest,
            targets=targets,
            inputs={
                "features": store.features.manifest(dataset, encoder).parts(),
                "targets": measured.parts() if measured else None,
            },
            code_version=INDEX_VERSION,
            fingerprint=digest([features.digest, targets, INDEX_VERSION]),
            tracks=features.tracks,
            works=works,
            composers=[entries[track].composer for track in features.tracks],
            copies=copies,
            columns=list(made.columns) if made else [],
            passages=passages,
            sources=list(sources.values()),
            heads=heads,
            heads_digest=store.heads.digest(features.header.encoder),
        ),
        heads=of_heads,
        coordinates=serialise(made.values, made.overall) if made else None,
        coordinate_map=made.projection.serialise() if made else None,
    )
    store.passages.drop(dataset, encoder)
    if passages:
        build_passages(
            store,
            dataset,
            encoder,
            sample=sample,
            made=made,
            works=works,
            targets=targets,
            sources=sources,
        )
    return len(features.tracks)


def _measured(store: Store, dataset: str) -> TargetsManifest | None:
    try:
        return store.targets.manifest(dataset)
    except ArtifactMissing:
        return None


def _coordinates(
    store: Store,
    dataset: str,
    encoder: str,
    features: Features,
    works: list[str],
    sample: Sample,
    part_of: Mapping[str, str],
) -> Coordinates | None:
    table = store.targets.read(dataset)
    targets, names = aligned_targets(table, tracks=features.tracks, segments=features.segments)
    known = np.flatnonzero(np.isfinite(targets).any(axis=1))
    if len({works[row] for row in known}) < MIN_WORKS:
        return None
    measured = store.targets.read(dataset, level="segment")
    found = {
        track: np.concatenate([segments.min(axis=0), segments.max(axis=0)], axis=-1)
        for track, segments in store.features.read_segments(dataset, encoder)
    }
    return make_coordinates(
        features.values,
        targets,
        works,
        names=names,
        course=describe_course(measured, features.tracks),
        segments=sample.with_targets(measured, names),
        extremes=np.stack([found[track] for track in features.tracks]),
        courses=_courses(store, dataset, encoder, features, works, targets, names, part_of),
        part_of=part_of,
    )


def _courses(
    store: Store,
    dataset: str,
    encoder: str,
    features: Features,
    works: list[str],
    targets: NDArray[np.float64],
    names: list[str],
    part_of: Mapping[str, str],
) -> Courses | None:
    """Read the targets through time; None where no moments are kept."""
    manifest = store.features.manifest(dataset, encoder)
    if all(entry.kept is None for entry in manifest.done().values()):
        return None
    data = ProbingData(
        features=features,
        targets=targets,
        names=names,
        labels={"work": works},
        groups=works,
        targets_digest="",
        copies={},
    )
    rows = load_moment_rows(data, dataset=dataset, encoder=encoder, store=store)
    fold = folds_of(targets, np.asarray(works), part_of=part_of)
    row_of = {track: row for row, track in enumerate(features.tracks)}
    beyond = [
        (row_of[one.track], one.layer)
        for one in store.moments.read(dataset, encoder, manifest)
        if one.track in row_of and np.isnan(targets[row_of[one.track]]).any()
    ]
    return read_courses(rows, targets, names, fold, elsewhere=beyond)


def describe_index(record: IndexRecord) -> str:
    """Return what an index can answer, in a few words."""
    probes = sum(column.kind == "probe" for column in record.columns)
    placed = f", {len(record.placed)} placed by the probes of the others" if record.placed else ""
    names = ", ".join(head.name for head in record.heads)
    heads = f"; learned heads: {names}" if names else ""
    return (
        f"{len(record.tracks)} tracks, {len(record.crc32)} layers, "
        + (f"{probes} targets to steer by{placed}" if probes else "no targets to steer by")
        + heads
    )


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    passages: Annotated[bool, typer.Option(help="Index 5 s segments, too.")] = True,
) -> None:
    """Build the indices that `mess recommend` and `mess passages` search."""
    encoder = encoder_or_default(encoder, dataset)
    build_index(dataset=dataset, encoder=encoder, passages=passages)
    record = Store().indices.read_record(dataset, encoder)
    header = Store().features.header(dataset, encoder)
    for name, reason in find_heads(Store(), header).unusable.items():
        typer.echo(f"head {name} is left out: {reason}", err=True)
    typer.echo(f"index of {dataset} by {encoder}: {describe_index(record)}")
    if passages:
        typer.echo(f"passages: {describe_passages(Store().passages.read_record(dataset, encoder))}")
    concluded_without(find_left_out(Store(), dataset, encoder, targets=False))


if __name__ == "__main__":
    run_script(command)
