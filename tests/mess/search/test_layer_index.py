"""The index gives what a plain sum of weighted cosines over all tracks gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.search.layer_index import LayerIndex, normalise_layers, serialise_layer


def build(values: np.ndarray) -> tuple[LayerIndex, list[int]]:
    """The index of ``values``, and the layers that it reads, in order."""
    vectors = normalise_layers(values)
    read: list[int] = []

    def read_layer(layer: int) -> bytes:
        read.append(layer)
        return serialise_layer(vectors[:, layer])

    return LayerIndex(len(values), read_layer), read


def brute_force(values: np.ndarray, row: int, weights: dict[int, float]) -> np.ndarray:
    """Σ w·cos of every track to track ``row``, in double precision."""
    total = np.zeros(len(values))
    for layer, weight in weights.items():
        centred = values[:, layer].astype(np.float64)
        centred = centred - centred.mean(axis=0)
        unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        total += weight * (unit @ unit[row])
    return total


def only(n: int, row: int) -> np.ndarray:
    return np.arange(n) == row


@settings(max_examples=60)
@given(
    n=st.integers(3, 60),
    dim=st.integers(2, 40),
    k=st.integers(1, 70),
    weights=st.dictionaries(st.integers(0, 3), st.floats(0.01, 10), min_size=1),
    seed=st.integers(0, 10_000),
)
def test_search_equals_brute_force(
    n: int, dim: int, k: int, weights: dict[int, float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, 4, dim)) + rng.uniform(-5, 5, (4, dim))
    row = int(rng.integers(n))
    exclude = only(n, row) | (rng.random(n) < 0.2)
    index, _ = build(values)
    found, cosines = index.search(row, weights, k=k, exclude=exclude)

    exact = brute_force(values, row, weights)
    allowed = np.flatnonzero(~exclude)
    assert len(found) == min(k, len(allowed))
    assert row not in found
    assert len(set(found)) == len(found)
    assert not exclude[found].any()
    best = np.sort(exact[allowed])[::-1][: len(found)]
    tolerance = 1e-5 * sum(weights.values())
    np.testing.assert_allclose(exact[found], best, atol=tolerance)
    np.testing.assert_allclose(np.array(list(weights.values())) @ cosines, best, atol=tolerance)


@pytest.mark.parametrize("seed", range(5))
def test_the_ranking_is_exactly_that_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((200, 3, 64))
    weights = {0: 0.5, 2: 0.3, 1: 0.2}
    index, _ = build(values)
    exact = brute_force(values, 7, weights)
    exact[7] = -np.inf
    expected = np.argsort(-exact)[:50]
    assert np.diff(-np.sort(-exact)[:51]).max() < -1e-6  # no ties, so the order is one
    np.testing.assert_array_equal(index.search(7, weights, k=50, exclude=only(200, 7))[0], expected)


@settings(max_examples=60)
@given(
    copies=st.integers(2, 12),
    n=st.integers(3, 9),
    k=st.integers(1, 40),
    dim=st.integers(2, 33),
    seed=st.integers(0, 1_000),
    weights=st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
)
def test_ties_are_in_the_order_of_the_rows(
    copies: int, n: int, k: int, dim: int, seed: int, weights: list[float]
) -> None:
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.repeat(np.arange(n), copies))
    values = rng.standard_normal((n, 3, dim))[which]
    index, _ = build(values)
    row, total = 0, n * copies
    found, _ = index.search(row, dict(enumerate(weights)), k=k, exclude=only(total, row))
    for kind in set(which[found]):
        same = found[which[found] == kind]
        assert same.tolist() == sorted(same)
        every = [other for other in np.flatnonzero(which == kind) if other != row]
        assert same.tolist() == every[: len(same)]
    assert len(found) == min(k, total - 1)


@pytest.mark.parametrize("n", [21, 150, 1_001])
def test_copies_of_one_track_stay_in_the_order_of_the_rows(n: int) -> None:
    rng = np.random.default_rng(n)
    values = np.repeat(rng.standard_normal((2, 6, 24)), [1, n - 1], axis=0)
    values[0] = rng.standard_normal((6, 24))
    index, _ = build(values)
    weights = dict(enumerate(rng.random(6)))
    found, _ = index.search(0, weights, k=n // 2, exclude=only(n, 0))
    assert found.tolist() == list(range(1, n // 2 + 1))


def test_only_the_layers_that_are_asked_for_are_read_and_once() -> None:
    values = np.random.default_rng(0).standard_normal((10, 4, 8))
    index, read = build(values)
    index.search(0, {2: 1.0}, k=3, exclude=only(10, 0))
    index.search(1, {2: 0.5, 0: 0.5}, k=3, exclude=only(10, 1))
    assert read == [2, 0]


def test_a_moved_weight_changes_the_result_without_reading() -> None:
    values = np.random.default_rng(0).standard_normal((100, 2, 16))
    index, read = build(values)
    first = index.search(0, {0: 1.0, 1: 0.1}, k=5, exclude=only(100, 0))[0]
    moved = index.search(0, {0: 0.1, 1: 1.0}, k=5, exclude=only(100, 0))[0]
    assert first.tolist() != moved.tolist()
    assert read == [0, 1]
    again = index.search(0, {0: 1.0, 1: 0.1}, k=5, exclude=only(100, 0))[0]
    assert first.tolist() == again.tolist()


def test_nothing_is_left_when_all_are_excluded() -> None:
    index, _ = build(np.random.default_rng(0).standard_normal((5, 1, 4)))
    found, cosines = index.search(0, {0: 1.0}, k=3, exclude=np.ones(5, dtype=bool))
    assert found.tolist() == []
    assert cosines.shape == (1, 0)


def test_vectors_are_centred_and_of_length_one() -> None:
    rng = np.random.default_rng(0)
    values = (1000 + rng.standard_normal((50, 3, 16))).astype(np.float16)
    vectors = normalise_layers(values)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-6)
    exact = values.astype(np.float64) - values.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(
        vectors, exact / np.linalg.norm(exact, axis=2, keepdims=True), atol=1e-6
    )


def test_a_layer_that_says_nothing_gives_zero_cosines() -> None:
    values = np.full((6, 1, 8), 0.1, dtype=np.float32)
    index, _ = build(values)
    found, cosines = index.search(2, {0: 1.0}, k=3, exclude=only(6, 2))
    assert found.tolist() == [0, 1, 3]
    np.testing.assert_array_equal(cosines, 0)


def test_one_track_has_no_neighbour() -> None:
    index, _ = build(np.ones((1, 1, 4)))
    assert index.search(0, {0: 1.0}, k=5, exclude=only(1, 0))[0].tolist() == []
