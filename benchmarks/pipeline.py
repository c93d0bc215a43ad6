"""Measure extraction from files to features, beside the bare model and the device's own ceiling.

    python -m benchmarks.pipeline

Every row is a rate, its ratio to the bare model and its share of the rate of torch's own matrix
product. The bare model is that of transformers, on segments that lie in the memory of the device;
its states are thrown away. All runs use the shape of MERT-v1-95M with random weights.

On a processor that others share, wall time says little. So the rows of the processor are in seconds
of processor time per second of audio, the least of some runs. Threads that wait for each other
count as well: on a shared machine set OMP_NUM_THREADS=1. A row of a GPU is in wall time.
"""

import argparse
import copy
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.workload import MERT_TFLOP_PER_MINUTE, RATE, Row, music

ENCODER = "random:mert-v1-95m"
SEGMENT = 120_000  # samples
_CPU_FILES = (2, 10.0)  # how many, and their seconds
_ROUNDS, _PRODUCTS = 2, 5
_GPU_FILES = (96, 240.0)
_GPU_TIMES = {"bfloat16": 8, "tf32": 3, "float32": 1}  # how often the pipeline reads them
_AHEAD = 4  # batches that are begun before the first is collected


def pipeline(folder: Path, *, gpu_only: bool = False) -> Iterator[Row]:
    """Rates from files to features, on the processor and, where there is one, on a GPU."""
    import torch

    if not gpu_only:
        yield from on_processor(folder / "processor")
    if torch.cuda.is_available():
        yield from on_gpu(folder / "gpu")
    else:
        yield Row("the same on a GPU", "not measured: torch sees no GPU here", "", "")


def on_processor(folder: Path) -> Iterator[Row]:
    """The rows of the processor, in seconds of processor time."""
    import torch

    from mess.audio.decoding import decode
    from mess.encoders import load_encoder
    from mess.encoders.pooling import pool_segments

    paths, audio = write_files(folder, *_CPU_FILES)
    encoder: Any = load_encoder(ENCODER, device="cpu")
    samples = np.random.default_rng(0).standard_normal((1, SEGMENT), dtype=np.float32)
    segment, segments = torch.from_numpy(samples), round(audio / 5)
    plain_model = copy.deepcopy(encoder.model)
    with_plain_convolutions(plain_model)

    def bare(model: Any) -> None:
        with torch.inference_mode():
            for _ in range(segments):
                model(segment, output_hidden_states=True)

    signals = [decode(path, encoder.sample_rate) for path in paths]
    a = torch.randn(2048, 2048)
    # All on the same audio and in turn, so that what else the machine does falls on all of them.
    runs: dict[str, Callable[[], object]] = {
        "product": lambda: a @ a,
        "plain": lambda: bare(plain_model),
        "quick": lambda: bare(encoder.model),
        "pooled": lambda: [pool_segments(one, encoder, moments=True) for one in signals],
        "decoded": lambda: [decode(path, encoder.sample_rate) for path in paths],
        "extracted": lambda: extract(folder, encoder=encoder),
    }
    pool_segments(signals[0], encoder, moments=True)  # loads what is loaded once
    spent = dict.fromkeys(runs, float("inf"))
    for _ in range(_ROUNDS):
        for name, run in runs.items():
            times = _PRODUCTS if name == "product" else 1
            spent[name] = min(spent[name], *(cpu_seconds(run) for _ in range(times)))
    sgemm = 2 * 2048**3 / spent["product"] / 1e12

    def row(what: str, name: str) -> Row:
        per_second = spent[name] / audio
        tflops = MERT_TFLOP_PER_MINUTE / 60 / per_second
        return Row(
            what,
            f"{per_second:.3f} s a second of audio",
            f"{spent[name] / spent['plain']:.2f} × the bare model",
            f"{tflops / sgemm:.0%} of {sgemm:.3f} TFLOP/s",
        )

    threads = torch.get_num_threads()
    yield row(f"processor, float32, {threads} threads: the bare model", "plain")
    yield row("… with its long convolution by Fourier transforms", "quick")
    yield row("… pooled (segments and half seconds)", "pooled")
    yield row("… whole pipeline, FLAC to features", "extracted")
    yield Row("decoding and resampling alone", f"{spent['decoded'] / audio:.4f} s a second", "", "")


