"""A similarity that follows a factor is told from one that is blind to it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_music import material
from numpy.typing import NDArray
from small_heads import Tensors, write_head

from mess.datasets.factor_music import (
    FACTORS,
    Material,
    Pair,
    can_pair,
    corners,
    play_corner,
)
from mess.evaluation.factors import Distances, RowName, rows_of, score_pairs, triplets
from mess.search.heads import apply_head
from mess.storage.store import Store

CORNERS = corners()
WIDE = 6  # numbers by which each side of a factor is known
LOUD = {"timbre": 4.0}  # how strongly a factor moves the states, 1 for all others
Array = NDArray[np.float64]


def shared(one: int, other: int) -> set[str]:
    return {factor for place, factor in enumerate(FACTORS) if not (one ^ other) >> place & 1}


@given(st.integers(2, 8))
def test_the_two_that_are_compared_differ_in_the_factor_alone(count: int) -> None:
    factors = [str(number) for number in range(count)]
    there = corners(factors)
    assert len(there) == len(set(there))
    for place, own in enumerate(triplets(factors).values()):
        for first, second, third in own:
            assert {first, second, third} <= set(there)
            assert second ^ third == 1 << place
            assert first ^ second == ((1 << count) - 1) ^ (1 << place)


def test_corners_share_what_their_names_say() -> None:
    pair = Pair(material("a", seed=1), material("b", seed=2), (0, 48))
    played = {corner: play_corner(pair, corner) for corner in CORNERS}
    for one, first in played.items():
        for other, second in played.items():
            same = shared(one, other)
            if "timbre" in same:
                assert first.program == second.program
            if "notes" in same:
                assert sorted(first.pitch) == sorted(second.pitch)
            if {"rhythm", "notes"} <= same:
                assert np.array_equal(first.onset, second.onset)
            if {"rhythm", "tempo"} <= same:
                starts = [np.unique(of.seconds(of.onset)) for of in (first, second)]
                assert np.allclose(*starts, atol=1e-3)
    base, every = played[0], played[(1 << len(FACTORS)) - 1]
    assert base.program != every.program and sorted(base.pitch) != sorted(every.pitch)
    assert abs(float(np.median(base.pitch) - np.median(every.pitch))) <= 1  # the same register
    assert np.ptp(base.velocity) < 20 < np.ptp(every.velocity)
    assert base.end > 1.3 * every.end


def test_two_plain_pulses_make_no_pair() -> None:
    pulse = material("a", seed=1)
    plain = Material("b", material("b", seed=2).sonorities, pulse.gaps)
    assert not can_pair(pulse, plain)
    assert can_pair(pulse, material("b", seed=2))


def planted_states(pairs: int, *, seed: int) -> Array:
    """States in which every factor of every piece has a direction [pairs, corners, layers, dim].

    The directions are the same for all pairs. Timbre is four times as loud as any other factor.
    """
    rng = np.random.default_rng(seed)
    ways = np.random.default_rng(0).standard_normal((len(FACTORS), WIDE, 2 * 24))
    sides = rng.standard_normal((pairs, len(FACTORS), 2, WIDE))
    out = np.zeros((pairs, len(CORNERS), 2 * 24))
    for place, factor in enumerate(FACTORS):
        for number, corner in enumerate(CORNERS):
            own = sides[:, place, corner >> place & 1]
            out[:, number] += LOUD.get(factor, 1.0) * own @ ways[place]
    out += 0.1 * rng.standard_normal(out.shape)
    return out.reshape(pairs, len(CORNERS), 2, 24)


def train(states: Array, factor: str) -> Tensors:
    """Find the directions in which recordings that share a factor are alike and others are not.

    The weights are those of a head in MERIT's layout: x is relu(x) less relu(−x).
    """
    place = FACTORS.index(factor)
    flat = states.reshape(len(states), len(CORNERS), -1)
    side = np.array([corner >> place & 1 for corner in CORNERS])
    means = np.stack([flat[:, side == which].mean(axis=1) for which in (0, 1)], axis=1)
    within = (flat - means[:, side]).reshape(-1, flat.shape[2])
    between = (means - means.mean(axis=(0, 1))).reshape(-1, flat.shape[2])
    spread = within.T @ within / len(within) + 1e-3 * np.eye(flat.shape[2])
    strength, ways = np.linalg.eig(np.linalg.solve(spread, between.T @ between / len(between)))
    best = ways.real[:, np.argsort(-strength.real)[:WIDE]].T.astype(np.float32)
    centre = -best @ flat.mean(axis=(0, 1)).astype(np.float32)
    return {
        "net.0.weight": np.concatenate([best, -best]),
        "net.0.bias": np.concatenate([centre, -centre]),
        "net.2.weight": np.hstack([np.eye(WIDE), -np.eye(WIDE)]).astype(np.float32),
    }


def test_a_trained_head_sees_its_factor_and_is_blind_to_another(tmp_path: Path) -> None:
    seen, held_out = planted_states(40, seed=1), planted_states(24, seed=2)
    names = ("notes", "rhythm")
    measured: dict[RowName, Distances] = {}
    for name in names:
        tensors = train(seen, name)
        write_head(tmp_path, name, encoder="e", layers=[0, 1], tensors=tensors, factor=name)
        head = Store(tmp_path).heads.read(name)
        made = np.stack([apply_head(head, states) for states in held_out])
        measured["head", name] = 1 - made @ made.transpose(0, 2, 1)
    flat = held_out.reshape(24, len(CORNERS), -1)
    unit = flat / np.linalg.norm(flat, axis=2, keepdims=True)
    measured["layer", "overall"] = 1 - unit @ unit.transpose(0, 2, 1)
    heads = {name: (name.upper(), "") for name in names}
    rows = {row.name: row for row in rows_of(measured, FACTORS, heads=heads)}
    for name, other in (names, names[::-1]):
        assert rows[name].own == name
        assert rows[name].scores[name].accuracy > 0.9 and rows[name].scores[name].seen
        assert not rows[name].scores[other].seen
        assert abs(rows[name].scores[other].accuracy - 0.5) < 0.15
    # The whole state is ruled by what is loudest.
    whole = rows["overall"]
    assert whole.own is None and whole.scores["timbre"].accuracy == 1.0
    assert whole.scores["timbre"].accuracy > whole.scores["notes"].accuracy + 0.1


def test_what_reads_one_factor_alone_is_right_there_and_undecided_elsewhere() -> None:
    side = np.array([corner & 1 for corner in CORNERS], dtype=float)
    apart = np.repeat(np.abs(side[:, None] - side)[None], 12, axis=0)
    scores = score_pairs(apart, FACTORS)
    assert scores["notes"].accuracy == 1.0 and scores["notes"].high == 1.0
    assert scores["notes"].low == pytest.approx(0.025 ** (1 / 12))
    for factor in FACTORS[1:]:
        assert scores[factor].accuracy == 0.5 and not scores[factor].seen
    few = score_pairs(apart[:9], FACTORS)["notes"]
    assert few.low is None and not few.seen


def test_the_interval_of_chance_holds_chance() -> None:
    held = []
    for seed in range(100):
        noise = np.random.default_rng(seed).random((24, 4, 4))
        for score in score_pairs(noise + noise.transpose(0, 2, 1), ("notes", "tempo")).values():
            held.append(score.low is not None and score.low <= 0.5 <= (score.high or 0))
    assert 0.9 <= np.mean(held) <= 0.99
