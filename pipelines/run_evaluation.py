"""Measure whether search does what its sliders say.

    python pipelines/run_evaluation.py --dataset demo --encoder spectral

A ranking uses only predictions for works that the probe never saw. Results go to MLflow and to the
dashboard. They also decide the method by which each aspect ranks.
"""

import json
from dataclasses import replace
from typing import Annotated, Any, get_args

import numpy as np
import typer
from numpy.typing import NDArray

from mess.errors import MessError
from mess.evaluation.baselines import Baselines
from mess.evaluation.composition import measure_composition
from mess.evaluation.controlled import OWN_CHANGE, compare_variants, find_variants
from mess.evaluation.decisions import (
    IN_BPM,
    choose_density,
    decide_methods,
    mean_of,
    own_and_other,
)
from mess.evaluation.rankers import Rankers
from mess.evaluation.rankings import Judge, Judgement, find_same_work
from mess.experiments.rows import aligned_targets
from mess.probing.metrics import defined
from mess.records.evaluation import (
    BaselineFaithfulness,
    Composition,
    ControlledResult,
    Decision,
    EvaluationRecord,
    EvaluationSettings,
    Faithfulness,
    Leakage,
    Method,
    Ranker,
    RankerScores,
    Retrieval,
)
from mess.search.aspects import ASPECTS, OVERALL
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.tempo import DENSITY_SHARE, TEMPO
from mess.search.terms import METHODS
from mess.status.left_out import find_left_out
from mess.status.staleness import digest_of
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import TARGETS
from mess.tracking.recording import start_run
from mess.versions import EVALUATION_VERSION
from pipelines.evaluation_text import print_evaluation
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    JsonOption,
    concluded_without,
    encoder_or_default,
    run_script,
)

QUERIES = 300  # the largest number of queries, drawn by the seed
Values = dict[str, float | None]


def evaluate(
    *,
    dataset: str,
    encoder: str,
    seed: int = 0,
    store: Store | None = None,
    tracking: bool = True,
) -> EvaluationRecord:
    """Judge every ranking of an index, record it, and write it to disk.

    Returns
    -------
    EvaluationRecord

    Raises
    ------
    ArtifactError
        If the index, the discovery or the targets are missing or stale.
    """
    store = store or Store()
    recommender = LayerBasedRecommender(dataset, encoder, store=store, evaluated=False)
    index = store.indices.read_record(dataset, encoder)
    tracks = recommender.track_ids
    table, whole = store.targets.read(dataset), np.full(len(tracks), -1)
    values, names = aligned_targets(table, tracks=tracks, segments=whole)
    works = np.array(index.works, dtype=object)
    variants = _variants(recommender, store)
    layers = len(index.crc32)
    tempo = None
    if TEMPO in names:
        column = names.index(TEMPO)
        tempo = choose_density(
            Rankers(recommender, layers=layers, seed=seed),
            values[:, column],
            works,
            variants,
            seed=seed,
        )
        values, names = np.column_stack([values, values[:, column]]), [*names, IN_BPM]
    # From here on, tempo is ranked by the new choice, not by that of an older evaluation.
    share = tempo.density_share if tempo else DENSITY_SHARE
    recommender.terms = replace(recommender.terms, defaults={}, density_share=share)
    rankers = Rankers(recommender, layers=layers, seed=seed)
    rng = np.random.default_rng(seed)
    queries = np.sort(rng.permutation(len(tracks))[:QUERIES])
    octaves = [names.index(TEMPO)] if TEMPO in names else []
    judge = Judge(values, works, queries=queries, octaves=octaves)
    judged = _judge_aspects(rankers, recommender, judge)
    controlled = _controlled(rankers, variants, works=works)
    decided = decide_methods(judged, controlled, recommender.aspects, names)
    faithfulness = _faithfulness(rankers, recommender, names, values, judge)
    defaults = _as_searched(recommender, decided)
    record = EvaluationRecord(
        dataset=dataset,
        encoder=index.encoder,
        index=index.fingerprint,
        discovery=digest_of(store.discoveries.read(dataset, encoder)),
        code_version=EVALUATION_VERSION,
        settings=EvaluationSettings(seed=seed, queries=len(queries)),
        faithfulness=faithfulness,
        baselines=_baselines(recommender, names, judge, faithfulness.targets, store=store),
        leakage=_leakage(judged, recommender, names),
        controlled=controlled,
        same_work=_same_work(rankers, works, np.array(index.copies)),
        tempo=tempo,
        defaults=defaults,
        composition=_composition(
            rankers, recommender, defaults, values, names, works, queries=queries, octaves=octaves
        ),
    )
    store.evaluations.write(dataset, encoder, record)
    tags = {"dataset": dataset, "encoder": index.encoder, "index": index.fingerprint}
    with start_run(
        f"evaluate {dataset} {encoder}",
        store=store,
        tags=tags,
        enabled=tracking,
        left_out=find_left_out(store, dataset, encoder),
    ) as run:
        run.params({"dataset": dataset, "encoder": encoder, "seed": seed, "queries": len(queries)})
        run.metrics(_metrics(record))
        run.record("evaluation.json", record.to_json())
    return record


