"""What layers tell beyond a baseline."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mess.probing.beyond import beside_each, find_beyond
from mess.probing.results import BeyondScore, DiscoverySettings

SETTINGS = DiscoverySettings(folds=5, permutations=0, bootstrap=10)
WORKS = np.repeat(np.arange(30), 2)
Array = NDArray[np.float64]


def beyond(features: Array, target: Array, baseline: Array) -> BeyondScore:
    (found,) = find_beyond(
        features,
        target[:, None],
        WORKS,
        names=["target"],
        baseline=baseline,
        name="plain",
        settings=SETTINGS,
    )
    return found


@pytest.fixture
def drawn() -> tuple[Array, Array, Array]:
    """Two layers, a baseline of one vector, and noise."""
    rng = np.random.default_rng(0)
    n = WORKS.size
    layers, plain = rng.standard_normal((n, 2, 16)), rng.standard_normal((n, 1, 4))
    return layers, plain, 0.5 * rng.standard_normal(n)


def test_what_a_layer_adds_is_told(drawn: tuple[Array, Array, Array]) -> None:
    layers, plain, noise = drawn
    found = beyond(layers, layers[:, 1, 0] + plain[:, 0, 0] + noise, plain)
    assert found.alone < 0.6 < 0.7 < found.together
    assert found.difference == pytest.approx(found.together - found.alone)
    assert found.low is not None and found.low > 0
    assert found.p is not None and found.p <= 0.05


def test_a_copy_of_the_baseline_adds_nothing(drawn: tuple[Array, Array, Array]) -> None:
    _, plain, noise = drawn
    copy = np.tile(plain, (1, 2, 3))
    found = beyond(copy, plain[:, 0, 0] + noise, plain)
    assert found.alone > 0.5
    assert abs(found.difference) < 0.01
    assert found.p is not None and found.p > 0.05


def test_a_wide_layer_of_noise_does_not_drown_a_narrow_baseline(
    drawn: tuple[Array, Array, Array],
) -> None:
    _, plain, noise = drawn
    wide = np.random.default_rng(1).standard_normal((WORKS.size, 2, 400))
    found = beyond(wide, plain[:, 0, 0] + noise, plain)
    assert found.alone > 0.5
    assert found.difference > -0.1


def test_a_baseline_of_as_many_layers_goes_layer_by_layer() -> None:
    features = np.arange(24.0).reshape(2, 3, 4)
    baseline = -np.arange(12.0).reshape(2, 3, 2)
    candidates = beside_each(features, baseline)
    assert candidates.shape == (2, 9, 8)  # twice as wide, so both weights; then it alone
    for layer in range(3):
        own = baseline[:, layer]
        once, twice, alone = (
            candidates[:, layer],
            candidates[:, 3 + layer],
            candidates[:, 6 + layer],
        )
        assert (once[:, :4] == features[:, layer]).all() and (twice[:, :4] == once[:, :4]).all()
        assert (once[:, 4:6] == own).all() and not once[:, 6:].any()
        assert (twice[:, 4:6] == own).all() and (twice[:, 6:] == own).all()
        assert not alone[:, :4].any() and (alone[:, 4:6] == own).all()
