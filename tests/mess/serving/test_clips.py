"""What the server keeps of its answers is bounded by bytes, and right from any thread."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from mess.serving.clips import Kept


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
