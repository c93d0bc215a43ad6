"""Prove that the statistics do what they say: ``python -m benchmarks.validate [--datasets 200]``.

Simulations with known truth. Each prints what was counted beside what is allowed, and the
exit status is 1 if one of them fails.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.simulated_beyond import simulate_beyond
from benchmarks.simulated_course import PLANTED as COURSE_LAYER
from benchmarks.simulated_course import simulate
from benchmarks.simulated_discovery import (
    FOLDS,
    PLANTED,
    TARGETS,
    WORKS,
    discover_in_noise,
    planted_target,
    recordings,
    true_r2,
)
from benchmarks.simulated_dose import simulate_dose, simulate_interval
from benchmarks.simulated_encoders import compared
from benchmarks.simulated_listeners import RHO_ITEM, simulate_listeners
from benchmarks.simulated_shuffles import decide
from benchmarks.simulated_tempo import simulate_tempo
from benchmarks.simulated_untangling import simulate_code, simulate_confound, simulate_erasure
from mess.doses.words import FOLLOWS
from mess.listening.power import power
from mess.probing.candidates import Chosen
from mess.probing.discovery import discover
from mess.probing.results import DiscoverySettings
from mess.probing.statistics import FEWEST_WORKS


@dataclass(frozen=True)
class Verdict:
    """One line of the report."""

    what: str
    counted: str
    allowed: str
    passed: bool


def chance(datasets: int) -> Iterator[Verdict]:
    """Nothing is there: how often is anything found, and does any cell beat the mean?"""
    family = discoveries = validated = better = cells = few = 0
    for seed in range(datasets):
        found, known = discover_in_noise(seed, works=WORKS, draw=seed, bootstrap=100)
        validated += known
        family += min(cell.p_family or 1 for cell in found.cells) <= 0.05
        discoveries += min(cell.q or 1 for cell in found.cells) <= 0.05
        better += sum((cell.r2 or 0) > 0 for cell in found.cells)
        cells += len(found.cells)
        # R² strays most with the fewest works.
        few += discover_in_noise(seed, works=FEWEST_WORKS, draw=40_000 + seed, bootstrap=10)[1]
    limit = 0.05 + 2 * np.sqrt(0.05 * 0.95 / datasets)
    for what, count in (
        ("family-wise p ≤ 0.05", family),
        ("any q ≤ 0.05", discoveries),
        (f"a validated target, {WORKS} works", validated),
        (f"a validated target, {FEWEST_WORKS} works", few),
    ):
        share = count / datasets
        yield Verdict(
            f"null data with {what}", f"{share:.1%}", f"≤ {limit:.1%}", bool(share <= limit)
        )
    yield Verdict(
        "noise cells above the mean", f"{better / cells:.1%}", "< 50 %", better < cells / 2
    )


def shuffles(datasets: int) -> Iterator[Verdict]:
    """Shuffles choose penalties in a cheaper way: does the test decide as with the dearer one?

    Targets are read from the planted layer with more and more noise, up to nothing but noise.
    """
    product, plain = [], []
    for seed in range(datasets):
        rng = np.random.default_rng(50_000 + seed)
        x, groups = recordings(rng, WORKS)
        told = x[:, PLANTED, :6].sum(axis=1, keepdims=True)
        noise = rng.standard_normal((WORKS, TARGETS))[groups]
        noise += rng.standard_normal((len(groups), TARGETS))
        found = decide(x, told + noise * np.linspace(1, 4, TARGETS), groups, seed=seed)
        product.append(found.product)
        plain.append(found.plain)
    alike = float((np.array(product) == np.array(plain)).mean())
    yield Verdict(
        "cells decided as by shuffles that leave out works",
        f"{alike:.1%}",
        "≥ 95 %",
        alike >= 0.95,
    )
    ours, theirs = float(np.mean(product)), float(np.mean(plain))
    yield Verdict(
        "cells found, all layers and targets",
        f"{ours:.1%}",
        f"≥ {theirs - 0.02:.1%} (those shuffles: {theirs:.1%})",
        ours >= theirs - 0.02,
    )


def planted(datasets: int) -> Iterator[Verdict]:
    """A target lies in one layer: is it among the best, and do intervals hold the true R²?"""
    contained = 0
    truths, lows, highs = np.empty((3, datasets))
    for seed in range(datasets):
        rng = np.random.default_rng(10_000 + seed)
        x, groups = recordings(rng, WORKS)
        y = planted_target(rng, x, groups)
        found = discover(
            x, y, groups, names=["t"], settings=DiscoverySettings(folds=FOLDS, seed=seed)
        )
        contained += PLANTED in found.summaries[0].within
        cell = next(cell for cell in found.cells if cell.layer == PLANTED)
        truths[seed] = true_r2(rng, x[:, PLANTED], y, found, cell.alpha)
        lows[seed], highs[seed] = cell.low or 0.0, cell.high or 0.0
    share = contained / datasets
    yield Verdict("best-layer sets with the planted one", f"{share:.1%}", "≥ 95 %", share >= 0.95)
    error = 2 * np.sqrt(0.95 * 0.05 / datasets)
    for what, truth in (
        ("R² of probes fitted on so many works", truths.mean()),
        ("R² of these very probes", truths),
    ):
        share = float(np.mean((lows <= truth) & (truth <= highs)))
        yield Verdict(
            f"95 % intervals with the true {what}",
            f"{share:.1%}",
            f"93 to 97 %, ± {error:.1%} by chance",
            bool(0.93 - error <= share <= 0.97 + error),
        )


def leak() -> Iterator[Verdict]:
    """Every work is there four times: folds that split works must be fooled, ours must not."""
    rng = np.random.default_rng(0)
    works = np.repeat(np.arange(30), 4)
    x = rng.standard_normal((30, 1, 48))[works] + 0.05 * rng.standard_normal((120, 1, 48))
    y = rng.standard_normal(30)[works, None]
    split = (
        discover(x, y, np.arange(120), names=["t"], settings=DiscoverySettings(folds=10))
        .cells[0]
        .r2
        or 0.0
    )
    whole = (
        discover(x, y, works, names=["t"], settings=DiscoverySettings(folds=10)).cells[0].r2 or 0.0
    )
    yield Verdict("R² on noise, folds that split works", f"{split:.2f}", "> 0.5", split > 0.5)
    yield Verdict("R² on noise, folds by work", f"{whole:.2f}", "≤ 0.05", whole <= 0.05)


def differences(datasets: int) -> Iterator[Verdict]:
    """Two encoders that are equal, then one that is deaf to a target: what is claimed of them?"""
    limit = 0.05 + 2 * np.sqrt(0.05 * 0.95 / datasets)
    equal = [compared(20_000 + seed) for seed in range(datasets)]
    false = np.mean([any(one != "not told apart" for one in found.verdicts) for found in equal])
    on_mean = np.mean([found.mean_verdict != "not told apart" for found in equal])
    for what, share in (("any target", false), ("the mean", on_mean)):
        yield Verdict(
            f"equal encoders told apart on {what}", f"{share:.1%}", f"≤ {limit:.1%}", share <= limit
        )
    planted = [compared(30_000 + seed, deaf=True) for seed in range(datasets)]
    caught = np.mean([found.verdicts[0] == "beats" for found in planted])
    yield Verdict(
        "the better encoder told on its target", f"{caught:.1%}", "≥ 80 %", bool(caught >= 0.8)
    )
    others = np.mean(
        [any(one != "not told apart" for one in found.verdicts[1:]) for found in planted]
    )
    yield Verdict(
        "and told apart on one that both know",
        f"{others:.1%}",
        f"≤ {limit:.1%}",
        bool(others <= limit),
    )


def in_time(datasets: int) -> Iterator[Verdict]:
    """A course that only time tells, then none at all: what do probes in time say?"""
    limit = 0.05 + 2 * np.sqrt(0.05 * 0.95 / datasets)
    found = [simulate(50_000 + seed, planted=True) for seed in range(datasets)]
    shares = {
        "a planted course told, family-wise p ≤ 0.05": [one.least_p <= 0.05 for one in found],
        "its layer chosen by most folds": [one.best_layer == COURSE_LAYER for one in found],
        "its spread read through time, R² ≥ 0.3": [_reaches(one.time) for one in found],
        "and by the reading that the folds chose": [_reaches(one.chosen) for one in found],
    }
    shares["and validated as search validates"] = [one.validated for one in found]
    for what, told in shares.items():
        yield Verdict(what, f"{np.mean(told):.1%}", "≥ 90 %", bool(np.mean(told) >= 0.9))
    by_mean = float(np.mean([_reaches(one.mean) for one in found]))
    yield Verdict(
        "its spread read from means, R² ≥ 0.3",
        f"{by_mean:.1%}",
        f"≤ {limit:.1%}",
        bool(by_mean <= limit),
    )
    nothing = [simulate(60_000 + seed, planted=False) for seed in range(datasets)]
    for what, told in (
        ("smooth null curves with family-wise p ≤ 0.05", [o.least_p <= 0.05 for o in nothing]),
        ("a target validated, read through time, too", [one.validated for one in nothing]),
    ):
        share = float(np.mean(told))
        yield Verdict(what, f"{share:.1%}", f"≤ {limit:.1%}", bool(share <= limit))


def tempi(datasets: int) -> Iterator[Verdict]:
    """States that know the onsets, then states that know nothing: is a tempo read from them?"""
    some = max(1, datasets // 4)
    limit = 0.05 + 2 * np.sqrt(0.05 * 0.95 / some)
    known = [simulate_tempo(70_000 + seed, planted=True) for seed in range(some)]
    right = float(np.mean([one.accuracy_1 for one in known]))
    yield Verdict("tempi read from states that know them", f"{right:.1%}", "≥ 90 %", right >= 0.9)
    nothing = [simulate_tempo(80_000 + seed, planted=False) for seed in range(some)]
    by_luck = float(np.mean([one.accuracy_1 for one in nothing]))
    yield Verdict("and from states that do not", f"{by_luck:.1%}", "≤ 15 %", by_luck <= 0.15)
    share = float(np.mean([one.r2 >= 0.3 for one in nothing]))
    yield Verdict(
        "null tempi read with R² ≥ 0.3", f"{share:.1%}", f"≤ {limit:.1%}", bool(share <= limit)
    )


def beyond(datasets: int) -> Iterator[Verdict]:
    """Layers that copy a baseline, then one that knows more: is anything told beyond it?"""
    some = max(1, datasets // 4)
    limit = 0.05 + 2 * np.sqrt(0.05 * 0.95 / some)
    for what, planted in (("only copy it", False), ("know more", True)):
        found = [simulate_beyond(90_000 + seed, planted=planted) for seed in range(some)]
        share = float(np.mean([one.difference > 0 and (one.p or 1) <= 0.05 for one in found]))
        yield Verdict(
            f"something beyond a baseline, from layers that {what}",
            f"{share:.1%}",
            "≥ 90 %" if planted else f"≤ {limit:.1%}",
            bool(share >= 0.9 if planted else share <= limit),
        )


def listeners(datasets: int) -> Iterator[Verdict]:
    """Listeners of known reliability: is their agreement recovered, with what certainty?"""
    for true in (0.5, 0.75):
        found = [simulate_listeners(100_000 + seed, agreement=true) for seed in range(datasets)]
        bias = float(np.mean([one.share for one in found])) - true
        error = 3 * float(np.std([one.share for one in found])) / np.sqrt(datasets)
        yield Verdict(
            f"agreement of {true} with five listeners: bias",
            f"{bias:+.3f}",
            f"±{error:.3f}",
            bool(abs(bias) <= error),
        )
        least = 0.95 - 2 * np.sqrt(0.95 * 0.05 / datasets)
        held = float(np.mean([one.low <= true <= one.high for one in found]))
        yield Verdict(
            f"intervals that hold {true}", f"{held:.1%}", f"≥ {least:.1%}", bool(held >= least)
        )
        if true > 0.5:
            told = float(np.mean([one.low > 0.5 for one in found]))
            foretold = power(5, 24, agreement=true, rho_item=RHO_ITEM)
            yield Verdict(
                f"{true} told from 0.5; foretold {foretold:.1%}",
                f"{told:.1%}",
                f"{foretold:.1%} ± 7 %",
                bool(abs(told - foretold) <= 0.07),
            )
            reached = float(np.mean([one.share <= one.ceiling for one in found]))
            yield Verdict(
                "agreement under the ceiling", f"{reached:.1%}", "≥ 90 %", bool(reached >= 0.9)
            )
    mixed = [
        simulate_listeners(110_000 + seed, agreement=0.75, careless=3) for seed in range(datasets)
    ]
    honest = float(np.mean([one.left_out <= one.careless for one in mixed]))
    yield Verdict("careful listeners that count", f"{honest:.1%}", "100 %", honest == 1)
    caught = float(np.mean([len(one.left_out) / 3 for one in mixed]))
    yield Verdict(
        "random answers left out; three checks find 7 of 8",
        f"{caught:.1%}",
        "≥ 80 %",
        bool(caught >= 0.8),
    )


def erasure(datasets: int) -> Iterator[Verdict]:
    """One of two orthogonal directions is erased: is it gone, and does the other stay?"""
    some = max(1, datasets // 4)
    found = [simulate_erasure(100_000 + seed) for seed in range(some)]
    gone = float(np.mean([one.own_before > 0.5 and one.own_after < 0.05 for one in found]))
    yield Verdict("an erased direction is gone", f"{gone:.1%}", "≥ 95 %", gone >= 0.95)
    before, after = (np.array([one[at] for one in found]) for at in (2, 3))
    kept = float(np.mean(after / before))
    yield Verdict(
        "R² kept of a direction orthogonal to it", f"{kept:.0%}", "≥ 85 %", bool(kept >= 0.85)
    )
    first, then = (float(np.mean([one[at] for one in found])) for at in (4, 5))
    yield Verdict(
        "R² left of it for probes of works that the eraser never saw",
        f"{then:.2f} of {first:.2f}",
        "≤ a half",
        then <= first / 2,
    )


def confounds(datasets: int) -> Iterator[Verdict]:
    """One target is only the instrument, another is not: which holds with instruments apart?"""
    some = max(1, datasets // 4)
    found = [simulate_confound(110_000 + seed) for seed in range(some)]
    usual, apart, partial, true_apart, true_partial = (
        float(np.median([one[at] for one in found])) for at in range(5)
    )
    for what, value, allowed, passed in (
        ("R² of a reading that is only the instrument", usual, "≥ 0.5", usual >= 0.5),
        ("the same with instruments held apart", apart, "≤ 0", apart <= 0),
        ("and partial, the instrument given", partial, "≤ 0.05", partial <= 0.05),
        ("R² of a true reading, instruments held apart", true_apart, "≥ 0.5", true_apart >= 0.5),
        ("and partial", true_partial, "≥ 0.5", true_partial >= 0.5),
    ):
        yield Verdict(f"{what} (median)", f"{value:.2f}", allowed, bool(passed))


def codelength(datasets: int) -> Iterator[Verdict]:
    """A target that a layer holds, and noise: is the code shorter than that of the mean?"""
    some = max(1, datasets // 4)
    found = [simulate_code(120_000 + seed) for seed in range(some)]
    told = float(np.mean([one.planted > 0 for one in found]))
    yield Verdict("a planted target is coded shorter", f"{told:.1%}", "≥ 95 %", told >= 0.95)
    noise = float(np.mean([one.noise for one in found]))
    yield Verdict("bits saved on noise, mean", f"{noise:.1f}", "≤ 0", noise <= 0)
    # A code that is right about the mean saves k bits on noise with a chance of 2^-k at most.
    lucky = float(np.mean([one.noise > 5 for one in found]))
    yield Verdict("noise that saves more than 5 bits", f"{lucky:.1%}", "≤ 5 %", lucky <= 0.05)


def doses(datasets: int) -> Iterator[Verdict]:
    """Edits move a target: is what follows told from what goes along, and is its slope held?"""
    found = [simulate_dose(100_000 + seed) for seed in range(datasets)]
    holds = float(np.mean([(one.holds.low or 0.0) > FOLLOWS for one in found]))
    yield Verdict(
        "a layer that holds the target follows an edit", f"{holds:.1%}", "≥ 95 %", holds >= 0.95
    )
    along = float(np.mean([(one.goes_along.low or 0.0) > FOLLOWS for one in found]))
    yield Verdict(
        "a layer that holds its companion follows it", f"{along:.1%}", "≤ 5 %", along <= 0.05
    )
    error = 2 * np.sqrt(0.95 * 0.05 / datasets)
    for slope in (0.0, 1.0):
        inside = [
            (one.low or 0.0) <= slope <= (one.high or 0.0)
            for one in (simulate_interval(seed, slope=slope) for seed in range(datasets))
        ]
        share = float(np.mean(inside))
        yield Verdict(
            f"95 % intervals with a planted slope of {slope:g}",
            f"{share:.1%}",
            f"93 to 97 %, ± {error:.1%} by chance",
            bool(0.93 - error <= share <= 0.97 + error),
        )


def _reaches(one: Chosen | None) -> bool:
    return one is not None and one.r2 is not None and one.r2 >= 0.3


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=200, help="per simulation (default 200)")
    datasets = parser.parse_args().datasets
    print(f"{datasets} simulated datasets each\n\n| what | counted | allowed |  |")
    print("| --- | --- | --- | --- |")
    passed = True
    simulations = (
        *(chance, shuffles, planted, lambda _: leak(), differences),
        *(in_time, tempi, beyond, doses, listeners),
        *(erasure, confounds, codelength),
    )
    for verdicts in (simulation(datasets) for simulation in simulations):
        for one in verdicts:
            passed &= one.passed
            mark = "ok" if one.passed else "FAILS"
            print(f"| {one.what} | {one.counted} | {one.allowed} | {mark} |", flush=True)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
