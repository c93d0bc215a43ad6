"""What the API refuses, and what no answer tells."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from api_requests import OF, ask
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.errors import ArtifactError, AudioError, MessError
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.serving.api import status_of, without_places
from mess.serving.description import parameters_of
from mess.serving.endpoints import ENDPOINTS, PREFIX
from mess.storage.store import Store


@pytest.mark.parametrize(
    ("path", "asked", "status", "words"),
    [
        ("recommend", {}, 400, "track: give one"),
        ("recommend", {"track": "nobody"}, 404, "unknown track 'nobody'"),
        ("recommend", {"track": "a", "n": "0"}, 400, "whole number from 1 to 1000, not '0'"),
        ("recommend", {"track": "a", "n": "many"}, 400, "n: give a whole number from 1"),
        ("recommend", {"track": "a", "n": "1e9"}, 400, "to 1000, not '1e9'"),
        ("recommend", {"track": "a", "wieghts": "x"}, 404, "did you mean 'weights'"),
        ("recommend", {"track": "a", "by": "ear"}, 400, "better, measurement, model, not 'ear'"),
        ("recommend", {"track": "a", "weights": "tempo:nan"}, 400, "'tempo:nan' is no weight"),
        ("recommend", {"track": "a", "weights": "tempi:1"}, 404, "unknown aspect 'tempi'"),
        ("recommend", {"track": "a", "offset": "tempo:1e30"}, 400, "at most 100 standard"),
        ("recommend", {"track": ["a"] * 21}, 400, "track: give at most 20, not 21"),
        ("recommend", {"track": "a", "dataset": "../demo"}, 404, "unknown dataset"),
        ("recommend", {"track": "a", "dataset": "/etc"}, 404, "unknown dataset"),
        ("recommend", {"track": "a", "dataset": "demo", "encoder": ".."}, 404, "unknown encoder"),
        ("recommend", {"track": "a", "dataset": "smd"}, 404, "run `mess run-all --dataset smd`"),
        ("passages", {"track": ["a", "b"], "at": 1}, 400, "at: give as many moments as tracks"),
        ("passages", {"track": "a", "at": "inf"}, 400, "from 0 below 1,000,000, not 'inf'"),
        ("clip", {"track": "a", "start": "nan"}, 400, "from 0 below 1,000,000, not 'nan'"),
        ("clip", {"track": "a", "seconds": "0"}, 400, "seconds: give a number above 0"),
        ("clip", {"track": "a", "seconds": "1e-9"}, 400, "ask for more seconds"),
        ("clip", {"track": "a", "level": "5"}, 400, "level: give a number from -60 to 0, not '5'"),
        ("recommend", {"track": "a", "exclude_same_work": "maybe"}, 400, "give true or false"),
        ("weights", {"track": ["a"]}, 400, "track: give 2 to 20, not 1"),
        ("aspects", {"encoder": "<b>"}, 404, "unknown encoder '<b>'"),
        ("clip", {"track": "../../etc/passwd"}, 404, "unknown track"),
        (
            "targets",
            {"dataset": "demo", "level": "bar"},
            400,
            "give one of segment, track, not 'bar'",
        ),
        ("targets", {"dataset": "smd"}, 404, "run `mess targets --dataset smd`"),
        ("recommendations", {"track": "a"}, 404, "did you mean '/api/v1/recommend'"),
        ("recommend", {"track": "a", "unlike": "a"}, 400, "like and to be unlike at once"),
        (
            "passages",
            {"track": "a", "at": 1, "unlike": "a", "unlike_at": 1.5},
            400,
            "from 0:00' is to be like and to be unlike at once",
        ),
        ("recommend", {"track": "n" * 1000}, 404, f"unknown track '{'n' * 80}…'"),
        ("tracks", {"offset": "9" * 20}, 400, "offset: give a whole number from 0 to 1000000000"),
        ("targets", {"offset": "9" * 20}, 400, "offset: give a whole number from 0"),
        (
            "datasets",
            {"encoder": "x"},
            400,
            "unknown parameter 'encoder': this question takes none",
        ),
        ("/api/v2/datasets", {}, 404, "unknown path '/api/v2/datasets': did you mean"),
        ("/somewhere", {}, 404, "unknown path '/somewhere'"),
    ],
)
def test_a_bad_question_gets_one_clear_line(
    recommender: LayerBasedRecommender, path: str, asked: dict[str, Any], status: int, words: str
) -> None:
    here = recommender.track_ids[0]  # "a" is a track that there is
    asked = {name: here if value == "a" else value for name, value in asked.items()}
    answer = ask(path, **asked)
    assert (answer.status, words in answer.error) == (status, True), answer.error
    assert "\n" not in answer.error and len(answer.error) < 450


@settings(max_examples=25)
@given(
    path=st.sampled_from([one.path for one in ENDPOINTS]),
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["dataset", "encoder", "track", "weights", "at", "n", "start", "x"]),
            st.text(max_size=30),
        ),
        max_size=4,
    ),
)
def test_no_text_breaks_a_question(demo_library: Path, path: str, pairs: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(demo_library))
        answer = ask(f"{PREFIX}{path}", *pairs)
    assert answer.status in (200, 400, 404)
    if answer.status != 200:
        assert answer.error and "\n" not in answer.error
        assert str(demo_library) not in answer.error


@contextmanager
def hidden(path: Path) -> Iterator[None]:
    away = path.with_name(f"{path.name}.away")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)


def test_no_answer_tells_where_a_file_lies(
    recommender: LayerBasedRecommender, served: Path
) -> None:
    store, query = Store(served), recommender.track_ids[0]
    with hidden(store.indices.folder("demo", "spectral")):
        gone = ask("recommend", track=query, **OF)
    assert gone.status == 404 and "mess index --dataset demo" in gone.error
    table = store.targets.table_path("demo")
    with hidden(table):
        table.write_bytes(b"no table")
        try:
            damaged = ask("targets", dataset="demo")
        finally:
            table.unlink()
    assert damaged.status == 409 and "mess targets --dataset demo" in damaged.error
    entry = store.features.manifest("demo", "spectral").done()[query]
    with hidden(store.audio_dir("demo") / entry.path):
        silent = ask("clip", track=query, start=3.25, **OF)
    assert silent.status == 400 and "not on this machine" in silent.error
    late = ask("clip", track=query, start=9e5, **OF)
    assert late.status == 400 and "has no sound" in late.error
    for one in (gone, damaged, silent, late):
        assert str(served) not in one.error


def test_one_damaged_encoder_leaves_the_others_listed(served: Path) -> None:
    store = Store(served)
    (before,) = ask("datasets").json()["datasets"]
    other = store.features.folder("demo", "random:whisper-tiny")
    other.mkdir()
    try:
        (other / "manifest.json").write_bytes(b"no record")
        answer = ask("datasets")
    finally:
        shutil.rmtree(other)
    (listed,) = answer.json()["datasets"]
    (damaged,) = (one for one in listed["encoders"] if one not in before["encoders"])
    assert len(listed["encoders"]) == len(before["encoders"]) + 1
    assert damaged["tracks"] == 0 and "run `mess extract" in damaged["problem"]
    assert str(served) not in damaged["problem"]


def test_every_whole_number_has_limits() -> None:
    # Python's numbers are longer than those of whatever is asked by them.
    for one in ENDPOINTS:
        for parameter in parameters_of(one):
            for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
                if schema.get("type") == "integer":
                    assert {"minimum", "maximum"} <= schema.keys(), (one.path, parameter["name"])


def test_places_are_left_out_of_any_error() -> None:
    root = Path("/srv/my data")
    for error in (
        AudioError(root / "audio/x/a b.wav", "is no audio", "give another"),
        ArtifactError(str(root / "processed/y.json"), "is damaged", "mess index"),
        MessError("/home/me/.cache/hub/model.safetensors: is cut"),
        MessError("s3://bucket/deep/one.flac: no answer"),
    ):
        told = without_places(str(error), root)
        assert not re.search(r"(^|\s)/|srv|home|bucket", told), told
        assert status_of(error) in (400, 409)
    assert without_places("read 5/8 or http answer, a/b", root) == "read 5/8 or http answer, a/b"


def test_the_server_reads_and_does_not_write(served: Path) -> None:
    for path in (PREFIX, f"{PREFIX}/openapi.json", *(f"{PREFIX}{one.path}" for one in ENDPOINTS)):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "get"):
            refused = ask(path, method=method)
            assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
            assert refused.error == f"{method}: nothing is written here; ask with GET"
        told = ask(path, method="OPTIONS")
        assert (told.status, told.headers["allow"], told.body) == (204, "GET, HEAD, OPTIONS", b"")
    assert ask("nothing", method="POST").status == 404
    foreign = ask("datasets", headers={"host": "evil.example"})
    embedded = ask("datasets", headers={"origin": "http://evil.example"})
    assert foreign.status == embedded.status == 403
    assert ask("/").status == 307
