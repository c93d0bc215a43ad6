"""Phrasing targets count and time the changes of the music, not its seconds."""

import math

import numpy as np
import pytest
from known_signals import analysis_of, chord, clicks, noise, notes, sections, track

from mess.targets.phrasing import novelty, phrase_features


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_each_section_is_a_phrase(count: int) -> None:
    assert track(sections([8] * count))["num_phrases"] == count


@pytest.mark.parametrize("seconds", [16, 32, 64])
def test_music_that_does_not_change_is_one_phrase_however_long(seconds: int) -> None:
    unchanging = np.tile(chord([0, 4, 7], 0.5), 2 * seconds)
    assert track(unchanging)["num_phrases"] == 1
    assert track(clicks(50, seconds))["num_phrases"] == 1


def test_music_heard_twice_has_twice_as_many_phrases() -> None:
    rng = np.random.default_rng(4)
    onsets = np.arange(0.1, 29.9, 0.3)
    register = np.repeat(rng.uniform(220, 2200, 5), 20)[: onsets.size]
    once = sum(
        notes([o], 30, frequency=f, levels=[rng.uniform(-12, 0)])
        for o, f in zip(onsets, register, strict=True)
    )
    first = track(once)["num_phrases"]
    assert first == 5
    assert track(np.concatenate([once, once]))["num_phrases"] == pytest.approx(2 * first, abs=1)


def test_boundaries_lie_where_the_sections_meet() -> None:
    curve = novelty(analysis_of(sections([9, 7, 10])))
    inner = curve[8:-8]
    peaks = np.flatnonzero((inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:])) + 9
    strongest = np.sort(peaks[np.argsort(curve[peaks])[-2:]]) / 2.5
    np.testing.assert_allclose(strongest, [9, 16], atol=0.8)


def test_novelty_is_foote_s_checkerboard_on_the_self_similarity() -> None:
    analysis = analysis_of(sections([9, 7, 10]))
    features, curve = phrase_features(analysis), novelty(analysis)
    similarity = features @ features.T
    offset = np.arange(-12, 13)
    taper = np.exp(-0.5 * (2 * offset / 12) ** 2) * np.sign(offset)
    checkerboard = np.outer(taper, taper) * 4 / np.abs(taper).sum() ** 2
    for middle in range(12, len(curve) - 12):
        block = similarity[middle - 12 : middle + 13, middle - 12 : middle + 13]
        assert curve[middle] ** 2 == pytest.approx((block * checkerboard).sum(), abs=1e-9)


def test_equal_sections_are_more_regular_than_unequal_ones() -> None:
    regular = track(sections([8] * 6))["phrase_regularity"]
    irregular = track(sections([5, 13, 4, 10, 7, 9]))["phrase_regularity"]
    assert regular > 0.8
    assert irregular < regular - 0.3


def test_regularity_exists_for_half_a_minute_with_few_phrases() -> None:
    assert math.isfinite(track(sections([16, 14]))["phrase_regularity"])


def test_nothing_is_made_up_where_nothing_changes_or_too_little_is_heard() -> None:
    assert math.isnan(track(noise(30))["phrase_regularity"])
    assert math.isnan(track(sections([4, 4]))["phrase_regularity"])
    assert math.isnan(track(chord([0, 4, 7], 5))["num_phrases"])
