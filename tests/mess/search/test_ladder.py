"""Ladders and surprises: what the front door lets a person hear."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.errors import MessError, UnknownName
from mess.records.index import Column
from mess.reports.finding import finding
from mess.search.aspects import ASPECTS, Aspect
from mess.search.coordinate_index import CoordinateIndex, serialise
from mess.search.ladder import climb, even_steps, positions
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.surprise import find_surprises
from mess.storage.store import Store


def aspect(name: str, *, r2: float | None, validated: bool) -> Aspect:
    targets = ASPECTS[name]
    return Aspect(
        name=name,
        targets=targets,
        layer=0,
        target=targets[0],
        layer_r2=r2,
        r2=r2,
        validated=validated,
        steered=targets if validated else (),
        doubt="" if validated else "no layer is significant, p 0.21",
    )


@settings(max_examples=200)
@given(
    values=st.lists(
        st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=0, max_size=40
    ),
    works=st.integers(1, 12),
    steps=st.integers(1, 7),
)
def test_steps_rise_and_no_two_are_of_one_work(values: list[float], works: int, steps: int) -> None:
    work = np.arange(len(values)) % works
    rows = even_steps(np.array(values), work, steps=steps)
    known = {int(work[row]) for row in range(len(values)) if np.isfinite(values[row])}
    assert len(rows) == min(steps, len(known)) or (not known and not rows)
    assert len({int(work[row]) for row in rows}) == len(rows)
    heights = [values[row] for row in rows]
    assert heights == sorted(heights) and all(np.isfinite(heights))


def test_the_ends_of_a_ladder_are_the_tails() -> None:
    values = np.random.default_rng(0).permutation(200).astype(float)
    rows = even_steps(values, np.arange(200))
    assert [values[row] for row in rows] == [4.0, 52.0, 99.0, 147.0, 195.0]


def test_more_of_an_aspect_lies_higher_also_where_its_targets_fall() -> None:
    x = np.array([[0.0, 2.0], [1.0, np.nan], [2.0, -2.0]])
    columns = [Column("spectral_bandwidth", "probe"), Column("spectral_centroid", "probe")]
    coordinates = CoordinateIndex(serialise(x, np.zeros((3, 0))), columns)
    bright = positions(coordinates, aspect("brightness", r2=0.9, validated=True))
    warm = positions(coordinates, aspect("warmth", r2=0.9, validated=True))
    np.testing.assert_allclose(bright, [2.0, np.nan, -2.0])
    np.testing.assert_allclose(warm, [-1.0, np.nan, 0.0])


def test_the_finding_names_what_is_heard_and_what_is_not() -> None:
    aspects = {
        "brightness": aspect("brightness", r2=0.91, validated=True),
        "tempo": aspect("tempo", r2=0.8, validated=True),
        "phrasing": aspect("phrasing", r2=None, validated=False),
        "dynamics": aspect("dynamics", r2=0.12, validated=False),
    }
    assert finding("a-model", aspects, works=45) == (
        "a-model hears how bright the sound is (R² 0.91) and how fast the beat is (0.80); it does "
        "not hear how the phrases are laid out (undefined) and how loud and soft differ (0.12)."
    )
    unheard = {name: one for name, one in aspects.items() if not one.validated}
    assert finding("a-model", unheard, works=45) == (
        "a-model hears none of the ten aspects in these recordings."
    )
    assert finding("a-model", unheard, works=3) == (
        "3 works are too few to tell what a-model hears: at least 10 are needed."
    )
    many = {name: aspect(name, r2=0.5, validated=True) for name in ASPECTS}
    assert finding("a-model", many, works=45).endswith("(0.50) and 7 more of the ten aspects.")


def test_a_ladder_and_surprises_of_a_library(demo_library: Path) -> None:
    recommender = LayerBasedRecommender("demo", "spectral", store=Store(demo_library))
    work_of = dict(zip(recommender.track_ids, recommender.works, strict=True))
    composer_of = dict(zip(recommender.track_ids, recommender.composers, strict=True))
    ladder = climb(recommender, "brightness")
    heights = [rung.values["spectral_centroid"] for rung in ladder]
    assert heights == sorted(heights) and heights[-1] > 1.2 * heights[0]
    assert len({work_of[rung.track_id] for rung in ladder}) == 5
    with pytest.raises(UnknownName):
        climb(recommender, "loudness of the moon")
    doubtful = [name for name, one in recommender.aspects.items() if not one.validated]
    with pytest.raises(MessError, match="has no ladder"):
        climb(recommender, doubtful[0])
    pairs = find_surprises(recommender)
    assert pairs and all(composer_of[one.first] != composer_of[one.second] for one in pairs)
    assert [one.score for one in pairs] == sorted((one.score for one in pairs), reverse=True)
