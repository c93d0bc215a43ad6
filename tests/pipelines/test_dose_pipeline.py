"""Recordings are changed, probes that never saw them are asked, and what they say is kept."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from dashboard.server import doses
from mess.audio.loudness import measure_loudness
from mess.doses.plan import Excerpt, Version, chosen_edits
from mess.doses.readings import ChangedStates, fit_readings
from mess.doses.words import lesson
from mess.errors import ArtifactError, ArtifactMissing, MessError, UnknownName
from mess.experiments.rows import load_probing_data
from mess.records.dose import DoseSettings
from mess.status.staleness import Sources, judge
from mess.storage.store import Store
from mess.targets import Notes
from pipelines.dose_text import dose_lines
from pipelines.run_dose import run_dose
from pipelines.write_report import write_report

EDITS = ("gain", "tilt", "articulation")
SETTINGS = DoseSettings(tracks=2, edits=EDITS, seconds=6.0)


@pytest.fixture(scope="module")
def store(compared_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The demo library with a small network, of which two recordings were changed."""
    root = tmp_path_factory.mktemp("doses") / "data"
    shutil.copytree(compared_library / "processed", root / "processed")
    shutil.copytree(compared_library / "models", root / "models")
    (root / "audio").mkdir()
    (root / "audio" / "demo").symlink_to((compared_library / "audio" / "demo").resolve())
    store = Store(root)
    run_dose(dataset="demo", encoder=model(store), settings=SETTINGS, store=store, tracking=False)
    yield store


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Store:
    """A copy of it, which a test may change."""
    shutil.copytree(store.root, tmp_path / "data", symlinks=True)
    return Store(tmp_path / "data")


def model(store: Store) -> str:
    return str(store.root / "models" / "small")


def test_an_unchanged_recording_is_predicted_as_the_discovery_predicted_it(store: Store) -> None:
    record = store.discoveries.read("demo", "small")
    data = load_probing_data("demo", "small", settings=record.settings, store=store)
    place = {"dataset": "demo", "encoder": "small", "store": store}
    fitted = fit_readings(data, settings=record.settings, **place)
    assert fitted.readings == ["mean", "mean and extremes", "through time"]
    predictions = store.discoveries.read_predictions("demo", "small")
    segments = dict(store.features.read_segments("demo", "small"))
    manifest = store.features.manifest("demo", "small")
    for row in (0, 7):
        track = data.features.tracks[row]
        moments = store.moments.read_track("demo", "small", manifest, track)
        states = ChangedStates(
            data.features.values[row],
            segments[track],
            np.stack([moments.layer(layer) for layer in range(fitted.layers)], axis=1),
        )
        found = fitted.predict(states, fold=fitted.fold_of[track])
        kept = predictions[(predictions["track"] == track) & (predictions["layer"] >= 0)]
        for one in kept.itertuples():
            column = fitted.names.index(str(one.target))
            assert found[0, int(one.layer), column] == pytest.approx(one.predicted, rel=1e-4)
    level = fitted.names.index("dynamic_variance")
    assert np.isfinite(found[2, :, level]).all(), "read through time"
    assert np.isnan(found[2, :, fitted.names.index("tempo")]).all()


def test_gain_moves_nothing_and_a_tilt_moves_brightness(store: Store) -> None:
    record = store.doses.read("demo", "small")
    assert [edit.name for edit in record.edits] == list(EDITS)
    assert len(record.tracks) == record.works == 2 and record.left_out == {}
    for cell in record.cells:
        assert cell.response.n > 0
        if cell.edit == "gain":
            assert cell.response.measured < 0.01 and cell.response.predicted < 0.05, cell
    bright = record.cell("tilt", "spectral_centroid")
    assert bright is not None and bright.response.measured > 0.1
    held = record.cell("articulation", "articulation_ratio")
    assert held is not None and held.response.measured > 0.5, "known from the changed notes"
    everything = store.doses.read_responses("demo", "small", record)
    assert set(everything["reading"]) == set(record.readings)
    assert set(everything["layer"]) == {0, 1, 2}
    text = "\n".join(dose_lines(record, everything))
    assert lesson(record)[0] in text
    assert "2 recordings of 2 works" in text and "tilt" in text


def test_a_second_run_adds_edits_and_does_nothing_anew(own: Store) -> None:
    before = own.doses.read("demo", "small")
    names = [one.track for one in before.tracks]
    points = own.doses.read_points("demo", "small", before, names)
    more = DoseSettings(tracks=2, edits=("noise", *EDITS), seconds=6.0)
    record = run_dose(dataset="demo", encoder=model(own), settings=more, store=own, tracking=False)
    assert [edit.name for edit in record.edits] == ["gain", "tilt", "noise", "articulation"]
    after = own.doses.read_points("demo", "small", record, names)
    kept = after[after["edit"] != "noise"].drop(columns="track")
    assert len(after) > len(kept)
    for track in names:
        own = after[(after["track"] == track) & (after["edit"] != "noise")]
        old = points[points["track"] == track]
        np.testing.assert_array_equal(own["predicted"].to_numpy(), old["predicted"].to_numpy())


