"""The states of moments are read for one layer at a time: those of all layers are too many."""

import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mess.experiments import in_time
from mess.experiments.moment_rows import MomentRows
from mess.records.discovery import ProbeSettings
from mess.storage.moments import TrackMoments

TRACKS, MOMENTS, LAYERS, DIM = 20, 12, 4, 5


def simulate() -> MomentRows:
    """Layer 2 holds a curve; of every track the last moments have none."""
    rng = np.random.default_rng(0)
    curve = rng.standard_normal((TRACKS, MOMENTS)).astype(np.float32)
    states = rng.standard_normal((TRACKS, MOMENTS + 3, LAYERS, DIM)).astype(np.float32)
    states[:, :MOMENTS, 2, 0] += 2 * curve
    time = np.arange(MOMENTS + 3) / 2
    return MomentRows(
        [TrackMoments(str(track), own, None, time) for track, own in enumerate(states)],
        [np.arange(MOMENTS)] * TRACKS,
        np.repeat(np.arange(TRACKS), MOMENTS),
        curve.reshape(-1, 1),
        ["contour"],
        [],
    )


def test_of_all_layers_one_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = simulate()
    alive: set[int] = set()
    most: list[int] = []
    read = MomentRows.states

    def watched(self: MomentRows, *of: Any) -> NDArray[np.float32]:
        states = read(self, *of)
        number = len(most)
        alive.add(number)
        weakref.finalize(states, alive.discard, number)
        most.append(len(alive))
        return states

    monkeypatch.setattr(MomentRows, "states", watched)
    found = in_time._Curves()
    works = np.arange(TRACKS) // 2
    for columns, moments in rows.patterns():
        in_time._probe_pattern(
            rows,
            SimpleNamespace(names=[], targets=np.empty((TRACKS, 0))),  # type: ignore[arg-type]
            columns,
            moments,
            works=works,
            fold=works % 5,
            settings=ProbeSettings(permutations=9, bootstrap=50),
            significance=True,
            found=found,
            through=np.empty((0, TRACKS, 0)),
            inner=np.empty((0, 5, TRACKS, 0), dtype=np.float32),
            on_layer=lambda _: None,
        )
    best = max(found.cells, key=lambda cell: cell.r2 or -9.0)
    assert best.layer == 2 and best.low is not None and best.p is not None
    assert len(most) > 2 * LAYERS  # for the fits, for the shuffles, for an interval
    assert max(most) == 1


def test_some_moments_of_a_layer_are_those_of_all() -> None:
    rows = simulate()
    some = np.flatnonzero(np.arange(len(rows.owner)) % 7 == 3)[4:]  # none of the first tracks
    whole = np.concatenate([one.layer(1)[:MOMENTS] for one in rows.moments])
    np.testing.assert_array_equal(rows.states(1), whole)
    np.testing.assert_array_equal(rows.states(1, some), whole[some])
