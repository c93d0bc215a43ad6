"""Extract the hidden states of one or more encoders from every track of a dataset.

    python pipelines/extract_features.py --dataset smd --encoder spectral,mert-v1-95m --workers 4

With several encoders each file is read once and resampled to each rate that they want.

A track is decoded whole but encoded a few segments at a time, and only means and standard
deviations over time are kept (all of it with ``--raw``), so memory does not grow with the length of
a recording.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from mess.audio import SEGMENT_SECONDS, Signal, decode_at, segment_bounds
from mess.datasets import Track, load_dataset
from mess.encoders import Encoder, load_encoder
from mess.errors import AudioError
from mess.manifest import Entry
from mess.store import Store
from mess.versions import FEATURES_VERSION
from pipelines.batch import Step, Summary, run_steps
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncodersOption,
    ForceOption,
    WorkersOption,
    encoders_or_default,
    interrupted,
    run_script,
)

_BATCH = 8  # segments in memory at a time
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

    header = _header(dataset, model)
    manifest = store.resume_features(dataset, encoder, header=header, force=force)
    return Step(manifest, finish, has_files)


def encode_segments(signal: Signal, model: Encoder) -> Iterator[NDArray[np.float32]]:
    """Yield the hidden states of each segment, [layers, time, dim].

    Where the encoder wants normalised audio, the whole track is shifted and scaled alike, so
    that loudness between segments survives.
    """
    offset, scale = map(np.float32, model.track_scale(signal) if model.normalise else (0.0, 1.0))
    bounds = segment_bounds(signal.samples.size, round(SEGMENT_SECONDS * signal.sample_rate))
    for first in range(0, len(bounds), _BATCH):
        batch = np.stack([signal.samples[a:b] for a, b in bounds[first : first + _BATCH]])
        if model.normalise:
            batch = (batch - offset) / scale
        yield from model.encode(batch)


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
    means, squares = [], []
    began = time.perf_counter()
    keep = store.raw_writer(dataset, encoder, track.id) if raw else nullcontext()
    with keep as writer:
        for states in encode_segments(signal, model):
            if not np.isfinite(states).all():
                raise AudioError(
                    track.path, "gives hidden states that are not finite", "try --dtype float32"
                )
            means.append(states.mean(axis=1, dtype=np.float64))
            squares.append(np.square(states, dtype=np.float64).mean(axis=1))
            if writer is not None:
                writer.append(states)
    if writer is None:
        store.drop_raw(dataset, encoder, track.id)
    seconds = time.perf_counter() - began
    segments, power = np.stack(means), np.stack(squares)
    whole = segments.mean(axis=0)
    checksums = store.write_features(
        dataset,
        encoder,
        track.id,
        aggregated=whole.astype(np.float32),
        segments=segments.astype(np.float16),
        aggregated_std=_deviation(power.mean(axis=0), whole).astype(np.float32),
        segments_std=_deviation(power, segments).astype(np.float16),
    )
    return checksums | {
        "duration": round(signal.duration, 3),
        "segments": len(segments),
        "seconds": round(seconds, 4),  # of encoding, without reading the file
        "raw_bytes": writer.size if writer is not None else 0,
    }


def _deviation(power: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(power - np.square(mean), 0.0))


def _header(dataset: str, model: Encoder) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "encoder": model.id,
        "revision": model.revision,
        "weights_sha256": model.weights_hash,
        "licence": model.licence,
        "sample_rate": model.sample_rate,
        "layers": model.layers,
        "dim": model.dim,
        "layer_names": list(model.layer_names),
        "normalise": "track" if model.normalise else "none",
        "settings": dict(model.settings),
        "segment_seconds": SEGMENT_SECONDS,
        "code_version": FEATURES_VERSION,
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
    try:
        made = extract_all(
            dataset=dataset,
            encoders=encoders_or_default(encoder, dataset),
            workers=workers,
            force=force,
            raw=raw,
            device=device,
            dtype=dtype,
        )
    except KeyboardInterrupt:
        raise interrupted() from None
    print_extracted(made)
    if any(summary.failed for summary in made.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    run_script(command)
