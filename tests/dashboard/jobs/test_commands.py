"""The forms of the sidebar say what the command line says."""

from typing import Any

import pytest
import typer

from dashboard.jobs.commands import PIPELINES, Option, Pipeline
from mess.errors import MessError
from pipelines.cli import COMMANDS, build_app

APP: Any = typer.main.get_command(build_app())


def test_every_pipeline_can_be_started_by_one_entry() -> None:
    assert len(PIPELINES) == len({pipeline.name for pipeline in PIPELINES})
    assert {pipeline.name for pipeline in PIPELINES} == set(COMMANDS) - {
        "recommend",
        "passages",
        "encode-uploads",
        "status",
        "encoders",
        "heads",
        "path",
        "serve",  # the dashboard serves the same addresses
        "watch",  # a job keeps the others of its dataset waiting until it ends, and this never ends
        "fetch",  # a person agrees to a licence at the terminal
    }


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda one: one.name)
def test_options_are_those_of_the_command(pipeline: Pipeline) -> None:
    by_flag = {
        flag: one
        for one in APP.commands[pipeline.name].params
        for flag in (*one.opts, *one.secondary_opts)
    }
    assert all(f"--{name}" in by_flag for name in pipeline.takes)
    for option in pipeline.options:
        found = by_flag[option.flag.lower()]
        if not option.required and option.default not in (None, "", False):
            assert str(found.default) == str(option.default), option
    words = pipeline.command("d", "e", {one.flag: filled(one) for one in pipeline.options})
    context = APP.commands[pipeline.name].make_context(pipeline.name, words[1:])  # it parses
    assert not context.args


def filled(option: Option) -> Any:
    """Return a value that is not the default."""
    if isinstance(option.default, bool):
        return True
    if isinstance(option.default, tuple):
        return ["one", "two"]
    if option.choices:
        return option.choices[-1]
    return option.least + 7 if isinstance(option.default, int | None) else "5"


def test_defaults_are_left_out_and_what_is_needed_is_asked_for() -> None:
    by_name = {pipeline.name: pipeline for pipeline in PIPELINES}
    assert by_name["probe"].command("demo", "spectral", {}) == [
        *("probe", "--dataset", "demo", "--encoder", "spectral")
    ]
    with pytest.raises(MessError, match="folder: is needed"):
        by_name["add"].command("demo", "spectral", {"NAME": "mine"})
    added = by_name["add"].command("demo", "spectral", {"NAME": "-x", "FOLDER": "/a b; rm"})
    assert added == ["add", "--", "-x", "/a b; rm"]
    assert by_name["add"].belongs_to("demo", {"NAME": "mine"}) == "mine"
    assert by_name["demo"].belongs_to("smd", {}) == "demo"
