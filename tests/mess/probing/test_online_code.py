"""The bits that it takes to tell targets work after work."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_untangling import simulate_code
from mess.probing.online_code import BITS_A_VALUE, PARTS, code_bits, code_online


@given(
    st.floats(-2, 3), st.floats(1e-6, 1e3), st.floats(1, 200), st.floats(-1e3, 1e3), st.floats(0, 3)
)
def test_the_probabilities_of_all_parts_of_the_range_add_up_to_one(
    place: float, spread: float, freedom: float, low: float, width: float
) -> None:
    high = low + 10**width
    part = (high - low) / PARTS
    middle = low + part * (np.arange(PARTS) + 0.5)
    bits = code_bits(
        middle[:, None],
        np.full((PARTS, 1), low + place * (high - low)),
        spread=np.array([spread * (high - low)]),
        freedom=freedom,
        bounds=(np.array([low]), np.array([high])),
    )
    assert (bits >= 0).all()
    assert np.exp2(-bits).sum() == pytest.approx(1.0, abs=1e-6)


def test_a_prediction_that_expects_nothing_is_the_uniform_model() -> None:
    y = np.array([[0.0], [0.3], [1.0]])
    bits = code_bits(
        y,
        np.full((3, 1), 0.5),
        spread=np.array([1e6]),
        freedom=30.0,
        bounds=(np.zeros(1), np.ones(1)),
    )
    assert np.allclose(bits, BITS_A_VALUE, atol=1e-6)


def test_a_value_is_shorter_where_the_prediction_is_nearer() -> None:
    near, far = code_bits(
        np.full((2, 1), 0.7),
        np.array([[0.68], [0.3]]),
        spread=np.array([0.05]),
        freedom=20.0,
        bounds=(np.zeros(1), np.ones(1)),
    ).ravel()
    assert near < 6 < BITS_A_VALUE < far


def test_a_planted_target_is_coded_shorter_than_by_the_mean_and_noise_is_not() -> None:
    for seed in range(3):
        found = simulate_code(seed)
        assert found.planted > 30
        assert found.noise < 5


def test_the_best_layer_pays_for_its_name_and_unknown_values_are_not_told() -> None:
    rng = np.random.default_rng(0)
    works = np.repeat(np.arange(20), 2)
    layers = rng.standard_normal((40, 4, 6))
    target = layers[:, 2, 0] + 0.1 * rng.standard_normal(40)
    target[:4] = np.nan
    flat = np.full(40, 2.0)
    (found,) = code_online(
        layers, np.column_stack([target, flat]), works, names=["a", "flat"], orders=2
    )
    assert found.target == "a" and (found.n, found.works) == (36, 18)
    assert found.uniform == 36 * 8
    assert found.best == 2 and len(found.bits) == 4
    assert found.shortest == pytest.approx(found.bits[2] + 2)
    for least, most, bits in zip(found.saved_least, found.saved_most, found.bits, strict=True):
        assert least <= found.mean - bits <= most


def test_with_few_works_there_are_few_blocks_and_still_a_code() -> None:
    rng = np.random.default_rng(1)
    layer = rng.standard_normal((12, 1, 3))
    (found,) = code_online(layer, layer[:, 0, :1], np.repeat(np.arange(6), 2), names=["a"])
    assert 0 < found.bits[0] < found.uniform + 30
