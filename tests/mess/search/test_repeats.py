"""Every file that is there twice is listed once, and every work in several recordings."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from mess.search.repeats import find_repeats
from mess.storage.records import write_record
from mess.storage.store import Store

firsts = st.lists(st.integers(0, 6), max_size=20)


@given(firsts=firsts, data=st.data())
def test_the_lists_hold_what_is_there_more_than_once(
    firsts: list[int], data: st.DataObject
) -> None:
    tracks = [f"t{number}" for number in range(len(firsts))]
    first_of = {value: row for row, value in reversed(list(enumerate(firsts)))}
    copies = [first_of[value] for value in firsts]
    work_of = {row: data.draw(st.sampled_from(["", "a", "b", "c"])) for row in set(copies)}
    works = [work_of[row] for row in copies]  # copies are of one work
    found = find_repeats(tracks, works=works, copies=copies)
    listed = [track for own in found.copies for track in own]
    assert len(listed) == len(set(listed))
    assert set(listed) == {
        track for track, row in zip(tracks, copies, strict=True) if copies.count(row) > 1
    }
    for one in found.works:
        assert one.work and len(one.recordings) > 1
        own = [track for recording in one.recordings for track in recording]
        assert own and sorted(own) == sorted(
            track for track, work in zip(tracks, works, strict=True) if work == one.work
        )
    pairs = {(work, first) for work, first in zip(works, copies, strict=True) if work}
    counted = [work for work, _ in pairs]
    several = {work for work in counted if counted.count(work) > 1}
    assert {one.work for one in found.works} == several


def _draw() -> None:
    from dashboard.pages.repeats import main

    main()


def test_the_page_lists_copies_and_works_and_plays_them(
    demo_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo_library / "processed", tmp_path / "processed")
    (tmp_path / "audio").symlink_to(demo_library / "audio")
    store = Store(tmp_path)
    record = store.indices.read_record("demo", "spectral")
    copies = [0, 0, *range(2, len(record.tracks))]  # as if the second file were the first again
    path = store.indices.folder("demo", "spectral") / "manifest.json"
    write_record(path, replace(record, copies=copies))
    monkeypatch.setenv("MESS_DATA", str(tmp_path))
    script = AppTest.from_function(_draw, default_timeout=60)
    script.session_state["dataset"] = "demo"
    script.session_state["encoder"] = "spectral"
    page = script.run()
    assert not page.exception
    assert [tab.label.partition(" (")[0] for tab in page.tabs] == [
        "Copies",
        "Works in several recordings",
    ]
    of_copies, of_works = (frame.value for frame in page.dataframe)
    assert of_copies["tracks"].tolist() == [", ".join(record.tracks[:2])]
    expected = find_repeats(record.tracks, works=record.works, copies=copies).works
    assert len(of_works) == len(expected) > 0
    assert of_works["recordings"].tolist() == [len(one.recordings) for one in expected]
    told = [one.value for one in page.caption]
    assert any(".flac" in text for text in told)
