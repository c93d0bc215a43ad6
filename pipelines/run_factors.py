"""Draw the factor table: render triplets that differ in one thing, and ask every similarity.

    python pipelines/run_factors.py --dataset demo --encoder whisper-tiny

The scores of the demo library are played in pairs (`mess.datasets.factor_music`), whatever the
dataset is: it decides which probes and lines are asked. The recordings lie in a temporary folder.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import typer

from mess.audio.decoding import decode
from mess.datasets import sheet_music
from mess.datasets.expressive_performance import random_stream
from mess.datasets.factor_music import (
    FACTORS,
    Material,
    Pair,
    corners,
    pair_up,
    play_corner,
    read_material,
)
from mess.datasets.rendering import (
    INSTRUMENTS,
    SAMPLE_RATE,
    level_gain,
    render,
    soundfont_path,
)
from mess.encoders import Encoder, load_encoder
from mess.encoders.pooling import describe_encoder, pool_segments
from mess.errors import MissingDependency
from mess.evaluation.factors import Distances, RowName, measure_pair, rows_of, triplets
from mess.new_recordings.encoding import EncodedRecording, check_same_encoder, project_recording
from mess.records.factors import FactorsRecord
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.storage.demo_library import write_flac
from mess.storage.factor_tables import rendered
from mess.storage.store import Store
from mess.tracking.recording import start_run
from mess.versions import FACTORS_VERSION
from pipelines.demo_recipe import RECIPE, RecipeRow, read_recipe
from pipelines.factors_text import print_factors
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    JsonOption,
    encoder_or_default,
    run_script,
)
from pipelines.processes import side_by_side
from pipelines.progress import progress

PAIRS = 24
_LOOKED_THROUGH = 100.0  # quarter notes in which there are enough sonorities
Result = TypeVar("Result")


def draw_factor_table(
    *,
    dataset: str,
    encoder: str,
    pairs: Sequence[Pair],
    seed: int = 0,
    workers: int | None = None,
    store: Store | None = None,
    tracking: bool = True,
) -> FactorsRecord:
    """Find out which similarity of an index follows which factor; write the table.

    Parameters
    ----------
    dataset, encoder : str
    pairs : sequence of Pair
        From `choose_pairs`.
    seed : int
        Decides the draws of pairs.
    workers : int, optional
        Processes that render; all cores by default.
    store : Store, optional
    tracking : bool
        Whether MLflow records it.

    Raises
    ------
    ArtifactError
        If the index or the discovery is missing or stale, or has no coordinates.
    MissingDependency
        If a package of the extra ``demo`` is not installed.
    """
    store = store or Store()
    recommender = LayerBasedRecommender(dataset, encoder, store=store)
    _ = recommender.projection  # raises where nothing places a recording
    model = load_encoder(encoder, dtype=recommender.made_by.dtype)
    check_same_encoder(describe_encoder(model), recommender.made_by)
    found: dict[RowName, list[Distances]] = {}
    with rendered() as folder, progress("factor table", len(pairs), unit="pairs") as shown:
        tasks = [(pair, folder / f"pair-{number}") for number, pair in enumerate(pairs)]
        for (pair, _), paths in zip(tasks, _in_order(_render, tasks, workers), strict=True):
            for row, distances in _ask(paths, model, recommender).items():
                found.setdefault(row, []).append(distances)
            for path in paths:
                path.unlink()
            shown.advance(pair.name)
    index = store.indices.read_record(dataset, encoder)
    record = FactorsRecord(
        dataset=dataset,
        encoder=index.encoder,
        index=index.fingerprint,
        heads=index.heads_digest,
        code_version=FACTORS_VERSION,
        seed=seed,
        pairs=[pair.name for pair in pairs],
        triplets=len(pairs) * len(triplets(FACTORS)[FACTORS[0]]),
        factors=list(FACTORS),
        rows=rows_of(
            {row: np.stack(of) for row, of in found.items() if len(of) == len(pairs)},
            FACTORS,
            heads={head.name: (head.factor, head.digest) for head in index.heads},
            seed=seed,
        ),
    )
    store.factors.write(dataset, encoder, record)
    tags = {"dataset": dataset, "encoder": index.encoder, "index": index.fingerprint}
    with start_run(f"factors {dataset} {encoder}", store=store, tags=tags, enabled=tracking) as run:
        run.params({"dataset": dataset, "encoder": encoder, "seed": seed, "pairs": len(pairs)})
        run.metrics(
            {
                f"factors/{row.kind}/{row.name}/{factor}": score.accuracy
                for row in record.rows
                for factor, score in row.scores.items()
            }
        )
        run.record("factors.json", record.to_json())
    return record


def choose_pairs(*, count: int, seed: int = 0, workers: int | None = None) -> list[Pair]:
    """Draw pairs of works of the demo library that differ in notes and rhythm, and instruments.

    Parameters
    ----------
    count : int
        Fewer are returned if the recipe has too few works.
    seed : int
    workers : int, optional
        Processes that read scores; all cores by default.

    Raises
    ------
    MissingDependency
        If a package of the extra ``demo`` is not installed.
    """
    _require_packages()
    rng = random_stream(seed, "factor pairs")
    by_work = {(row.composer, row.work): row for row in read_recipe(RECIPE)}
    rows = [list(by_work.values())[place] for place in rng.permutation(len(by_work))]
    found: list[tuple[Material, Material]] = []
    left: list[Material] = []
    while rows and len(found) < count:
        some, rows = rows[: 2 * (count - len(found))], rows[2 * (count - len(found)) :]
        pieces = _in_order(_read_piece, [(row,) for row in some], workers)
        found += pair_up((piece for piece in pieces if piece is not None), left=left)
    found = found[:count]
    instruments = list(INSTRUMENTS.values())
    pairs = []
    for first, second in found:
        one, other = rng.choice(instruments, size=2, replace=False).tolist()
        pairs.append(Pair(first, second, (one, other)))
    return pairs


def _in_order(
    function: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], workers: int | None
) -> Iterator[Result]:
    """Yield what a function returns of each task, in their order, by several processes."""
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        for task in tasks:
            yield function(*task)
        return
    with side_by_side(workers, again="mess factors") as pool:
        for one in [pool.submit(function, *task) for task in tasks]:
            yield one.result()


def _read_piece(row: RecipeRow) -> Material | None:
    score = sheet_music.read_score(sheet_music.corpus_path(row.score))
    passage = sheet_music.excerpt(score, start=row.start, quarters=_LOOKED_THROUGH)
    return read_material(passage, name=row.id)


def _render(pair: Pair, folder: Path) -> list[Path]:
    """Render the recordings of a pair; return their files in the order of the corners."""
    folder.mkdir()
    paths = []
    for corner in corners():
        samples = render(play_corner(pair, corner))
        samples *= np.float32(level_gain(samples))
        paths.append(folder / f"{corner:02d}.flac")
        write_flac(paths[-1], samples, sample_rate=SAMPLE_RATE)
    return paths


def _ask(
    paths: Sequence[Path], model: Encoder, recommender: LayerBasedRecommender
) -> dict[RowName, Distances]:
    """Return the distances between recordings by every similarity of an index."""
    encoded = []
    for path in paths:
        signal = decode(path, model.sample_rate)
        pooled = pool_segments(signal, model, moments=True)
        nothing = np.empty((0, model.layers, model.dim), dtype=np.float16)
        encoded.append(
            EncodedRecording(
                made_by=describe_encoder(model),
                duration=signal.duration,
                whole=np.concatenate([pooled.whole, pooled.whole_std], axis=1),
                segments=pooled.segments,
                measured={},  # no row asks for it
                moments=nothing if pooled.moments is None else pooled.moments,
            )
        )
    points = [project_recording(one, recommender) for one in encoded]
    return measure_pair(recommender, points, [one.states for one in encoded])


def _require_packages() -> None:
    """Say which package is missing before any work is done."""
    soundfont_path()
    for package in ("music21", "symusic"):
        try:
            version(package)
        except PackageNotFoundError:
            raise MissingDependency(package, "demo") from None


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    pairs: Annotated[
        int, typer.Option(min=1, help="Pairs of works; fewer than ten give no interval.")
    ] = PAIRS,
    seed: Annotated[int, typer.Option(min=0, help="Decides works and instruments.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. [default: all cores]", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Measure which slider, layer and learned head follows notes, rhythm, tempo, timbre, …"""
    encoder = encoder_or_default(encoder, dataset)
    LayerBasedRecommender(dataset, encoder)  # before any work: is there an index?
    record = draw_factor_table(
        dataset=dataset,
        encoder=encoder,
        pairs=choose_pairs(count=pairs, seed=seed, workers=workers),
        seed=seed,
        workers=workers,
        tracking=mlflow,
    )
    if as_json:
        typer.echo(json.dumps(record.to_json(), indent=1))
    else:
        print_factors(record)


if __name__ == "__main__":
    run_script(command)
