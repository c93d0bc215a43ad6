"""Maps: PCA against scikit-learn, neighbours that stay together, the same seed, the same points."""

import numpy as np
import pytest
from made_records import made_cell

from mess.errors import MessError, UnknownName
from mess.maps import (
    cluster_rows,
    likeliest_layer,
    make_plane_map,
    principal_components,
    standardise,
    trustworthiness_of,
)


def islands(n: int = 90, dim: int = 20, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three groups far apart, and which each row belongs to."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n) % 3
    centres = 8 * rng.standard_normal((3, dim))
    return centres[kinds] + rng.standard_normal((n, dim)), kinds


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_principal_components_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    from sklearn.decomposition import PCA

    values = standardise(np.random.default_rng(1).standard_normal(shape))
    scores, explained = principal_components(values, components=5)
    theirs = PCA(5).fit(values)
    np.testing.assert_allclose(np.abs(scores), np.abs(theirs.transform(values)), atol=1e-3)
    np.testing.assert_allclose(explained, theirs.explained_variance_ratio_, atol=1e-6)


def test_a_column_that_does_not_vary_counts_for_nothing() -> None:
    values = np.random.default_rng(0).standard_normal((20, 3))
    values[:, 1] = 7.0
    scaled = standardise(values)
    assert not scaled[:, 1].any()
    np.testing.assert_allclose(scaled[:, [0, 2]].std(axis=0), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    "method",
    ["pca", "tsne", pytest.param("umap", marks=pytest.mark.long)],  # it compiles itself
)
def test_groups_stay_together_and_a_seed_repeats(method: str) -> None:
    if method == "umap":
        pytest.importorskip("umap", reason="needs the extra 'ml'")
    values, kinds = islands()
    found = make_plane_map(values, method=method, seed=3)
    again = make_plane_map(values, method=method, seed=3)
    np.testing.assert_array_equal(found.points, again.points)
    nearest = np.linalg.norm(found.points[:, None] - found.points[None], axis=2)
    np.fill_diagonal(nearest, np.inf)
    assert (kinds[nearest.argmin(axis=1)] == kinds).mean() > 0.95
    believed = trustworthiness_of(found.reduced, found.points)
    scattered = np.random.default_rng(0).standard_normal(found.points.shape).astype(np.float32)
    at_random = trustworthiness_of(found.reduced, scattered)
    assert believed is not None and at_random is not None and believed > 0.8 > 0.6 > at_random


def test_k_means_finds_the_islands_and_the_largest_comes_first() -> None:
    values, kinds = islands()
    keep = ~((kinds == 0) & (np.arange(len(kinds)) > 30))
    found = cluster_rows(make_plane_map(values[keep]).reduced, clusters=3)
    sizes = np.bincount(found)
    assert sizes.tolist() == sorted(sizes, reverse=True)
    for kind in range(3):
        assert len(set(found[kinds[keep] == kind])) == 1


def test_what_cannot_be_drawn_says_why() -> None:
    with pytest.raises(MessError, match="needs 5 rows and there are 4"):
        make_plane_map(np.random.default_rng(0).standard_normal((4, 8)))
    with pytest.raises(MessError, match="one line"):
        make_plane_map(np.outer(np.arange(9.0), np.ones(4)))
    with pytest.raises(UnknownName, match="did you mean 'umap'"):
        make_plane_map(np.zeros((9, 3)), method="umpa")


def test_the_likeliest_layer_does_not_count_failures() -> None:
    cells = [
        made_cell(0, "tempo", 0.5),
        made_cell(0, "register", -9.0),
        made_cell(1, "tempo", 0.4),
        made_cell(1, "register", None),
    ]
    assert likeliest_layer(cells, layers=3) == 0