def _faithfulness(
    rankers: Rankers,
    recommender: LayerBasedRecommender,
    names: list[str],
    values: NDArray[np.float64],
    judge: Judge,
) -> Faithfulness:
    """Judge each method by each target that it ranks by. A reversed probe is not faithful.

    The mean is over the aspects' validated targets; validated targets that only MIDI tells have a
    mean of their own.
    """
    evidence = recommender.evidence
    validated = [name for name in names if name in evidence and not evidence[name].doubt()]
    found: dict[Ranker, RankerScores] = {}
    judged: dict[tuple[str, int | str | None], Judgement] = {}  # many targets share a ranking
    for method in get_args(Ranker):
        spearman: Values = {}
        ratio: Values = {}
        for column, name in enumerate(names):
            target = TEMPO if name == IN_BPM else name
            layer = recommender.best_layers.get(target)
            by = {"layer": layer, "mean_layers": None, "random": None}.get(method, target)
            if (method, by) not in judged:
                ranking = rankers.of_target(target, method, layer=layer)
                if ranking is None:
                    continue
                judged[method, by] = judge(ranking)
            result = judged[method, by]
            faithful = defined(result.spearman[column])
            if (
                method == "probe"
                and faithful is not None
                and rankers.direction(target, values[:, column]) < 0
            ):
                faithful = -abs(faithful)
            spearman[name] = faithful
            ratio[name] = defined(result.top_ratio[column])
        found[method] = RankerScores(
            mean=mean_of(spearman.get(name) for name in validated if name in TARGETS),
            mean_performance=mean_of(
                spearman.get(name) for name in validated if name not in TARGETS
            ),
            per_target=spearman,
            top_ratio=ratio,
        )
    return Faithfulness(targets=validated, **found)


def _judge_aspects(
    rankers: Rankers,
    recommender: LayerBasedRecommender,
    judge: Judge,
) -> dict[Method, dict[str, Judgement]]:
    """Judge every method's ranking by each validated aspect, by all targets."""
    found: dict[Method, dict[str, Judgement]] = {method: {} for method in METHODS}
    for method in METHODS:
        for name in recommender.get_available_aspects():
            if recommender.aspects[name].head is not None:
                continue  # no target says what it should follow: `mess factors` tests it
            ranking = rankers.of_aspect(name, method)
            if ranking is not None:
                found[method][name] = judge(ranking)
    return found


def _leakage(
    judged: dict[Method, dict[str, Judgement]],
    recommender: LayerBasedRecommender,
    names: list[str],
) -> dict[Method, Leakage]:
    """Measure how much nearer than chance each aspect's ten nearest tracks are in each target."""
    found: dict[Method, Leakage] = {}
    for method, by_aspect in judged.items():
        own, other = [], []
        for name, judgement in by_aspect.items():
            is_own, is_other = own_and_other(recommender.aspects[name], names)
            own.append(mean_of(1 - judgement.top_ratio[is_own]))
            other.append(mean_of(1 - judgement.top_ratio[is_other]))
        found[method] = Leakage(
            diagonal=mean_of(own),
            off_diagonal=mean_of(other),
            matrix={
                name: {
                    target: defined(1 - ratio)
                    for target, ratio in zip(names, judgement.top_ratio, strict=True)
                }
                for name, judgement in by_aspect.items()
            },
        )
    return found


def _baselines(
    recommender: LayerBasedRecommender,
    names: list[str],
    judge: Judge,
    validated: list[str],
    *,
    store: Store,
) -> list[BaselineFaithfulness]:
    """Judge a search without probes by the same queries and targets."""
    features = store.features.read(recommender.dataset, recommender.encoder)
    row = {track: number for number, track in enumerate(features.tracks)}
    values = features.values[[row[track] for track in recommender.track_ids]]
    layers = recommender.best_layers
    best = {column: layers[name] for column, name in enumerate(names) if name in layers}
    found = Baselines(values).judge(lambda ranking: judge(ranking).spearman, best)
    rows = []
    for one, scores in found.items():
        per_target = {names[column]: defined(score) for column, score in scores.items()}
        rows.append(
            BaselineFaithfulness(
                over=one.over,
                metric=one.metric,
                mean=mean_of(per_target.get(name) for name in validated if name in TARGETS),
                per_target=per_target,
            )
        )
    return rows


