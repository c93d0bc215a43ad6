"""A lane answers with what is measured and what a layer predicts of a work that it never saw."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from starlette.requests import Request

from dashboard.server.lanes import lane
from mess.curves.registry import CURVES
from mess.lanes.datasets import predict_dataset, read_dataset_curves
from mess.lanes.recordings import MeasuredCurves
from mess.new_recordings.encoding import EncodedRecording, RecordingInTime
from mess.new_recordings.uploads import keep_encoded
from mess.storage.store import Store

SMALL = "small"  # the trained network of the library
LEVEL = list(CURVES).index("level")


@pytest.fixture(scope="module")
def store(compared_library: Path) -> Store:
    return Store(compared_library)


@pytest.fixture
def encoder(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MESS_DATA", str(store.root))
    return SMALL


def ask(**asked: Any) -> tuple[int, dict[str, Any]]:
    query = urlencode({"dataset": "demo"} | asked, doseq=True).encode()
    answer = lane(Request({"type": "http", "method": "GET", "headers": [], "query_string": query}))
    return answer.status_code, json.loads(bytes(answer.body))


def test_two_layers_lie_over_the_measured_curve_of_a_part(store: Store, encoder: str) -> None:
    track = next(iter(store.features.manifest("demo", encoder).done()))
    by = [f"{encoder}:1", f"{encoder}:best"]
    place = {"encoder": encoder, "track": track, "start": 10, "seconds": 5}
    status, found = ask(**place, curve="level", by=by)
    assert status == 200 and found["notes"] == []
    measured = read_dataset_curves(store, "demo")
    rows = measured.rows_of(track)
    inside = np.abs(measured.start[rows] + 0.25 - 12.5) <= 3.0  # one more on either side
    np.testing.assert_allclose(found["at"], measured.start[rows][inside] + 0.25, atol=1e-3)
    np.testing.assert_allclose(found["measured"], measured.values[rows][inside, LEVEL], rtol=1e-3)
    first, second = found["predicted"]
    assert first["name"].endswith("small, layer 1")
    guess = predict_dataset(store, "demo", encoder, measured=measured, layer=1)[rows, LEVEL]
    np.testing.assert_allclose(first["values"], guess[inside], rtol=1e-3, atol=1e-3)
    known = np.isfinite(measured.values[rows, LEVEL]) & np.isfinite(guess)
    r = np.corrcoef(measured.values[rows, LEVEL][known], guess[known])[0, 1]
    assert first["r"] == pytest.approx(r)
    (own,) = [one for one in found["encoders"] if one["name"] == encoder]
    assert second["name"].endswith(f"layer {own['best']}")
    assert {one["name"] for one in found["curves"]} >= {"level", "centroid", "velocity"}


def test_an_encoder_without_half_seconds_shows_another_or_says_why(encoder: str) -> None:
    place = {"encoder": "spectral", "track": "Bach_BWV846_p1"}
    status, found = ask(**place)
    assert status == 200 and found["notes"] == []
    assert "small, layer" in found["predicted"][0]["name"]
    status, found = ask(**place, by="spectral:best")
    assert status == 200 and found["predicted"] == [] and len(found["measured"]) > 20
    assert "too few states over time" in found["notes"][0]
    assert ask(**place, by="none")[1]["predicted"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"dataset": "../../etc"},
        {"encoder": "/etc/passwd"},
        {"track": "../x"},
        {"curve": "loudness"},
        {"start": "nan"},
        {"seconds": "-1"},
        {"upload": "../x", "track": ""},
    ],
)
def test_what_does_not_exist_gets_one_line(encoder: str, wrong: dict[str, str]) -> None:
    status, found = ask(**({"encoder": encoder, "track": "Bach_BWV846_p1"} | wrong))
    assert status == 404
    assert found["error"] and "\n" not in found["error"] and len(found["error"]) < 400


@pytest.mark.parametrize(
    "by", ["tiny:0", ":", "x:best", "small:99", "small:-1", "small:" + "9" * 5000]
)
def test_a_layer_that_does_not_exist_is_a_note(encoder: str, by: str) -> None:
    place = {"encoder": encoder, "track": "Bach_BWV846_p1"}
    status, found = ask(**place, by=by)
    assert status == 200 and found["predicted"] == [] and len(found["notes"]) == 1


def test_a_file_that_was_handed_over_is_predicted_by_the_probe_of_all(
    store: Store, encoder: str, request: pytest.FixtureRequest
) -> None:
    track, manifest = "Bach_BWV846_p1", store.features.manifest("demo", encoder)
    kept = store.moments.read_track("demo", encoder, manifest, track)
    entry = store.targets.manifest("demo").done()[track]
    own = store.curves.read_track("demo", track, entry)
    layers, dim = kept.stored.shape[1:]
    states = [kept.layer(layer) for layer in range(layers)]
    curves = MeasuredCurves(own.start, own.values)
    recording = EncodedRecording(
        made_by=manifest.header,
        duration=float(kept.start[-1] + 0.5),
        whole=np.zeros((layers, 2 * dim), dtype=np.float32),
        segments=np.zeros((1, layers, dim), dtype=np.float16),
        measured={},
        moments=np.stack(states, axis=1).astype(np.float16),
        in_time=RecordingInTime(kept.start, curves),
    )
    upload = store.uploads.add(b"RIFF....WAVEfmt ", "mine.wav", most=50 << 20)
    request.addfinalizer(lambda: store.uploads.forget(upload.token))
    place = {"encoder": encoder, "upload": upload.token, "by": f"{encoder}:2", "seconds": 60}
    assert "choose it again" in ask(**place)[1]["error"]
    keep_encoded(store.uploads, upload.token, encoder, recording)
    status, found = ask(**place)
    assert status == 200 and found["notes"] == []
    probes = store.discoveries.read_curve_probes("demo", encoder)
    guess = probes.predict(kept.layer(2), layer=2, fold=-1)[:, probes.curves.index("level")]
    told = np.array(found["predicted"][0]["values"])
    np.testing.assert_allclose(told, guess, atol=0.05)  # half precision
    held_out = probes.predict(kept.layer(2), layer=2, fold=probes.fold_of(track))
    assert np.abs(told - held_out[:, probes.curves.index("level")]).max() > 0.1
    np.testing.assert_allclose(
        np.array(found["measured"], dtype=float), own.values[:, LEVEL], rtol=1e-3
    )
    store.uploads.keep_in_time(upload.token, encoder, b"damaged")
    assert "damaged" in ask(**place)[1]["error"]
