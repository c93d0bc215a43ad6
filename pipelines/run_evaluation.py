"""Measure whether search does what its sliders say.

    python pipelines/run_evaluation.py --dataset demo --encoder spectral

Every number that a ranking uses was predicted for works that the probe never saw. Results go to
MLflow and to the dashboard; they also decide by which method each aspect ranks.
"""

import json
from dataclasses import asdict
from typing import Annotated, Any, get_args

import numpy as np
import typer
from numpy.typing import NDArray

from mess.evaluation.controlled import OWN_CHANGE, compare_variants, find_variants
from mess.evaluation.rankers import Ranker, Rankers
from mess.evaluation.rankings import Judge, Judgement, find_same_work
from mess.manifest import fingerprint
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.terms import METHODS, Method
from mess.store import Features, Store
from mess.targets import TARGETS
from mess.tracking import start_run
from mess.versions import EVALUATION_VERSION
from pipelines.options import (
    DatasetOption,
    EncoderOption,
    JsonOption,
    encoder_or_default,
    run_script,
)
from pipelines.probing_data import aligned_targets

QUERIES = 300  # at most so many, drawn with the seed
Values = dict[str, float | None]


def evaluate(
    *,
    dataset: str,
    encoder: str,
    seed: int = 0,
    store: Store | None = None,
    tracking: bool = True,
) -> dict[str, Any]:
    """Judge every ranking of an index, record it, and write it to disk.

    Returns
    -------
    dict
        The record: "faithfulness" by method, "leakage" by method, "controlled" by method (None
        where a dataset has no variants), "same_work" by method (None where no work has two
        recordings), "defaults" by aspect, and "index", what it was measured on.

    Raises
    ------
    ArtifactError
        If the index, the discovery or the targets are missing or stale.
    """
    store = store or Store()
    recommender = LayerBasedRecommender(dataset, encoder, store=store, evaluated=False)
    index = store.read_index_record(dataset, encoder)
    rankers = Rankers(recommender, layers=len(index["crc32"]), seed=seed)
    tracks = recommender.track_ids
    rows = Features(tracks, np.full(len(tracks), -1), np.empty(0), {})
    values, names = aligned_targets(store.read_targets(dataset), rows)
    works = np.array(index["works"], dtype=object)
    rng = np.random.default_rng(seed)
    queries = np.sort(rng.permutation(len(tracks))[:QUERIES])
    judge = Judge(values, works, queries=queries)
    judged = _judge_aspects(rankers, recommender, judge)
    controlled = _controlled(rankers, recommender, store=store, works=works)
    record = {
        "dataset": dataset,
        "encoder": index["encoder"],
        "index": index["fingerprint"],
        "discovery": fingerprint(store.read_discovery(dataset, encoder)),
        "code_version": EVALUATION_VERSION,
        "settings": {"seed": seed, "queries": len(queries)},
        "faithfulness": _faithfulness(rankers, recommender, names, judge),
        "leakage": _leakage(judged, recommender, names),
        "controlled": controlled,
        "same_work": _same_work(rankers, works),
        "defaults": _decide(judged, controlled, recommender, names),
    }
    store.write_evaluation(dataset, encoder, record)
    tags = {"dataset": dataset, "encoder": index["encoder"], "index": index["fingerprint"]}
    with start_run(
        f"evaluate {dataset} {encoder}", store=store, tags=tags, enabled=tracking
    ) as run:
        run.params({"dataset": dataset, "encoder": encoder, **record["settings"]})
        run.metrics(_metrics(record))
        run.record("evaluation.json", record)
    return record


def _faithfulness(
    rankers: Rankers,
    recommender: LayerBasedRecommender,
    names: list[str],
    judge: Judge,
) -> dict[str, Any]:
    """Judge each method by each target that it ranks by.

    The mean is over the aspects' validated targets; validated targets that only MIDI tells have a
    mean of their own.
    """
    evidence = recommender.evidence
    validated = [name for name in names if name in evidence and not evidence[name].doubt()]
    found: dict[str, Any] = {"targets": validated}
    for method in get_args(Ranker):
        spearman: Values = {}
        ratio: Values = {}
        for column, name in enumerate(names):
            ranking = rankers.of_target(name, method, layer=recommender.best_layers.get(name))
            if ranking is None:
                continue
            result = judge(ranking)
            spearman[name] = _known(result.spearman[column])
            ratio[name] = _known(result.top_ratio[column])
        found[method] = {
            "mean": _mean([spearman.get(name) for name in validated if name in TARGETS]),
            "mean_performance": _mean(
                [spearman.get(name) for name in validated if name not in TARGETS]
            ),
            "per_target": spearman,
            "top_ratio": ratio,
        }
    return found


