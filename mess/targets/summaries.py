"""Summaries of the targets of a dataset: spread, correlations, outliers, and counterparts in MIDI.

Conventions: a table has a row for each recording and a column for each target. NaN is unknown and
is left out pair by pair. All statistics use ranks or medians, so single outliers matter little.

Examples
--------
>>> import numpy as np
>>> np.round(robust_z(np.array([1.0, 2.0, 3.0, 4.0, 100.0])), 1).tolist()
[-1.3, -0.7, 0.0, 0.7, 65.4]
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

OUTLYING = 3.5  # robust standard deviations beyond which a recording is an outlier
_NORMAL = 1.4826  # median absolute deviation to standard deviation, for a normal distribution
_NORMAL_MEAN = 1.2533  # mean absolute deviation, likewise
FEWEST_PAIRS = 5
_NORMAL_95 = 1.96  # standard deviations within which 95 % of a normal distribution lie


def robust_z(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return how many robust standard deviations each value lies from the median.

    (x − median) / (1.4826 · median |x − median|). If more than half of the values are equal, the
    mean absolute deviation is used instead. All results are NaN if the values do not vary.

    References
    ----------
    B. Iglewicz, D. Hoaglin: How to detect and handle outliers. ASQC, 1993 (who mark 3.5).
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return np.full(values.shape, np.nan)
    centre = np.median(known)
    away = np.abs(known - centre)
    scale = _NORMAL * float(np.median(away)) or _NORMAL_MEAN * float(away.mean())
    if scale <= 1e-12 * max(float(np.abs(known).max()), 1e-300):
        return np.full(values.shape, np.nan)
    z: NDArray[np.float64] = (values.astype(np.float64) - centre) / scale
    return z


def outliers(values: "pd.Series[float]", *, beyond: float = OUTLYING) -> "pd.Series[float]":
    """Return the robust deviations of the outlying recordings, the largest first."""
    import pandas as pd

    z = pd.Series(robust_z(values.to_numpy()), index=values.index)
    far = z[z.abs() > beyond]
    return far.loc[far.abs().sort_values(ascending=False, kind="stable").index]


def spearman_matrix(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return Spearman's rank correlation of each pair of targets that share five recordings."""
    return table.corr(method="spearman", min_periods=FEWEST_PAIRS)


def spearman(first: "pd.Series[float]", second: "pd.Series[float]") -> float:
    """Return the rank correlation of two targets, NaN for less than five shared recordings."""
    return float(first.corr(second, method="spearman", min_periods=FEWEST_PAIRS))


def strongest_pairs(matrix: "pd.DataFrame") -> list[tuple[str, str, float]]:
    """Return each pair of targets with its correlation, the strongest of either sign first."""
    names, values = list(matrix.columns), matrix.to_numpy(dtype=np.float64)
    rows, columns = np.triu_indices(len(names), k=1)
    correlations = values[rows, columns]
    order = np.argsort(-np.abs(correlations), kind="stable")
    return [
        (names[rows[i]], names[columns[i]], float(correlations[i]))
        for i in order
        if np.isfinite(correlations[i])
    ]


def clustered_order(matrix: "pd.DataFrame") -> list[str]:
    """Return the targets in an order in which correlated targets are neighbours.

    Average linkage on 1 − |ρ|; targets without a known correlation come last.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    known = [name for name in matrix.columns if matrix[name].drop(name).notna().any()]
    rest = [name for name in matrix.columns if name not in known]
    if len(known) < 3:
        return known + rest
    near = matrix.loc[known, known].abs().fillna(0.0).to_numpy()
    distance = 1.0 - (near + near.T) / 2
    np.fill_diagonal(distance, 0.0)
    order = leaves_list(linkage(squareform(distance.clip(0.0), checks=False), method="average"))
    return [known[number] for number in order] + rest


@dataclass(frozen=True)
class Counterpart:
    """A MIDI target that should agree with a target measured on the audio of the same recording.

    Attributes
    ----------
    proxy, truth : str
        The target on the audio, and the MIDI target (or ``mean_tempo``, which a dataset may
        state).
    sign : int
        1 if both should rise together, −1 if one should fall.
    reason : str
        In one line.
    """

    proxy: str
    truth: str
    sign: int
    reason: str


COUNTERPARTS = (
    Counterpart("tempo", "mean_tempo", 1, "The beat, up to its half or double."),
    Counterpart("onset_density", "note_density", 1, "A chord is one onset and several notes."),
    Counterpart("dynamic_range", "velocity_spread", 1, "Harder strokes are louder."),
    Counterpart("dynamic_variance", "velocity_spread", 1, "Loud and soft passages are struck so."),
    Counterpart("spectral_centroid", "velocity_mean", 1, "A harder stroke sounds brighter."),
    Counterpart("spectral_centroid", "register", 1, "Higher notes have higher partials."),
    Counterpart("harmonic_complexity", "polyphony", 1, "More keys down, more pitches in play."),
    Counterpart("attack_slopes", "articulation_ratio", -1, "Detached notes begin from silence."),
)
Agreement = Literal["yes", "weakly", "not told", "no"]
LEAST_AGREEMENT = 0.3  # of Spearman's correlation: less is a small effect (Cohen 1988)


def spearman_interval(correlation: float, *, works: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a rank correlation, None if too little is known.

    tanh(artanh ρ ± 1.96 √((1 + ρ²/2) / (works − 3))). Recordings of one work are no independent
    evidence, so works are counted and not recordings.

    References
    ----------
    D. G. Bonett, T. A. Wright: Sample size requirements for estimating Pearson, Kendall and
    Spearman correlations. Psychometrika 65, 2000.

    Examples
    --------
    >>> low, high = spearman_interval(0.11, works=91)
    >>> round(low, 2), round(high, 2)
    (-0.1, 0.31)
    """
    if works < FEWEST_PAIRS or not np.isfinite(correlation):
        return None
    centre = np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12))
    half = _NORMAL_95 * np.sqrt((1 + correlation**2 / 2) / (works - 3))
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def as_expected(correlation: float, *, sign: int, works: int) -> Agreement:
    """Say whether a target goes with its counterpart as it should.

    The whole interval decides. "not told": it holds 0, or too few works are known. "no": it lies on
    the wrong side of 0. "weakly": it lies on the right side, and the correlation is under 0.3.

    Examples
    --------
    >>> as_expected(0.11, sign=1, works=91), as_expected(0.25, sign=1, works=91)
    ('not told', 'weakly')
    >>> as_expected(0.6, sign=1, works=91), as_expected(0.6, sign=-1, works=91)
    ('yes', 'no')
    """
    bounds = spearman_interval(correlation, works=works)
    if bounds is None or bounds[0] <= 0 <= bounds[1]:
        return "not told"
    if correlation * sign < 0:
        return "no"
    return "yes" if abs(correlation) >= LEAST_AGREEMENT else "weakly"


STATED = "mean_tempo"  # stated by a dataset, not computed from its notes
