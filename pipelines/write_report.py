"""Write a report of a discovery: one HTML file that needs nothing else, and a methods section.

python pipelines/write_report.py --dataset demo --encoder spectral --out reports
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mess.errors import ArtifactMissing, MessError
from mess.reports.page import html, methods
from mess.storage.reports import report_names
from mess.storage.store import Store
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    LevelOption,
    encoder_or_default,
    run_script,
)
from pipelines.run_probing import checked_level


def write_report(
    *,
    dataset: str,
    encoder: str,
    out: Path | None = None,
    level: str = "track",
    store: Store | None = None,
) -> list[Path]:
    """Write ``<dataset>-<encoder>.html`` and ``…-methods.md`` below ``out``.

    Without ``out`` they lie in the data root, where the dashboard links them.

    Raises
    ------
    ArtifactError
        If there is no discovery; what else is missing is left out of the report.
    MessError
        If the folder cannot be written.
    """
    store = store or Store()
    out = out or store.reports.folder(dataset)
    record = store.discoveries.read(dataset, encoder, level=checked_level(level))
    reliability = _if_there(lambda: store.reliability.read(dataset))
    evaluation = _if_there(lambda: store.evaluations.read(dataset, encoder))
    cross = _if_there(lambda: store.cross_tables.read(encoder))
    page = html(record, reliability=reliability, evaluation=evaluation, cross=cross)
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


def _if_there(read: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return read()
    except ArtifactMissing:
        return None


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
