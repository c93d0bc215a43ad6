"""What is left in a layer after a target is erased from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.simulated_untangling import simulate_erasure
from mess.probing.erasure import Eraser, erase_each
from mess.probing.ridge import RidgePath

Array = NDArray[np.float64]


def leace(x: Array, z: Array) -> Array:
    """Return the rows as the definition of the paper erases them, by matrices."""
    centred = x - x.mean(axis=0)
    covariance = centred.T @ centred / len(x)
    values, vectors = np.linalg.eigh(covariance)
    whiten = vectors @ np.diag(values**-0.5) @ vectors.T
    unwhiten = vectors @ np.diag(values**0.5) @ vectors.T
    shared = (whiten @ (centred.T @ (z - z.mean())) / len(x))[:, None]
    projection = shared @ shared.T / float((shared.T @ shared).item())
    erased: Array = x - centred @ whiten @ projection @ unwhiten
    return erased


@given(st.integers(0, 50), st.integers(2, 8))
def test_with_many_rows_it_is_the_eraser_of_the_paper(seed: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((60, dim)) @ rng.standard_normal((dim, dim)) + 3
    z = x @ rng.standard_normal(dim) + rng.standard_normal(60)
    erase = Eraser(x, z, np.arange(60), alphas=[1e-9])
    assert np.allclose(erase(x), leace(x, z), atol=1e-6 * np.abs(x).max())


@pytest.mark.parametrize("dim", [12, 300])
def test_a_probe_of_erased_rows_reads_nothing_in_training_and_nothing_held_out(dim: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((120, dim))
    z = x[:, :3].sum(axis=1) + 0.3 * rng.standard_normal(120)
    train, new = slice(0, 90), slice(90, 120)
    groups = np.arange(90) // 3
    erase = Eraser(x[train], z[train], groups)
    rows = erase(x[train])
    assert np.abs((rows - rows.mean(axis=0)).T @ (z[train] - z[train].mean())).max() < 1e-8
    probe = RidgePath(rows, z[train, None])
    for alpha in (1e-2, 1.0, 1e3):
        told = probe.predict(rows, alphas=[alpha])[0, :, 0] - z[train].mean()
        assert np.square(told).sum() < 1e-6 * np.square(z[train] - z[train].mean()).sum()
        held_out = probe.predict(erase(x[new]), alphas=[alpha])[0, :, 0]
        error = np.square(z[new] - held_out).sum()
        assert error == pytest.approx(np.square(z[new] - z[train].mean()).sum(), rel=1e-3)


def test_it_is_a_projection_that_loses_one_direction() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((50, 9))
    erase = Eraser(x, x[:, 0], np.arange(50))
    rows = erase(x)
    assert np.linalg.matrix_rank(rows - rows.mean(axis=0), tol=1e-6) == 8
    assert np.allclose(erase(rows), rows)


def test_a_target_that_does_not_vary_erases_nothing() -> None:
    x = np.random.default_rng(3).standard_normal((20, 4))
    assert (Eraser(x, np.full(20, 7.0), np.arange(20))(x) == x).all()


def test_an_erased_direction_is_gone_and_an_orthogonal_one_stays() -> None:
    found = simulate_erasure(0)
    assert found.own_before > 0.5 and abs(found.own_after) < 0.02
    assert found.other_after > found.other_before - 0.1
    assert found.unseen_after < found.unseen_before / 2


def test_what_hangs_together_is_lost_together_and_the_control_is_not() -> None:
    rng = np.random.default_rng(4)
    works = np.repeat(np.arange(30), 2)
    layer = rng.standard_normal((60, 2, 16))
    one = layer[:, 1, 0]
    twin = one + 0.2 * rng.standard_normal(60)  # read from the same direction
    apart = layer[:, 1, 1] + 0.1 * rng.standard_normal(60)
    apart[:5] = np.nan  # and not known of all
    found = erase_each(
        layer,
        np.column_stack([one, twin, apart]),
        works,
        names=["one", "twin", "apart"],
        layer_of={"one": 1, "apart": 1},
        fold=works % 5,
        draws=3,
    )
    loss = {(one.erased, one.target): one for one in found.losses}
    assert loss["one", "twin"].before - loss["one", "twin"].after > 0.7
    assert loss["one", "twin"].p is not None and loss["one", "twin"].p < 0.05
    assert abs(loss["one", "apart"].before - loss["one", "apart"].after) < 0.1
    assert abs(loss["apart", "apart"].after) < 0.02 < 0.7 < loss["apart", "one"].after
    assert loss["one", "twin"].correlation == pytest.approx(np.corrcoef(one, twin)[0, 1])
    assert [one.layer for one in found.unseen] == [1, 1]
    control = {one.target: one for one in found.control}
    assert len(control["one"].after) == 3
    assert np.mean(control["twin"].after) > 0.6 > loss["one", "twin"].after
