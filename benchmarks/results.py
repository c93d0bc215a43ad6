"""Write the figures of docs/: run each command and put what it prints between its markers.

    python -m benchmarks.results                  docs/results.md and docs/cli.md (some minutes)
    python -m benchmarks.results --speed          docs/speed.md (longer: the benchmarks run)

A block begins with ``<!-- figures: NAME -->`` and ends with ``<!-- end of NAME -->``. What stands
between is replaced by the command, the commit, the day, the machine, and what the command printed.
Nothing between the markers is written by hand.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_DEMO = ("--dataset", "demo")
_MESS = ("-m", "pipelines.cli")
PROGRESS = re.compile(r".*: \d+ of \d+, \d+ \S+/min, .* left")
# What a reader types, and what runs: the same command by the present interpreter.
COMMANDS: dict[str, tuple[str, Sequence[str]]] = {
    "probe": (
        "mess probe --dataset demo --encoder whisper-tiny",
        (*_MESS, "probe", *_DEMO, "--encoder", "whisper-tiny"),
    ),
    "evaluate": (
        "mess evaluate --dataset demo --encoder whisper-tiny",
        (*_MESS, "evaluate", *_DEMO, "--encoder", "whisper-tiny"),
    ),
    "evaluate-spectral": (
        "mess evaluate --dataset demo --encoder spectral",
        (*_MESS, "evaluate", *_DEMO, "--encoder", "spectral"),
    ),
    "factors": (
        "mess factors --dataset demo --encoder whisper-tiny",
        (*_MESS, "factors", *_DEMO, "--encoder", "whisper-tiny"),
    ),
    "dose": (
        "mess dose --dataset demo --encoder whisper-tiny",
        (*_MESS, "dose", *_DEMO, "--encoder", "whisper-tiny"),
    ),
    "compare": ("mess compare --dataset demo", (*_MESS, "compare", *_DEMO)),
    "untangle": (
        "mess untangle --dataset demo --encoder whisper-tiny",
        (*_MESS, "untangle", *_DEMO, "--encoder", "whisper-tiny"),
    ),
    "judge": (
        "mess judge plan --dataset demo --encoder whisper-tiny",
        (*_MESS, "judge", "plan", *_DEMO, "--encoder", "whisper-tiny"),
    ),
    "check-targets": ("mess check-targets --dataset demo", (*_MESS, "check-targets", *_DEMO)),
}
SPEED: dict[str, tuple[str, Sequence[str]]] = {
    "dashboard": ("make bench-dashboard", ("-m", "benchmarks.dashboard")),
    "serving": ("python -m benchmarks.serving", ("-m", "benchmarks.serving")),
    "benchmarks": (
        "python -m benchmarks --only discovery --only search",
        ("-m", "benchmarks", "--only", "discovery", "--only", "search"),
    ),
}


def fill(text: str, name: str, content: str) -> str:
    """Return a page with the block ``name`` replaced.

    >>> page = "<!-- figures: a -->\\nold\\n<!-- end of a -->\\n"
    >>> fill(page, "a", "new").splitlines()
    ['<!-- figures: a -->', 'new', '<!-- end of a -->']

    Raises
    ------
    ValueError
        If the page has no such block.
    """
    begin, end = f"<!-- figures: {name} -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no block {name!r}: add {begin} and {end}")
    return f"{before}{begin}\n{content.strip()}\n{end}{after}"


def origin() -> str:
    """Return commit, day and machine, in one line."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 (git of the user)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"commit {commit}, {day}, {os.cpu_count()} cores {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def run(shown: str, arguments: Sequence[str]) -> str:
    """Run a command and return its block: the command, where it ran, and what it printed."""
    print(f"{shown} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    lines = [line for line in lines if not PROGRESS.fullmatch(line)]
    printed = "\n".join(lines)
    if not any(line.startswith("|") for line in lines):  # a table is a table already
        printed = f"```\n{printed}\n```"
    return f"`{shown}` ({origin()})\n\n{printed}"


def describe_commands() -> str:
    """Return every command of ``mess`` with its options, from the command line itself."""
    import typer.main

    from pipelines.cli import build_app

    app = typer.main.get_command(build_app())
    parts = []
    for name, command in app.commands.items():  # type: ignore[attr-defined]
        parts.append(f"## mess {name}\n\n{_plain(command.help)}\n")
        rows = []
        for option in command.params:
            flags = ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts])
            default = option.default if isinstance(option.default, str | int | float) else ""
            rows.append(f"| {flags} | {_plain(getattr(option, 'help', None))} | {default} |")
        head = ["| option | meaning | default |", "| --- | --- | --- |"]
        parts.append("\n".join([*head, *rows]) + "\n")
    return "\n".join(parts)


def _plain(text: str | None) -> str:
    return (
        re.sub(r"\s+", " ", (text or "").partition("\f")[0])
        .strip()
        .replace("|", "\\|")
        .replace("<", "\\<")
    )


def write(page: str, blocks: dict[str, str]) -> None:
    """Replace blocks of a page of docs/."""
    path = DOCS / page
    text = path.read_text(encoding="utf-8")
    for name, content in blocks.items():
        text = fill(text, name, content)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Write the pages that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--speed", action="store_true", help="the benchmarks instead")
    parser.add_argument("--only", action="append", help="one block; may be given again")
    asked = parser.parse_args()
    commands = SPEED if asked.speed else COMMANDS
    page = "speed.md" if asked.speed else "results.md"
    for name, (shown, arguments) in commands.items():
        if asked.only is None or name in asked.only:
            write(page, {name: run(shown, arguments)})
    if not asked.speed and (asked.only is None or "commands" in asked.only):
        write("cli.md", {"commands": describe_commands()})


if __name__ == "__main__":
    main()
