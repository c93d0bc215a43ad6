"""List the learned heads of the data root, and check each.

python pipelines/list_heads.py
"""

import json
from typing import Any

import typer

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, MessError
from mess.search.heads import read_head, unfit
from mess.storage.store import Store
from pipelines.options import INCOMPLETE, JsonOption, run_script


def describe_heads(store: Store) -> list[dict[str, Any]]:
    """Return every head as plain values: what it is, which indices rank by it, or its problem.

    Examples
    --------
    >>> describe_heads(Store("nowhere"))
    []
    """
    return [_describe(store, name) for name in store.heads.names()]


def _describe(store: Store, name: str) -> dict[str, Any]:
    try:
        head = read_head(store, name)
    except MessError as error:
        return {"name": name, "problem": str(error)}
    about = head.description
    found: dict[str, Any] = {
        "name": name,
        "factor": about.factor,
        "encoder": about.encoder,
        "layers": about.layers,
        "shapes": [list(shape) for shape in about.shapes],
        "licence": about.licence,
        "source": about.source,
        "indices": [],
    }
    for dataset, encoder in store.indices.available():
        if encoder_slug(encoder) != encoder_slug(about.encoder):
            continue
        try:
            reason = unfit(head, store.features.header(dataset, encoder))
            record = store.indices.read_record(dataset, encoder)
        except ArtifactError:
            continue  # `mess status` tells of it
        if reason:
            found["problem"] = f"heads/{name}: {reason}"
        elif any((one.name, one.digest) == (name, head.digest) for one in record.heads):
            found["indices"].append({"dataset": dataset, "encoder": encoder, "ranks": True})
        else:
            found["indices"].append({"dataset": dataset, "encoder": encoder, "ranks": False})
    return found


def head_lines(heads: list[dict[str, Any]], *, home: str) -> list[str]:
    """Return what a person reads of the heads, and what to do next."""
    if not heads:
        return [f"no learned head in {home}; docs/method.md, section 'Learned heads', shows one"]
    lines = []
    for head in heads:
        if "problem" in head:
            lines.append(f"{head['name']}: cannot be used: {head['problem']}")
            continue
        layers = ", ".join(map(str, head["layers"]))
        sizes = " → ".join(str(size) for _, size in head["shapes"][:1])
        sizes = " → ".join([sizes, *(str(size) for size, _ in head["shapes"])])
        lines.append(
            f"{head['name']}: {head['factor']}, from layers {layers} of {head['encoder']}, "
            f"{sizes}, licence {head['licence']}"
        )
        for one in head["indices"]:
            where = f"{one['dataset']} by {one['encoder']}"
            command = f"mess index --dataset {one['dataset']} --encoder {one['encoder']}"
            lines.append(
                f"    slider on {where}" if one["ranks"] else f"    not yet on {where}: `{command}`"
            )
        if not head["indices"]:
            lines.append(
                f"    no dataset has an index by {head['encoder']}: "
                f"`mess run-all --dataset DATASET --encoder {head['encoder']}`"
            )
    return lines


def command(as_json: JsonOption = False) -> None:
    """List the learned heads in the data root, check each, and say where it has a slider."""
    store = Store()
    heads = describe_heads(store)
    if as_json:
        typer.echo(json.dumps(heads, indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(head_lines(heads, home=str(store.heads.home))))
    if any("problem" in head for head in heads):
        raise typer.Exit(INCOMPLETE)


if __name__ == "__main__":
    run_script(command)