def _judge_aspects(
    rankers: Rankers,
    recommender: LayerBasedRecommender,
    judge: Judge,
) -> dict[Method, dict[str, Judgement]]:
    """Judge every method's ranking by each validated aspect, by all targets."""
    found: dict[Method, dict[str, Judgement]] = {method: {} for method in METHODS}
    for method in METHODS:
        for name in recommender.get_available_aspects():
            ranking = rankers.of_aspect(name, method)
            if ranking is not None:
                found[method][name] = judge(ranking)
    return found


def _leakage(
    judged: dict[Method, dict[str, Judgement]],
    recommender: LayerBasedRecommender,
    names: list[str],
) -> dict[str, Any]:
    """Tell how far each aspect's ten nearest are nearer than chance in each target."""
    found: dict[str, Any] = {}
    for method, by_aspect in judged.items():
        own, other = [], []
        for name, judgement in by_aspect.items():
            is_own = np.isin(names, recommender.aspects[name].targets)
            own.append(_mean(1 - judgement.top_ratio[is_own]))
            other.append(_mean(1 - judgement.top_ratio[~is_own]))
        found[method] = {
            "diagonal": _mean(own),
            "off_diagonal": _mean(other),
            "matrix": {
                name: {
                    target: _known(1 - ratio)
                    for target, ratio in zip(names, judgement.top_ratio, strict=True)
                }
                for name, judgement in by_aspect.items()
            },
        }
    return found


def _controlled(
    rankers: Rankers, recommender: LayerBasedRecommender, *, store: Store, works: NDArray[Any]
) -> dict[str, dict[str, Any]] | None:
    entries = store.features_manifest(recommender.dataset, recommender.encoder).done()
    about = {track: entry.get("extra", {}) for track, entry in entries.items()}
    variants = find_variants(recommender.track_ids, about)
    if not variants:
        return None
    found: dict[str, dict[str, Any]] = {}
    for method in METHODS:
        found[method] = {}
        for name, own in OWN_CHANGE.items():
            ranking = rankers.of_aspect(name, method)
            if ranking is None:
                continue
            seen = compare_variants(ranking, own=own, variants=variants, works=works)
            if seen is not None:
                found[method][name] = seen.as_dict()
    return found


def _same_work(rankers: Rankers, works: NDArray[Any]) -> dict[str, Any] | None:
    found = {
        "overall": find_same_work(rankers.overall(), works),
        "mean_layers": find_same_work(rankers.mean_of_layers(), works),
    }
    return {name: asdict(one) for name, one in found.items() if one is not None} or None


def _decide(
    judged: dict[Method, dict[str, Judgement]],
    controlled: dict[str, dict[str, Any]] | None,
    recommender: LayerBasedRecommender,
    names: list[str],
) -> dict[str, Any]:
    """Choose the method of each aspect.

    A method's mark is the mean of what is known of: its faithfulness to the aspect's targets; how
    much nearer than chance its ten nearest are in them, less the same for all other targets; and
    how often it tells the own variant apart, scaled so that chance is 0. ``direct`` is perfect on
    its own target by construction, so it is marked by variants alone and becomes the default only
    where it beats there the best of the others by more than a standard error.
    """
    decided = {}
    for name in recommender.get_available_aspects():
        is_own = np.isin(names, recommender.aspects[name].targets)
        marks: dict[str, float] = {}
        told = {method: _told(controlled, method, name) for method in METHODS}
        for method in ("probe", "subspace", "layer"):
            judgement = judged[method].get(name)
            if judgement is None:
                continue
            own, other = (
                _mean(1 - judgement.top_ratio[is_own]),
                _mean(1 - judgement.top_ratio[~is_own]),
            )
            selective = None if own is None or other is None else own - other
            mark = _mean([_mean(judgement.spearman[is_own]), selective, told[method]])
            if mark is not None:
                marks[method] = mark
        if not marks:
            continue
        best = max(marks, key=lambda method: marks[method])
        direct, rival = told["direct"], told[best]  # type: ignore[index]
        if controlled and direct is not None and rival is not None:
            error = 0.5 / np.sqrt(controlled["direct"][name]["n"])
            best = "direct" if direct - rival > error else best
        decided[name] = {"method": best, "marks": marks, "told_apart": told}
    return decided


