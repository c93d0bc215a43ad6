"""The command line: ``mess STEP`` runs the pipeline of that name in ``pipelines/``.

`main` sets what happens on Ctrl-C before it imports anything that takes long.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

STOPPED = "stopped; the same command goes on from here"
INTERRUPTED = 130  # exit status

# Each module has a `command` with the flags of the step.
COMMANDS = {
    "demo": "pipelines.build_demo",
    "add": "pipelines.add_folder",
    "fetch": "pipelines.fetch",
    "extract": "pipelines.extract_features",
    "targets": "pipelines.compute_targets",
    "probe": "pipelines.run_probing",
    "index": "pipelines.build_indices",
    "evaluate": "pipelines.run_evaluation",
    "dose": "pipelines.run_dose",
    "factors": "pipelines.run_factors",
    "check-targets": "pipelines.check_targets",
    "untangle": "pipelines.untangle",
    "cross": "pipelines.cross_datasets",
    "map": "pipelines.make_map",
    "compare": "pipelines.compare_encoders",
    "report": "pipelines.write_report",
    "run-all": "pipelines.run_all",
    "watch": "pipelines.watch",
    "recommend": "pipelines.demo_recommendations",
    "passages": "pipelines.find_passages",
    "judge": "pipelines.judge",
    "path": "pipelines.find_path",
    "serve": "pipelines.serve",
    "encode-uploads": "pipelines.encode_uploads",
    "encoders": "pipelines.list_encoders",
    "heads": "pipelines.list_heads",
    "status": "pipelines.show_status",
}


def build_app(words: Sequence[str] = ()) -> "typer.Typer":
    """Return the command line.

    Parameters
    ----------
    words : sequence of str, optional
        What the user typed. If it begins with the name of a step, only this step is imported: all
        of them take seconds.
    """
    import typer

    app = typer.Typer(
        help="Hear what a music model knows.",
        pretty_exceptions_enable=False,
        no_args_is_help=True,
    )
    app.callback()(_nothing)  # without it, a single command would have no name
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        app.command(name)(import_module(COMMANDS[name]).command)
    return app


def _nothing() -> None:
    """Do nothing before a step."""


def main() -> None:
    """Run ``mess``."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_at_once)
    from pipelines.options import run_app

    run_app(build_app(sys.argv[1:]))


def _stop_at_once(_signal: int, _frame: object) -> None:
    """End the process. It still imports modules: nothing is written that could be lost."""
    os.write(2, f"{STOPPED}\n".encode())
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
