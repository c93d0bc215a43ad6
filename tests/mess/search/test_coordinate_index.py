"""Coordinates follow their targets, and come back in their units."""

import numpy as np
import pandas as pd
import pytest

from mess.errors import MessError
from mess.probing.stacking import Segments
from mess.records.index import Column
from mess.search.aspects import Aspect
from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, serialise
from mess.search.coordinates import describe_course, make_coordinates
from mess.search.fitting import fit_weights
from mess.search.spaces import fit_reduction, standardise, whiten
from mess.search.terms import Terms


def build(x: np.ndarray, overall: np.ndarray) -> CoordinateIndex:
    return CoordinateIndex(
        serialise(x, overall), [Column(str(i), "probe") for i in range(x.shape[1])]
    )


def test_a_value_that_is_not_known_stays_unknown() -> None:
    x = np.array([[0.5], [np.nan], [-1.0]])
    coordinates = build(x, np.zeros((3, 0)))
    part = ColumnWeights("a", np.array([0]), np.array([1.0]))
    assert np.isnan(coordinates.everything.distances(part, coordinates.point(0))[1])
    assert coordinates.is_known(0, part.columns)
    assert not coordinates.is_known(1, part.columns)
    assert np.isnan(coordinates.values(np.arange(3), [0])[1, 0])


def test_a_default_never_needs_a_value_that_a_track_lacks() -> None:
    x = np.array([[0.0, 1.0, 0.5, 1.0], [1.0, np.nan, 0.1, np.nan], [2.0, 0.5, 0.2, 3.0]])
    names = ["brightness", "note_density"]
    columns = [Column(name, kind) for kind in ("probe", "direct") for name in names]  # type: ignore[arg-type]
    coordinates = CoordinateIndex(serialise(x[:, [0, 2, 1, 3]], np.zeros((3, 0))), columns)
    aspects = {
        name: Aspect(name, (name,), 0, name, 0.9, 0.9, True, steered=(name,)) for name in names
    }
    terms = Terms(
        dataset="d",
        encoder="e",
        track_ids=["a", "b", "c"],
        aspects=aspects,
        indexed=coordinates,
        defaults=dict.fromkeys(names, "direct"),
    )

    def kind(name: str, row: int) -> str:
        part = terms.make(name, 1.0, rows=[row]).column_weights
        assert part is not None
        return columns[part.columns[0]].kind

    assert (kind("brightness", 0), kind("brightness", 1)) == ("direct", "probe")
    assert terms.default_method("note_density") == "probe"  # and it says so
    assert kind("note_density", 0) == "probe"  # track b has no MIDI
    with pytest.raises(MessError, match="no measured value"):
        terms.make("brightness", 1.0, method="direct", rows=[1])


def test_values_come_back_in_their_unit() -> None:
    values = np.array([[100.0], [120.0], [140.0]])
    x, mean, deviation = standardise(values)
    column = Column("tempo", "direct", mean=float(mean[0]), deviation=float(deviation[0]))
    coordinates = CoordinateIndex(serialise(x, np.zeros((3, 0))), [column])
    np.testing.assert_allclose(coordinates.values(np.arange(3), [0]), values, rtol=1e-5)


def test_whitened_vectors_are_unit_and_uncorrelated_in_scale() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 6)) * np.array([100, 10, 1, 1, 0.1, 0.01])
    white = whiten(vectors)
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), 1.0)
    spread = white.std(axis=0)
    assert spread.max() / spread.min() < 1.3  # the largest direction rules no longer


def test_a_subspace_forgets_what_cannot_be_predicted() -> None:
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((300, 2))
    predicted = np.column_stack([truth[:, 0], 0.05 * rng.standard_normal(300)])
    reduced = fit_reduction(predicted, truth).apply(predicted)
    assert reduced.shape == (300, 1)
    assert reduced.var() == pytest.approx(1.0)
    assert abs(np.corrcoef(reduced[:, 0], truth[:, 0])[0, 1]) > 0.99
    zeros = np.zeros((5, 2))
    assert fit_reduction(zeros, truth[:5]).apply(zeros).shape == (5, 0)


