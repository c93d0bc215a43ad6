"""Decisions: choose the default method of each aspect from the evaluation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.evaluation.controlled import compare_variants
from mess.evaluation.rankers import Rankers
from mess.evaluation.rankings import Judge, Judgement
from mess.records.evaluation import ControlledResult, Decision, DensityChoice, DensityScores, Method
from mess.search.aspects import Aspect
from mess.search.tempo import DENSITY_SHARES, TEMPO

ByMethod = Mapping[Method, Mapping[str, ControlledResult]]
IN_BPM = "tempo_in_bpm"  # tempo whose differences are in beats per minute, not up to octaves
_FEWEST = 3  # least number of works in each half
_MOST = 150  # largest number of queries in each half


def decide_methods(
    judged: Mapping[Method, Mapping[str, Judgement]],
    controlled: ByMethod | None,
    aspects: Mapping[str, Aspect],
    names: Sequence[str],
) -> dict[str, Decision]:
    """Choose the method of each aspect that was judged.

    The mark of a method is the mean of up to three numbers: its faithfulness to the targets of the
    aspect; how much nearer than chance its ten nearest tracks are in these targets, minus the same
    for all other targets; and how often it separates the own variant, scaled so that chance is 0.
    ``direct`` is perfect on its own target by construction. So it is judged by variants alone, and
    becomes the default only if it exceeds the best other method by more than a standard error.

    Parameters
    ----------
    judged : mapping
        Method → aspect → the judgement of its ranking on every target.
    controlled : mapping or None
        Method → aspect → the result on variants.
    aspects : mapping of str to Aspect
    names : sequence of str
        The targets, in the order of the judgements.

    Returns
    -------
    dict of str to Decision
        By aspect.
    """
    decided: dict[str, Decision] = {}
    for name in dict.fromkeys(name for by_aspect in judged.values() for name in by_aspect):
        is_own, is_other = own_and_other(aspects[name], names)
        told = {method: _told(controlled, method, name) for method in judged}
        marks: dict[Method, float] = {}
        for method, by_aspect in judged.items():
            if method == "direct" or name not in by_aspect:
                continue
            ratio = by_aspect[name].top_ratio
            own, other = mean_of(1 - ratio[is_own]), mean_of(1 - ratio[is_other])
            selective = None if own is None or other is None else own - other
            faithful = mean_of(by_aspect[name].spearman[is_own])
            mark = mean_of([faithful, selective, told[method]])
            if mark is not None:
                marks[method] = mark
        best = max(marks, key=lambda method: marks[method], default=None)
        direct = told.get("direct")
        if best is None:
            if name not in judged.get("direct", {}):
                continue
            best = "direct"  # nothing else can rank by it
        elif controlled and direct is not None:
            error = 0.5 / np.sqrt(controlled["direct"][name].n)
            rival = told[best]
            best = "direct" if rival is not None and direct - rival > error else best
        followed: dict[Method, float | None] = {
            method: mean_of(by_aspect[name].spearman[is_own])
            for method, by_aspect in judged.items()
            if name in by_aspect
        }
        decided[name] = Decision(method=best, marks=marks, told_apart=told, faithful=followed)
    return decided


def own_and_other(
    aspect: Aspect, names: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which judged columns are the aspect's targets, and which are others.

    Tempo in beats per minute is neither: it is judged in addition to tempo up to octaves.
    """
    is_own = np.isin(names, aspect.targets)
    return is_own, ~is_own & (np.array(names) != IN_BPM)


def _told(controlled: ByMethod | None, method: Method, name: str) -> float | None:
    seen = (controlled or {}).get(method, {}).get(name)
    return None if seen is None else (seen.told_apart - seen.chance) / (1 - seen.chance)


def choose_density(
    rankers: Rankers,
    tempo: NDArray[np.float64],
    works: NDArray[Any],
    variants: Mapping[int, Mapping[str, int]],
    *,
    seed: int = 0,
) -> DensityChoice | None:
    """Choose the share of the density of onsets in tempo, on half of the works.

    The mark of a share is the mean of three numbers: faithfulness to tempo up to octaves;
    faithfulness to tempo in beats per minute, because the octave matters too; and how often the
    variant in tempo is separated. The share is chosen on one half of the works, and its results are
    reported on the other half.

    Returns
    -------
    DensityChoice or None
        None if too few works have a tempo.
    """
    known = np.isfinite(tempo)
    names = np.unique(works[known])
    rng = np.random.default_rng(seed)
    half = rng.permutation(names)[: len(names) // 2]
    if len(half) < _FEWEST:
        return None
    rows = {}
    for label, inside in (("chosen_on", True), ("reported_on", False)):
        own = np.flatnonzero(known & (np.isin(works, half) == inside))
        rows[label] = np.sort(rng.permutation(own)[:_MOST])
    found: dict[str, dict[str, DensityScores]] = {}
    for label, queries in rows.items():
        judge = Judge(np.column_stack([tempo, tempo]), works, queries=queries, octaves=[0])
        bases = {base: one for base, one in variants.items() if base in set(queries.tolist())}
        found[label] = {}
        for share in DENSITY_SHARES:
            ranking = rankers.of_tempo(density_share=share)
            if ranking is None:
                return None
            octaves, in_bpm = judge(ranking).spearman.tolist()
            seen = compare_variants(ranking, own=TEMPO, variants=bases, works=works)
            told = seen.told_apart if seen else None
            found[label][f"{share:g}"] = DensityScores(
                octaves=octaves,
                in_bpm=in_bpm,
                told_apart=told,
                mark=mean_of([octaves, in_bpm, told]),
            )
    marks = [found["chosen_on"][f"{share:g}"].mark for share in DENSITY_SHARES]
    best = int(np.nanargmax([-np.inf if mark is None else mark for mark in marks]))
    return DensityChoice(
        density_share=DENSITY_SHARES[best],
        chosen_on=found["chosen_on"],
        reported_on=found["reported_on"],
    )


def mean_of(values: Iterable[float | None]) -> float | None:
    """Return the mean of the known values, None without any."""
    known = [float(value) for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None
