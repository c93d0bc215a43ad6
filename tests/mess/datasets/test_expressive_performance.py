"""How a score is cut, performed and rendered."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.datasets.expressive_performance import (
    CHANGES,
    MAX_VELOCITY,
    MIN_VELOCITY,
    TICKS_PER_QUARTER,
    Interpretation,
    Performance,
    draw_interpretation,
    dynamic_curve,
    perform,
    phrase_position,
    random_stream,
    with_change,
)
from mess.datasets.sheet_music import Excerpt, excerpt
from mess.errors import UnknownName


def scale(*, bars: int = 16, beats: int = 4) -> Excerpt:
    """Quarter notes up and down a scale over a held bass note a bar."""
    treble = np.arange(bars * beats, dtype=np.float64)
    bass = np.arange(bars, dtype=np.float64) * beats
    onset = np.concatenate([treble, bass])
    order = np.argsort(onset, kind="stable")
    pitch = np.concatenate([60 + np.abs(treble % 24 - 12), 40 + bass % 5]).astype(np.int64)
    duration = np.concatenate([np.ones(treble.size), np.full(bars, float(beats))])
    order = np.lexsort((pitch, onset))
    barlines = np.arange(bars + 1, dtype=np.float64) * beats
    return Excerpt(onset[order], duration[order], pitch[order], barlines, (beats, 4))


def draw(seed: int = 0, tempo: float = 100.0) -> Interpretation:
    return draw_interpretation(random_stream(seed, "test"), base_tempo=tempo)


def deadpan() -> Interpretation:
    return replace(
        draw(),
        tempo=120.0,
        rubato=0.0,
        ritardando=1.0,
        span=0.0,
        level=70.0,
        voicing=0.0,
        touch=0.0,
        asynchrony=0.0,
        melody_lead=0.0,
        articulation=0.5,
    )


def play(interpretation: Interpretation, passage: Excerpt | None = None) -> Performance:
    return perform(passage or scale(), interpretation, seed=3, name="scale")


def test_without_expression_the_score_is_played_as_written() -> None:
    passage = scale()
    played = play(deadpan(), passage)
    np.testing.assert_allclose(played.seconds(played.onset), passage.onset / 2, atol=1e-6)
    np.testing.assert_array_equal(played.pitch, passage.pitch)
    quarters = played.duration / TICKS_PER_QUARTER
    np.testing.assert_allclose(quarters / passage.duration, 0.5, atol=0.1 + 1e-3)
    assert np.ptp(played.velocity[passage.pitch >= 60]) <= 1  # what a higher pitch adds


@given(seed=st.integers(0, 2**31), tempo=st.floats(30, 200))
@settings(max_examples=40)
def test_every_performance_is_playable(seed: int, tempo: float) -> None:
    passage = scale(bars=12, beats=3)
    played = perform(passage, draw(seed, tempo), seed=seed, name="any")
    assert played.onset.min() >= 0
    assert (np.diff(played.onset) >= 0).all()
    assert played.duration.min() >= 1
    assert played.velocity.min() >= MIN_VELOCITY and played.velocity.max() <= MAX_VELOCITY
    assert (np.diff(played.seconds(np.arange(0, 36 * TICKS_PER_QUARTER, 97))) > 0).all()
    for pitch in np.unique(played.pitch):
        mine = played.pitch == pitch
        ends = (played.onset + played.duration)[mine]
        assert (ends[:-1] <= played.onset[mine][1:]).all(), "a key is up before it is struck again"


@given(seed=st.integers(0, 2**31))
@settings(max_examples=40)
def test_each_change_leaves_everything_else_as_it_is(seed: int) -> None:
    plan = draw(seed)
    base = play(plan)
    for change in CHANGES:
        other_plan, value = with_change(plan, change, tempo_factor=1.3, program=6)
        other = play(other_plan)
        np.testing.assert_array_equal(other.onset, base.onset)
        np.testing.assert_array_equal(other.pitch, base.pitch)
        differs = {
            "tempo": not np.array_equal(other.tempo_value, base.tempo_value),
            "dynamics": not np.array_equal(other.velocity, base.velocity),
            "articulation": not np.array_equal(other.duration, base.duration),
            "instrument": other.program != base.program,
        }
        assert [name for name, yes in differs.items() if yes] == [change]
        if change == "tempo":
            assert value == 1.3
            grid = np.arange(0, 64) * TICKS_PER_QUARTER
            np.testing.assert_allclose(base.seconds(grid), 1.3 * other.seconds(grid), rtol=1e-5)


def test_an_unknown_change_is_refused() -> None:
    with pytest.raises(UnknownName, match="'tempo'"):
        with_change(draw(), "temppo", tempo_factor=1.3, program=6)  # type: ignore[arg-type]


def test_the_end_slows_down_to_the_final_tempo() -> None:
    played = play(replace(deadpan(), ritardando=0.5))
    assert played.tempo_value[0] == 500_000
    assert 850_000 < played.tempo_value[-1] <= 1_000_000
    assert (np.diff(played.tempo_value) >= 0).all()


def test_rubato_is_slowest_at_phrase_boundaries() -> None:
    plan = replace(deadpan(), rubato=0.3, phrase_bars=4)
    played = play(plan)
    seconds = played.seconds(np.arange(0, 17) * TICKS_PER_QUARTER)
    beats = np.diff(seconds)
    assert beats[[0, 15]].min() > beats[[7, 8]].max() * 1.2


def test_dynamics_span_what_the_interpretation_says() -> None:
    passage = scale()
    for span in (10.0, 60.0):
        plan = replace(draw(), span=span, level=70.0)
        at = np.linspace(0, passage.quarters, 2000)
        curve = dynamic_curve(passage, plan, at, random_stream(0, "steps"))
        assert np.ptp(curve) == pytest.approx(span, rel=0.05)
        assert (curve.max() + curve.min()) / 2 == pytest.approx(70, abs=2)


def test_a_crescendo_ends_louder_than_it_began() -> None:
    plan = replace(deadpan(), span=50.0, arch=0.0, terrace=0.0, trend=1.0)
    velocity = play(plan).velocity
    assert velocity[-8:].mean() - velocity[:8].mean() > 40


def test_articulation_is_the_share_of_the_notated_length() -> None:
    passage = scale()
    long_notes = passage.duration == 4
    for ratio in (0.35, 0.9):
        played = play(replace(deadpan(), articulation=ratio), passage)
        share = played.duration / TICKS_PER_QUARTER / passage.duration
        assert share[~long_notes].mean() == pytest.approx(ratio, rel=0.05)


def test_the_draws_cover_a_wide_range() -> None:
    plans = [draw(seed) for seed in range(300)]
    tempo = np.array([plan.tempo for plan in plans])
    assert tempo.min() < 75 and tempo.max() > 130
    assert tempo.min() >= 70 and tempo.max() <= 135
    span = np.array([plan.span for plan in plans])
    level = np.array([plan.level for plan in plans])
    articulation = np.array([plan.articulation for plan in plans])
    assert np.percentile(span, 95) - np.percentile(span, 5) > 45
    assert level.std() > 8 and articulation.std() > 0.15
    assert (level - span / 2).min() > MIN_VELOCITY and (level + span / 2).max() < MAX_VELOCITY


def test_random_streams_depend_on_seed_and_name_alone() -> None:
    first = random_stream(1, "piece", "touch").random(3)
    np.testing.assert_array_equal(first, random_stream(1, "piece", "touch").random(3))
    assert not np.array_equal(first, random_stream(2, "piece", "touch").random(3))
    assert not np.array_equal(first, random_stream(1, "piece", "timing").random(3))


def test_a_remainder_of_bars_joins_the_last_phrase() -> None:
    passage = scale(bars=9)
    position, phrase = phrase_position(passage, 4, np.array([0.0, 15.9, 16.0, 35.9]))
    np.testing.assert_array_equal(phrase, [0, 0, 1, 1])
    np.testing.assert_allclose(position, [0, 15.9 / 16, 0, 19.9 / 20])


@given(start=st.floats(0, 60), quarters=st.floats(4, 200))
@settings(max_examples=60)
def test_an_excerpt_is_whole_bars_of_the_wanted_length(start: float, quarters: float) -> None:
    score = scale(bars=16)
    cut = excerpt(score, start=start, quarters=quarters)
    assert abs(cut.quarters - quarters) <= 2 + 1e-9
    assert cut.quarters % 4 == 0
    assert cut.onset.min() == 0
    assert (cut.onset + cut.duration).max() <= cut.quarters + 1e-9


def test_a_short_score_is_repeated() -> None:
    score = scale(bars=2)
    cut = excerpt(score, start=0, quarters=16)
    half = cut.pitch.size // 2
    np.testing.assert_array_equal(cut.pitch[:half], score.pitch)
    np.testing.assert_array_equal(cut.pitch[half:], score.pitch)
    np.testing.assert_array_equal(cut.onset[half:], score.onset + 8)
