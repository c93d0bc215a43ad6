"""A name that is not known: what is meant is found, among a few names and among many."""

import time

import pytest

from mess.errors import UnknownName

MANY = [f"Composer{number % 97}_Work{number % 1009}_{number}" for number in range(20_000)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Composer5_Work102_102x", "Composer5_Work102_102"),
        ("Kcomposer5_Work102_102", "Composer5_Work102_102"),
        ("COMPOSER5_WORK102_102", "Composer5_Work102_102"),
    ],
)
def test_of_20_000_names_the_nearest_is_told_without_a_wait(typed: str, meant: str) -> None:
    began = time.process_time()
    error = UnknownName("track", typed, MANY)
    took = time.process_time() - began
    assert f"did you mean {meant!r}" in str(error)
    assert took < 0.5  # comparing all takes more than a second


def test_of_few_names_all_are_compared() -> None:
    error = UnknownName("track", "july-track", ["a", "track-of-july"])
    assert "did you mean 'track-of-july'" in str(error)
