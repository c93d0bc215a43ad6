"""What is picked on a map goes to the browser and back as bits."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.components.scatter import read_bits, write_bits


@given(st.data())
def test_rows_come_back_as_they_were_picked(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 200))
    rows = data.draw(st.sets(st.integers(0, count - 1)))
    assert read_bits(write_bits(sorted(rows), count), count) == sorted(rows)


@given(st.text(max_size=40), st.integers(1, 50))
def test_whatever_a_browser_sends_names_points_of_the_map(text: str, count: int) -> None:
    assert all(0 <= row < count for row in read_bits(text, count))


def test_all_of_50_000_points_take_less_than_the_names_of_400() -> None:
    assert len(write_bits(range(50_000), 50_000)) < 8_400
