"""Two discoveries compared: where one predicts a target better than the other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.figures.heat import ColourScale, HeatCell, HeatRow, HeatTable, furthest
from dashboard.figures.names import about, family_of, layer_labels
from dashboard.figures.style import cell_interval
from mess.as_text import signed, two_decimals
from mess.probing.results import Cell, Combined
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of

_NESTED, _WEIGHTED = "best, nested", "all, weighted"
APART = "●"
_BESIDE = 3  # columns that any two encoders have: the best layer, and these two


@dataclass(frozen=True)
class Score:
    """R² with its 95 % interval, where it has one."""

    r2: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, score: Cell | Combined) -> "Score":
        """Return that of a cell or of a combination of layers."""
        return cls(score.r2, score.low, score.high)


@dataclass(frozen=True, kw_only=True)
class PairOfScores:
    """What two discoveries say of a target in one column."""

    a: Score
    b: Score

    @property
    def change(self) -> float:
        """The first R² minus the second; NaN where one is unknown."""
        return _r2(self.a) - _r2(self.b)

    @property
    def apart(self) -> bool:
        """Whether the 95 % intervals do not overlap."""
        a, b = self.a, self.b
        if a.low is None or a.high is None or b.low is None or b.high is None:
            return False
        return a.low > b.high or b.low > a.high


Columns = dict[str, dict[str, Score]]  # column → target


def compared_columns(record_a: DiscoveryRecord, record_b: DiscoveryRecord) -> str:
    """Return how the layers of two discoveries are paired.

    Returns
    -------
    str
        "layer" where both have the same layers; "depth" where both are networks of different
        depth; "none" where the layers of one are no steps of a network and have no counterpart.
    """
    if record_a.layer_names == record_b.layer_names:
        return "layer"
    return "depth" if _has_depth(record_a) and _has_depth(record_b) else "none"


def difference_heat(
    record_a: DiscoveryRecord, record_b: DiscoveryRecord, *, choosable: bool = True
) -> HeatTable:
    """Return R² of the first discovery minus R² of the second, for the targets of both.

    If both discoveries have the same layers, they are compared one by one. If both encoders are
    networks, layers are compared by relative depth: 0 is the first layer, 1 the last, and R² is
    interpolated between layers. Otherwise layers are not compared. Three more columns hold the best
    layer, the layer chosen inside the folds and the mixture of all layers. A dot marks cells whose
    95 % intervals do not overlap.

    Parameters
    ----------
    record_a, record_b : DiscoveryRecord
    choosable : bool
        Let a cell choose (target, column).
    """
    found = pair_scores(record_a, record_b)
    names = list(found)
    targets = [name for name in record_a.target_names if name in record_b.target_names]
    known = [abs(one.change) for by in found.values() for one in by.values()]
    reach = min(math.ceil(10 * max([0.1, *(one for one in known if np.isfinite(one))])) / 10, 1.0)
    scale = ColourScale(title="first less second", low=-reach, high=reach, reach=reach)
    rows = []
    for target in targets:
        pairs = [found[name][target] for name in names]
        place = furthest([pair.change for pair in pairs])
        cells = []
        for name, pair in zip(names, pairs, strict=True):
            colour, ink = scale.colours(pair.change)
            said = [title_of(target), column_words(name), f"difference {signed(pair.change)}"]
            said += [f"first {_score_words(pair.a)}", f"second {_score_words(pair.b)}"]
            said += ["intervals do not overlap"] * pair.apart
            cells.append(
                HeatCell(
                    choice=(target, name) if choosable else None,
                    colour=colour,
                    ink=ink,
                    text=signed(pair.change),
                    mark=APART * pair.apart,
                    said=", ".join(said),
                )
            )
        rows.append(
            HeatRow(
                label=title_of(target),
                about=about(target),
                family=family_of(target),
                cells=cells,
                strongest=place,
                strongest_said=f"differs most in {column_words(names[place])}: {cells[place].text}",
            )
        )
    beside = 0 if len(names) == _BESIDE else _BESIDE  # no layers: no gap before the other columns
    return HeatTable(rows=rows, columns=names, beside=beside, corner="layer", scale=scale)


def pair_scores(
    record_a: DiscoveryRecord, record_b: DiscoveryRecord
) -> dict[str, dict[str, PairOfScores]]:
    """Return what both discoveries have: column → target → both scores; see `difference_heat`."""
    kind = compared_columns(record_a, record_b)
    a, b = (_columns(record, kind, record_a, record_b) for record in (record_a, record_b))
    targets = [name for name in record_a.target_names if name in record_b.target_names]
    return {
        name: {
            target: PairOfScores(a=a[name].get(target, Score()), b=b[name].get(target, Score()))
            for target in targets
        }
        for name in a
    }


def column_words(column: str) -> str:
    """Return the name of a column with the word "layer", where it is the number of one."""
    return f"layer {column}" if column[:1].isdigit() else column


def describe_difference(record_a: DiscoveryRecord, record_b: DiscoveryRecord) -> str:
    """Say in words how the two differ, by the layers chosen inside the folds."""
    a, b = (
        {summary.target: Score.of(summary.nested) for summary in record.summaries}
        for record in (record_a, record_b)
    )
    pairs = {name: _r2(a[name]) - _r2(b[name]) for name in a if name in b}
    pairs = {name: value for name, value in pairs.items() if np.isfinite(value)}
    if not pairs:
        return "No target is defined in both."
    better = sum(value > 0 for value in pairs.values())
    widest = max(pairs, key=lambda name: abs(pairs[name]))
    return (
        f"Nested R² is higher in the first for {better} of {len(pairs)} targets; they differ most "
        f"in {title_of(widest)} ({signed(pairs[widest])})."
    )


def _has_depth(record: DiscoveryRecord) -> bool:
    names = record.layer_names
    return len(names) > 1 and names == [str(number) for number in range(len(names))]


def _columns(
    record: DiscoveryRecord, kind: str, record_a: DiscoveryRecord, record_b: DiscoveryRecord
) -> Columns:
    """Return the R² of each column and target, with its interval where there is one."""
    by_target: dict[str, dict[int, Score]] = {}
    for cell in record.cells:
        by_target.setdefault(cell.target, {})[cell.layer] = Score.of(cell)
    columns: Columns = {}
    if kind == "layer":
        for layer, label in enumerate(layer_labels(record)):
            columns[label] = {
                target: cells[layer] for target, cells in by_target.items() if layer in cells
            }
    elif kind == "depth":
        count = min(len(record_a.layer_names), len(record_b.layer_names))
        for depth in np.linspace(0, 1, count):
            layer = depth * (len(record.layer_names) - 1)
            columns[f"depth {depth:.2f}"] = {
                target: Score(_between(cells, layer)) for target, cells in by_target.items()
            }
    columns["best layer"] = {
        target: max(cells.values(), key=lambda score: -np.inf if score.r2 is None else score.r2)
        for target, cells in by_target.items()
    }
    columns[_NESTED] = {row.target: Score.of(row.nested) for row in record.summaries}
    columns[_WEIGHTED] = {row.target: Score.of(row.weighted) for row in record.summaries}
    return columns


def _between(cells: Mapping[int, Score], layer: float) -> float | None:
    """Return R² at a layer that may lie between two layers, by linear interpolation."""
    layers = np.array(sorted(cells))
    values: NDArray[np.float64] = np.array([_r2(cells[number]) for number in layers])
    r2 = float(np.interp(layer, layers, values))
    return r2 if np.isfinite(r2) else None


def _r2(score: Score) -> float:
    return float("nan") if score.r2 is None else score.r2


def _score_words(score: Score) -> str:
    known = f" {cell_interval(score)}" if score.low is not None else ""
    return f"R² {two_decimals(score.r2)}{known}"
