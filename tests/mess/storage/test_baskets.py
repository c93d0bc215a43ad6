"""A basket keeps what a person liked, and gives it back whatever happened to the file between."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.exports import as_m3u8, basket_as_csv
from mess.as_json import as_json
from mess.baskets import join_tags, make_item, read_basket, split_tags
from mess.errors import MessError
from mess.records.basket import KINDS, BasketItem, BasketRecord
from mess.serving.tracks import TrackInfo
from mess.storage.store import Store

TEXT = st.text(max_size=30)
ITEMS = st.lists(
    st.builds(make_item, st.sampled_from(["a", "b", "=c", "d é"]), kept=st.sampled_from(KINDS),
              tags=TEXT, note=TEXT),
    unique_by=lambda item: item.track, max_size=4,
)  # fmt: skip
TRACKS = {
    track: TrackInfo(id=track, label=track, work="w", file=f"/music/{number}.flac", duration=61.6)
    for number, track in enumerate(("a", "b", "=c", "d é"))
}
KNOWN = {track: str(info.path) for track, info in TRACKS.items()}


@given(ITEMS)
def test_what_was_exported_is_read_again(items: list[BasketItem]) -> None:
    basket = BasketRecord(dataset="x", items=items)
    table = read_basket("b.csv", basket_as_csv(basket, TRACKS).encode(), known=KNOWN)
    assert (table.items, table.missing) == (items, [])
    program = read_basket("b.JSON", as_json(basket, indent=1), known=KNOWN)
    assert program.items == items
    player = as_m3u8(TRACKS[item.track] for item in items)
    assert [one.track for one in read_basket("b.m3u8", player.encode(), known=KNOWN).items] == [
        one.track for one in items
    ]


@given(st.sampled_from(["b.csv", "b.json", "b.m3u8", "b.txt"]), st.binary(max_size=60))
@example("b.json", b"1" * 5000)
@example("b.m3u8", b"file://[x/0.flac")
def test_any_file_is_read_or_refused_in_a_line(name: str, content: bytes) -> None:
    try:
        found = read_basket(name, content, known=KNOWN)
    except MessError as error:
        assert "\n" not in str(error) and len(str(error)) < 400
    else:
        assert all(item.track in KNOWN for item in found.items)


@given(ITEMS, ITEMS)
def test_many_recordings_are_put_at_once_as_one_after_another(
    there: list[BasketItem], new: list[BasketItem]
) -> None:
    basket = BasketRecord(dataset="x", items=there)
    one_by_one = basket
    for item in new:
        one_by_one = one_by_one.put(item)
    assert basket.put(*new) == one_by_one
    assert [item.track for item in one_by_one.items][: len(there)] == [one.track for one in there]
    assert {item.track for item in one_by_one.items} == {one.track for one in [*there, *new]}


@given(st.lists(TEXT, max_size=5))
def test_tags_stand_in_one_text(tags: list[str]) -> None:
    once = split_tags(";".join(tags))
    assert split_tags(join_tags(once)) == once


def test_lists_and_paths_that_were_exported_are_taken() -> None:
    for content in (
        {"results": [{"track_id": "a"}]},
        {"rows": [{"track": "a", "start": 5.0, "value": "Bach"}]},
        {"steps": [{"track_id": "a"}, {"track": "x"}]},
    ):
        found = read_basket("one.json", json.dumps(content).encode(), known=KNOWN)
        assert [item.track for item in found.items] == ["a"]
    assert found.missing == ["x"]
    elsewhere = b"#EXTM3U\r\nC:\\Music\\0.flac\nfile:///other/1.flac\nfile://[\n/no/such.flac\n"
    found = read_basket("one.m3u", elsewhere, known=KNOWN)
    assert [item.track for item in found.items] == ["a", "b"]
    assert found.missing == ["file://[", "/no/such.flac"]


def test_no_note_is_a_formula_of_a_spreadsheet() -> None:
    basket = BasketRecord(dataset="x", items=[make_item("=c", note="=1+1", tags="+a")])
    row = next(csv.DictReader(io.StringIO(basket_as_csv(basket, TRACKS))))
    assert (row["track"], row["note"], row["tags"]) == ("'=c", "'=1+1", "'+a")


def test_a_track_is_kept_once_with_all_that_was_said_of_it() -> None:
    basket = BasketRecord(dataset="x").put(make_item("a", tags="slow", note="one"))
    basket = basket.put(make_item("b")).put(make_item("a", kept="like", tags="old"))
    assert [item.track for item in basket.items] == ["a", "b"]
    assert basket.get("a") == make_item("a", kept="like", tags="slow; old", note="one")
    assert basket.tracks("like") == ["a"] and basket.drop("a").tracks("found") == ["b"]


def test_changes_of_many_writers_are_all_kept(tmp_path: Path) -> None:
    def keep(number: int) -> None:
        item = make_item(str(number), note="é\udc80"[: number % 2])
        Store(tmp_path).baskets.change("demo", lambda basket: basket.put(item))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(40)))
    kept = Store(tmp_path).baskets.read("demo")
    assert {item.track for item in kept.items} == {str(number) for number in range(40)}
    assert Store(tmp_path).baskets.read("smd").items == []


def test_a_damaged_basket_stays_and_says_what_to_do(tmp_path: Path) -> None:
    baskets = Store(tmp_path).baskets
    baskets.change("demo", lambda basket: basket.put(make_item("a")))
    path = baskets.path("demo")
    content = path.read_bytes().replace(b'"a"', b'"b"')
    path.write_bytes(content)
    for act in (baskets.read, lambda name: baskets.change(name, lambda one: one.drop("a"))):
        with pytest.raises(MessError, match="is damaged: move it away") as caught:
            act("demo")
        assert "run `" not in str(caught.value)
    assert path.read_bytes() == content
    with pytest.raises(MessError, match="is no dataset name"):
        baskets.path("../demo")