def on_gpu(folder: Path) -> Iterator[Row]:
    """The rows of a GPU, in minutes of audio per second of wall time."""
    paths, audio = write_files(folder, *_GPU_FILES)
    yield from _decoding(paths, audio / 60)
    for dtype, times in _GPU_TIMES.items():
        yield from _with_dtype(folder, paths, audio / 60, dtype, times=times)
    yield _against_processor(paths[0])


def _decoding(paths: list[Path], minutes: float) -> Iterator[Row]:
    """Decoding and resampling alone: by one thread, by threads, by the processes of extraction."""
    from pipelines.reading import ReadingProcesses

    workers = os.cpu_count() or 1
    some = paths[: 4 * workers]
    with ReadingProcesses() as processes, ThreadPoolExecutor(workers) as pool:
        ways: list[tuple[str, list[Path], Callable[[Any, list[Path]], object]]] = [
            ("1 thread", paths[:2], lambda read, some: [read(path) for path in some]),
            (f"{workers} threads", some, lambda read, some: list(pool.map(read, some))),
            (f"{workers} processes", some, lambda read, some: list(pool.map(read, some))),
        ]
        for what, chosen, run in ways:
            by_process = what.endswith("processes")
            read = (lambda path: processes.read(path, [24_000])) if by_process else _decode
            run(read, chosen[:workers])  # starts threads and processes
            spent = wall(lambda run=run, read=read, chosen=chosen: run(read, chosen))  # type: ignore[misc]
            rate = minutes * len(chosen) / len(paths) / spent
            yield Row(f"decoding and resampling, {what}", f"{rate:.1f} min/s", "", "")


def _with_dtype(
    folder: Path, paths: list[Path], minutes: float, dtype: str, *, times: int
) -> Iterator[Row]:
    """The rows of one precision; the pipeline reads every file so many times, by other names."""
    import torch

    from mess.encoders import load_encoder

    name, ceiling = torch.cuda.get_device_name(0), _product_rate(dtype)
    rates, size, error = _model_rates(paths[0], dtype)
    torch.cuda.empty_cache()
    began = time.perf_counter()
    encoder: Any = load_encoder(ENCODER, device="cuda", dtype=dtype)
    loading = time.perf_counter() - began
    linked = [(path, path.with_stem(f"{path.stem}-{n}")) for n in range(1, times) for path in paths]
    for path, other in linked:
        other.hardlink_to(path)
    spent = wall(lambda: extract(folder, encoder=encoder))
    for _, other in linked:
        other.unlink()
    rates["whole"] = minutes * times / spent
    shown = "" if error is None else f", error of the pooled states {error:.1e}"
    for what, key in (
        (f"{name}, {dtype}: the bare model, {size} segments", "plain"),
        ("… with its long convolution by Fourier transforms", "quick"),
        (f"… pooled from host memory{shown}", "pooled"),
        (
            f"… whole pipeline, {minutes * times:.0f} minutes of FLAC to features in {spent:.1f} s "
            f"(and {loading:.1f} s to load the model)",
            "whole",
        ),
    ):
        yield Row(
            what,
            f"{rates[key]:.1f} min/s",
            f"{rates[key] / rates['plain']:.2f} × the rate of the bare model",
            f"{rates[key] * MERT_TFLOP_PER_MINUTE / ceiling:.0%} of {ceiling:.0f} TFLOP/s",
        )


