"""The page In time: lists of disagreement, search by course, state in the address, empty states."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard.address.search import COUNTS
from dashboard.sections.curve_search import (
    LENGTHS,
    LISTS,
    VIEWS,
    CurveSearch,
    format_curve_search,
    parse_curve_search,
)


@settings(max_examples=30)
@given(
    st.builds(
        CurveSearch,
        view=st.sampled_from(list(VIEWS)),
        layer=st.sampled_from(["best", "0", "3"]),
        by=st.sampled_from(list(LISTS)),
        track=st.text(max_size=20).map(str.strip),
        at=st.integers(0, 3000).map(float),
        seconds=st.sampled_from(LENGTHS),
        of=st.sampled_from(["measured", "predicted"]),
        same_work=st.booleans(),
        count=st.sampled_from(COUNTS),
    )
)
def test_an_address_brings_back_what_its_view_shows(search: CurveSearch) -> None:
    again, problems = parse_curve_search(format_curve_search(search))
    assert problems == []
    assert format_curve_search(again) == format_curve_search(search)


def _call() -> None:
    """Draw the page: Streamlit runs this text as a script."""
    from dashboard.pages.in_time import main

    main()


def open_page(encoder: str, **asked: str) -> AppTest:
    script = AppTest.from_function(_call, default_timeout=60)
    script.session_state["dataset"] = "demo"
    script.session_state["encoder"] = encoder
    for name, value in asked.items():
        script.query_params[name] = value
    drawn = script.run()
    assert not drawn.exception
    drawn.query_params.clear()  # a browser would have the address that the page has written
    return drawn


def hits(drawn: AppTest) -> list[dict[str, Any]]:
    """Return what the list of the page shows."""
    for one in drawn.get("bidi_component"):
        (data,) = json.loads(one.proto.json)
        if "hits" in data:
            return list(data["hits"])
    return []


@pytest.fixture
def encoder(compared_library: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MESS_DATA", str(compared_library))
    return "small"


def test_it_lists_where_model_and_measurement_disagree(encoder: str) -> None:
    drawn = open_page(encoder, curve="centroid", n="5")
    shown = hits(drawn)
    sizes = [abs(float(one["score"].split()[0].replace("−", "-"))) for one in shown]
    assert len(shown) == 5 and sizes == sorted(sizes, reverse=True) and sizes[0] > 2
    lane = shown[0]["sound"]["lane"]
    assert (lane["curve"], lane["by"]) == ("centroid", [f"{encoder}:best"])
    assert any("a probe that never saw its work" in one.value for one in drawn.caption)
    drawn.selectbox(key="in-time-by").set_value("recordings").run()
    assert any("Pearson's correlation of both curves" in one.value for one in drawn.caption)
    values = [float(one["score"].removeprefix("r ").replace("−", "-")) for one in hits(drawn)]
    assert len(values) == 5 and values == sorted(values)


def test_it_finds_passages_by_course_and_the_query_is_kept(encoder: str) -> None:
    drawn = open_page(encoder, view="course", curve="contour", track="Bach_BWV846_p1", at="10")
    shown = hits(drawn)
    values = [float(one["score"].removeprefix("r ")) for one in shown]
    assert len(shown) == 10 and values == sorted(values, reverse=True) and values[0] > 0.8
    assert not any("BWV846" in one["id"] for one in shown), "the same work is left out"
    assert any("Chosen: 0:10 to 0:20" in one.value for one in drawn.caption)
    drawn.checkbox(key="in-time-same_work").check().run()
    assert any("BWV846" in one["id"] for one in hits(drawn))
    drawn.selectbox(key="in-time-of").set_value("predicted").run()
    assert not drawn.exception and hits(drawn) != shown
    drawn.segmented_control(key="in-time-view").set_value("disagree").run()
    drawn.segmented_control(key="in-time-view").set_value("course").run()
    assert drawn.selectbox(key="in-time-of").value == "predicted", "kept while it was not drawn"


def test_an_encoder_without_half_seconds_says_so_and_still_finds_courses(encoder: str) -> None:
    drawn = open_page("spectral")
    said = drawn.info[0].value.replace("\\", "")
    assert "too few states over time" in said and "mess extract" not in said
    assert "These encoders predict curves: " in said and "small" in said
    drawn.segmented_control(key="in-time-view").set_value("course").run()
    assert not drawn.exception and len(hits(drawn)) == 10


def test_nonsense_in_the_address_costs_one_line(encoder: str) -> None:
    drawn = open_page(encoder, curve="<b>", layer="99", at="-3", track="nobody", n="7")
    (line,) = drawn.warning
    assert "The link asks for what is not here" in line.value
    assert len(hits(drawn)) == 10
