"""Compare the encoders of a dataset: scores, differences that hold, and costs.

    python pipelines/compare_encoders.py --dataset demo

Every probed encoder takes part. Any other is listed with the command that probes it.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import typer

from mess.as_text import interval, signed, two_decimals
from mess.encoders import encoder_slug
from mess.records.comparison import (
    ComparisonRecord,
    EncoderScores,
    MissingEncoder,
    TargetScore,
)
from mess.reports.encoder_comparison import compare_encoders, control_of, difference
from mess.status.left_out import find_left_out
from mess.storage.store import Store
from mess.tracking.recording import start_run
from pipelines.options import (
    DatasetOption,
    JsonOption,
    concluded_without,
    run_script,
    split_encoders,
)

_WIDTH = 100
_NAME = 21
_MARKS = {"beats": "+", "loses": "-", "not told apart": " "}


def compare_dataset(
    *,
    dataset: str,
    encoders: list[str] | None = None,
    store: Store | None = None,
    tracking: bool = True,
) -> ComparisonRecord:
    """Compare the encoders of a dataset, record the run, and write the comparison to disk.

    Returns
    -------
    ComparisonRecord
        See `mess.reports.encoder_comparison.compare_encoders`, which names the errors, too.
    """
    store = store or Store()
    record = compare_encoders(dataset, encoders=encoders, store=store)
    store.comparisons.write(dataset, record)
    tags = {"dataset": dataset, "targets": record.targets_fingerprint or ""}
    tags |= {f"features.{encoder_slug(one.name)}": one.features for one in record.encoders}
    with start_run(f"compare {dataset}", store=store, tags=tags, enabled=tracking) as run:
        names = ",".join(one.name for one in record.encoders)
        run.params(vars(record.settings) | {"dataset": dataset, "encoders": names})
        run.metrics(_metrics(record))
        run.record("comparison.json", record.to_json())
    return record


def _metrics(record: ComparisonRecord) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for one in record.encoders:
        slug = encoder_slug(one.name)
        found[f"mean_r2/{slug}"] = one.mean_r2
        found[f"seconds_per_minute/{slug}"] = one.seconds_per_minute
        found |= {f"nested_r2/{slug}/{target}": score.r2 for target, score in one.r2.items()}
    for pair in record.pairs:
        names = f"{encoder_slug(pair.a)}-{encoder_slug(pair.b)}"
        found[f"mean_difference/{names}"] = pair.mean.difference
        for verdict in ("beats", "loses"):
            count = sum(difference.verdict == verdict for difference in pair.targets.values())
            found[f"{verdict}/{names}"] = float(count)
    return found


# What is printed -----------------------------------------------------------------------------


def lines(record: ComparisonRecord) -> Iterator[str]:
    """Yield the comparison as text: scores, differences, what each encoder costs."""
    settings = record.settings
    yield (
        f"{record.dataset}: {record.n} {settings.level}s of {record.works} works, "
        f"{settings.folds} folds by {settings.group_by[0]}, pooling {settings.pooling}"
    )
    yield "R² of works never heard, by the layer that each training fold chooses, and the layers"
    yield "that may be the best"
    yield from _scores(record)
    yield from _differences(record)
    yield from _costs(record)


def _scores(record: ComparisonRecord) -> Iterator[str]:
    """Yield targets × encoders, as many encoders beside each other as fit."""
    names = {row.name for row in record.encoders}
    blocks: list[list[list[str]]] = []
    for row in record.encoders:
        if row.control_of not in names:
            column = _column(record, row)
            if not blocks or sum(len(one[0]) for one in [*blocks[-1], column]) + _NAME > _WIDTH:
                blocks.append([])
            blocks[-1].append(column)
    first = ["", "target", *record.targets, "mean"]
    for block in blocks:
        yield ""
        for place, name in enumerate(first):
            yield f"{name:<{_NAME}}{''.join(column[place] for column in block)}".rstrip()
    if any(row.control_of in names for row in record.encoders):
        yield "random: the same network with random weights; + the trained one beats it, - it loses"


def _column(record: ComparisonRecord, row: EncoderScores) -> list[str]:
    """Return one encoder's column, with that of its control where there is one."""
    control = control_of(record, row.name)
    pair = None if control is None else difference(record, row.name, control.name)
    head = f"  {'R²':>5} {'95 %':<15}{'layers':<8}"
    width = len(head) + (15 if control else 0)
    cells = [f"  {_shorter(row.name, width - 2):<{width - 2}}"]
    cells.append(head + (f"{'random':>6} {'gain':>7} " if control else ""))
    for target in record.targets:
        one = row.r2.get(target)
        if one is None:
            cells.append(f"  {'–':>5}".ljust(width))
            continue
        spread = interval(one.low, one.high)
        text = f"  {two_decimals(one.r2):>5} {spread:<15}{_layers(one):<8}"
        if control is not None and pair is not None:
            gain, beside = pair.targets.get(target), control.r2.get(target)
            text += f"{two_decimals(beside.r2 if beside else None):>6} "
            text += (
                "      – "
                if gain is None
                else f"{signed(gain.difference):>7}{_MARKS[gain.verdict]}"
            )
        cells.append(text.ljust(width))
    text = f"  {two_decimals(row.mean_r2):>5} {'':<15}{'':<8}"
    if control is not None and pair is not None:
        mark = _MARKS.get(pair.mean.verdict or "", " ")
        text += f"{two_decimals(control.mean_r2):>6} {signed(pair.mean.difference):>7}{mark}"
    cells.append(text.ljust(width))
    return cells


