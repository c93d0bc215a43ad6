"""Tempo is compared up to octaves: as it was measured, as it is predicted, and of recordings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mess.errors import MessError
from mess.search.aspects import Aspect
from mess.search.coordinate_index import CoordinateIndex, serialise
from mess.search.coordinates import Coordinates, make_coordinates
from mess.search.ranking import Query, SearchSpace
from mess.search.tempo import octave_shares, octaves_apart
from mess.search.terms import Method, Terms
from mess.targets import TARGETS

BPM = st.floats(20, 400)
NAMES = ["tempo", "onset_density"]


@given(one=BPM, other=BPM, octaves=st.integers(-3, 3))
def test_whole_octaves_change_nothing(one: float, other: float, octaves: int) -> None:
    apart = octaves_apart(one, other)
    assert 0 <= apart <= 0.5
    assert octaves_apart(other, one) == pytest.approx(apart)
    assert octaves_apart(one * 2.0**octaves, other) == pytest.approx(apart, abs=1e-9)
    assert octaves_apart(one, one * 2 ** (1 / 4)) == pytest.approx(1 / 4)


def test_no_tempo_is_no_distance() -> None:
    assert np.isnan(octaves_apart([np.nan, 0.0, -3.0], 60.0)).all()


@given(density=st.floats(0, 1), columns=st.integers(2, 3))
def test_shares_add_up_to_one(density: float, columns: int) -> None:
    assert octave_shares(columns, density=density).sum() == pytest.approx(1)


def library(*, on_circle: bool) -> tuple[Coordinates, np.ndarray, np.ndarray]:
    """Tracks whose layers tell either the place on the circle or the number of beats a minute."""
    rng = np.random.default_rng(5)
    n = 120
    tempo = 60 * 2 ** rng.uniform(-0.5, 1.5, n)
    tempo[:4] = 60, 120, 84, 30
    density = np.exp(rng.normal(1, 0.3, n))
    angle = 2 * np.pi * np.log2(tempo)
    told = [np.cos(angle), np.sin(angle)] if on_circle else [tempo / 30]
    features = 0.05 * rng.standard_normal((n, 2, 8))
    for column, values in enumerate([*told, np.log2(density)]):
        features[:, :, column] += values[:, None]
    targets = np.column_stack([tempo, density])
    made = make_coordinates(
        features, targets, np.arange(n), names=NAMES, course=pd.DataFrame(index=range(n))
    )
    return made, features, targets


def terms_of(made: Coordinates, *, default: Method = "direct") -> Terms:
    aspect = Aspect("tempo", ("tempo",), 0, "tempo", 0.9, 0.9, True, steered=("tempo",))
    return Terms(
        dataset="d",
        encoder="e",
        track_ids=[str(row) for row in range(len(made.values))],
        aspects={"tempo": aspect},
        indexed=CoordinateIndex(serialise(made.values, made.overall), made.columns),
        defaults={"tempo": default},
        density_share=0.0,
    )


def similar(terms: Terms, row: int, *, method: Method | None) -> np.ndarray:
    term = terms.make("tempo", 1.0, method=method, rows=[row])
    space = SearchSpace(terms.coordinates, None, terms.coordinates.n)  # type: ignore[arg-type]
    return space.shares(Query([term], [(row, 1.0)]), np.arange(terms.coordinates.n))[0]


@pytest.mark.parametrize("method", ["direct", "probe"])
def test_a_slider_of_tempo_finds_the_octave_before_a_near_tempo(method: Method) -> None:
    made, _, targets = library(on_circle=True)
    terms = terms_of(made)
    found = similar(terms, 0, method=method)  # at 60
    tolerance = 1e-5 if method == "direct" else 0.15
    assert found[1] == pytest.approx(1, abs=tolerance)  # at 120
    assert found[3] == pytest.approx(1, abs=tolerance)  # at 30
    assert found[2] < 0.5  # at 84
    apart = octaves_apart(targets[:, 0], 60.0)
    rank = pd.Series(found).corr(pd.Series(-apart), method="spearman")
    assert rank > (0.999 if method == "direct" else 0.9)
    middles = [np.median(similar(terms, row, method=method)) for row in range(120)]
    assert np.abs(middles).max() < 0.05  # half of all are less alike than chance, half more


def test_a_recording_that_is_not_indexed_gets_the_same_place() -> None:
    made, features, _ = library(on_circle=True)
    whole = made.projection.coordinates(features)
    for number, column in enumerate(made.columns):
        if column.kind == "probe_octaves":
            assert np.corrcoef(whole[:, number], made.values[:, number])[0, 1] > 0.98
        if column.kind == "direct_octaves":
            assert np.isnan(whole[:, number]).all()


def test_what_the_layers_do_not_tell_up_to_octaves_is_not_ranked_by() -> None:
    made, _, _ = library(on_circle=False)
    terms = terms_of(made, default="probe")
    assert terms.default_method("tempo") == "direct"
    assert terms.make("tempo", 1.0, rows=[0]).method == "direct"
    with pytest.raises(MessError, match="do not tell 'tempo' up to octaves"):
        terms.make("tempo", 1.0, method="probe", rows=[0])
    moved = terms.make("tempo", 1.0, method="probe", moved=True, rows=[0])
    assert moved.column_weights is not None  # faster and slower are told in beats a minute
    assert [made.columns[column].kind for column in moved.column_weights.columns] == ["probe"]
    assert set(NAMES) <= set(TARGETS)