def _model_rates(path: Path, dtype: str) -> tuple[dict[str, float], int, float | None]:
    """Return the rates of the model alone, of how many segments, and the error of the precision."""
    import torch

    from mess.audio.decoding import decode
    from mess.encoders import load_encoder

    encoder: Any = load_encoder(ENCODER, device="cuda", dtype=dtype)
    signal = decode(path, encoder.sample_rate)
    size = min(48, signal.samples.size // SEGMENT)
    segments = signal.samples[: size * SEGMENT].reshape(size, SEGMENT)
    segments = ((segments - signal.mean) / signal.std).astype(np.float32)
    there = torch.from_numpy(segments).to("cuda")

    def bare() -> None:
        with torch.inference_mode(), encoder.precision():
            encoder.states(there)

    def ahead() -> None:
        for result in [encoder.start_pooling(segments, divisions=(1, 10)) for _ in range(_AHEAD)]:
            result()

    of_size, run = size * 5 / 60, synchronous(bare)
    error: float | None = encoder.precision_error(segments[:4])
    rates = {"quick": of_size / min(wall(run) for _ in range(6))}
    encoder.pool(segments, divisions=(1, 10))
    rates["pooled"] = _AHEAD * of_size / min(wall(ahead) for _ in range(4))
    with_plain_convolutions(encoder.model)
    rates["plain"] = of_size / min(wall(run) for _ in range(6))
    return rates, size, error


def _against_processor(path: Path) -> Row:
    """How far pooled states of a GPU, in float32, are from those of the processor."""
    from mess.audio.decoding import decode
    from mess.encoders import load_encoder

    signal = decode(path, 24_000)
    segment = (signal.samples[None, :SEGMENT] - signal.mean) / signal.std
    means = []
    for device in ("cpu", "cuda"):
        (pooled,) = load_encoder(ENCODER, device=device).pool(segment.astype(np.float32))
        assert pooled is not None  # noqa: S101 (a segment has states)
        means.append(pooled.mean.astype(np.float64))
    exact, found = means
    layers = (0, 1, 3)
    error = np.sqrt(np.square(found - exact).sum(axis=layers) / np.square(exact).sum(axis=layers))
    return Row("float32 against the processor, pooled states", f"{error.max():.1e}", "", "")


def _product_rate(dtype: str) -> float:
    """Return the rate of torch's own matrix product on the GPU, in TFLOP/s."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    kind = torch.bfloat16 if dtype == "bfloat16" else torch.float32
    a = torch.randn(8192, 8192, device="cuda", dtype=kind)
    product = synchronous(lambda: a @ a)
    wall(product)
    spent = min(wall(product) for _ in range(9))
    torch.set_float32_matmul_precision(before)
    return float(2 * 8192**3 / spent / 1e12)


def write_files(folder: Path, count: int, seconds: float) -> tuple[list[Path], float]:
    """Write recordings as a dataset; return their paths and their seconds together."""
    audio = folder / "audio" / "bench"
    audio.mkdir(parents=True)
    minute = music(min(seconds, 60.0))
    sound = np.tile(minute, (int(np.ceil(seconds * RATE / len(minute))), 1))[
        : round(seconds * RATE)
    ]
    paths = [audio / f"{number:03d}.flac" for number in range(count)]

    def write(path: Path) -> None:
        shift = int(path.stem) * 1_000
        soundfile.write(path, np.roll(sound, shift, axis=0), RATE)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(write, paths))
    return paths, count * seconds


def extract(
    root: Path, *, encoder: Any = None, device: str = "cpu", dtype: str = "float32"
) -> None:
    """Extract all features of the files anew, as `mess extract --force` does.

    With an ``encoder``, loading it is left out.
    """
    from mess.storage.store import Store
    from pipelines.extract_features import extract_all

    made = extract_all(
        dataset="bench",
        encoders=[ENCODER],
        store=Store(root),
        workers=os.cpu_count() or 1,
        force=True,
        device=device,
        dtype=dtype,
        models=None if encoder is None else {ENCODER: encoder},
    )[ENCODER]
    if made.failed:
        raise RuntimeError(str(made))


def with_plain_convolutions(model: Any) -> None:
    """Let a model compute its convolutions as transformers does."""
    from mess.encoders.fourier import FourierConvolution

    for module in model.modules():
        if isinstance(vars(module).get("forward"), FourierConvolution):
            del module.forward


def _decode(path: Path) -> object:
    from mess.audio.decoding import decode

    return decode(path, 24_000)


def synchronous(work: Callable[[], object]) -> Callable[[], None]:
    """Return ``work`` that waits for the GPU."""
    import torch

    def run() -> None:
        work()
        torch.cuda.synchronize()

    return run


def wall(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the seconds of processor time, of all threads, that ``work`` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="only the rows of a GPU")
    gpu_only = parser.parse_args().gpu
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| what | here | to the bare model | of the matrix product |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for row in pipeline(Path(folder), gpu_only=gpu_only):
            print(f"| {row.what} | {row.value} | {row.against} | {row.ratio} |", flush=True)


if __name__ == "__main__":
    main()
