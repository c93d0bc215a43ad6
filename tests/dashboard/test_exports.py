"""Exported lists can be read again, whatever the names in them hold."""

import csv
import io
import json
from pathlib import Path as File

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dashboard.exports import (
    as_csv,
    as_json,
    as_m3u8,
    path_as_csv,
    path_as_json,
    table_as_csv,
)
from dashboard.readers import TrackInfo
from mess.search.layer_based_recommender import Recommendation
from mess.search.paths import Path, Step


def found(*names: str) -> list[tuple[Recommendation, TrackInfo]]:
    return [
        (
            Recommendation(
                track_id=str(number),
                score=0.5,
                contributions={"tempo": 0.75, "overall": -0.25},
                values={"tempo": {"query": 90.0, "track": 100.5}},
            ),
            TrackInfo(
                id=str(number),
                label=f"Bach: {name}",
                work="Bach/x",
                file=f"/music/{number}.flac",
                duration=61.6,
                composer="Bach",
                title=name,
            ),
        )
        for number, name in enumerate(names)
    ]


def test_a_table_has_shares_and_values() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(found("Air", "Gigue")))))
    assert [row["title"] for row in rows] == ["Air", "Gigue"]
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["share:tempo"] == "0.75" and rows[0]["share:overall"] == "-0.25"
    assert float(rows[0]["score"]) == 0.75 - 0.25
    assert rows[0]["tempo:track"] == "100.5" and rows[0]["tempo:query"] == "90.0"
    assert rows[0]["path"] == "/music/0.flac"


def test_no_name_is_a_formula_of_a_spreadsheet() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(found('=HYPERLINK("http://x")')))))
    assert rows[0]["title"] == '\'=HYPERLINK("http://x")'
    table = pd.DataFrame({"work": ["=1+1", "Op. 1"], "files": [2, 3]})
    assert table_as_csv(table).split() == ["work,files", "'=1+1,2", "Op.", "1,3"]


def test_json_holds_the_search_that_found_it() -> None:
    read = json.loads(as_json(found("Air"), search={"track": ["q"]}))
    assert read["search"] == {"track": ["q"]}
    assert read["results"][0]["contributions"] == {"tempo": 0.75, "overall": -0.25}
    assert read["results"][0]["title"] == "Air"


def test_a_path_as_a_table_and_for_programs() -> None:
    tracks = {track.id: track for _, track in found("Air", "Gigue", "=1")}
    places = enumerate((0.0, 0.4, 1.0))
    path = Path([Step(str(n), at, 0.1, {"tempo": 60.0 + n}) for n, at in places], {"tempo": 1.0})
    rows = list(csv.DictReader(io.StringIO(path_as_csv(path, tracks))))
    assert [row["title"] for row in rows] == ["Air", "Gigue", "'=1"]
    assert [(row["step"], row["position"], row["tempo"]) for row in rows] == [
        ("0", "0.0", "60.0"),
        ("1", "0.4", "61.0"),
        ("2", "1.0", "62.0"),
    ]
    read = json.loads(path_as_json(path, tracks, search={"to": ["2"]}))
    assert read["search"] == {"to": ["2"]} and read["evenness"] == path.evenness
    assert read["steps"][1]["title"] == "Gigue" and read["steps"][1]["position"] == 0.4


@given(st.lists(st.text(max_size=20), max_size=4))
def test_a_playlist_has_two_lines_for_each_track(names: list[str]) -> None:
    lines = as_m3u8(track for _, track in found(*names)).splitlines()
    assert lines[0] == "#EXTM3U"
    assert len(lines) == 1 + 2 * len(names)
    assert all(line.startswith("#EXTINF:62,Bach:") for line in lines[1::2])
    assert lines[2::2] == [f"/music/{number}.flac" for number in range(len(names))]


def test_a_path_that_is_no_line_becomes_an_address() -> None:
    (_, track), *_ = found("Air")
    odd = TrackInfo(id=track.id, label="Air", work="", file="/music/a\nb #1.flac", duration=1.0)
    place = as_m3u8([odd]).splitlines()[2]
    assert place == File("/music/a\nb #1.flac").as_uri() == "file:///music/a%0Ab%20%231.flac"