def _told(controlled: dict[str, dict[str, Any]] | None, method: str, name: str) -> float | None:
    seen = (controlled or {}).get(method, {}).get(name)
    if seen is None:
        return None
    return float((seen["told_apart"] - seen["chance"]) / (1 - seen["chance"]))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean(values: Any) -> float | None:
    known = [float(value) for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None


def _metrics(record: dict[str, Any]) -> dict[str, float | None]:
    metrics: dict[str, float | None] = {}
    for method in get_args(Ranker):
        found = record["faithfulness"][method]
        metrics[f"faithfulness/{method}"] = found["mean"]
        metrics |= {f"faithfulness/{method}/{t}": v for t, v in found["per_target"].items()}
    for method, found in record["leakage"].items():
        metrics[f"leakage/{method}/diagonal"] = found["diagonal"]
        metrics[f"leakage/{method}/off_diagonal"] = found["off_diagonal"]
    for method, by_aspect in (record["controlled"] or {}).items():
        metrics |= {f"told_apart/{method}/{a}": seen["told_apart"] for a, seen in by_aspect.items()}
    for method, found in (record["same_work"] or {}).items():
        metrics[f"same_work_mrr/{method}"] = found["mrr"]
    return metrics


def print_evaluation(record: dict[str, Any]) -> None:
    """Print what a reader asks first: are the sliders faithful, and do they leak?"""
    faith = record["faithfulness"]
    methods = [method for method in get_args(Ranker) if method in faith]
    typer.echo(
        f"{record['dataset']} by {record['encoder']}: Spearman of rank and true |Δ target|, "
        f"{record['settings']['queries']} queries, other works only"
    )
    typer.echo(f"{'target':<22}" + "".join(f"{method:>12}" for method in methods))
    for name in faith["random"]["per_target"]:
        row = "".join(f"{_text(faith[m]['per_target'].get(name)):>12}" for m in methods)
        typer.echo(f"{name + ('' if name in faith['targets'] else ' (weak)'):<22}{row}")
    for label, key in (("mean, aspects", "mean"), ("mean, from MIDI", "mean_performance")):
        typer.echo(f"{label:<22}" + "".join(f"{_text(faith[m][key]):>12}" for m in methods))
    typer.echo("\nten nearest, nearer than chance in: the slider's targets / all others")
    for method, found in record["leakage"].items():
        typer.echo(f"{method:<10}{_text(found['diagonal']):>6} /{_text(found['off_diagonal']):>6}")
    if record["controlled"]:
        typer.echo("\nvariants with one change: distance (1 = another work), own variant farthest")
        for method, by_aspect in record["controlled"].items():
            for name, seen in by_aspect.items():
                moved = ", ".join(f"{change} {_text(v)}" for change, v in seen["moved"].items())
                typer.echo(
                    f"{method:<10}{name:<20}{seen['told_apart']:>5.0%} "
                    f"(chance {seen['chance']:.0%}, n {seen['n']}; own: {seen['own']}): {moved}"
                )
    for method, found in (record["same_work"] or {}).items():
        recall = ", ".join(f"recall@{k} {v:.2f}" for k, v in found["recall"].items())
        typer.echo(
            f"same work by {method}: MRR {found['mrr']:.2f}, {recall} "
            f"({found['queries']} queries of {found['works']} works)"
        )
    chosen = ", ".join(f"{name} {one['method']}" for name, one in record["defaults"].items())
    typer.echo(f"method of each aspect: {chosen or 'none is validated'}")


def _text(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the queries that are drawn.")] = 0,
    as_json: JsonOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the run in MLflow.")] = True,
) -> None:
    """Measure whether search does what its sliders say."""
    record = evaluate(
        dataset=dataset,
        encoder=encoder_or_default(encoder, dataset),
        seed=seed,
        tracking=mlflow,
    )
    if as_json:
        typer.echo(json.dumps(record, indent=1))
    else:
        print_evaluation(record)


if __name__ == "__main__":
    run_script(command)
