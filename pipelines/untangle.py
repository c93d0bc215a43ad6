"""Untangle readings: erase a target, count the bits of targets, hold confounds apart.

python pipelines/untangle.py --dataset demo --encoder whisper-tiny --what erasure
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, get_args

import typer

from mess.encoders import encoder_slug
from mess.errors import UnknownName
from mess.experiments.rows import ProbingData, load_probing_data
from mess.experiments.untangling import (
    find_codelength,
    find_confounds,
    find_erasure,
    read_confounds,
)
from mess.records.base import Parts
from mess.records.discovery import ProbeSettings
from mess.records.untangled import (
    CodelengthRecord,
    ErasureRecord,
    Part,
    Untangled,
    UntangleSettings,
)
from mess.status.left_out import find_left_out
from mess.storage.store import Store
from mess.tracking.recording import start_run
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    JsonOption,
    concluded_without,
    encoder_or_default,
    run_script,
)
from pipelines.progress import progress
from pipelines.untangle_text import untangled_lines


def untangle(
    *,
    dataset: str,
    encoder: str,
    what: Sequence[Part] = get_args(Part),
    settings: UntangleSettings | None = None,
    store: Store | None = None,
    tracking: bool = True,
) -> list[Untangled]:
    """Run some of the experiments, record them, and write each to disk.

    Parameters
    ----------
    dataset, encoder : str
    what : sequence of str
        "erasure", "codelength", "confounds".
    settings : UntangleSettings, optional
    store : Store, optional
    tracking : bool
        Whether to record the run in MLflow.

    Returns
    -------
    list of records
        In the order of ``what``.

    Raises
    ------
    ArtifactError
        If features or targets are missing.
    """
    settings, store = settings or UntangleSettings(), store or Store()
    probing = ProbeSettings(folds=settings.folds, seed=settings.seed)
    data = load_probing_data(dataset, encoder, settings=probing, store=store, stated=True)
    inputs = {
        "features": store.features.manifest(dataset, encoder).parts(),
        "targets": store.targets.manifest(dataset).parts(),
    }
    tags = {
        "dataset": dataset,
        "encoder": data.features.header.encoder,
        "features": data.features.digest,
        "targets": data.targets_digest,
    }
    records: list[Untangled] = []
    name = f"untangle {dataset} {encoder}"
    without = find_left_out(store, dataset, encoder)
    with start_run(name, store=store, tags=tags, enabled=tracking, left_out=without) as run:
        run.params(vars(settings) | {"dataset": dataset, "encoder": encoder, "what": list(what)})
        for part in what:
            record = _find(
                part, data, dataset=dataset, settings=settings, inputs=inputs, store=store
            )
            store.untangled.write(dataset, encoder, record)
            run.metrics(_metrics(record))
            run.record(f"{encoder_slug(encoder)}.{part}.json", record.to_json())
            records.append(record)
    return records


def _find(
    part: Part,
    data: ProbingData,
    *,
    dataset: str,
    settings: UntangleSettings,
    inputs: dict[str, Parts],
    store: Store,
) -> Untangled:
    what = f"{part} {dataset} with {data.features.header.encoder}"
    how: dict[str, Any] = {"dataset": dataset, "settings": settings, "inputs": inputs}
    if part == "erasure":
        with progress(what, len(data.names), unit="targets") as shown:
            return find_erasure(data, on_target=shown.advance, **how)
    if part == "codelength":
        with progress(what, settings.orders, unit="orders") as shown:
            return find_codelength(data, on_order=shown.advance, **how)
    confounds = read_confounds(data, dataset=dataset, store=store)
    with progress(what, len(confounds), unit="confounds") as shown:
        return find_confounds(data, confounds, on_confound=shown.advance, **how)


def _metrics(record: Untangled) -> dict[str, float | None]:
    """Return the numbers of a record by name."""
    found: dict[str, float | None] = {}
    if isinstance(record, ErasureRecord):
        found |= {f"left_of/{one.target}": one.after for one in record.unseen}
        for one in record.losses:
            found[f"lost/{one.erased}/{one.target}"] = one.before - one.after
    elif isinstance(record, CodelengthRecord):
        for code in record.codes:
            found[f"bits/{code.target}"] = code.shortest
            found[f"bits_by_mean/{code.target}"] = code.mean
    else:
        for row in record.rows:
            found[f"apart_r2/{row.confound}/{row.target}"] = row.apart
            found[f"partial_r2/{row.confound}/{row.target}"] = row.partial
    return found


def parse_what(text: str) -> list[Part]:
    """Parse ``all``, or experiments with commas between.

    >>> parse_what("all") == list(get_args(Part))
    True

    Raises
    ------
    UnknownName
        If one is not known.
    """
    known: tuple[Part, ...] = get_args(Part)
    if text.strip() == "all":
        return list(known)
    wanted = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in wanted:
        if name not in known:
            raise UnknownName("experiment", name, (*known, "all"))
    return [part for part in known if part in wanted]


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    what: Annotated[
        str,
        typer.Option(
            help="erasure (what is left of all targets when one is erased), codelength (bits that "
            "a layer saves), confounds (R² with instrument, composer, register and loudness held "
            "apart); several with commas, or all."
        ),
    ] = "all",
    folds: Annotated[int, typer.Option(min=2, help="The number of folds, by work.")] = 10,
    layer: Annotated[
        int | None,
        typer.Option(min=0, help="Erase from this layer. [default: the best of each target]"),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="Random directions that are erased for comparison.")
    ] = 10,
    orders: Annotated[
        int, typer.Option(min=1, help="Orders of the works in which targets are coded.")
    ] = 4,
    seed: Annotated[int, typer.Option(min=0, help="The seed of all random numbers.")] = 0,
    as_json: JsonOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Ask what a reading is made of: erase it, count its bits, hold confounds apart."""
    name = encoder_or_default(encoder, dataset)
    records = untangle(
        dataset=dataset,
        encoder=name,
        what=parse_what(what),
        settings=UntangleSettings(folds=folds, seed=seed, layer=layer, draws=draws, orders=orders),
        tracking=mlflow,
    )
    if as_json:
        typer.echo(json.dumps([record.to_json() for record in records], indent=1))
    else:
        for line in (line for record in records for line in untangled_lines(record)):
            typer.echo(line)
    concluded_without(find_left_out(Store(), dataset, name))


if __name__ == "__main__":
    run_script(command)
