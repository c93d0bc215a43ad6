"""Options that several commands share, and how a script reports an error."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from mess.errors import MessError
from pipelines.progress import write_status

DatasetOption = Annotated[
    str, typer.Option(help="demo, smd, maestro, or a folder below data/audio.", show_default=False)
]
EncoderOption = Annotated[
    str | None,
    typer.Option(
        help="A preset, a local folder, a hub id, or random:<one of these>. "
        "[default: mert-v1-95m; spectral for demo]",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int, typer.Option(min=1, help="Threads that read and measure tracks ahead.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Redo what is up to date.")]
LevelOption = Annotated[str, typer.Option(help="Probe whole tracks or 5 s segments.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WORKERS = max(1, min(4, os.cpu_count() or 1))
INTERRUPTED = 130


def encoder_or_default(encoder: str | None, dataset: str) -> str:
    """Return the encoder that is meant where none is named."""
    return encoder or ("spectral" if dataset == "demo" else "mert-v1-95m")


def run_app(app: Callable[..., Any]) -> None:
    """Run a command line: an error that the user can mend is one line and exit status 1."""
    signal.signal(signal.SIGTERM, _interrupt)  # a cancelled job stops as Ctrl-C does
    signal.signal(signal.SIGINT, _interrupt)  # a shell's background jobs are born ignoring it
    state, message = "failed", "it stopped without a word; the log has more"
    try:
        app()
    except MessError as error:
        message = str(error)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if not end.code:
            state, message = "done", ""
        elif end.code == INTERRUPTED:
            state, message = "cancelled", "what was finished is kept"
        else:
            state, message = "failed", "some tracks failed; the log names them"
        raise
    except KeyboardInterrupt:
        state, message = "cancelled", "what was finished is kept"
        sys.exit(interrupted().exit_code)
    finally:
        write_status(state=state, message=message)


def run_script(command: Callable[..., Any]) -> None:
    """Run one command as a script, with the flags that it has below ``mess``."""
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(command)
    run_app(app)


def interrupted() -> typer.Exit:
    """Say that what is done is kept."""
    print("stopped; the same command goes on from here", file=sys.stderr)
    return typer.Exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
