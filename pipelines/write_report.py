"""Write a report of a discovery: one HTML file that needs nothing else, and a methods section.

python pipelines/write_report.py --dataset demo --encoder spectral --out reports
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale, MessError
from mess.records.cross import CrossRecord
from mess.records.discovery import Level
from mess.records.dose import DoseRecord
from mess.records.evaluation import EvaluationRecord
from mess.records.factors import FactorsRecord
from mess.records.reliability import ReliabilityRecord
from mess.records.untangled import KINDS, Part, Untangled
from mess.reports.page import html, methods
from mess.status.staleness import (
    Sources,
    Verdict,
    attempt,
    judge_cross,
    judge_reliability,
    require,
)
from mess.storage.paths import command_for
from mess.storage.reports import report_names
from mess.storage.store import Store
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    LevelOption,
    encoder_or_default,
    run_script,
)
from pipelines.probing_options import checked_level

Read = TypeVar("Read")


def write_report(
    *,
    dataset: str,
    encoder: str,
    out: Path | None = None,
    level: str = "track",
    store: Store | None = None,
) -> list[Path]:
    """Write ``<dataset>-<encoder>.html`` and ``…-methods.md`` below ``out``.

    Without ``out`` they lie in the data root, where the dashboard links them. What else was
    measured is left out where it is missing; where it is damaged or stale, a line says so, too.

    Raises
    ------
    ArtifactError
        If there is no discovery, or it is damaged or stale.
    MessError
        If the folder cannot be written.
    """
    store = store or Store()
    out = out or store.reports.folder(dataset)
    rows: Level = checked_level(level)
    record = store.discoveries.read(dataset, encoder, level=rows)
    sources = Sources(store, dataset, encoder)
    require("discovery", record.origin, sources, level=rows)
    reliability = _if_usable(lambda: _reliability(store, dataset))
    evaluation = _if_usable(lambda: _evaluation(store, dataset, encoder, sources))
    factors = _if_usable(lambda: _factors(store, dataset, encoder, sources))
    cross = _if_usable(lambda: _cross(store, encoder))
    doses = _if_usable(lambda: _doses(store, dataset, encoder, sources))
    untangled = [
        _if_usable(partial(_untangled, store, dataset, encoder, part, sources)) for part in KINDS
    ]
    page = html(
        record,
        reliability=reliability,
        evaluation=evaluation,
        cross=cross,
        doses=doses,
        factors=factors,
        untangled=[one for one in untangled if one is not None],
    )
    text = methods(record, reliability=reliability, evaluation=evaluation)
    files = [out / name for name in report_names(dataset, encoder, level)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, content in zip(files, (page, text), strict=True):
            store.reports.write(path, content)
    except OSError as error:
        raise MessError(
            f"{out}: cannot be written ({error.strerror}); name another --out"
        ) from None
    return files


def _if_usable(read: Callable[[], Read]) -> Read | None:
    """Return what was read; None where it is missing, or where a line says why it is left out."""
    try:
        return read()
    except ArtifactMissing:
        return None
    except ArtifactError as error:
        typer.echo(f"left out of the report: {error}", err=True)
        return None


def _reliability(store: Store, dataset: str) -> ReliabilityRecord:
    record = store.reliability.read(dataset)
    verdict = judge_reliability(record, attempt(lambda: store.targets.manifest(dataset)))
    _refuse(
        verdict, f"the test of the targets of {dataset!r}", command_for("check-targets", dataset)
    )
    return record


def _evaluation(store: Store, dataset: str, encoder: str, sources: Sources) -> EvaluationRecord:
    record = store.evaluations.read(dataset, encoder)
    require("evaluation", record.origin, sources)
    return record


def _doses(store: Store, dataset: str, encoder: str, sources: Sources) -> DoseRecord:
    record = store.doses.read(dataset, encoder)
    require("doses", record.origin, sources)
    return record


def _factors(store: Store, dataset: str, encoder: str, sources: Sources) -> FactorsRecord:
    record = store.factors.read(dataset, encoder)
    require("factors", record.origin, sources)
    return record


def _cross(store: Store, encoder: str) -> CrossRecord:
    record = store.cross_tables.read(encoder)
    command = f"mess cross --encoder {encoder} --datasets {','.join(record.datasets)}"
    _refuse(judge_cross(store, encoder, record), "the cross table", command)
    return record


def _untangled(store: Store, dataset: str, encoder: str, part: Part, sources: Sources) -> Untangled:
    record = store.untangled.read(dataset, encoder, KINDS[part])
    require("untangled", record.origin, sources)
    return record


def _refuse(verdict: Verdict, what: str, command: str) -> None:
    if verdict:
        raise ArtifactStale(what, f"is stale ({verdict})", command)


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    level: LevelOption = "track",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the files. [default: reports/<dataset> in the data root]"),
    ] = None,
) -> None:
    """Write a self-contained HTML report and a methods section."""
    for path in write_report(
        dataset=dataset, encoder=encoder_or_default(encoder, dataset), level=level, out=out
    ):
        typer.echo(str(path))


if __name__ == "__main__":
    run_script(command)
