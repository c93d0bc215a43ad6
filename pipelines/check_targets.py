"""Test the targets: do two halves of a track agree, and do changes that keep the music matter?

python pipelines/check_targets.py --dataset demo
"""

import json
from typing import Annotated

import numpy as np
import typer

from mess.as_text import two_decimals
from mess.audio.decoding import decode
from mess.datasets import load_dataset
from mess.errors import MessError, told_of
from mess.probing.metrics import defined
from mess.records.reliability import ReliabilityRecord, TargetReliability
from mess.storage.store import Store
from mess.targets import TARGET_SAMPLE_RATE, TARGETS, compute_targets, targets_version
from mess.targets.invariance import SAME_MUSIC, measure_movements, movement_text
from mess.targets.reliability import (
    CHANGES,
    TRUSTED,
    concordance,
    measure_changed,
    measure_halves,
    split_half,
)
from pipelines.engine import audio_identity
from pipelines.options import DatasetOption, JsonOption, incomplete, run_script
from pipelines.progress import progress
from pipelines.targets_truth import compare_with_truth, held_out, print_truth, truth_of

TRACKS = 40
CHANGED_TRACKS = 4


def check_targets(
    *,
    dataset: str,
    tracks: int = TRACKS,
    changed_tracks: int = CHANGED_TRACKS,
    seed: int = 0,
    store: Store | None = None,
) -> tuple[ReliabilityRecord, dict[str, str]]:
    """Measure reliability and invariance on some tracks of a dataset, and write them to disk.

    Returns
    -------
    record : ReliabilityRecord
    left_out : dict of str to str
        The reason of each track that could not be read, by track.

    Raises
    ------
    MessError
        If less than three tracks can be read.
    """
    store = store or Store()
    recordings = list(load_dataset(dataset, root=store.audio_dir(dataset)))
    unseen = held_out(recordings)
    chosen = np.random.default_rng(seed).permutation(len(recordings))[:tracks]
    halves: list[tuple[dict[str, float], dict[str, float]]] = []
    plain: dict[str, dict[str, float]] = {}
    truths: dict[str, dict[str, float]] = {}
    changed: list[dict[str, dict[str, float]]] = []
    movements: dict[str, dict[str, dict[str, float | None]]] = {}
    audio: dict[str, str] = {}
    left_out: dict[str, str] = {}
    with progress(f"check targets of {dataset}", len(chosen)) as shown:
        for number in np.sort(chosen):
            track = recordings[number]
            try:
                signal = decode(track.path, TARGET_SAMPLE_RATE)
                found = compute_targets(signal).track, measure_halves(signal)
                after = measure_changed(track.path)
                if len(movements) < changed_tracks:
                    movements[track.id] = {
                        change: {name: defined(value) for name, value in row.items()}
                        for change, row in measure_movements(track.path).items()
                    }
                identity = audio_identity(track)
            except MessError as error:
                left_out[track.id] = told_of(track.path, error)
                shown.say(f"failed: {left_out[track.id]}")
            else:
                plain[track.id] = found[0]
                truths[track.id] = truth_of(track)
                halves.append(found[1])
                changed.append(after)
                audio[track.id] = identity.sha256
            shown.advance(track.id)
    if len(plain) < 3:
        other = f"; the first of the others: {next(iter(left_out.values()))}" if left_out else ""
        raise MessError(
            f"{dataset!r} has {len(plain)} tracks that can be read: 3 are needed{other}"
        )
    targets: dict[str, TargetReliability] = {}
    for name in TARGETS:
        before = np.array([one[name] for one in plain.values()])
        first, second = (np.array([pair[half][name] for pair in halves]) for half in range(2))
        halves_agree = defined(split_half(first, second))
        agreements = {
            change: defined(concordance(before, np.array([one[change][name] for one in changed])))
            for change in CHANGES
        }
        targets[name] = TargetReliability(
            split_half=halves_agree,
            changes=agreements,
            trusted=all(
                value is None or value >= TRUSTED for value in (halves_agree, *agreements.values())
            ),
        )
    record = ReliabilityRecord(
        dataset=dataset,
        code_version=targets_version(),
        audio=audio,
        tracks=len(plain),
        seed=seed,
        targets=targets,
        movements=movements,
        truth=compare_with_truth(
            plain, truths, unseen={one.id for one in recordings if one.work in unseen}
        ),
    )
    store.reliability.write(dataset, record)
    return record, left_out


def print_reliability(record: ReliabilityRecord) -> None:
    """Print a row for each target."""
    columns = ("split_half", *CHANGES)
    typer.echo(
        f"{record.dataset}: {record.tracks} tracks. Split-half reliability, and agreement "
        f"(concordance) after a change; ! marks a target that falls under {TRUSTED}"
    )
    typer.echo(f"{'target':<23}" + "".join(f"{name:>19}" for name in columns))
    for name, row in record.targets.items():
        values = [row.split_half, *(row.changes.get(change) for change in CHANGES)]
        cells = "".join(f"{two_decimals(value):>19}" for value in values)
        typer.echo(f"{name + ('' if row.trusted else ' !'):<23}{cells}")


def print_movements(record: ReliabilityRecord) -> None:
    """Print how far each target moves while the music does not: a row for each change."""
    movements = record.movements
    if not movements:
        return
    typer.echo(
        f"\n{len(movements)} tracks, digitised in other ways. The largest movement of each target, "
        "as a multiple of its tolerance;\n! is more than 1, ( ) has the reason below"
    )
    names = list(TARGETS)
    for number, name in enumerate(names, start=1):
        tolerance = TARGETS[name].tolerance.describe(TARGETS[name].unit)
        typer.echo(f"{number:>4} {name:<22}tolerance {tolerance}")
    typer.echo(f"{'change':<18}" + "".join(f"{number:>7}" for number in range(1, len(names) + 1)))
    for change in SAME_MUSIC:
        found = [[one[change.name][name] for one in movements.values()] for name in names]
        cells = (
            movement_text(values, excused=change.name in TARGETS[name].tolerance.reasons)
            for name, values in zip(names, found, strict=True)
        )
        typer.echo(f"{change.name:<18}" + "".join(f"{cell:>7}" for cell in cells))
    for reason in dict.fromkeys(
        r for one in TARGETS.values() for r in one.tolerance.reasons.values()
    ):
        numbers = [
            str(number)
            for number, one in enumerate(TARGETS.values(), start=1)
            if reason in one.tolerance.reasons.values()
        ]
        typer.echo(f"{', '.join(numbers)}: {reason}")


def command(
    dataset: DatasetOption,
    tracks: Annotated[
        int, typer.Option(min=3, help="The number of tracks, drawn at random.")
    ] = TRACKS,
    changed_tracks: Annotated[
        int,
        typer.Option(min=0, help="The number of these that are digitised in eighteen other ways."),
    ] = CHANGED_TRACKS,
    seed: Annotated[int, typer.Option(min=0, help="The seed by which the tracks are drawn.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Test the targets: reliability, invariance, and agreement with MIDI and known tempi."""
    record, left_out = check_targets(
        dataset=dataset, tracks=tracks, changed_tracks=changed_tracks, seed=seed
    )
    if as_json:
        typer.echo(json.dumps(record.to_json(), indent=1))
    else:
        print_reliability(record)
        print_movements(record)
        print_truth(record.truth)
    if left_out:
        raise incomplete(left_out, done=record.tracks)


if __name__ == "__main__":
    run_script(command)
