"""What the server keeps of its answers is bounded by bytes, and right from any thread."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from mess.audio.clip import RATE
from mess.audio.loudness import MOST_DBTP, measure_loudness
from mess.serving.clips import Kept, cut


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 100))
def test_answers_are_right_and_their_bytes_bounded(sizes: list[int], most: int) -> None:
    kept = Kept(most)
    for size in sizes:
        assert kept.get(size, lambda size=size: bytes(size)) == bytes(size)
        assert sum(kept) <= most


def test_what_is_kept_is_not_made_again() -> None:
    kept, made = Kept(1000), []

    def make() -> bytes:
        made.append(1)
        return b"x"

    assert [kept.get("a", make) for _ in range(5)] == [b"x"] * 5
    assert len(made) == 1


def test_many_threads_may_ask_at_once() -> None:
    kept = Kept(50)
    with ThreadPoolExecutor(8) as pool:
        asked = [number % 20 for number in range(2000)]
        answers = list(pool.map(lambda n: kept.get(n, lambda: bytes([n]) * n), asked))
    assert answers == [bytes([n]) * n for n in asked]
    assert sum(kept) <= 50


@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_clips_at_a_level_are_equally_loud(tmp_path: Path, gain: float) -> None:
    rng = np.random.default_rng(0)
    samples = gain * 0.2 * rng.standard_normal(4 * RATE).clip(-3, 3)
    path = tmp_path / "one.wav"
    soundfile.write(path, samples, RATE)
    loud, _ = soundfile.read(io.BytesIO(cut(path, version=1, start=0, seconds=4, level=-23)))
    heard = measure_loudness(loud, RATE)
    assert abs(heard.lufs + 23) < 0.2 and heard.dbtp < MOST_DBTP + 0.1
    plain, _ = soundfile.read(io.BytesIO(cut(path, version=1, start=0, seconds=4)))
    assert measure_loudness(plain, RATE).lufs == pytest.approx(
        measure_loudness(samples, RATE).lufs, abs=0.2
    )


def test_no_gain_lifts_a_peak_too_high_or_makes_silence_sound(tmp_path: Path) -> None:
    click = np.zeros(2 * RATE)
    click[RATE // 2 :: RATE] = 0.5
    for name, samples in (("click", click), ("silence", np.zeros(2 * RATE))):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, samples, RATE)
        found, _ = soundfile.read(io.BytesIO(cut(path, version=1, start=0, seconds=2, level=-3)))
        assert np.abs(found).max() <= 1.0 and (name == "click") == bool(found.any())
        assert measure_loudness(found, RATE).dbtp < MOST_DBTP + 0.1
