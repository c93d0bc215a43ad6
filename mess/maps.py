"""Maps: the tracks or segments of a dataset on a plane, near where one layer hears them alike.

Task: from the vectors of one layer [n, d] to points [n, 2], and to groups. Features are
standardised first, so that no loud dimension decides alone. *PCA* shows the two directions in
which most varies and keeps large distances honest; *t-SNE* and *UMAP* keep neighbours together
and say nothing about the distance between groups.

How far a map may be believed is a number: its *trustworthiness*, the share of neighbours on the
plane that are neighbours in the layer (J. Venna, S. Kaski: Neighborhood preservation in nonlinear
projection methods. ICANN 2001), 1 at best, near 0.5 for points thrown at random.

Examples
--------
>>> import numpy as np
>>> values = np.random.default_rng(0).standard_normal((40, 8))
>>> make_plane_map(values, method="pca").points.shape
(40, 2)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError, MissingDependency, UnknownName

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
FEWEST = 5  # rows that make a map
CLUSTERS = 8
_COMPONENTS = 50  # that t-SNE, UMAP and the groups see
_PERPLEXITY, _NEIGHBOURS, _DISTANCE = 30.0, 15, 0.1
_JUDGED, _JUDGED_NEIGHBOURS = 2000, 12
Array = NDArray[np.float32]


@dataclass(frozen=True)
class PlaneMap:
    """Points on a plane, and what they were made from.

    Attributes
    ----------
    points : ndarray [shape=(n, 2)]
    reduced : ndarray [shape=(n, k)]
        The first principal components, at most 50.
    explained : list of float
        The share of the variance that each of the first two components carries.
    settings : dict
        Of the method.
    """

    points: Array
    reduced: Array
    explained: list[float]
    settings: dict[str, Any]


def likeliest_layer(record: Mapping[str, Any], *, layers: int) -> int:
    """Return the layer of the highest mean R² over all targets, what is below 0 counting as 0.

    Parameters
    ----------
    record : mapping
        A discovery.
    layers : int
        How many layers there are.
    """
    sums = np.zeros(layers)
    for cell in record["cells"]:
        if cell["r2"] is not None and cell["layer"] < layers:
            sums[cell["layer"]] += max(cell["r2"], 0.0)
    return int(np.argmax(sums))


def standardise(values: NDArray[Any]) -> Array:
    """Return columns with mean 0 and standard deviation 1; what does not vary is 0."""
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
    """Return the first principal components of centred rows, and each one's share of variance.

    Parameters
    ----------
    values : ndarray [shape=(n, d)]
        With column means of 0.
    components : int
        At most so many.

    Returns
    -------
    scores : ndarray [shape=(n, k)]
        Signs are such that the largest weight of each direction is positive.
    explained : list of float, length k
    """
    if len(values) > values.shape[1]:  # as exact, and d × d instead of n × d
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
    """Put rows on a plane.

    Parameters
    ----------
    values : ndarray [shape=(n, d)]
        One layer's vectors.
    method : {"pca", "tsne", "umap"}
    seed : int
        Of what t-SNE and UMAP draw; the same seed gives the same points.

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
    settings: dict[str, Any] = {}
    if method == "pca":
        points = reduced[:, :2]
    elif method == "tsne":
        points, settings = _tsne(reduced, seed)
    else:
        points, settings = _umap(reduced, seed)
    found = np.ascontiguousarray(points, dtype=np.float32)
    return PlaneMap(found, reduced, explained[:2], settings)


def _tsne(reduced: Array, seed: int) -> tuple[NDArray[Any], dict[str, Any]]:
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(reduced) - 1) / 3)
    model = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=-1)
    return model.fit_transform(reduced), {"perplexity": perplexity, "components": reduced.shape[1]}


def _umap(reduced: Array, seed: int) -> tuple[NDArray[Any], dict[str, Any]]:
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
        n_jobs=1,  # what a seed makes repeatable
    )
    settings = {
        "neighbours": neighbours,
        "distance": _DISTANCE,
        "components": reduced.shape[1],
    }
    return model.fit_transform(reduced), settings


def cluster_rows(reduced: Array, *, clusters: int = CLUSTERS, seed: int = 0) -> NDArray[np.int16]:
    """Return the group of each row by k-means on its principal components, the largest group 0.

    Parameters
    ----------
    reduced : ndarray [shape=(n, k)]
    clusters : int
        How many groups; fewer if there are fewer rows.
    seed : int
    """
    from sklearn.cluster import KMeans

    count = min(clusters, len(np.unique(reduced, axis=0)))
    found = KMeans(count, n_init=4, random_state=seed).fit_predict(reduced)
    sizes = np.bincount(found, minlength=count)
    rank = np.empty(count, dtype=np.int16)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(count, dtype=np.int16)
    return rank[found]


def trustworthiness_of(reduced: Array, points: Array, *, seed: int = 0) -> float | None:
    """Return the trustworthiness of a map, on 2,000 rows drawn by the seed where there are more.

    None where there are too few rows to have neighbours.
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
