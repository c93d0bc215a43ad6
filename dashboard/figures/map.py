"""The colours of a map: a code for each point, and what each code looks like and means."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from plotly.colors import sample_colorscale, unlabel_rgb

from dashboard.figures.style import PALETTE

_REST = "#999999"
_COLOURS = [colour for colour in PALETTE if colour != _REST]  # grey means "none of these"
_NAMED = len(_COLOURS)
_SHADES = 64


@dataclass(frozen=True, kw_only=True)
class Colouring:
    """The colours of all points of a map.

    Attributes
    ----------
    codes : ndarray of uint8 [shape=(n,)]
        The place of each point's colour in ``palette``.
    palette : list of str
        Hexadecimal colours.
    legend : list of (str, str)
        The name and the colour of each category, by code; empty for numbers.
    scale : dict or None
        Of numbers: the least and the greatest as text, the colours between, and that of unknown
        values where there are some.
    """

    codes: NDArray[np.uint8]
    palette: list[str]
    legend: list[tuple[str, str]] = field(default_factory=list)
    scale: dict[str, str | list[str] | None] | None = None


def colour_points(values: Sequence[str] | NDArray[np.float64]) -> Colouring:
    """Give every point a colour.

    Each of the nine largest categories has a colour. All others, and unknown values, are grey.

    Parameters
    ----------
    values : sequence of str, or ndarray of float, length n
        Categories, or numbers (NaN where unknown).
    """
    if isinstance(values, np.ndarray):
        return _shade(values)
    codes = np.zeros(len(values), dtype=np.uint8)
    legend = []
    for code, (name, rows) in enumerate(categories(values).items()):
        codes[rows] = code
        legend.append((name, _COLOURS[code] if code < _NAMED else _REST))
    return Colouring(codes=codes, palette=[colour for _, colour in legend], legend=legend)


def categories(values: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Return the rows of the largest categories, by size, and of all others together."""
    values = [value or "unknown" for value in values]
    counts = Counter(values)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    if len(ranked) <= _NAMED + 1:
        named, rest = ranked, []
    else:
        named, rest = ranked[:_NAMED], ranked[_NAMED:]
    rows = np.array(values, dtype=object)
    found = {name: np.flatnonzero(rows == name) for name in named}
    if rest:
        found[f"{len(rest)} others"] = np.flatnonzero(np.isin(rows.astype(str), rest))
    return found


def _shade(values: NDArray[np.float64]) -> Colouring:
    """Give numbers shades from the least to the greatest."""
    known = np.isfinite(values)
    codes = np.full(len(values), _SHADES, dtype=np.uint8)
    low, high = (values[known].min(), values[known].max()) if known.any() else (0.0, 0.0)
    if known.any():
        share = (values[known] - low) / (high - low) if high > low else np.zeros(known.sum())
        codes[known] = np.minimum(share * _SHADES, _SHADES - 1).astype(np.uint8)
    shades = [_hex(one) for one in sample_colorscale("Viridis", np.linspace(0, 1, _SHADES))]
    return Colouring(
        codes=codes,
        palette=[*shades, _REST],
        scale={
            "low": f"{low:.4g}",
            "high": f"{high:.4g}",
            "colours": shades[:: _SHADES // 8],
            "unknown": None if known.all() else _REST,
        },
    )


def _hex(colour: str) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in unlabel_rgb(colour))
