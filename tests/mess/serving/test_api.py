"""Programs ask over HTTP: every answer is what the library says, of the type that is described."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from api_requests import OF, ask
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mess.as_json import as_json
from mess.errors import MessError
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
from mess.search.passages.recommender import PassageRecommender
from mess.search.paths import path_between
from mess.search.terms import Terms
from mess.serving.description import openapi, parameters_of
from mess.serving.endpoints import ENDPOINTS, PREFIX, tracks
from mess.serving.page import page
from mess.serving.parameters import OfRecommendations, OfTracks, read_parameters
from mess.serving.shelf import Shelf
from mess.storage.held import NotHeld, only_held
from mess.storage.store import Store
from pipelines.cli import build_app


def test_recommendations_are_those_of_the_library(recommender: LayerBasedRecommender) -> None:
    query, liked, avoided = recommender.track_ids[:3]
    name = recommender.get_available_aspects()[0]
    answer = ask(
        "recommend",
        ("track", query),
        ("track", liked),
        unlike=avoided,
        weights=f"{name}:0.6,overall:-0.2",
        offset=f"{name}:-0.5",
        hold="overall",
        by="model",
        n=4,
        exclude_same_work="true",
        exclude_duplicates=1,
        one_per_work=1,
        max_per_composer=2,
        **OF,
    )
    assert answer.status == 200, answer.body
    wanted = recommender.multi_aspect_recommendation(
        [query, liked],
        {name: 0.6, "overall": -0.2},
        4,
        by="model",
        unlike=[avoided],
        hold=["overall"],
        offset={name: -0.5},
        exclude_same_work=True,
        exclude_duplicates=True,
        one_per_work=True,
        max_per_composer=2,
    )
    found = answer.json()
    assert [one["track"] for one in found["results"]] == [one.track_id for one in wanted]
    assert found["results"][0]["score"] == pytest.approx(wanted[0].score)
    assert found["results"][0]["methods"] == wanted[0].methods
    sound = ask(found["results"][0]["clip"].partition("?")[0], **{**OF, "track": query})
    assert sound.body.startswith(b"fLaC")


def test_without_weights_all_validated_aspects_count(recommender: LayerBasedRecommender) -> None:
    query = recommender.track_ids[0]
    names = recommender.get_available_aspects()
    found = ask("recommend", track=query, **OF).json()
    assert found["weights"] == dict.fromkeys(names, 1.0) and len(found["results"]) == 5
    wanted = recommender.multi_aspect_recommendation(query, dict.fromkeys(names, 1.0), 5)
    assert [one["track"] for one in found["results"]] == [one.track_id for one in wanted]
    # The index that was built last is the usual one.
    assert ask("recommend", track=query).json() == found


def test_what_a_method_cannot_answer_is_left_out_and_named(
    recommender: LayerBasedRecommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of one aspect only a measurement is known, as of a tempo that the layers do not tell.
    lost, *others = recommender.get_available_aspects()
    make = Terms.make

    def made(self: Terms, name: str, weight: float, **options: Any) -> Any:
        if name == lost and options.get("method") == "probe":
            raise MessError(f"the layers do not tell {name!r}")
        return make(self, name, weight, **options)

    monkeypatch.setattr(Terms, "make", made)
    start, end = recommender.track_ids[0], recommender.track_ids[-1]
    of: list[tuple[str, dict[str, Any]]] = [
        ("recommend", {"track": start}),
        ("path", {"start": start, "end": end, "steps": 1}),
    ]
    for path, asked in of:
        answer = ask(path, **asked, **OF)
        assert answer.json()["left_out"] == {}
        answer = ask(path, ("method", "probe"), **asked, **OF)
        assert answer.status == 200, answer.body
        assert set(answer.json()["weights"]) == set(others)
        assert answer.json()["left_out"] == {lost: f"the layers do not tell {lost!r}"}
        # Who names it is told why it cannot be had.
        refused = ask(path, ("method", "probe"), weights=f"{lost}:1", **asked, **OF)
        assert refused.status == 400 and "do not tell" in refused.error
    for command in (["recommend", "--track", start], ["path", "--from", start, "--to", end]):
        ended = CliRunner().invoke(
            build_app(),
            [*command, "--method", "probe", "--dataset", "demo", "--encoder", "spectral"],
        )
        assert ended.exit_code == 0, ended.output
        assert f"left out: {lost} (the layers do not tell {lost!r})" in ended.stderr


def test_passages_are_those_of_the_library(served: Path) -> None:
    passages = PassageRecommender("demo", "spectral", store=Store(served))
    query = passages.track_ids[0]
    found = ask("passages", track=query, at=6, n=3, max_per_track=1, **OF).json()["results"]
    wanted = passages.recommend((query, 6.0), {"overall": 1.0}, 3, max_per_track=1)
    assert [(one["track"], one["start"]) for one in found] == [
        (one.track_id, one.start) for one in wanted
    ]
    part = ask("clip", track=found[0]["track"], start=found[0]["start"], seconds=2, **OF)
    assert part.headers["content-type"] == "audio/flac" and part.body.startswith(b"fLaC")


ASKED: dict[str, dict[str, Any]] = {
    "/datasets": {},
    "/tracks": {"text": "bach", "limit": 3, **OF},
    "/targets": {"dataset": "demo", "limit": 20},
    "/discovery": OF,
    "/aspects": OF,
    "/recommend": {"n": 3, **OF},
    "/weights": OF,
    "/path": {"steps": 3, **OF},
    "/passages": {"at": 5, "n": 2, **OF},
    "/clip": {"seconds": 1, **OF},
}


@pytest.mark.parametrize("one", ENDPOINTS, ids=lambda one: one.path)
def test_every_answer_is_of_the_type_that_the_document_describes(
    one: Any, recommender: LayerBasedRecommender
) -> None:
    tracks = recommender.track_ids[: 2 if one.path == "/weights" else 1]
    wants = "track" in {p["name"] for p in parameters_of(one) if p["required"]}
    given = {"track": tracks} if wants else {}
    if one.path == "/path":
        given = {"start": recommender.track_ids[0], "end": recommender.track_ids[-1]}
    answer = ask(f"{PREFIX}{one.path}", **given, **ASKED[one.path])
    assert answer.status == 200, answer.body
    if one.answer is None:
        assert answer.headers["content-type"] == "audio/flac"
        return
    msgspec.json.decode(answer.body, type=one.answer, strict=True)
    answer.json()
    described = openapi()["paths"][one.path]["get"]["responses"]["200"]["content"]
    name = described["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(answer.json()) == set(openapi()["components"]["schemas"][name]["properties"])


def test_a_path_is_that_of_the_library(recommender: LayerBasedRecommender) -> None:
    name, ends = recommender.get_available_aspects()[0], recommender.track_ids[:: len(OF) * 4][:2]
    found = ask("path", start=ends[0], end=ends[1], weights=f"{name}:2", steps=3, **OF).json()
    wanted = path_between(recommender, ends[0], ends[1], {name: 2.0}, steps=3)
    assert [one["track"] for one in found["steps"]] == [one.track_id for one in wanted.steps]
    assert found["evenness"] == pytest.approx(wanted.evenness) and found["weights"] == {name: 1.0}
    refused = ask("path", start=ends[0], end=ends[1], weights=f"{name}:-1", **OF)
    assert refused.status == 400 and "a weight above 0" in refused.error


def test_what_is_listed(served: Path) -> None:
    (demo,) = ask("datasets").json()["datasets"]
    (spectral,) = demo["encoders"]
    assert demo["name"] == "demo" and spectral["name"] == "spectral" and spectral["has_index"]
    listed = ask("tracks", limit=2, offset=1, **OF).json()
    everything = ask("tracks", limit=1000, **OF).json()
    assert listed["more"] and not everything["more"]
    assert listed["tracks"] == everything["tracks"][1:3]
    assert len(everything["tracks"]) == spectral["tracks"]
    track = everything["tracks"][0]["track"]
    of_segments = ask("targets", dataset="demo", level="segment", track=track).json()
    assert {one["track"] for one in of_segments["rows"]} == {track}
    assert [one["segment"] for one in of_segments["rows"]] == list(range(len(of_segments["rows"])))


def test_mess_serve_answers_until_ctrl_c(served: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port"]
    process = subprocess.Popen(
        [*command, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(f"{address}/datasets") as answer:  # noqa: S310
        assert json.load(answer) == ask("datasets").json()
    port = address.rpartition(":")[2].partition("/")[0]
    taken = subprocess.run([*command, port], capture_output=True, text=True, check=False)
    assert taken.returncode == 1 and taken.stderr.count("\n") == 1 and "--port" in taken.stderr
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130 and said.count("\n") == 1, said


def test_an_address_that_is_none_is_refused() -> None:
    # A socket takes no address as all of them.
    for address in ("", " "):
        ended = CliRunner().invoke(build_app(), ["serve", "--port", "0", "--address", address])
        assert isinstance(ended.exception, MessError) and "--address" in str(ended.exception)


def test_the_page_asks_every_question_and_loads_nothing(served: Path) -> None:
    answer = ask(PREFIX)
    text = answer.body.decode()
    assert text == page() and "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in text and "http:" not in text and "https:" not in text
    for one in ENDPOINTS:
        assert f'<form action="{PREFIX}{one.path}">' in text
        for parameter in parameters_of(one):
            assert parameter["description"] or parameter["name"] in ("track", "dataset"), parameter
            assert f'name="{parameter["name"]}"' in text
    # What may be given several times has two fields, so that each question can be asked.
    for name in ("weights-track", "passages-at"):
        assert re.search(rf'<input id="{name}" name="(\w+)" required><input name="\1"', text), name
    assert 'name="track" aria-label="track, another one" required' in text  # of weights
    # An empty field of a form counts as none.
    assert ask("tracks", text="", limit="", offset="", **OF).status == 200


def test_the_document_stands_on_its_own() -> None:
    document = json.loads(ask("openapi.json").body)
    assert document["openapi"].startswith("3.1") and len(document["paths"]) == len(ENDPOINTS)
    schemas = document["components"]["schemas"]
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in schemas
    n = next(p for p in document["paths"]["/recommend"]["get"]["parameters"] if p["name"] == "n")
    assert n["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5}


class Pairs(list[tuple[str, str]]):
    def multi_items(self) -> list[tuple[str, str]]:
        return list(self)


@given(st.dictionaries(st.sampled_from(OfRecommendations.__struct_fields__), st.text(max_size=8)))
def test_parameters_are_read_or_refused_in_a_line(given: dict[str, str]) -> None:
    try:
        found = read_parameters(OfRecommendations, Pairs(given.items()))
    except MessError as error:
        assert "\n" not in str(error).replace(repr(given), "")
    else:
        assert 1 <= found.n <= 1000 and found.by in ("better", "model", "measurement")


def test_a_parameter_is_given_once() -> None:
    with pytest.raises(MessError, match="n: give it once"):
        read_parameters(OfRecommendations, Pairs([("track", "a"), ("n", "1"), ("n", "2")]))


@given(
    st.recursive(
        st.floats() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_no_number_of_json_is_undefined(value: Any) -> None:
    def plain(one: Any) -> Any:
        if isinstance(one, float):
            return one if np.isfinite(one) else None
        if isinstance(one, list):
            return [plain(each) for each in one]
        return {key: plain(each) for key, each in one.items()} if isinstance(one, dict) else one

    assert json.loads(as_json(value), parse_constant=pytest.fail) == plain(value)


def test_names_that_are_no_utf8_and_numbers_of_numpy_become_json() -> None:
    found = json.loads(as_json({"a\udc80": np.float32(np.nan), "b": np.arange(2)}))
    assert found == {"a\udc80": None, "b": [0, 1]}


def test_where_nothing_may_be_read_only_what_is_held_is_given() -> None:
    held: Shelf[int] = Shelf(most=1)
    held.get("a", 1, lambda: 5)
    with only_held():
        assert held.get("a", 1, lambda: 6) == 5
        with pytest.raises(NotHeld):
            held.get("a", 2, lambda: 6)
    assert held.get("a", 2, lambda: 6) == 6


def test_a_loop_that_all_share_neither_reads_a_layer_nor_answers_at_length(
    recommender: LayerBasedRecommender, served: Path
) -> None:
    track, name = recommender.track_ids[0], recommender.get_available_aspects()[0]

    def by_layers() -> list[Recommendation]:
        return recommender.multi_aspect_recommendation(track, {name: 1.0}, method="layer")

    with only_held(), pytest.raises(NotHeld):
        by_layers()
    found = by_layers()
    assert ask("tracks", **OF).status == 200  # from now on, they are in memory
    with only_held():
        assert by_layers() == found
        listed = tracks(Store(served), OfTracks(**OF, limit=len(recommender.track_ids)))
        assert len(listed.tracks) == len(recommender.track_ids)
        with pytest.raises(NotHeld):
            tracks(Store(served), OfTracks(**OF, limit=10_000))
    assert tracks(Store(served), OfTracks(**OF, limit=10_000)) == listed


def test_a_player_that_jumps_gets_the_bytes_that_it_asks_for(
    recommender: LayerBasedRecommender,
) -> None:
    of = {"track": recommender.track_ids[0], "seconds": 1, **OF}
    whole = ask("clip", **of)
    part = ask("clip", **of, headers={"range": "bytes=2-5"})
    assert (part.status, part.body) == (206, whole.body[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(whole.body)}"
    end = ask("clip", **of, headers={"range": "bytes=-4"})
    assert (end.status, end.body) == (206, whole.body[-4:])
    assert end.headers["content-range"].startswith(f"bytes {len(whole.body) - 4}-")
    more = ask("clip", **of, headers={"range": "bytes=-99999999"})
    assert (more.status, more.body) == (206, whole.body)
    for past in ("bytes=99999999-", "bytes=-0"):
        refused = ask("clip", **of, headers={"range": past})
        assert refused.status == 416 and f"the clip has {len(whole.body)} bytes" in refused.error
    odd = (f"bytes={'9' * 5000}-", f"bytes=0-{'9' * 5000}", "bytes=1-2,4-5", "lines=1-2")
    for one in (*odd, "bytes=5-3", "bytes=0-x", "bytes=0-1-2", "bytes=-", "bytes=", "bytes=٣-"):
        found = ask("clip", **of, headers={"range": one})
        assert (found.status, found.body) == (200, whole.body), one
    # The clip that a player has a part of may be another one.
    changed = ask("clip", **of, headers={"range": "bytes=2-5", "if-range": '"x"'})
    assert (changed.status, changed.body) == (200, whole.body)
