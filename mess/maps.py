"""Maps: the tracks or segments of a dataset on a plane, so that neighbours in one layer stay close.

Task: map the vectors of one layer [n, d] to points [n, 2] and to groups. Features are standardised
first, so that all dimensions count alike. *PCA* shows the two directions of largest variance and
preserves large distances. *t-SNE* and *UMAP* preserve neighbours; the distances between groups have
no meaning.

The quality of a map is its *trustworthiness*: the share of neighbours on the plane that are
neighbours in the layer (J. Venna, S. Kaski: Neighborhood preservation in nonlinear projection
methods. ICANN 2001). It is 1 at best, and near 0.5 for random points.

Examples
--------
>>> import numpy as np
>>> values = np.random.default_rng(0).standard_normal((40, 8))
>>> make_plane_map(values, method="pca").points.shape
(40, 2)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError, MissingDependency, UnknownName
from mess.probing.results import Cell

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
FEWEST = 5  # least number of rows of a map
CLUSTERS = 8
_COMPONENTS = 50  # principal components that t-SNE, UMAP and the clustering use
_PERPLEXITY, _NEIGHBOURS, _DISTANCE = 30.0, 15, 0.1
_JUDGED, _JUDGED_NEIGHBOURS = 2000, 12
Array = NDArray[np.float32]


@dataclass(frozen=True)
class PlaneMap:
    """Points on a plane, with the principal components and the settings that they were made from.

    Attributes
    ----------
    points : ndarray [shape=(n, 2)]
    reduced : ndarray [shape=(n, k)]
        The first principal components, at most 50.
    explained : list of float
        The share of the variance of each of the first two components.
    settings : dict
        The settings of the method.
    """

    points: Array
    reduced: Array
    explained: list[float]
    settings: dict[str, int | float]


def fit_square(points: Array) -> Array:
    """Return points moved and scaled, by the same factor in both directions, into a square.

    Parameters
    ----------
    points : ndarray [shape=(n, 2)]

    Returns
    -------
    ndarray [shape=(n, 2)]
        From −0.95 to 0.95 in the wider direction, around 0 in both.

    Examples
    --------
    >>> points = np.array([[0, 0], [4, 2]], dtype=np.float32)
    >>> (1000 * fit_square(points)).round().astype(int).tolist()
    [[-950, -475], [950, 475]]
    """
    low, high = points.min(axis=0), points.max(axis=0)
    wide = float((high - low).max()) or 1.0
    return ((points - (low + high) / 2) * (1.9 / wide)).astype(np.float32)


def likeliest_layer(cells: Sequence[Cell], *, layers: int) -> int:
    """Return the layer of the highest mean R² over all targets; a negative R² counts as 0.

    Parameters
    ----------
    cells : sequence of Cell
        Those of a discovery.
    layers : int
        How many layers there are.
    """
    sums = np.zeros(layers)
    for cell in cells:
        if cell.r2 is not None and cell.layer < layers:
            sums[cell.layer] += max(cell.r2, 0.0)
    return int(np.argmax(sums))


def standardise(values: NDArray[Any]) -> Array:
    """Return columns with mean 0 and standard deviation 1; a constant column becomes 0."""
    centred = values.astype(np.float32) - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = centred.std(axis=0, dtype=np.float64)
    steady = spread <= 1e-6 * max(float(spread.max(initial=0.0)), 1e-30)
    scaled: Array = np.where(steady, 0.0, centred / np.where(steady, 1.0, spread)).astype(
        np.float32
    )
    return scaled


def principal_components(
    values: Array, *, components: int = _COMPONENTS
) -> tuple[Array, list[float]]:
    """Return the first principal components of centred rows, and their shares of the variance.

    Parameters
    ----------
    values : ndarray [shape=(n, d)]
        With column means of 0.
    components : int
        Largest number of components.

    Returns
    -------
    scores : ndarray [shape=(n, k)]
        The sign of each direction is such that its largest weight is positive.
    explained : list of float, length k
    """
    if len(values) > values.shape[1]:  # equally exact, and d × d instead of n × d
        wide = values.astype(np.float64)
        squares, directions = np.linalg.eigh(wide.T @ wide)
        squares, directions = squares[::-1].clip(0.0), directions[:, ::-1].T
    else:
        _, singular, directions = np.linalg.svd(values.astype(np.float64), full_matrices=False)
        squares = singular**2
    total = float(squares.sum())
    count = min(components, int((squares > 1e-10 * max(total, 1e-30)).sum()))
    kept = directions[:count]
    signs = np.sign(kept[np.arange(count), np.abs(kept).argmax(axis=1)])
    scores = values @ (kept * signs[:, None]).T.astype(np.float32)
    return scores, (squares[:count] / total).tolist() if total > 0 else []


def make_plane_map(values: NDArray[Any], *, method: str = "pca", seed: int = 0) -> PlaneMap:
    """Map rows to a plane.

    Parameters
    ----------
    values : ndarray [shape=(n, d)]
        One layer's vectors.
    method : {"pca", "tsne", "umap"}
    seed : int
        Random seed of t-SNE and UMAP; the same seed gives the same points.

    Raises
    ------
    UnknownName
        If there is no such method.
    MessError
        If there are less than five rows, or fewer than two directions in which they vary.
    MissingDependency
        If UMAP is not installed.
    """
    if method not in METHODS:
        raise UnknownName("method", method, METHODS)
    n = len(values)
    if n < FEWEST:
        raise MessError(f"a map needs {FEWEST} rows and there are {n}: add recordings")
    reduced, explained = principal_components(standardise(values))
    if reduced.shape[1] < 2:
        raise MessError("all rows lie on one line: choose another layer")
    points: NDArray[Any]
    settings: dict[str, int | float] = {}
    if method == "pca":
        points = reduced[:, :2]
    elif method == "tsne":
        points, settings = _tsne(reduced, seed)
    else:
        points, settings = _umap(reduced, seed)
    plane = np.ascontiguousarray(points, dtype=np.float32)
    return PlaneMap(plane, reduced, explained[:2], settings)


def _tsne(reduced: Array, seed: int) -> tuple[NDArray[Any], dict[str, int | float]]:
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(reduced) - 1) / 3)
    model = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=-1)
    return model.fit_transform(reduced), {"perplexity": perplexity, "components": reduced.shape[1]}


def _umap(reduced: Array, seed: int) -> tuple[NDArray[Any], dict[str, int | float]]:
    try:
        from umap import UMAP
    except ImportError:
        raise MissingDependency("umap-learn", "ml") from None
    neighbours = min(_NEIGHBOURS, len(reduced) - 1)
    model = UMAP(
        n_neighbors=neighbours,
        min_dist=_DISTANCE,
        init="pca" if len(reduced) < 50 else "spectral",
        random_state=seed,
        n_jobs=1,  # a seed gives the same result with one job only
    )
    settings = {
        "neighbours": neighbours,
        "distance": _DISTANCE,
        "components": reduced.shape[1],
    }
    return model.fit_transform(reduced), settings


def cluster_rows(reduced: Array, *, clusters: int = CLUSTERS, seed: int = 0) -> NDArray[np.int16]:
    """Return the cluster of each row, by k-means on principal components; the largest has number 0.

    Parameters
    ----------
    reduced : ndarray [shape=(n, k)]
    clusters : int
        Number of clusters; at most the number of distinct rows.
    seed : int
    """
    from sklearn.cluster import KMeans

    count = min(clusters, len(np.unique(reduced, axis=0)))
    labels = KMeans(count, n_init=4, random_state=seed).fit_predict(reduced)
    sizes = np.bincount(labels, minlength=count)
    rank = np.empty(count, dtype=np.int16)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(count, dtype=np.int16)
    return rank[labels]


def trustworthiness_of(reduced: Array, points: Array, *, seed: int = 0) -> float | None:
    """Return the trustworthiness of a map, computed on at most 2,000 rows drawn by the seed.

    None if there are too few rows to have neighbours.
    """
    from sklearn.manifold import trustworthiness

    n = len(points)
    neighbours = min(_JUDGED_NEIGHBOURS, (n - 1) // 3)
    if neighbours < 1:
        return None
    if n > _JUDGED:
        chosen = np.random.default_rng(seed).choice(n, _JUDGED, replace=False)
        reduced, points = reduced[chosen], points[chosen]
    return float(trustworthiness(reduced, points, n_neighbors=neighbours))
