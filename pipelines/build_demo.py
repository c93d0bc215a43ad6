"""Build the demo library: read scores, perform them, write MIDI, FLAC and a table.

python pipelines/build_demo.py --workers 2

The recipe (``data/demo/recipe.csv``) lists the scores. `mess.datasets` reads, performs and renders
them. A recording is left as it is if the same recipe, seed and code made its files. So an
interrupted build continues where it stopped.
"""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mess.datasets import expressive_performance, rendering, sheet_music
from mess.datasets.base import Dataset
from mess.datasets.demo import describe_demo, load_demo
from mess.datasets.expressive_performance import Interpretation, Performance, random_stream
from mess.datasets.rendering import INSTRUMENTS, SAMPLE_RATE, TAIL_SECONDS
from mess.errors import MessError, MissingDependency, UnknownName
from mess.records.demo import DemoRecord
from mess.storage.demo_library import COMMAND, DemoLibraryFiles, write_flac, write_midi
from pipelines.demo_recipe import RECIPE, RecipeRow, read_recipe
from pipelines.options import incomplete, run_script
from pipelines.processes import side_by_side
from pipelines.progress import Progress, progress

SHORTEST, LONGEST = 18.0, 60.0  # seconds of an excerpt
SHORTEST_WHOLE, LONGEST_WHOLE = 180.0, 216.0  # seconds of a whole movement
_MARGIN = 1.05  # by which rubato and ritardando may change how long a movement lasts
_TEMPO_FACTORS = (0.77, 1.3)

OnProgress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class _Job:
    """What one process does with one score."""

    row: RecipeRow
    seed: int
    root: Path
    track_ids: tuple[str, ...]


def build_demo(
    *,
    root: Path,
    seed: int = 0,
    workers: int | None = None,
    limit: int | None = None,
    only: Collection[str] | None = None,
    on_progress: OnProgress | None = None,
    failed: dict[str, str] | None = None,
) -> Dataset:
    """Build the demo library, or what is missing of it.

    Parameters
    ----------
    root : Path
        Folder of the recordings and of ``demo.csv``.
    seed : int
        Decides every performance; the same seed gives the same MIDI files, byte for byte.
    workers : int, optional
        Processes; all cores by default.
    limit : int, optional
        Only the first scores of the recipe.
    only : collection of str, optional
        Only the scores of the recipe with these ids, in its order.
    on_progress : callable, optional
        Called with (done, total, track id), first with done = 0 and no id.
    failed : dict of str to str, optional
        Gets the reason of each score that could not be performed. Without it, such a score is an
        error.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownName
        If ``only`` names a score that the recipe does not have.
    MissingDependency
        If a package of the extra ``demo`` is not installed.
    MessError
        If no score could be performed, or, without ``failed``, not all. All others were, and
        building again goes on.
    """
    report = on_progress or (lambda _done, _total, _name: None)
    rows = read_recipe(RECIPE)
    for name in only or ():
        if name not in {row.id for row in rows}:
            raise UnknownName("score of the recipe", name, [row.id for row in rows])
    rows = [row for row in rows if only is None or row.id in only][:limit]
    jobs = [job for row in rows if (job := _job(row, seed, root)).track_ids]
    total = sum(len(job.track_ids) for job in jobs)
    report(0, total, "")
    unperformed: dict[str, str] = {}
    if jobs:
        _require_packages()
        DemoLibraryFiles(root).drop_table()  # it would describe files that change from here on
        done = 0
        for job, error in _run(jobs, workers or os.cpu_count() or 1):
            if error:
                unperformed[job.row.id] = error
            for track_id in job.track_ids:
                done += 1
                report(done, total, track_id)
    ids = [track_id for row in rows for track_id, _, _ in row.recordings]
    made = [
        record
        for track_id in ids
        if (record := DemoLibraryFiles(root).read_record(track_id)) is not None
    ]
    if unperformed and len(made) < len(ids):
        if failed is None or not made:
            reasons = "\n  ".join(unperformed.values())
            raise MessError(f"{len(unperformed)} scores could not be performed:\n  {reasons}")
        failed.update(unperformed)
    DemoLibraryFiles(root).write_rows([record.row for record in made])
    return load_demo(root)


