"""The command line: ``mess STEP``, one command per pipeline; each lives in ``pipelines/``."""

from importlib import import_module

import typer

# Each module has a `command` with the flags of the step.
COMMANDS = {
    "demo": "pipelines.build_demo",
    "add": "pipelines.add_folder",
    "extract": "pipelines.extract_features",
    "targets": "pipelines.compute_targets",
    "probe": "pipelines.run_probing",
    "index": "pipelines.build_indices",
    "evaluate": "pipelines.run_evaluation",
    "check-targets": "pipelines.check_targets",
    "cross": "pipelines.cross_datasets",
    "map": "pipelines.make_map",
    "compare": "pipelines.compare_encoders",
    "report": "pipelines.write_report",
    "run-all": "pipelines.run_all",
    "recommend": "pipelines.demo_recommendations",
    "passages": "pipelines.find_passages",
    "encode-uploads": "pipelines.encode_uploads",
    "encoders": "pipelines.list_encoders",
    "status": "pipelines.show_status",
}


def build_app() -> typer.Typer:
    """Return the command line with every step."""
    app = typer.Typer(
        help="Hear what a music model knows.",
        pretty_exceptions_enable=False,
        no_args_is_help=True,
    )
    for name, module in COMMANDS.items():
        app.command(name)(import_module(module).command)
    return app


def main() -> None:
    """Run ``mess``."""
    from pipelines.options import run_app

    run_app(build_app())


if __name__ == "__main__":
    main()
