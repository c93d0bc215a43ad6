"""What `mess evaluate` and `mess factors` found of an index: how each aspect ranks best."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.evaluation import Method
from mess.records.factors import FactorScore
from mess.search.tempo import DENSITY_SHARE
from mess.status.staleness import Source, Sources, attempt, judge
from mess.storage.paths import command_for


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found; the attributes are those of `mess.search.terms.Terms`.

    Attributes
    ----------
    defaults, density_share, models, faithful
    warning : str
        Why the evaluation does not count; "" if it does, or if there is none.
    """

    defaults: Mapping[str, Method] = field(default_factory=dict)
    density_share: float = DENSITY_SHARE
    models: Mapping[str, Method] = field(default_factory=dict)
    faithful: Mapping[str, Mapping[Method, float | None]] = field(default_factory=dict)
    warning: str = ""


def read_evaluated(sources: Sources, *, also: Mapping[Source, str]) -> Evaluated:
    """Return what `mess evaluate` chose.

    A damaged evaluation is an error; a stale one becomes a warning.

    Parameters
    ----------
    sources : Sources
        Of the index.
    also : mapping of str to str
        Digests that count as well as those of the sources (`mess.status.staleness.judge`).
    """
    store, dataset, encoder = sources.store, sources.dataset, sources.encoder
    evaluation = attempt(lambda: store.evaluations.read(dataset, encoder))
    if isinstance(evaluation, ArtifactMissing):
        return Evaluated()
    if isinstance(evaluation, ArtifactStale):
        return Evaluated(warning=str(evaluation))
    if isinstance(evaluation, ArtifactError):
        raise evaluation
    verdict = judge("evaluation", evaluation.origin, sources, also=also)
    if verdict:
        command = command_for("evaluate", dataset, encoder)
        return Evaluated(
            warning=f"the evaluation of the sliders is stale ({verdict}): run `{command}`"
        )
    return Evaluated(
        defaults={name: one.method for name, one in evaluation.defaults.items()},
        density_share=evaluation.tempo.density_share if evaluation.tempo else DENSITY_SHARE,
        models={
            name: max(one.marks, key=lambda method: one.marks[method])
            for name, one in evaluation.defaults.items()
            if one.marks
        },
        faithful={name: one.faithful for name, one in evaluation.defaults.items()},
    )


def read_heard(
    sources: Sources, *, also: Mapping[Source, str]
) -> dict[tuple[str, str], FactorScore]:
    """Return how often each head finds what shares its factor, by name and digest.

    A factor table of another index tells nothing; a table that other heads joined tells of its
    own. For the parameters see `read_evaluated`.
    """
    table = attempt(lambda: sources.store.factors.read(sources.dataset, sources.encoder))
    if isinstance(table, ArtifactError):
        return {}
    if judge("factors", table.origin, sources, also=also, beside=("heads",)):
        return {}
    return {
        (row.name, row.digest): row.scores[row.own]
        for row in table.rows
        if row.kind == "head" and row.own is not None
    }
