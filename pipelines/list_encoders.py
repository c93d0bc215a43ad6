"""List the named encoders: layers, training, licence, cost, and which can run here.

python pipelines/list_encoders.py
"""

import json

import typer

from mess.encoders import PRESETS, Preset, weights_at_hand
from mess.encoders.catalogue import COST_SOURCE
from mess.encoders.families import FAMILIES
from mess.encoders.native import NATIVE
from pipelines.options import JsonOption, run_script

_COLUMNS = (
    "encoder",
    "trained on",
    "layers × dim",
    "rate",
    "s / min",
    "licence",
    "weights",
    "revision",
)


def encoder_table() -> str:
    """Return the presets as a Markdown table."""
    rows = [_COLUMNS, *(_row(preset) for preset in PRESETS.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def _row(preset: Preset) -> tuple[str, ...]:
    return (
        preset.name,
        "–" if preset.trained_on == "none" else preset.trained_on,
        f"{preset.layers} × {preset.dim}",
        f"{preset.sample_rate / 1000:g} kHz",
        f"{preset.cost:g}",
        preset.licence,
        preset.hub_id or "–",
        preset.revision[:12] or "–",
    )


def describe(preset: Preset) -> dict[str, str | int | float | bool]:
    """Return a preset as plain values; ``here`` says that it runs without a download."""
    return {
        "name": preset.name,
        "trained_on": preset.trained_on,
        "layers": preset.layers,
        "dim": preset.dim,
        "sample_rate": preset.sample_rate,
        "seconds_per_minute": preset.cost,
        "licence": preset.licence,
        "hub_id": preset.hub_id,
        "revision": preset.revision,
        "note": preset.note,
        "package": preset.package,
        "here": weights_at_hand(preset.name),
    }


def command(as_json: JsonOption = False) -> None:
    """List the named encoders: layers, training, licence, cost, and which can run here."""
    if as_json:
        found = [describe(preset) for preset in PRESETS.values()]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    typer.echo(encoder_table())
    typer.echo(f"\ns / min: seconds of computation per minute of audio, by {COST_SOURCE}.")
    for preset in PRESETS.values():
        if preset.package:
            typer.echo(f"{preset.name} is of the package {preset.package}; the cost is its own.")
    families = ", ".join(dict.fromkeys([*FAMILIES, *NATIVE]))
    typer.echo(f"By folder or hub id: {families}, and any other audio encoder of transformers.")
    here = ", ".join(name for name in PRESETS if weights_at_hand(name))
    typer.echo(f"Without a download, this machine runs: {here}.")


if __name__ == "__main__":
    run_script(command)