def build_demo_shown(
    *,
    root: Path,
    failed: dict[str, str],
    seed: int = 0,
    workers: int | None = None,
    limit: int | None = None,
) -> Dataset:
    """Do `build_demo` with a progress bar, if there is anything to do."""
    with ExitStack() as stack:
        shown: list[Progress] = []

        def report(_done: int, total: int, name: str) -> None:
            if name:
                shown[0].advance(name)
            elif total:
                shown.append(stack.enter_context(progress("build demo", total)))

        return build_demo(
            root=root, seed=seed, workers=workers, limit=limit, on_progress=report, failed=failed
        )


def _run(jobs: list[_Job], workers: int) -> Iterator[tuple[_Job, str]]:
    """Do all jobs; yield each with its error, if any."""
    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            yield job, _perform_score(job)
        return
    with side_by_side(min(workers, len(jobs)), again=COMMAND) as pool:
        futures = {pool.submit(_perform_score, job): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _perform_score(job: _Job) -> str:
    """Make the recordings of one score; return what went wrong, or nothing."""
    try:
        score = sheet_music.read_score(sheet_music.corpus_path(job.row.score))
        for track_id, base, change in job.row.recordings:
            if track_id in job.track_ids:
                _perform_track(job, score, track_id, base=base, change=change)
    except MessError as error:
        return f"{job.row.id}: {error}"
    return ""


def _perform_track(
    job: _Job, score: sheet_music.Excerpt, track_id: str, *, base: str, change: str
) -> None:
    row, seed, root = job.row, job.seed, job.root
    slowest, fastest = 0.0, np.inf
    if row.whole:
        slowest = 60 * score.quarters / LONGEST_WHOLE * _MARGIN
        fastest = 60 * score.quarters / SHORTEST_WHOLE / _MARGIN
    plan = expressive_performance.draw_interpretation(
        random_stream(seed, base, "interpretation"),
        base_tempo=row.tempo,
        tempo_bounds=(slowest, fastest),
        program=INSTRUMENTS[row.instrument],
    )
    quarters = score.quarters if row.whole else row.seconds * plan.tempo / 60
    passage = sheet_music.excerpt(score, start=row.start, quarters=quarters)
    played = expressive_performance.perform(passage, plan, seed=seed, name=base)
    value = ""
    if change:
        factor = _tempo_factor(played, random_stream(seed, base, "tempo factor"))
        plan, number = expressive_performance.with_change(
            plan,
            change,  # type: ignore[arg-type]
            tempo_factor=factor,
            program=INSTRUMENTS[row.other_instrument],
        )
        value = row.other_instrument if change == "instrument" else f"{number:g}"
        played = expressive_performance.perform(passage, plan, seed=seed, name=base)
    shortest, longest = (SHORTEST_WHOLE, LONGEST_WHOLE) if row.whole else (SHORTEST, LONGEST)
    if not shortest + 0.1 < played.end + TAIL_SECONDS < longest - 0.1:
        raise MessError(f"{track_id} would last {played.end:.0f} s: correct the recipe")
    audio, midi = root / f"{track_id}.flac", root / f"{track_id}.mid"
    write_midi(midi, rendering.midi_bytes(played, name=track_id))
    samples = rendering.render(played)
    gain = rendering.level_gain(samples)
    samples *= np.float32(gain)
    write_flac(audio, samples, sample_rate=rendering.SAMPLE_RATE)
    entry = {
        "id": track_id,
        **{key: getattr(row, key) for key in ("composer", "work", "title", "movement")},
        "duration": round(samples.size / SAMPLE_RATE, 3),
        "audio": audio.name,
        "midi": midi.name,
        "variant_of": base if change else "",
        "changed": change,
        "change_value": value,
        "instrument": _instrument_name(plan.program),
        "gain_db": f"{20 * np.log10(gain):.6g}",
        **_measured(passage, played),
        **{key: f"{number:.6g}" for key, number in _numbers(plan).items()},
        "quarters": round(passage.quarters, 3),
        "seed": seed,
        **{key: getattr(row, key) for key in ("start", "score", "licence")},
    }
    record = DemoRecord(
        fingerprint=_digest(row, seed),
        sha256={path.name: _sha256(path) for path in (audio, midi)},
        row={key: str(cell) for key, cell in entry.items()},
    )
    DemoLibraryFiles(root).write_record(track_id, record)


def _tempo_factor(played: Performance, rng: np.random.Generator) -> float:
    """Return how much faster or slower a variant is, within the library's limits of duration."""
    seconds = played.end
    fitting = [
        factor
        for factor in _TEMPO_FACTORS
        if SHORTEST + 0.5 < seconds / factor + TAIL_SECONDS < LONGEST - 0.5
    ]
    if not fitting:
        raise MessError(f"{seconds:.0f} s can neither be shortened nor lengthened: see the recipe")
    return float(rng.choice(fitting))


def _measured(passage: sheet_music.Excerpt, played: Performance) -> dict[str, str]:
    """Return what holds for the notes as played: the truth that audio features are held to."""
    ticks = np.rint(passage.barlines[-1:] * expressive_performance.TICKS_PER_QUARTER).astype(
        np.int64
    )
    end = float(played.seconds(ticks)[0])
    return {
        "mean_tempo": f"{60 * passage.quarters / end:.6g}",
        "mean_velocity": f"{played.velocity.mean():.6g}",
        "velocity_deviation": f"{played.velocity.std():.6g}",
        "notes": str(played.pitch.size),
    }


def _numbers(plan: Interpretation) -> dict[str, float]:
    return {key: number for key, number in asdict(plan).items() if key != "program"}


def _instrument_name(program: int) -> str:
    return next(name for name, number in INSTRUMENTS.items() if number == program)


def _job(row: RecipeRow, seed: int, root: Path) -> _Job:
    """Return what is missing of a score's recordings."""
    expected = _digest(row, seed)
    missing = [
        track_id
        for track_id, _, _ in row.recordings
        if not _is_made(root, DemoLibraryFiles(root).read_record(track_id), expected)
    ]
    return _Job(row, seed, root, tuple(missing))


def _is_made(root: Path, record: DemoRecord | None, expected: str) -> bool:
    try:
        return (
            record is not None
            and record.fingerprint == expected
            and all(_sha256(root / name) == value for name, value in record.sha256.items())
        )
    except OSError:
        return False


def _digest(row: RecipeRow, seed: int) -> str:
    """Return what decides a recording: its row of the recipe, the seed and the code."""
    content = json.dumps([asdict(row), seed, _code_version()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@cache
def _code_version() -> str:
    """Return a hash of the modules and the versions of the packages that make a recording."""
    digest = hashlib.sha256()
    for source in (
        sheet_music.__file__,
        expressive_performance.__file__,
        rendering.__file__,
        __file__,
    ):
        digest.update(Path(str(source)).read_bytes())
    for package in ("music21", "symusic", "pretty_midi"):
        try:
            digest.update(f"{package} {version(package)}".encode())
        except PackageNotFoundError:
            digest.update(package.encode())
    return digest.hexdigest()


def _require_packages() -> None:
    """Say which package is missing before any work is done."""
    rendering.soundfont_path()
    for package in ("music21", "symusic"):
        try:
            version(package)
        except PackageNotFoundError:
            raise MissingDependency(package, "demo") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def command(
    seed: Annotated[int, typer.Option(help="Decides every performance.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. [default: all cores]", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first scores.", show_default=False)
    ] = None,
) -> None:
    """Build the demo library, or what is missing of it."""
    from mess.storage.store import Store  # the processes that perform do not need it

    root = Store().audio_dir("demo")
    failed: dict[str, str] = {}
    library = build_demo_shown(root=root, failed=failed, seed=seed, workers=workers, limit=limit)
    typer.echo(f"dataset 'demo' in {root}: {describe_demo(library)}")
    if failed:
        raise incomplete(failed, done=len(library))


if __name__ == "__main__":
    run_script(command)
