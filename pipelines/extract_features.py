"""Extract the hidden states of one or more encoders from every track of a dataset.

    python pipelines/extract_features.py --dataset smd --encoder spectral,mert-v1-95m --workers 4

With several encoders, each file is read once and resampled to each sample rate that they need.

A track is decoded whole and encoded a few segments at a time. One pass keeps means and standard
deviations over segments, and means over half a second (``--moments``). They are computed where the
encoder runs: a GPU gives back nothing else. ``--raw`` keeps all frames.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer

from mess.audio.decoding import decode_at
from mess.datasets import Dataset, Track
from mess.encoders import Encoder, load_encoder, require_weights
from mess.encoders.pooling import describe_encoder
from mess.errors import MessError, UnknownName
from mess.records.features import EncoderRecord, FeaturesEntry, FeaturesHeader, MomentsFile
from mess.storage.manifest import FeaturesManifest
from mess.storage.moments import FIRST_TRACKS, KINDS, Kind, moments_bytes
from mess.storage.store import Store
from pipelines.batch import run_steps
from pipelines.encoding import (
    Encoded,
    LoadEncoders,
    ReadSignals,
    TrackEncoder,
    absolute_encoder,
)
from pipelines.engine import Engine, LocalEngine
from pipelines.kept_states import KeptStates
from pipelines.local_encoding import LocalEncoding
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncodersOption,
    EngineName,
    EngineOption,
    ForceOption,
    ForgetOption,
    WorkersOption,
    checked_engine,
    encoders_or_default,
    incomplete,
    run_script,
)
from pipelines.ray_engine import RayEngine, ray_cluster
from pipelines.reading import ReadingProcesses
from pipelines.steps import ALL, BatchSummary, Scope, Source, Step, count_by_encoder

_LARGE = 2e9  # bytes of moments that are announced before they are written
_PROBED = 20  # recordings, at most, whose headers are read for that
_WRITERS = 6  # threads that write, where a GPU computes


def extract_features(
    *,
    dataset: str,
    encoder: str,
    store: Store | None = None,
    workers: int = WORKERS,
    force: bool = False,
    raw: bool = False,
    moments: Kind = "compact",
    device: str = "auto",
    dtype: str = "float32",
) -> BatchSummary:
    """Bring the features of a dataset by one encoder up to date; see `extract_all`."""
    return extract_all(
        dataset=dataset,
        encoders=[encoder],
        store=store,
        workers=workers,
        force=force,
        raw=raw,
        moments=moments,
        device=device,
        dtype=dtype,
    )[encoder]


def extract_all(
    *,
    dataset: str,
    encoders: Sequence[str],
    store: Store | None = None,
    workers: int = WORKERS,
    force: bool = False,
    raw: bool = False,
    moments: Kind = "compact",
    device: str = "auto",
    dtype: str = "float32",
    kept: Mapping[str, KeptStates] | None = None,
    engine: EngineName = "local",
    models: Mapping[str, Encoder] | None = None,
    scope: Scope = ALL,
) -> dict[str, BatchSummary]:
    """Bring the features of a dataset by several encoders up to date, each file decoded once.

    Parameters
    ----------
    dataset : str
    encoders : sequence of str
        What each makes is what it would make alone.
    store : Store, optional
    workers : int
        Threads that decode ahead of the encoders.
    force : bool
        Redo every track.
    raw : bool
        Also keep the hidden states of every frame.
    moments : {"compact", "full", "none"}
        Means over half a second: in 8 bits, in float16, or not at all.
    device, dtype : str
        See `mess.encoders.load_encoder`.
    kept : mapping of str to KeptStates, optional
        By encoder, where the states of what is encoded stay in memory.
    engine : {"local", "ray"}
        Whether this machine computes, or a Ray cluster; both make the same. A cluster keeps no
        frames: neither ``raw`` nor ``kept``.
    models : mapping of str to Encoder, optional
        By encoder, where they are loaded already.
    scope : Scope
        What of the dataset is looked at.

    Returns
    -------
    dict of str to BatchSummary
        By encoder. Tracks that failed are named in it, with the reason.
    """
    store = store or Store()
    if engine == "local" and models is None:
        # Before a large folder is listed, and before the weights of the first are downloaded.
        require_weights(encoders)
    recordings = scope.listed(dataset, store)
    if scope.recordings is None:
        for note in recordings.notes:
            typer.echo(f"{dataset}: {note}", err=True)
    with ExitStack() as ending:
        records: dict[str, EncoderRecord]
        steps: dict[str, Step[Encoded, FeaturesEntry]] = {}
        how: Engine[Encoded]
        writers = 0
        if engine == "ray":
            if raw:
                raise MessError("--raw: frames stay on one machine; leave out --engine ray")
            cluster = ending.enter_context(ray_cluster())
            wanted = LoadEncoders(
                names={name: absolute_encoder(name) for name in encoders},
                device=cluster.device(device, any(name != "spectral" for name in encoders)),
                dtype=dtype,
                moments=moments != "none",
                records={},
            )
            records = cluster.run(wanted.describe, gpu=wanted.device == "cuda")
            rates = {name: record.sample_rate for name, record in records.items()}
            how = RayEngine(
                cluster,
                root=recordings.root,
                read=ReadSignals(rates),
                load=replace(wanted, records=records),
                gpu=wanted.device == "cuda",
            )
        else:
            models = models or {
                name: load_encoder(name, device=device, dtype=dtype) for name in encoders
            }
            records = {name: describe_encoder(model) for name, model in models.items()}
            on_gpu = any(map(_on_gpu, models.values()))
            decode = ending.enter_context(ReadingProcesses()).read if on_gpu else decode_at
            local = LocalEncoding(
                {n: TrackEncoder(model, moments != "none") for n, model in models.items()},
                store=store,
                dataset=dataset,
                raw=raw,
                kept=kept or {},
                decode=decode,
            )
            writers = _WRITERS if on_gpu else 0
            how = LocalEngine(prepare=local.prepare, begin=local.begin, workers=workers)
        for name, record in records.items():
            steps[name] = _step(
                store,
                dataset,
                name,
                record,
                force=force,
                raw=raw,
                moments=moments,
                thorough=scope.thorough,
            )
            if said := size_line(recordings, steps[name].manifest, name, kind=moments):
                typer.echo(said, err=True)
        run_steps(
            recordings,
            list(steps.values()),
            stage=f"extract {dataset} with {', '.join(one.encoder for one in records.values())}",
            engine=how,
            scope=scope,
            writers=writers,
        )
    return {name: step.summary for name, step in steps.items()}


def _on_gpu(model: Encoder) -> bool:
    return bool(getattr(model, "asynchronous", False))


def size_line(recordings: Dataset, manifest: FeaturesManifest, encoder: str, *, kind: Kind) -> str:
    """Return how much disk the moments will take, "" where it is little or they are kept."""
    done = manifest.done()
    known = {track for track, entry in done.items() if entry.moments is not None}
    todo = [track for track in recordings if track.id not in known]
    if kind == "none":
        return ""
    seconds = _seconds(todo)
    header = manifest.header
    size = moments_bytes(seconds, layers=header.layers, dim=header.dim, kind=kind)
    if size <= _LARGE:
        return ""
    return (
        f"moments of {seconds / 3600:.1f} hours by {encoder} will take {size / 1e9:.1f} GB: "
        "--moments none leaves them out, and with them all that is read through time"
    )


def _seconds(tracks: Sequence[Track]) -> float:
    """Return about how long many tracks are: of most, no header is read."""
    unstated = [track for track in tracks if track.stated_duration is None]
    some = unstated[:: max(1, len(unstated) // _PROBED)]
    probed = sum(track.duration or 0.0 for track in some) / max(1, len(some))
    return sum(track.stated_duration or 0.0 for track in tracks) + probed * len(unstated)


def _step(
    store: Store,
    dataset: str,
    encoder: str,
    record: EncoderRecord,
    *,
    force: bool,
    raw: bool,
    moments: Kind,
    thorough: bool,
) -> Step[Encoded, FeaturesEntry]:
    header = FeaturesHeader.of(record, dataset=dataset)
    manifest = store.features.resume(dataset, encoder, header=header, force=force)
    store.moments.begin(dataset, encoder, manifest)
    # Whether an entry keeps the error of a coarse precision already.
    known = [any(entry.precision_error is not None for entry in manifest.done().values())]

    def keep(track: Track, encoded: Encoded, source: Source) -> FeaturesEntry:
        return _write(store, dataset, encoder, track, encoded, source=source, moments=moments)

    def admit(entry: FeaturesEntry) -> FeaturesEntry:
        if moments == "compact":  # as soon as there are enough tracks to learn the scale from
            store.moments.compact(dataset, encoder, manifest, least=FIRST_TRACKS)
        error = entry.precision_error
        if error is None or known[0]:
            return replace(entry, precision_error=None)
        known[0] = True
        typer.echo(
            f"{encoder}: this precision moves the means of the first recording by "
            f"{100 * error:.2g} % from those in float32",
            err=True,
        )
        return entry

    lacking = set() if thorough else set(store.features.missing(dataset, encoder, manifest))

    def has_files(track_id: str, entry: FeaturesEntry) -> bool:
        if not thorough:
            return track_id not in lacking
        return store.features.has(dataset, encoder, track_id, entry, raw=raw, moments=moments)

    def take(old: str, track: Track, entry: FeaturesEntry) -> bool:
        if raw:
            return False  # frames are wanted
        return store.features.copy(dataset, encoder, old, track.id, entry, moments=moments)

    def drop(track_id: str) -> None:
        store.features.drop(dataset, encoder, track_id)

    def end() -> None:
        if moments == "compact":  # there are few tracks, or an earlier run was stopped
            store.moments.compact(dataset, encoder, manifest)

    return Step(encoder, manifest, keep, has_files, take, drop, end, admit)


def _write(
    store: Store,
    dataset: str,
    encoder: str,
    track: Track,
    encoded: Encoded,
    *,
    source: Source,
    moments: Kind,
) -> FeaturesEntry:
    """Write the features of a track."""
    if not encoded.raw_bytes:
        store.features.drop_raw(dataset, encoder, track.id)
    duration, found = encoded.duration, encoded.pooled
    store.timings.append(dataset, encoder, seconds=encoded.seconds, duration=duration)
    checksums = store.features.write(
        dataset,
        encoder,
        track.id,
        aggregated=found.whole,
        segments=found.segments,
        aggregated_std=found.whole_std,
        segments_std=found.segments_std,
    )
    if found.moments is None:
        store.moments.drop(dataset, encoder, track.id)
        of_moments = MomentsFile(moments="none" if moments == "none" else "few")
    else:
        of_moments = store.moments.write(
            dataset, encoder, track.id, found.moments, samples=encoded.samples, kind=moments
        )
    error = encoded.precision_error
    return FeaturesEntry.of(
        source,
        checksums,
        of_moments,
        precision_error=None if error is None else float(f"{error:.3g}"),
        duration=duration,
        segments=len(found.segments),
        raw_bytes=encoded.raw_bytes,
        notes=list(encoded.notes),
    )


def print_extracted(made: dict[str, BatchSummary]) -> None:
    """Print what was made, a line per encoder."""
    for encoder, summary in made.items():
        step = "extract" if len(made) == 1 else f"extract with {encoder}"
        typer.echo(f"{step}: {summary}")


def checked_moments(kind: str) -> Kind:
    """Return ``kind``, or raise `UnknownName`."""
    if kind not in KINDS:
        raise UnknownName("kind of moments", kind, KINDS)
    return kind


def command(
    dataset: DatasetOption,
    encoder: EncodersOption = None,
    workers: WorkersOption = WORKERS,
    force: ForceOption = False,
    raw: Annotated[bool, typer.Option("--raw", help="Also keep every frame.")] = False,
    moments: Annotated[
        str, typer.Option(help="Half-second means, for curves: compact (8 bits), full or none.")
    ] = "compact",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32, tf32 (GPU) or bfloat16.")] = "float32",
    engine: EngineOption = "local",
    forget: ForgetOption = False,
) -> None:
    """Extract hidden states from a dataset; running again goes on."""
    made = extract_all(
        dataset=dataset,
        encoders=encoders_or_default(encoder, dataset),
        workers=workers,
        force=force,
        raw=raw,
        moments=checked_moments(moments),
        device=device,
        dtype=dtype,
        engine=checked_engine(engine),
        scope=Scope(forget=forget),
    )
    print_extracted(made)
    failed, done, useless = count_by_encoder(made)
    if failed or useless:
        raise incomplete(failed, done=done, encoders=useless)


if __name__ == "__main__":
    run_script(command)
