"""Extract the hidden states of one or more encoders from every track of a dataset.

    python pipelines/extract_features.py --dataset smd --encoder spectral,mert-v1-95m --workers 4

With several encoders each file is read once and resampled to each rate that they want.

A track is decoded whole but encoded a few segments at a time, and only means and standard
deviations over time are kept (all of it with ``--raw``), so memory does not grow with the length of
a recording.
"""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer

from mess.audio.decoding import Signal, decode_at
from mess.datasets import Track, load_dataset
from mess.encoders import Encoder, load_encoder
from mess.encoders.pooling import describe_encoder, pool_segments
from mess.errors import AudioError
from mess.storage.manifest import Entry
from mess.storage.store import Store
from pipelines.batch import Step, Summary, run_steps
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

Signals = dict[int, Signal]  # one recording, by sample rate


def extract_features(
    *,
    dataset: str,
    encoder: str,
    store: Store | None = None,
    workers: int = WORKERS,
    force: bool = False,
    raw: bool = False,
    device: str = "auto",
    dtype: str = "float32",
) -> Summary:
    """Bring the features of a dataset by one encoder up to date; see `extract_all`."""
    return extract_all(
        dataset=dataset,
        encoders=[encoder],
        store=store,
        workers=workers,
        force=force,
        raw=raw,
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
    device: str = "auto",
    dtype: str = "float32",
) -> dict[str, Summary]:
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
    device, dtype : str
        See `mess.encoders.load_encoder`.

    Returns
    -------
    dict of str to Summary
        By encoder. Tracks that failed are named in it, with the reason.
    """
    store = store or Store()
    recordings = load_dataset(dataset, root=store.audio_dir(dataset))
    for note in recordings.notes:
        typer.echo(f"{dataset}: {note}", err=True)
    models = {name: load_encoder(name, device=device, dtype=dtype) for name in encoders}
    steps = {
        name: _step(store, dataset, name, model, force=force, raw=raw)
        for name, model in models.items()
    }
    rates = {id(steps[name]): model.sample_rate for name, model in models.items()}

    def prepare(track: Track, lacking: Sequence[Step[Signals]]) -> Signals:
        return decode_at(track.path, {rates[id(step)] for step in lacking})

    run_steps(
        recordings,
        list(steps.values()),
        stage=f"extract {dataset} with {', '.join(model.id for model in models.values())}",
        workers=workers,
        prepare=prepare,
    )
    return {name: step.summary for name, step in steps.items()}


def _step(
    store: Store, dataset: str, encoder: str, model: Encoder, *, force: bool, raw: bool
) -> Step[Signals]:
    def finish(track: Track, signals: Signals) -> Entry:
        signal = signals[model.sample_rate]
        return _encode_track(store, dataset, encoder, track, signal, model=model, raw=raw)

    def has_files(track_id: str, entry: Entry) -> bool:
        return store.has_features(dataset, encoder, track_id, entry, raw=raw)

    header = {"dataset": dataset} | describe_encoder(model)
    manifest = store.resume_features(dataset, encoder, header=header, force=force)
    return Step(manifest, finish, has_files)


def _encode_track(
    store: Store,
    dataset: str,
    encoder: str,
    track: Track,
    signal: Signal,
    *,
    model: Encoder,
    raw: bool,
) -> Entry:
    began = time.perf_counter()
    keep = store.raw_writer(dataset, encoder, track.id) if raw else nullcontext()
    with keep as writer:
        try:
            pooled = pool_segments(
                signal, model, on_states=writer.append if writer is not None else None
            )
        except FloatingPointError:
            raise AudioError(
                track.path, "gives hidden states that are not finite", "try --dtype float32"
            ) from None
    if writer is None:
        store.drop_raw(dataset, encoder, track.id)
    seconds = time.perf_counter() - began  # of encoding, without reading the file
    duration = round(signal.duration, 3)
    store.note_encoding(dataset, encoder, seconds=seconds, duration=duration)
    checksums = store.write_features(
        dataset,
        encoder,
        track.id,
        aggregated=pooled.whole,
        segments=pooled.segments,
        aggregated_std=pooled.whole_std,
        segments_std=pooled.segments_std,
    )
    return checksums | {
        "duration": duration,
        "segments": len(pooled.segments),
        "raw_bytes": writer.size if writer is not None else 0,
        "notes": list(signal.notes),
    }


def print_extracted(made: dict[str, Summary]) -> None:
    """Print what was made, a line per encoder."""
    for encoder, summary in made.items():
        step = "extract" if len(made) == 1 else f"extract with {encoder}"
        typer.echo(f"{step}: {summary}")


def command(
    dataset: DatasetOption,
    encoder: EncodersOption = None,
    workers: WorkersOption = WORKERS,
    force: ForceOption = False,
    raw: Annotated[bool, typer.Option("--raw", help="Keep every frame, too.")] = False,
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
        device=device,
        dtype=dtype,
    )
    print_extracted(made)
    failed = {track: why for summary in made.values() for track, why in summary.failed.items()}
    if failed:
        raise incomplete(failed, done=min(one.made + one.skipped for one in made.values()))


if __name__ == "__main__":
    run_script(command)
