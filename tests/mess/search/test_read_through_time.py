"""A target that only time tells gets coordinates, and no track is placed by its own answer."""

import numpy as np
import pandas as pd
import pytest

from mess.experiments.moment_rows import MomentRows
from mess.probing.stacking import folds_of
from mess.search.coordinate_map import CoordinateMap
from mess.search.coordinates import Coordinates, make_coordinates
from mess.search.through_time import read_courses
from mess.storage.moments import TrackMoments

WORKS, MOMENTS, LAYERS, DIM = 16, 30, 2, 6
NAME = "dynamic_variance"


def simulate(seed: int = 0) -> tuple[MomentRows, np.ndarray, np.ndarray]:
    """Layer 1 holds a curve whose variance is the target; means over time do not tell it."""
    rng = np.random.default_rng(seed)
    tracks = 2 * WORKS
    spread = np.exp(rng.normal(0, 0.7, tracks))
    moments, curves = [], []
    for track in range(tracks):
        course = np.sin(np.arange(MOMENTS) / 3 + rng.uniform(0, 6)) + rng.normal(0, 0.3, MOMENTS)
        course = spread[track] * (course - course.mean()) / course.std()
        states = rng.standard_normal((MOMENTS, LAYERS, DIM)).astype(np.float32)
        states[:, 1, :2] += 2 * course[:, None].astype(np.float32)
        moments.append(TrackMoments(str(track), states, None, np.arange(MOMENTS) / 2))
        curves.append(course)
    rows = MomentRows(
        moments,
        [np.arange(MOMENTS)] * tracks,
        np.repeat(np.arange(tracks), MOMENTS),
        np.concatenate(curves)[:, None].astype(np.float32),
        ["contour"],
        [np.zeros((MOMENTS, 0), dtype=np.float16)] * tracks,
    )
    targets = np.array([curve.var() for curve in curves])[:, None]
    return rows, targets, np.arange(tracks) // 2


def place(
    rows: MomentRows, targets: np.ndarray, works: np.ndarray, *, through_time: bool = True
) -> tuple[Coordinates, np.ndarray]:
    means = np.stack([one.stored.mean(axis=0) for one in rows.moments])
    features = np.concatenate([means, np.ones_like(means)], axis=2)
    unknown = [(row, rows.moments[row].layer) for row in np.flatnonzero(np.isnan(targets[:, 0]))]
    courses = read_courses(rows, targets, [NAME], folds_of(targets, works), elsewhere=unknown)
    made = make_coordinates(
        features,
        targets,
        works,
        names=[NAME],
        course=pd.DataFrame(index=range(len(works))),
        courses=courses if through_time else None,
    )
    return made, features


def test_a_target_that_only_time_tells_is_ranked_by() -> None:
    rows, targets, works = simulate()
    column = place(rows, targets, works)[0].columns[0]
    assert column.r2 is not None and column.r2 > 0.8
    assert column.p_family is not None and column.p_family <= 0.01
    assert column.through_time is not None and column.through_time > 0.8
    without = place(rows, targets, works, through_time=False)[0].columns[0]
    assert without.r2 is not None and without.r2 < 0.2


def test_a_work_is_never_placed_by_its_own_answer() -> None:
    rows, targets, works = simulate()
    before = place(rows, targets, works)[0]
    changed = targets.copy()
    changed[:2] = 50.0  # another answer for work 0 alone
    after = place(rows, changed, works)[0]

    def predicted(made: Coordinates) -> np.ndarray:
        column = made.columns[0]
        return made.values[:2, 0] * column.deviation + column.mean

    np.testing.assert_allclose(predicted(before), predicted(after), rtol=1e-3)


def test_what_is_outside_of_the_index_is_placed_by_the_fit_on_all() -> None:
    rows, targets, works = simulate()
    made, features = place(rows, targets, works)
    new, truth, _ = simulate(seed=1)
    states = [one.layer for one in new.moments]
    means = np.stack([one.stored.mean(axis=0) for one in new.moments])
    own = np.concatenate([means, np.ones_like(means)], axis=2)
    projection = CoordinateMap.deserialise(made.projection.serialise())
    x = projection.coordinates(own, moments=states)[:, 0]
    assert np.corrcoef(x, truth[:, 0])[0, 1] > 0.9
    column = made.columns[0]
    error = x * column.deviation + column.mean - truth[:, 0]
    assert np.square(error).mean() < 0.3 * truth.var()
    # A track whose target is hidden is placed by the index as the map places it.
    hidden = targets.copy()
    hidden[:4] = np.nan
    partly, _ = place(rows, hidden, works)
    placed = partly.projection.coordinates(
        features[:4], moments=[one.layer for one in rows.moments[:4]]
    )
    np.testing.assert_allclose(placed[:, 0], partly.values[:4, 0], atol=1e-3)


def test_a_recording_that_is_too_short_for_a_course_is_placed_at_the_mean() -> None:
    rows, targets, works = simulate()
    made, features = place(rows, targets, works)
    short = rows.moments[0].stored[:1]
    x = made.projection.coordinates(features[:1], moments=[lambda layer: short[:, layer]])
    assert abs(float(x[0, 0])) < 1.0


def test_a_recording_without_moments_cannot_be_placed_in_silence() -> None:
    rows, targets, works = simulate()
    made, features = place(rows, targets, works)
    with pytest.raises(ValueError, match="moments of every recording"):
        made.projection.coordinates(features[:1])
