"""Extract the hidden states of one or more encoders from every track of a dataset.

    python pipelines/extract_features.py --dataset smd --encoder spectral,mert-v1-95m --workers 4

With several encoders, each file is read once and resampled to each sample rate that they need.

A track is decoded whole and encoded a few segments at a time. One pass keeps means and standard
deviations over segments, and means over half a second (``--moments``). They are computed where the
encoder runs: a GPU gives back nothing else. ``--raw`` keeps all frames.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, Signal, decode_at
from mess.datasets import Dataset, Track
from mess.encoders import Encoder, load_encoder
from mess.encoders.pooling import (
    Pooled,
    begin_pooling,
    describe_encoder,
    first_precision_error,
)
from mess.errors import AudioError, UnknownName
from mess.records.features import FeaturesEntry, FeaturesHeader, MomentsFile
from mess.storage.manifest import FeaturesManifest
from mess.storage.moments import FIRST_TRACKS, KINDS, Kind, moments_bytes
from mess.storage.store import Store
from pipelines.batch import ALL, BatchSummary, Scope, Source, Step, run_steps
from pipelines.kept_states import KeptStates, States
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncodersOption,
    ForceOption,
    WorkersOption,
    encoders_or_default,
    incomplete,
    run_script,
)

_LARGE = 2e9  # bytes of moments that are announced before they are written


@dataclass(frozen=True)
class Prepared:
    """One recording, as some encoders take it.

    Attributes
    ----------
    signals : dict of int to Signal
        By sample rate.
    scales : dict of int to tuple of float
        What `Encoder.track_scale` returns; by the identity of the step of the encoder.
    """

    signals: dict[int, Signal]
    scales: dict[int, tuple[float, float]]


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
    recordings = scope.listed(dataset, store)
    if scope.recordings is None:
        for note in recordings.notes:
            typer.echo(f"{dataset}: {note}", err=True)
    models = models or {name: load_encoder(name, device=device, dtype=dtype) for name in encoders}
    steps = {
        name: _step(
            store,
            dataset,
            name,
            model,
            force=force,
            raw=raw,
            moments=moments,
            kept=(kept or {}).get(name),
            thorough=scope.thorough,
        )
        for name, model in models.items()
    }
    for name, model in models.items():
        manifest = steps[name].manifest
        if said := size_line(recordings, manifest, name, model, kind=moments):
            typer.echo(said, err=True)
    encoder_of = {id(steps[name]): model for name, model in models.items()}

    def prepare(track: Track, lacking: Sequence[Step[Prepared, FeaturesEntry]]) -> Prepared:
        wanted = {id(step): encoder_of[id(step)] for step in lacking}
        signals = decode_at(track.path, {model.sample_rate for model in wanted.values()})
        scales = {
            key: model.track_scale(signals[model.sample_rate])
            for key, model in wanted.items()
            if model.normalise
        }
        return Prepared(signals, scales)

    run_steps(
        recordings,
        list(steps.values()),
        stage=f"extract {dataset} with {', '.join(model.id for model in models.values())}",
        workers=workers,
        prepare=prepare,
        leave=scope.leave,
    )
    return {name: step.summary for name, step in steps.items()}


def size_line(
    recordings: Dataset, manifest: FeaturesManifest, encoder: str, model: Encoder, *, kind: Kind
) -> str:
    """Return how much disk the moments will take, "" where it is little or they are kept."""
    done = manifest.done()
    known = {track for track, entry in done.items() if entry.moments is not None}
    todo = [track for track in recordings if track.id not in known]
    if kind == "none":
        return ""
    seconds = sum(track.duration or 0.0 for track in todo)
    size = moments_bytes(seconds, layers=model.layers, dim=model.dim, kind=kind)
    if size <= _LARGE:
        return ""
    return (
        f"moments of {seconds / 3600:.1f} hours by {encoder} will take {size / 1e9:.1f} GB: "
        "--moments none leaves them out, and with them all that is read through time"
    )


def _step(
    store: Store,
    dataset: str,
    encoder: str,
    model: Encoder,
    *,
    force: bool,
    raw: bool,
    moments: Kind,
    kept: KeptStates | None,
    thorough: bool,
) -> Step[Prepared, FeaturesEntry]:
    header = FeaturesHeader.of(describe_encoder(model), dataset=dataset)
    manifest = store.features.resume(dataset, encoder, header=header, force=force)
    store.moments.begin(dataset, encoder, manifest)
    measured: list[float] = []  # the error of a coarse precision, until an entry keeps it
    if all(entry.precision_error is None for entry in manifest.done().values()):
        measured.append(math.nan)

    def begin(track: Track, prepared: Prepared) -> Callable[[Source], FeaturesEntry]:
        signal = prepared.signals[model.sample_rate]
        if measured and math.isnan(measured[0]):
            error = first_precision_error(signal, model)
            measured[:] = [] if error is None or math.isnan(error) else [error]
        began = time.perf_counter()
        pooled, scale = None, prepared.scales.get(id(step))
        if not raw and (kept is None or kept.full):
            pooled = begin_pooling(signal, model, scale=scale, moments=moments != "none")
        spent = time.perf_counter() - began

        def finish(source: Source) -> FeaturesEntry:
            if moments == "compact":  # as soon as there are enough tracks to learn the scale from
                store.moments.compact(dataset, encoder, manifest, least=FIRST_TRACKS)
            entry = _encode_track(
                store,
                dataset,
                encoder,
                track,
                signal,
                source=source,
                model=model,
                pooled=pooled,
                scale=scale,
                raw=raw,
                moments=moments,
                kept=kept,
                spent=spent,
            )
            if measured:
                error = measured.pop()
                entry = replace(entry, precision_error=float(f"{error:.3g}"))
                typer.echo(
                    f"{encoder}: this precision moves the means of the first recording by "
                    f"{100 * error:.2g} % from those in float32",
                    err=True,
                )
            return entry

        return finish

    lacking = set() if thorough else set(store.features.missing(dataset, encoder, manifest))

    def has_files(track_id: str, entry: FeaturesEntry) -> bool:
        if not thorough:
            return track_id not in lacking
        return store.features.has(dataset, encoder, track_id, entry, raw=raw, moments=moments)

    def end() -> None:
        if moments == "compact":  # there are few tracks, or an earlier run was stopped
            store.moments.compact(dataset, encoder, manifest)

    step = Step(manifest, begin, has_files, end)
    return step


def _encode_track(
    store: Store,
    dataset: str,
    encoder: str,
    track: Track,
    signal: Signal,
    *,
    source: Source,
    model: Encoder,
    pooled: Callable[[], Pooled] | None,
    scale: tuple[float, float] | None,
    raw: bool,
    moments: Kind,
    kept: KeptStates | None,
    spent: float,
) -> FeaturesEntry:
    """Write the features of a track, that ``pooled`` gives; it is None if frames are wanted."""
    began = time.perf_counter() - spent
    held: list[States] = []
    keep = store.features.raw_writer(dataset, encoder, track.id) if raw else nullcontext()
    with keep as writer:

        def take(states: NDArray[np.float32]) -> None:
            if writer is not None:
                writer.append(states)
            if kept is not None:
                held.append(states.astype(np.float16))

        try:
            found = (
                pooled
                or begin_pooling(
                    signal, model, scale=scale, on_states=take, moments=moments != "none"
                )
            )()
        except FloatingPointError:
            raise AudioError(
                track.path, "gives hidden states that are not finite", "try --dtype float32"
            ) from None
    if kept is not None and held:
        segment = min(signal.duration, SEGMENT_SECONDS)
        kept.put(track.id, held, samples=signal.samples.size, seconds=segment)
    if writer is None:
        store.features.drop_raw(dataset, encoder, track.id)
    seconds = time.perf_counter() - began  # of encoding, without reading the file
    duration = round(signal.duration, 3)
    store.timings.append(dataset, encoder, seconds=seconds, duration=duration)
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
            dataset,
            encoder,
            track.id,
            found.moments,
            samples=signal.samples.size,
            kind=moments,
        )
    return FeaturesEntry.of(
        source,
        checksums,
        of_moments,
        duration=duration,
        segments=len(found.segments),
        raw_bytes=writer.size if writer is not None else 0,
        notes=list(signal.notes),
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
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
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
    )
    print_extracted(made)
    failed = {track: why for summary in made.values() for track, why in summary.failed.items()}
    if failed:
        raise incomplete(failed, done=min(one.made + one.skipped for one in made.values()))


if __name__ == "__main__":
    run_script(command)