def planted(*, n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features whose second layer holds two targets, and works of two tracks."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 2, 8))
    targets = features[:, 1, :2] + 0.1 * rng.standard_normal((n, 2))
    return features, targets, np.arange(n) // 2


def test_coordinates_follow_targets_out_of_fold() -> None:
    features, targets, works = planted()
    made = make_coordinates(
        features,
        targets,
        works,
        names=["onset_density", "velocity_mean"],
        course=pd.DataFrame(index=range(60)),
    )
    kinds = [(column.name, column.kind) for column in made.columns]
    assert kinds[:4] == [
        ("onset_density", "probe"), ("velocity_mean", "probe"),
        ("onset_density", "direct"), ("velocity_mean", "direct"),
    ]  # fmt: skip
    assert ("rhythmic_energy", "subspace") in kinds
    assert np.corrcoef(made.values[:, 0], targets[:, 0])[0, 1] > 0.9
    np.testing.assert_allclose(made.values[:, :4].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(made.values[:, :4].std(axis=0), 1)
    assert made.columns[0].r2 is not None and made.columns[0].r2 > 0.8


def test_a_hidden_target_is_predicted_and_never_seen() -> None:
    features, targets, works = planted(n=80)
    hidden = works >= 30
    known = targets.copy()
    known[hidden] = np.nan
    made = make_coordinates(
        features,
        known,
        works,
        names=["tempo", "velocity_mean"],
        course=pd.DataFrame(index=range(80)),
    )
    predicted = made.values[:, 0]
    assert np.corrcoef(predicted[hidden], targets[hidden, 0])[0, 1] > 0.9
    assert np.isnan(made.values[hidden, 2]).all()  # not measured
    # Noise in the hidden works' targets cannot have been seen.
    noisy = targets + np.where(hidden[:, None], 1e3, 0.0)
    noisy[hidden] = np.nan
    again = make_coordinates(
        features,
        noisy,
        works,
        names=["tempo", "velocity_mean"],
        course=pd.DataFrame(index=range(80)),
    )
    np.testing.assert_array_equal(again.values[:, 0], predicted)


def test_segments_teach_tracks() -> None:
    rng = np.random.default_rng(3)
    owner = np.repeat(np.arange(40), 10)
    x = rng.standard_normal((400, 60)) + np.repeat(rng.standard_normal((40, 60)), 10, axis=0)
    y = x[:, :1] + x[:, 1:2] + 0.3 * rng.standard_normal((400, 1))
    mean = np.array([x[owner == row].mean(axis=0) for row in range(40)])
    target = np.array([y[owner == row].mean() for row in range(40)])[:, None]
    features = np.repeat(mean[:, None], 2, axis=2)
    course = pd.DataFrame(index=range(40))
    segments = Segments([x], y, owner)
    with_them, without = (
        make_coordinates(
            features, target, np.arange(40), names=["tempo"], course=course, segments=one
        )
        .columns[0]
        .r2
        for one in (segments, None)
    )
    assert with_them is not None and without is not None
    assert with_them > max(without, 0.8)


def test_the_course_of_a_track() -> None:
    index = pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 0)])
    segments = pd.DataFrame({"rms": [1.0, 1.0, 3.0, 3.0, 7.0]}, index=index)
    course = describe_course(segments, ["b", "a", "c"])
    assert list(course.columns) == ["rms:spread", "rms:drift"]
    assert course.loc["a"].tolist() == [1.0, 2.0]
    assert course.loc["b", "rms:spread"] == 0.0
    assert np.isnan(course.loc["b", "rms:drift"])
    assert course.loc["c"].isna().all()


def test_fitted_weights_name_what_is_shared() -> None:
    rng = np.random.default_rng(1)
    alike = np.column_stack([rng.normal(0, 1, 12), np.full(12, 0.98), rng.normal(0, 1, 12)])
    weights = fit_weights(alike, rng.normal(0, 1, (500, 3)))
    assert weights[1] == 1.0
    assert (weights[[0, 2]] < 0.35).all()
    assert not fit_weights(np.full((2, 2), -1.0), np.full((9, 2), 1.0)).any()
