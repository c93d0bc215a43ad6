"""Measure extraction from files to features, beside the bare model and the device's own ceiling.

    python -m benchmarks.pipeline

Every row is a rate, its ratio to the bare model and its share of the rate of torch's own matrix
product. The bare model is that of transformers, on segments that lie in the memory of the device;
its states are thrown away. All runs use the shape of MERT-v1-95M with random weights.

On a processor that others share, wall time says little. So the rows of the processor are in seconds
of processor time per second of audio, the least of some runs. Threads that wait for each other
count as well: on a shared machine set OMP_NUM_THREADS=1. A row of a GPU is in wall time.
"""

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

from benchmarks.__main__ import MERT_TFLOP_PER_MINUTE, RATE, Row, music

ENCODER = "random:mert-v1-95m"
SEGMENT = 120_000  # samples
_CPU_FILES = (2, 10.0)  # how many, and their seconds
_ROUNDS, _PRODUCTS = 2, 5
_GPU_FILES = (96, 240.0)


def pipeline(folder: Path) -> Iterator[Row]:
    """Rates from files to features, on the processor and, where there is one, on a GPU."""
    import torch

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
    import torch

    from mess.audio.decoding import decode
    from mess.encoders import load_encoder

    paths, audio = write_files(folder, *_GPU_FILES)
    minutes, workers = audio / 60, os.cpu_count() or 1
    for threads in (1, workers):
        some = paths[: 2 * threads]
        with ThreadPoolExecutor(threads) as pool:
            spent = wall(lambda pool=pool, some=some: list(pool.map(_decode, some)))  # type: ignore[misc]
        rate = minutes * len(some) / len(paths) / spent
        yield Row(f"decoding and resampling, {threads} threads", f"{rate:.1f} min/s", "", "")
    name = torch.cuda.get_device_name(0)
    for dtype in ("float32", "bfloat16"):
        a = torch.randn(8192, 8192, device="cuda", dtype=getattr(torch, dtype))
        product = synchronous(lambda a=a: a @ a)  # type: ignore[misc]
        wall(product)
        ceiling = 2 * 8192**3 / min(wall(product) for _ in range(9)) / 1e12
        del a
        encoder: Any = load_encoder(ENCODER, device="cuda", dtype=dtype)
        signal = decode(paths[0], encoder.sample_rate)
        size = min(48, signal.samples.size // SEGMENT)
        segments = signal.samples[: size * SEGMENT].reshape(size, SEGMENT)
        segments = ((segments - signal.mean) / signal.std).astype(np.float32)
        there = torch.from_numpy(segments).to("cuda", getattr(torch, dtype))

        def bare(encoder: Any = encoder, there: Any = there) -> None:
            with torch.inference_mode():
                encoder.model(there, output_hidden_states=True)

        error = encoder.precision_error(segments[:4])
        of_size = size * 5 / 60
        run = synchronous(bare)
        fourier = of_size / min(wall(run) for _ in range(6))
        encoder.pool(segments, divisions=(1, 10))
        pooled = of_size / min(
            wall(lambda e=encoder, s=segments: e.pool(s, divisions=(1, 10))) for _ in range(6)
        )  # type: ignore[misc]
        batch = encoder._batches.size(SEGMENT)
        with_plain_convolutions(encoder.model)
        model = of_size / min(wall(run) for _ in range(6))
        del encoder, there
        torch.cuda.empty_cache()
        whole = minutes / min(
            wall(lambda dtype=dtype: extract(folder, device="cuda", dtype=dtype))  # type: ignore[misc]
            for _ in range(2)
        )

        def row(what: str, rate: float, model: float = model, ceiling: float = ceiling) -> Row:
            return Row(
                what,
                f"{rate:.1f} min/s",
                f"{rate / model:.2f} × the rate of the bare model",
                f"{rate * MERT_TFLOP_PER_MINUTE / ceiling:.0%} of {ceiling:.0f} TFLOP/s",
            )

        shown = "" if error is None else f", error of the pooled states {error:.1e}"
        yield row(f"{name}, {dtype}: the bare model, {size} segments", model)
        yield row("… with its long convolution by Fourier transforms", fourier)
        yield row(f"… pooled from host memory, batches of {batch}{shown}", pooled)
        yield row("… whole pipeline, FLAC to features, loading included", whole)


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
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| what | here | to the bare model | of the matrix product |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for row in pipeline(Path(folder)):
            print(f"| {row.what} | {row.value} | {row.against} | {row.ratio} |", flush=True)


if __name__ == "__main__":
    main()
