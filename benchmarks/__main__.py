"""Print the table that docs/speed.md quotes: ``python -m benchmarks [--only WORD]``."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks import plain
from benchmarks.searching import courses, passages, search, sliders
from benchmarks.workload import MERT_TFLOP_PER_MINUTE, RATE, Row, cost, music, seconds


def encoders(folder: Path) -> Iterator[Row]:
    """Seconds per minute of audio, decoding included."""
    import torch

    from mess.audio.decoding import decode
    from mess.encoders import load_encoder
    from mess.encoders.pooling import pool_segments

    path = folder / "minute.flac"
    soundfile.write(path, music(60), RATE)

    def encode(model: Any) -> None:
        pool_segments(decode(path, model.sample_rate), model, moments=True)

    spectral = load_encoder("spectral")
    ours = seconds(lambda: encode(spectral), runs=5)
    theirs = seconds(lambda: plain.librosa_pyramid(path))
    yield Row("spectral, 1 min of FLAC", f"{ours:.2f} s", "librosa", f"{theirs / ours:.1f} ×")

    mert = load_encoder("random:mert-v1-95m")
    ours = seconds(lambda: encode(mert))
    model = mert.model  # type: ignore[attr-defined]
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    theirs = seconds(lambda: plain.transformers_loop(path, model), runs=2)
    a = torch.randn(2048, 2048)
    gemm = 2 * 2048**3 / seconds(lambda: a @ a, runs=9) / 1e12
    torch.set_float32_matmul_precision(precision)
    yield Row(
        "MERT-95M shape, 1 min of FLAC", f"{ours:.1f} s", "transformers", f"{theirs / ours:.2f} ×"
    )
    yield Row(
        "… against the machine's float32 matrix product",
        f"{MERT_TFLOP_PER_MINUTE / ours:.3f} TFLOP/s",
        f"{gemm:.3f} TFLOP/s",
        f"{MERT_TFLOP_PER_MINUTE / ours / gemm:.0%}",
    )


def costs(folder: Path) -> Iterator[Row]:
    """Seconds per minute of audio of every preset: the figures in `mess.encoders.catalogue`."""
    from mess.audio.decoding import decode
    from mess.encoders import PRESETS, load_encoder
    from mess.encoders.pooling import pool_segments

    path = folder / "minute.flac"
    soundfile.write(path, music(60), RATE)
    for preset in PRESETS.values():
        # What is computed does not depend on the values of the weights.
        model = load_encoder(f"random:{preset.name}" if preset.config else preset.name)

        def encode(model: Any = model) -> None:
            pool_segments(decode(path, model.sample_rate), model, moments=True)

        # The least of some runs: what else the machine did is no cost of the encoder.
        spent = min(
            seconds(encode, runs=1, warm=not run) for run in range(5 if preset.cost < 3 else 2)
        )
        yield Row(
            f"{preset.name}, 1 min of FLAC, {preset.layers} × {preset.dim}",
            f"{spent:.2g} s" if spent < 10 else f"{spent:.1f} s",
            "the table of presets",
            f"{preset.cost:g} s",
        )


def targets(folder: Path) -> Iterator[Row]:
    """CPU seconds of the 15 targets for four minutes of audio."""
    from mess.audio.decoding import decode
    from mess.targets import TARGET_SAMPLE_RATE, compute_targets

    path = folder / "four-minutes.wav"
    soundfile.write(path, music(240), RATE)
    signal = decode(path, TARGET_SAMPLE_RATE)

    def cpu(work: Callable[[], object]) -> float:
        work()
        spent = []
        for _ in range(3):
            began = time.process_time()
            work()
            spent.append(time.process_time() - began)
        return statistics.median(spent)

    ours = cpu(lambda: compute_targets(signal))
    whole = cpu(lambda: compute_targets(decode(path, TARGET_SAMPLE_RATE)))
    theirs = cpu(lambda: plain.librosa_targets(path))
    yield Row("15 targets, 4 min (CPU)", f"{ours:.2f} s", "", "")
    yield Row(
        "15 targets, 4 min, decoding included (CPU)",
        f"{whole:.2f} s",
        "librosa",
        f"{theirs / whole:.1f} ×",
    )


def discovery(_: Path) -> Iterator[Row]:
    """All layers × targets × penalties × folds, against the scikit-learn loop."""
    from mess.probing.discovery import discover
    from mess.probing.results import DiscoverySettings
    from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath

    folds = 5
    rng = np.random.default_rng(0)
    for n, sampled in ((50, 120), (2_400, 6)):
        x = rng.standard_normal((n, 13, 768)).astype(np.float32)
        y = x[:, 4, :15] + rng.standard_normal((n, 15))
        groups = np.arange(n) * 25 // n
        cells = 13 * 15 * len(DEFAULT_ALPHAS)

        def grid(x: Any = x, y: Any = y, groups: Any = groups) -> None:
            fold = groups % folds
            for layer in range(13):
                wide = x[:, layer].astype(np.float64)
                for held_out in range(folds):
                    test = fold == held_out
                    RidgePath(wide[~test], y[~test]).predict(wide[test], alphas=DEFAULT_ALPHAS)

        ours = seconds(grid, runs=3 if n < 100 else 1, warm=n < 100)
        wide = x[:, 4].astype(np.float64)
        one = seconds(
            lambda wide=wide, y=y, groups=groups: plain.sklearn_cell(  # type: ignore[misc]
                wide, y[:, 0], groups, alpha=100.0, folds=folds
            ),
            runs=sampled,
        )
        yield Row(
            f"discovery grid, n = {n}: 13 × 15 × {len(DEFAULT_ALPHAS)} penalties × {folds} folds",
            f"{ours:.2f} s",
            f"scikit-learn, {sampled} cells timed of {cells}",
            f"{one * cells / ours:.0f} ×",
        )
        names = [f"t{number}" for number in range(15)]
        yield Row(
            f"the same with penalties nested, n = {n}",
            cost(
                lambda x=x, y=y, groups=groups, names=names: discover(  # type: ignore[misc]
                    x, y, groups, names=names, settings=DiscoverySettings(folds=folds)
                )
            ),
            "",
            "",
        )
        yield _whole_discovery(x, y, groups)


def large_discovery(_: Path) -> Iterator[Row]:
    """A whole discovery of 20,000 segments."""
    n = 20_000
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 13, 768), dtype=np.float32)
    y = x[:, 4, :15] + rng.standard_normal((n, 15))
    yield _whole_discovery(x, y, np.arange(n) // 80)


def _whole_discovery(x: Any, y: Any, groups: Any) -> Row:
    from mess.probing.discovery import discover
    from mess.probing.results import DiscoverySettings

    names, asked = [f"t{number}" for number in range(15)], DiscoverySettings(permutations=1000)
    spent = cost(lambda: discover(x, y, groups, names=names, settings=asked))
    works = len(np.unique(groups))
    what = f"discovery: 13 × 15, 10 folds, 1,000 shuffles and draws, n = {len(x)}, {works} works"
    return Row(what, spent, "", "")


def memory(folder: Path) -> Iterator[Row]:
    """Peak memory of extracting a 30-minute file."""
    audio = folder / "data" / "audio" / "long"
    audio.mkdir(parents=True)
    minute = music(60)
    with soundfile.SoundFile(audio / "long.flac", "w", RATE, 2) as sink:
        for _ in range(30):
            sink.write(minute)
    for encoder in ("spectral", "spectral,random:whisper-tiny", "random:mert-v1-95m"):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peak", encoder],
            env=os.environ | {"MESS_DATA": str(folder / "data")},
            capture_output=True,
            text=True,
            check=True,
        )
        wall, peak = done.stdout.split()[-2:]
        yield Row(
            f"extraction of a 30-minute file, {encoder}",
            f"{float(peak):.2f} GB peak, {float(wall):.0f} s",
            "",
            "",
        )


PARTS = {
    "encoders": encoders,
    "costs": costs,
    "targets": targets,
    "discovery": discovery,
    "large-discovery": large_discovery,
    "search": search,
    "sliders": sliders,
    "passages": passages,
    "courses": courses,
    "memory": memory,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    chosen = parser.parse_args().only or list(PARTS)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"ratio = time of the plain implementation ÷ ours\n"
    )
    print("| what | here | against | ratio |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            for row in PARTS[name](Path(folder)):
                print(f"| {row.what} | {row.value} | {row.against} | {row.ratio} |", flush=True)


if __name__ == "__main__":
    main()