def test_the_report_and_the_staleness_know_it(store: Store, tmp_path: Path) -> None:
    page, _ = write_report(dataset="demo", encoder="small", out=tmp_path, store=store)
    assert "Does the prediction follow?" in page.read_text()
    record = store.doses.read("demo", "small")
    assert not judge("doses", record.origin, Sources(store, "demo", "small"))
    path = store.discoveries.path("demo", "small", "track")
    kept = path.read_bytes()
    path.unlink()
    try:
        assert "the discovery is missing" in str(
            judge("doses", record.origin, Sources(store, "demo", "small"))
        )
        with pytest.raises(ArtifactMissing, match="mess probe"):
            run_dose(dataset="demo", encoder=model(store), store=store, tracking=False)
    finally:
        path.write_bytes(kept)
    with pytest.raises(ArtifactError, match="mess dose --dataset demo --encoder spectral"):
        store.doses.read("demo", "spectral")


def test_what_cannot_be_asked_is_one_line() -> None:
    with pytest.raises(UnknownName, match="did you mean 'stretch'"):
        chosen_edits("strech")
    notes = Notes(*(np.arange(3.0) for _ in range(4)), np.empty((0, 2)))
    with pytest.raises(MessError, match="fewer than 8 notes"):
        from mess.doses.rendered import cut_notes

        cut_notes(notes, start=0.0, seconds=10.0)


def test_a_rendering_is_the_recording_again_and_its_doses_are_exact() -> None:
    time = np.arange(0, 6, 0.25)
    pitch = 60.0 + np.arange(time.size) % 12
    notes = Notes(time, time + 0.2, pitch, 50.0 + 20 * np.sin(time), np.empty((0, 2)))
    part = Excerpt(np.zeros(6 * 24_000, np.float32), 24_000, notes)
    plain, truth = part.make(Version(rendered=True))
    assert np.abs(plain).max() > 0.05
    for name, dose, target, factor in (
        ("played tempo", 1.4, "note_density", 1.4),
        ("articulation", 0.6, "articulation_ratio", 0.6),
        ("played dynamics", 0.5, "velocity_spread", 0.5),
    ):
        (edit,) = chosen_edits(name)
        sound, changed = part.make(Version(edit, dose, rendered=True))
        assert changed[target] == pytest.approx(factor * truth[target], rel=0.06), name
        assert sound.size != plain.size or not np.allclose(sound, plain, atol=1e-4)


def _page() -> None:
    """Draw the page: Streamlit runs this text as a script."""
    from dashboard.pages.doses import main

    main()


def test_the_page_shows_the_matrix_a_cell_and_its_sounds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(store.root))
    script = AppTest.from_function(_page, default_timeout=60)
    script.session_state["dataset"], script.session_state["encoder"] = "demo", "small"
    drawn = script.run()
    assert not drawn.exception and not drawn.warning
    drawn.selectbox(key="dose-edit").set_value("tilt").run()
    drawn.selectbox(key="dose-target").set_value("spectral_centroid").run()
    record = store.doses.read("demo", "small")
    cell = record.cell("tilt", "spectral_centroid")
    assert cell is not None and cell.response.slope is not None
    assert drawn.metric[0].value == f"{cell.response.slope:.2f}"
    sounds = [
        sound
        for one in drawn.get("bidi_component")
        for sound in json.loads(one.proto.json)
        if sound and "/doses/clip" in sound.get("clip", "")
    ]
    assert ["part=before" in one["clip"] for one in sounds] == [True, False]
    drawn.selectbox(key="dose-reading").set_value("through time").run()
    drawn.segmented_control(key="dose-figure").set_value("by dose").run()
    assert not drawn.exception


def test_both_sides_of_a_change_are_heard_equally_loud(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(store.root))
    client = TestClient(Starlette(routes=doses.ROUTES))
    track = store.doses.read("demo", "small").tracks[0].track
    asked = {"dataset": "demo", "encoder": "small", "track": track}
    for edit, dose in (("tilt", 3.0), ("articulation", 0.3)):
        heard = []
        for part in ("before", "after"):
            url = doses.dose_url("clip", **asked, edit=edit, dose=dose, part=part)
            answer = client.get(url)
            assert answer.status_code == 200
            samples, rate = soundfile.read(io.BytesIO(answer.content))
            assert np.abs(samples).max() < 1.0
            heard.append((measure_loudness(samples, rate).lufs, samples))
        assert heard[0][0] == pytest.approx(heard[1][0], abs=0.2)
        assert not np.array_equal(heard[0][1], heard[1][1])
    url = doses.dose_url("peaks", **asked, edit="tilt", dose=3.0, part="after")
    assert len(client.get(f"{url}&bins=50").json()) == 50
    for wrong in ({"track": "../../etc/passwd"}, {"edit": "no edit"}, {"part": "both"}):
        words = {**asked, "edit": "tilt", "dose": 3.0, "part": "before"} | wrong
        answer = client.get(doses.dose_url("clip", **words))
        assert answer.status_code == 404 and "\n" not in answer.text
