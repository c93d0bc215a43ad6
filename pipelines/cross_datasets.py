"""Fit probes on one dataset and test them on another.

python pipelines/cross_datasets.py --encoder spectral --datasets demo,smd
"""

import json
from itertools import permutations
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mess.audio.fingerprint import find_copies, join_works
from mess.errors import MessError
from mess.experiments.rows import ProbingData, load_probing_data, read_marks
from mess.probing.controls import fit_elsewhere
from mess.records.cross import CrossInputs, CrossRecord, CrossScore
from mess.records.discovery import ProbeSettings
from mess.status.left_out import find_left_out
from mess.storage.store import Store
from mess.versions import CROSS_VERSION
from pipelines.options import JsonOption, concluded_without, run_script


def cross_datasets(*, encoder: str, datasets: list[str], store: Store | None = None) -> CrossRecord:
    """Test the probes of each dataset on each other one, and write the table to disk.

    Returns
    -------
    CrossRecord

    Raises
    ------
    MessError
        If there are fewer than two datasets.
    ArtifactError
        If features or targets of one are missing.
    """
    store = store or Store()
    datasets = list(dict.fromkeys(datasets))
    if len(datasets) < 2:
        raise MessError("name two datasets or more: --datasets demo,smd")
    settings = ProbeSettings()
    loaded: dict[str, ProbingData] = {
        name: load_probing_data(name, encoder, settings=settings, store=store) for name in datasets
    }
    rows: list[CrossScore] = []
    left_out: dict[str, int] = {}
    for train, test in permutations(datasets, 2):
        a, b = loaded[train], loaded[test]
        if a.features.values.shape[1:] != b.features.values.shape[1:]:
            raise MessError(
                f"{train!r} and {test!r} were extracted by encoders of different shapes: "
                f"extract both with {encoder!r}"
            )
        names = [name for name in a.names if name in b.names]
        new = _not_in(a, b, train=train, test=test, store=store)
        if not new.all():
            left_out[f"{train} → {test}"] = int((~new).sum())
        found = fit_elsewhere(
            a.features.values,
            a.targets[:, [a.names.index(name) for name in names]],
            a.works,
            test_features=b.features.values[new],
            test_targets=b.targets[new][:, [b.names.index(name) for name in names]],
            names=names,
        )
        rows += [
            CrossScore(
                train=train,
                test=test,
                target=one.target,
                layer=one.layer,
                r2=one.r2,
                spearman=one.spearman,
            )
            for one in found
        ]
    record = CrossRecord(
        encoder=encoder,
        code_version=CROSS_VERSION,
        datasets=datasets,
        inputs={
            name: CrossInputs(
                features=data.features.digest,
                targets=data.targets_digest,
            )
            for name, data in loaded.items()
        },
        left_out=left_out,
        rows=rows,
    )
    store.cross_tables.write(encoder, record)
    return record


def _not_in(
    a: ProbingData, b: ProbingData, *, train: str, test: str, store: Store
) -> NDArray[np.bool_]:
    """Tell which rows of ``b`` are of no work that ``a`` has a copy of [shape=(n of b,)]."""
    works = [(train, work) for work in a.works] + [(test, work) for work in b.works]
    marks = read_marks(a.features.tracks, dataset=train, store=store)
    marks += read_marks(b.features.tracks, dataset=test, store=store)
    copies = find_copies(marks)
    joined = join_works(works, copies)[len(a.works) :]
    return np.array([dataset == test for dataset, _ in joined])


def print_cross(record: CrossRecord) -> None:
    """Print R² and Spearman of every target, a column for each pair of datasets."""
    pairs = list(dict.fromkeys((row.train, row.test) for row in record.rows))
    by_place = {(one.train, one.test, one.target): one for one in record.rows}
    typer.echo(f"{record.encoder}: R² (Spearman) of probes fitted on one dataset, on another")
    for between, count in record.left_out.items():
        typer.echo(
            f"{between}: {count} tracks left out, copies of what was trained on or their works"
        )
    typer.echo(f"{'target':<21}" + "".join(f"{f'{a} → {b}':>24}" for a, b in pairs))
    for target in dict.fromkeys(row.target for row in record.rows):
        cells = []
        for pair in pairs:
            row = by_place.get((*pair, target))
            if row is None:
                cells.append("–")
                continue
            rank = "–" if row.spearman is None else f"{row.spearman:.2f}"
            cells.append(f"{'–' if row.r2 is None else f'{row.r2:.2f}'} ({rank})")
        typer.echo(f"{target:<21}" + "".join(f"{cell:>24}" for cell in cells))


def command(
    encoder: Annotated[str, typer.Option(help="The encoder that extracted all of them.")],
    datasets: Annotated[str, typer.Option(help="Two or more datasets: demo,smd.")],
    as_json: JsonOption = False,
) -> None:
    """Fit probes on one dataset, test them on another."""
    names = [name.strip() for name in datasets.split(",") if name.strip()]
    record = cross_datasets(encoder=encoder, datasets=names)
    if as_json:
        typer.echo(json.dumps(record.to_json(), indent=1))
    else:
        print_cross(record)
    concluded_without(*(find_left_out(Store(), one, encoder) for one in names))


if __name__ == "__main__":
    run_script(command)
