"""Names in an address are names: what they ask for exists, or there is one clear line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from tones import write_tone

from dashboard.server.maps import name as point_name
from dashboard.server.maps import points
from dashboard.server.names import names
from dashboard.server.sounds import clip, peaks, spectrogram
from mess.errors import MessError
from mess.records.map import MapPoints, MapRecord
from mess.storage.files import write_json
from mess.storage.store import Store
from pipelines.extract_features import extract_features

ROUTES: tuple[Callable[[Request], Response], ...] = (clip, peaks, spectrogram, names)
NO_NAMES = (
    "..",
    ".",
    "",
    "../../../outside",
    "/etc",
    "mine/../mine",
    "mine\0",
    "\0",
    "m" * 5000,
    "🎹" * 300,
    "mine\n",
    "~",
    "$HOME",
)


def ask(route: Callable[[Request], Response], **asked: object) -> Response:
    scope = {"type": "http", "method": "GET", "headers": [], "query_string": urlencode(asked)}
    scope["query_string"] = str(scope["query_string"]).encode()
    return route(Request(scope))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with one small dataset, and beside it a folder that is laid out as one."""
    top = tmp_path_factory.mktemp("routes")
    store = Store(top / "data")
    for number in range(2):
        write_tone(store.audio_dir("mine") / f"song-{number}.wav", 6.0, seed=number)
    extract_features(dataset="mine", encoder="spectral", store=store)
    outside = top / "outside"
    shutil.copytree(store.root / "processed/features/mine", outside)
    for recording in store.audio_dir("mine").iterdir():
        shutil.copy(recording, outside)
    return store.root


@pytest.fixture
def served(library: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESS_DATA", str(library))
    return library


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: one.__name__)
def test_a_route_answers_what_exists_and_nothing_else(
    served: Path, route: Callable[[Request], Response]
) -> None:
    assert ask(route, dataset="mine", encoder="spectral", track="song-0").status_code == 200
    for name in NO_NAMES:
        for wrong in ({"dataset": name}, {"encoder": name}, {"track": name}):
            if route is names and "track" in wrong:
                continue
            given = {"dataset": "mine", "encoder": "spectral", "track": "song-0"} | wrong
            answer = ask(route, **given)
            said = bytes(answer.body).decode()
            said = json.loads(said)["error"] if route is names else said
            assert answer.status_code == 404, wrong
            assert said and "\n" not in said and len(said) < 400, wrong
            assert str(served) not in said


def test_the_points_of_a_map_and_their_names_are_found_by_the_names_of_the_map(
    served: Path,
) -> None:
    record = MapRecord(
        dataset="mine",
        encoder="spectral",
        level="segment",
        layer=1,
        layer_name="1",
        method="pca",
        seed=0,
        clusters=1,
        code_version=1,
        features="x",
        n=2,
        settings={},
        explained=[0.5, 0.1],
        trust=None,
        tracks=["song-0", "song-1"],
    )
    made = MapPoints(
        track=np.array([1, 0], dtype=np.int32),
        segment=np.array([1, 0], dtype=np.int32),
        points=np.array([[0, 0], [4, 2]], dtype=np.float32),
        cluster=np.zeros(2, dtype=np.int16),
    )
    Store(served).maps.write(record, made)
    place = {"dataset": "mine", "encoder": "spectral", "layer": 1, "method": "pca"}
    place |= {"level": "segment"}
    found = np.frombuffer(bytes(ask(points, **place).body), dtype="<f4").reshape(-1, 2)
    assert found == pytest.approx(np.array([[-0.95, -0.475], [0.95, 0.475]]))
    assert bytes(ask(point_name, **place, row=0).body).decode() == "song-1, 0:01"
    wrongs: list[dict[str, object]] = [{"dataset": one} for one in NO_NAMES]
    wrongs += [{"method": "magic"}, {"level": "bar"}, {"layer": 7}, {"layer": -1}, {"row": 2}]
    wrongs.append({"version": "1.000"})  # of a map before this one
    for wrong in wrongs:
        answer = ask(point_name, **({**place, "row": 0} | wrong))
        said = bytes(answer.body).decode()
        assert answer.status_code == 404, wrong
        assert said and "\n" not in said and str(served) not in said


def test_a_part_takes_the_gain_of_another_part(served: Path) -> None:
    where = {"dataset": "mine", "encoder": "spectral", "track": "song-0", "seconds": 1}
    alone = ask(clip, **where, start=3, level=-23)
    like = ask(clip, **where, start=3, level=-23, like="0,2")
    assert alone.status_code == like.status_code == 200
    assert ask(clip, **where, start=3, level=-23, like="0,x").status_code == 404
    assert ask(clip, **where, start=3, like="0,2").body == ask(clip, **where, start=3).body


@settings(max_examples=20)
@given(dataset=st.text(max_size=40), encoder=st.text(max_size=40), upload=st.text(max_size=40))
def test_no_text_breaks_a_route(dataset: str, encoder: str, upload: str) -> None:
    try:
        urlencode({"dataset": dataset + encoder + upload})
    except UnicodeEncodeError:
        return  # no address can say it
    assert ask(clip, dataset=dataset, encoder=encoder, track="a").status_code == 404
    assert ask(clip, dataset="mine", encoder=encoder, track="a").status_code == 404
    assert ask(peaks, upload=upload).status_code == 404


def test_a_manifest_cannot_lead_out_of_its_recordings(served: Path) -> None:
    """A data root that somebody else made names no file of this machine."""
    store = Store(served)
    manifest = served / "processed/features/mine/spectral/manifest.json"
    before = manifest.read_text()
    told = json.loads(before)
    for place in ("../../../outside/song-0.wav", str(served.parent / "outside" / "song-0.wav")):
        told["tracks"]["song-0"]["path"] = place
        write_json(manifest, told)  # with a checksum that is right
        assert "song-0" in store.features.manifest("mine", "spectral").done()
        try:
            answer = ask(clip, dataset="mine", encoder="spectral", track="song-0")
        finally:
            manifest.write_text(before)
        assert answer.status_code == 404 and len(answer.body) < 100


@pytest.mark.parametrize("name", [one for one in NO_NAMES if "/" in one or "\0" in one] + [".."])
def test_no_place_on_disk_is_made_of_what_is_no_name(tmp_path: Path, name: str) -> None:
    store: Any = Store(tmp_path)
    for make in (
        store.audio_dir,
        store.reports.folder,
        lambda one: store.features.folder(one, "spectral"),
        lambda one: store.discoveries.path(one, "spectral", "track"),
        lambda one: store.indices.folder(one, "spectral"),
    ):
        with pytest.raises(MessError, match="is no dataset name") as caught:
            make(name)
        assert "\n" not in str(caught.value)


def test_a_written_report_is_opened_as_a_document_and_nothing_beside_it(served: Path) -> None:
    from dashboard.server.reports import report, report_links

    store = Store(served)
    page = store.reports.folder("mine") / "mine-spectral.html"
    store.reports.write(page, "<p>R²</p>")
    store.reports.write(store.root / "secret.html", "secret")
    assert list(report_links("mine", "spectral", "track")) == ["page"]
    asked = {"dataset": "mine", "encoder": "spectral", "level": "track", "part": "page"}
    answer = ask(report, **asked)
    assert (answer.status_code, bytes(answer.body).decode()) == (200, "<p>R²</p>")
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    for wrong in (*({key: name} for key in asked for name in NO_NAMES), {"part": "methods"}):
        assert ask(report, **(asked | wrong)).status_code == 404, wrong
