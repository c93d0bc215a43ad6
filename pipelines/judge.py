"""Ask people blind what the methods of search disagree about, and analyse their answers.

    python pipelines/judge.py plan --dataset demo --encoder spectral
    python pipelines/judge.py analyse --dataset demo --encoder spectral

The page "Listen and judge" asks the questions of the newest plan.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from mess.errors import MessError, UnknownName
from mess.listening.agreement import ListeningResult, analyse
from mess.listening.planning import ITEMS, NotAsked, make_plan
from mess.records.listening import ListeningPlan
from mess.storage.listening import Merged
from mess.storage.store import Store
from pipelines.judge_text import print_merged, print_plan, print_result
from pipelines.options import (
    INCOMPLETE,
    EncoderOption,
    JsonOption,
    encoder_or_default,
    run_script,
)

Action = Literal["plan", "export", "import", "analyse"]


def plan_listening(
    *,
    dataset: str,
    encoder: str,
    aspects: list[str] | None = None,
    items: int = ITEMS,
    seed: int = 0,
    store: Store | None = None,
) -> tuple[ListeningPlan, list[NotAsked]]:
    """Choose what listeners are asked, and keep the plan.

    Returns
    -------
    ListeningPlan
        The one that is kept; the same inputs give the same plan.
    list of NotAsked

    Raises
    ------
    MessError
        As `mess.listening.planning.make_plan`.
    """
    store = store or Store()
    plan, left_out = make_plan(
        store,
        dataset,
        encoder,
        aspects=aspects or (),
        items=items,
        seed=seed,
        progress=lambda name: typer.echo(f"choosing triplets of {name} …", err=True),
    )
    store.listening.add(plan)
    return store.listening.plan(plan.id) or plan, left_out


def analyse_listening(
    *, dataset: str, encoder: str, seed: int = 0, store: Store | None = None
) -> ListeningResult:
    """Analyse the answers about a dataset and an encoder.

    Raises
    ------
    MessError
        If there are none.
    """
    store = store or Store()
    answers = store.listening.answers(dataset, encoder)
    if not answers:
        raise MessError(
            f"{dataset} by {encoder}: nobody has listened yet; open the page Listen and judge, or "
            "import answers: `mess judge import FILE`"
        )
    return analyse(answers, dataset=dataset, encoder=encoder, seed=seed)


def command(
    action: Annotated[
        str,
        typer.Argument(
            help="plan: choose what is asked. export: write all answers. import: merge those of "
            "other machines. analyse: agreement of methods and listeners."
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Of import: what other machines exported, or their answers.sqlite."),
    ] = None,
    dataset: Annotated[str, typer.Option(help="The dataset that is judged.")] = "demo",
    encoder: EncoderOption = None,
    aspects: Annotated[
        str | None,
        typer.Option(help="Aspects with commas between. [default: all that are validated]"),
    ] = None,
    items: Annotated[int, typer.Option(min=1, help="Triplets of each aspect.")] = ITEMS,
    seed: Annotated[
        int, typer.Option(min=0, help="Decides which triplets are drawn, and the bootstrap.")
    ] = 0,
    out: Annotated[
        Path, typer.Option(help="Of export: a file that ends with .json or .csv (answers alone).")
    ] = Path("answers.json"),
    as_json: JsonOption = False,
) -> None:
    """Ask people blind which of two excerpts is closer, and see with which method they agree."""
    if action not in get_args(Action):
        raise UnknownName("action", action, get_args(Action))
    if files and action != "import":
        raise MessError(f"mess judge {action} takes no files: {', '.join(map(str, files))}")
    store = Store()
    if action == "export":
        count = store.listening.export(out)
        typer.echo(f"{out}: {count} answers")
        return
    if action == "import":
        _import(store, files or [])
        return
    own = encoder_or_default(encoder, dataset)
    if action == "plan":
        named = [name.strip() for name in (aspects or "").split(",") if name.strip()]
        plan, left_out = plan_listening(
            dataset=dataset, encoder=own, aspects=named, items=items, seed=seed, store=store
        )
        if as_json:
            typer.echo(json.dumps(plan.to_json(), indent=1))
        else:
            print_plan(plan, left_out)
        return
    result = analyse_listening(dataset=dataset, encoder=own, seed=seed, store=store)
    if as_json:
        typer.echo(json.dumps(result.to_json(), indent=1))
    else:
        print_result(result)


def _import(store: Store, files: list[Path]) -> None:
    if not files:
        raise MessError("name what is imported: `mess judge import FILE …`")
    found: list[Merged] = []
    for path in files:
        merged = store.listening.merge(path)
        print_merged(path, merged)
        found.append(merged)
    if any(one.different for one in found):
        raise typer.Exit(INCOMPLETE)


if __name__ == "__main__":
    run_script(command)