def _as_searched(
    recommender: LayerBasedRecommender, decided: dict[str, Decision]
) -> dict[str, Decision]:
    """Return the decisions with the method by which the search itself says it ranks then."""
    chosen = {name: one.method for name, one in decided.items()}
    terms = replace(recommender.terms, defaults=chosen)
    return {name: replace(one, method=terms.default_method(name)) for name, one in decided.items()}


def _composition(
    rankers: Rankers,
    recommender: LayerBasedRecommender,
    defaults: dict[str, Decision],
    values: NDArray[np.float64],
    names: list[str],
    works: NDArray[Any],
    *,
    queries: NDArray[np.int64],
    octaves: list[int],
) -> dict[str, Composition]:
    """Measure how the sliders of the aspects and `overall` compose, each by its own method."""
    terms, targets = [], {}
    for name in [*(one for one in ASPECTS if one in defaults), OVERALL]:
        method = defaults[name].method if name in defaults else None
        try:
            term = recommender.terms.make(name, 1.0, method=method)
        except MessError:  # an evaluated method that this index cannot rank by
            continue
        terms.append(term)
        told = recommender.aspects[name].steered if name in ASPECTS else ()
        targets[name] = [names.index(target) for target in told if target in names]
    kinds = {"bounded": rankers.bounded(terms), "parabola": rankers.parabola(terms)}
    return {
        kind: measure_composition(similar, targets, values, works, queries=queries, octaves=octaves)
        for kind, similar in kinds.items()
    }


def _variants(recommender: LayerBasedRecommender, store: Store) -> dict[int, dict[str, int]]:
    entries = store.features.manifest(recommender.dataset, recommender.encoder).done()
    about = {track: entry.extra for track, entry in entries.items()}
    return find_variants(recommender.track_ids, about)


def _controlled(
    rankers: Rankers, variants: dict[int, dict[str, int]], *, works: NDArray[Any]
) -> dict[Method, dict[str, ControlledResult]] | None:
    if not variants:
        return None
    found: dict[Method, dict[str, ControlledResult]] = {}
    for method in METHODS:
        found[method] = {}
        for name, own in OWN_CHANGE.items():
            ranking = rankers.of_aspect(name, method)
            if ranking is None:
                continue
            seen = compare_variants(ranking, own=own, variants=variants, works=works)
            if seen is not None:
                found[method][name] = seen
    return found


def _same_work(
    rankers: Rankers, works: NDArray[Any], copies: NDArray[Any]
) -> dict[str, Retrieval] | None:
    found = {
        "overall": find_same_work(rankers.overall(), works, copies=copies),
        "mean_layers": find_same_work(rankers.mean_of_layers(), works, copies=copies),
    }
    return {name: one for name, one in found.items() if one is not None} or None


def _metrics(record: EvaluationRecord) -> dict[str, float | None]:
    metrics: dict[str, float | None] = {}
    for ranker, scores in record.faithfulness.by_method().items():
        metrics[f"faithfulness/{ranker}"] = scores.mean
        metrics |= {f"faithfulness/{ranker}/{t}": v for t, v in scores.per_target.items()}
    for method, leak in record.leakage.items():
        metrics[f"leakage/{method}/diagonal"] = leak.diagonal
        metrics[f"leakage/{method}/off_diagonal"] = leak.off_diagonal
    for method, by_aspect in (record.controlled or {}).items():
        metrics |= {f"told_apart/{method}/{a}": seen.told_apart for a, seen in by_aspect.items()}
    for one in record.baselines:
        name = f"{one.metric} {one.over}".replace(",", "")
        metrics[f"faithfulness/baseline/{name}"] = one.mean
    for kind, composition in record.composition.items():
        for composed in composition.composed:
            metrics[f"composition/{kind}/liked/{composed.weight:g}"] = composed.liked
            metrics[f"composition/{kind}/top_hits/{composed.weight:g}"] = composed.top_hits
    for ranking, found in (record.same_work or {}).items():
        metrics[f"same_work_mrr/{ranking}"] = found.mrr
    return metrics


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed by which the queries are drawn.")] = 0,
    as_json: JsonOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Measure whether search does what its sliders say."""
    name = encoder_or_default(encoder, dataset)
    record = evaluate(
        dataset=dataset,
        encoder=name,
        seed=seed,
        tracking=mlflow,
    )
    if as_json:
        typer.echo(json.dumps(record.to_json(), indent=1))
    else:
        print_evaluation(record)
        asked = command_for("factors", dataset, record.encoder)
        typer.echo(f"which factor of music each similarity follows: `{asked}`")
    concluded_without(find_left_out(Store(), dataset, name))


if __name__ == "__main__":
    run_script(command)