def _differences(record: ComparisonRecord) -> Iterator[str]:
    """Yield the difference of each two encoders. Controls stand beside their own in the table."""
    trained = {row.name for row in record.encoders if row.control_of is None}
    for pair in record.pairs:
        if not {pair.a, pair.b} <= trained:
            continue
        mean = pair.mean
        yield ""
        yield (
            f"{pair.a} minus {pair.b}: mean difference {signed(mean.difference)} "
            f"{interval(mean.low, mean.high)}: {mean.verdict} on the whole"
        )
        for verdict in ("beats", "loses", "not told apart"):
            found = [
                target if verdict == "not told apart" else f"{target} {signed(one.difference)}"
                for target, one in sorted(
                    pair.targets.items(), key=lambda item: -abs(item[1].difference)
                )
                if one.verdict == verdict
            ]
            label = f"  {verdict} on {len(found)}" + (": " if found else "")
            yield from _wrapped(label, found)
    if len(trained) > 1:
        yield ""
        yield "beats, loses: a paired bootstrap over works excludes 0, after Holm over the targets"


def _costs(record: ComparisonRecord) -> Iterator[str]:
    """Yield a line for each encoder, and for each that could join."""
    names = [row.name for row in record.encoders] + [one.name for one in record.missing]
    width = max(len(name) for name in names) + 2
    yield ""
    yield (
        f"{'encoder':<{width}}{'layers × dim':<14}{'trained on':<12}{'s/min':>6}{'disk':>10}  "
        f"{'faithful (plain)':<18}licence"
    )
    for row in record.encoders:
        faith = row.faithfulness
        said = "–"
        if faith is not None:
            said = f"{two_decimals(faith.probe)} ({two_decimals(faith.plain)})"
        rate = _rate(row.seconds_per_minute, row.cost)
        yield (
            f"{row.name:<{width}}{_shape(row):<14}{row.trained_on or '–':<12}"
            f"{rate:>6}{row.bytes / 1e6:>7.1f} MB  "
            f"{said:<18}{row.licence}"
        )
    for one in record.missing:
        yield (
            f"{one.name:<{width}}{_shape(one):<14}{one.trained_on or '–':<12}"
            f"{_rate(None, one.cost):>6}{'–':>10}  {one.state:<18}{one.licence}"
        ).rstrip()
    for state in ("not extracted", "not probed"):
        commands = [one.command for one in record.missing if one.state == state]
        if commands:
            yield f"{state}: `{commands[0]}`" + (", and so on" if len(commands) > 1 else "")
    yield "s/min: seconds of encoding a minute of audio, measured here (~ elsewhere, with decoding)"
    yield "faithful: Spearman of a slider's ranking and the true differences (best without probes)"


def _wrapped(label: str, words: list[str]) -> Iterator[str]:
    line = label
    for place, word in enumerate(words):
        piece = word + (", " if place < len(words) - 1 else "")
        if len(line) + len(piece) > _WIDTH and line.strip() and place:
            yield line.rstrip()
            line = "    "
        line += piece
    yield line


def _layers(one: TargetScore) -> str:
    """Return the layers that may be the best; "mean" where none predicts better than the mean."""
    return _ranges(one.layers) if one.beyond_mean else "mean"


def _ranges(layers: list[int]) -> str:
    """Return whole numbers with runs shortened.

    >>> _ranges([0, 2, 3, 4, 7])
    '0,2–4,7'
    """
    breaks = [place + 1 for place, (a, b) in enumerate(pairwise(layers)) if b != a + 1]
    runs = [layers[a:b] for a, b in pairwise([0, *breaks, len(layers)])]
    text = ",".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs if run)
    return _shorter(text, 7)


def _shape(row: EncoderScores | MissingEncoder) -> str:
    return f"{row.layers} × {row.dim}"


def _rate(measured: float | None, cost: float | None) -> str:
    """Return the cost of a minute of audio: measured here, else the usual cost."""
    value, about = (cost, "~") if measured is None else (measured, "")
    return "–" if value is None else f"{about}{value:.2g}" if value < 10 else f"{about}{value:.0f}"


def _shorter(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def command(
    dataset: DatasetOption,
    encoders: Annotated[
        str | None,
        typer.Option(
            help="Names with commas between. [default: all that were probed]", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Compare the encoders of a dataset: scores, differences that hold, cost."""
    names = None if encoders is None else split_encoders(encoders)
    record = compare_dataset(dataset=dataset, encoders=names, tracking=mlflow)
    if as_json:
        typer.echo(json.dumps(record.to_json(), indent=1))
    else:
        for line in lines(record):
            typer.echo(line)
    store = Store()
    concluded_without(*(find_left_out(store, dataset, one.name) for one in record.encoders))


if __name__ == "__main__":
    run_script(command)
