"""`mess probe` also probes curves, and reads every target in three ways."""

from pathlib import Path

import numpy as np
import pytest
from layouts import write_smd
from small_models import write_small
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from mess.as_text import as_words
from mess.curves.phrases import READ as PHRASES
from mess.curves.readings import READINGS
from mess.curves.registry import CURVES
from mess.errors import MessError
from mess.experiments.rows import load_probing_data
from mess.lanes.datasets import predict_dataset, read_dataset_curves
from mess.probing.in_time import score_curves
from mess.records.discovery import Frames, ProbeSettings
from mess.records.in_time import InTimeRecord
from mess.storage.store import Store
from mess.targets import TARGETS, title_of
from pipelines.cli import build_app
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_all, extract_features
from pipelines.frame_pass import FramePass, NoFrames, frame_pass
from pipelines.kept_states import KeptStates

PROBE = ["--folds", "4", "--permutations", "19", "--bootstrap", "20", "--repeats", "1"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "small-whisper"
    write_small(folder, "WhisperModel")
    return str(folder)


def _show(encoder: str) -> None:
    """Draw the tab: Streamlit runs this text as a script."""
    from dashboard.sections.in_time import show_in_time
    from mess.storage.store import Store

    show_in_time(Store().discoveries.read("smd", encoder))


def test_curves_and_readings_stand_in_the_discovery_and_are_printed(
    data_root: Path, model: str
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=11.0)
    store = Store(data_root)
    for encoder in (model, f"random:{model}"):
        assert extract_features(dataset="smd", encoder=encoder, store=store).made == 8
    compute_dataset_targets(dataset="smd", store=store)
    command = ["probe", "--dataset", "smd", "--encoder", model, "--no-mlflow", *PROBE]
    ended = CliRunner().invoke(build_app(), command)
    assert ended.exit_code == 0, ended.output
    found = store.discoveries.read("smd", model).in_time
    assert found is not None
    assert {cell.curve for cell in found.cells} >= {"level", "centroid", "pitch_class_A"}
    for cell in found.cells:
        assert cell.r2 is None or cell.r2 <= 1
        assert 0 < cell.p <= cell.p_family <= 1
        assert cell.low is None, "five works are too few for an interval"
    readings = {one.target: one.by for one in found.readings}
    assert set(readings) == set(TARGETS)
    for target, by in readings.items():
        if "mean" in by:
            through_time = target in {*READINGS, *PHRASES, "tempo"}
            assert ("through time" in by) == through_time, target
            assert sum(one.share for one in by.values()) == pytest.approx(1.0)
            assert all(np.sum(one.layers) == pytest.approx(1.0) for one in by.values())
    assert set(found.control or {}) == set(readings)
    _check_probes(store, model, found)
    page = AppTest.from_function(_show, args=(model,), default_timeout=60).run()
    assert not page.exception
    readings_shown, curves_shown = (table.value for table in page.dataframe)
    assert list(readings_shown["target"]) == [title_of(name) for name in TARGETS]
    assert set(curves_shown["curve"]) == {as_words(cell.curve) for cell in found.cells}
    said = ended.stdout.splitlines()
    header = next(place for place, line in enumerate(said) if line.endswith("  reading"))
    assert [line.split()[0] for line in said[header + 1 : header + 16]] == list(TARGETS)
    assert any(line.startswith("centroid") and " Hz " in line for line in said)
    assert found.tempo is not None and found.control_tempo is not None
    assert found.tempo.recordings == 8 and 0 <= found.tempo.accuracy_1 <= found.tempo.accuracy_2
    accuracies = [line for line in said if line.startswith("accuracy 1")]
    assert f"accuracy 1 {found.tempo.accuracy_1:.2f}, " in accuracies[0]
    assert accuracies[1].endswith("random weights")
    cost = [line for line in said if line.startswith("tempo from every hidden state: encodes ")]
    assert len(cost) == 2 and "once more" in cost[0]


def _check_probes(store: Store, model: str, found: InTimeRecord) -> None:
    """The kept probes predict the curves with the R² that the record says."""
    measured = read_dataset_curves(store, "smd")
    cells = {(cell.layer, cell.curve): cell for cell in found.cells}
    predicted = predict_dataset(store, "smd", model, measured=measured, layer=1)
    probes = store.discoveries.read_curve_probes("smd", model)
    folds = np.array([probes.fold_of(track) for track in measured.tracks])[measured.owner]
    columns = [list(CURVES).index(name) for name in probes.curves]
    told = np.isfinite(measured.values[:, columns]).all(axis=1)
    scores = score_curves(
        measured.values[told][:, columns],
        predicted[told][:, columns],
        measured.owner[told],
        np.unique(folds, return_inverse=True)[1][told],
    )
    for place, name in enumerate(probes.curves):
        assert scores.r2[place] == pytest.approx(cells[1, name].r2, abs=2e-3)


def test_without_moments_the_readings_of_means_remain_and_a_line_says_why(data_root: Path) -> None:
    write_smd(data_root / "audio" / "smd", seconds=6.0)
    store = Store(data_root)
    extract_features(dataset="smd", encoder="spectral", store=store)
    compute_dataset_targets(dataset="smd", store=store)
    command = ["probe", "--dataset", "smd", "--encoder", "spectral", "--no-mlflow", *PROBE]
    ended = CliRunner().invoke(build_app(), command)
    assert ended.exit_code == 0, ended.output
    found = store.discoveries.read("smd", "spectral").in_time
    assert found is not None
    assert found.cells == []
    assert "through time" not in found.readings[0].by
    # No command would make them, so none is named.
    why = "'spectral' has too few states over time for moments of 'smd': name another encoder"
    with pytest.raises(MessError, match=f"no curves by 'spectral': {why}"):
        store.discoveries.read_curve_probes("smd", "spectral")
    assert f"no curves: {why}" in ended.stdout
    manifest = store.features.manifest("smd", "spectral")
    with pytest.raises(MessError, match="too few states over time for moments of 'Bach_BWV849-01'"):
        store.moments.read_track("smd", "spectral", manifest, "Bach_BWV849-01")
    assert found.tempo is None
    assert "no tempo through time: spectral has 0 hidden states a second" in ended.stdout


def test_the_states_of_a_large_collection_are_asked_only_on_demand(
    data_root: Path,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=6.0)
    store = Store(data_root)
    kept = {model: KeptStates()}
    extract_all(dataset="smd", encoders=[model], store=store, kept=kept)
    compute_dataset_targets(dataset="smd", store=store)
    data = load_probing_data("smd", model, settings=ProbeSettings(), store=store)

    def passes(frames: Frames, kept: KeptStates | None = None) -> FramePass:
        return frame_pass(data, dataset="smd", encoder=model, frames=frames, store=store, kept=kept)

    capsys.readouterr()
    handed_on = passes("auto", kept[model])
    assert "encodes" not in capsys.readouterr().out, "the extraction has them"
    in_memory = passes("auto")
    assert "by small-whisper once more" in capsys.readouterr().out.replace(model, "small-whisper")
    for one, other in zip(handed_on(), in_memory(), strict=True):
        np.testing.assert_array_equal(one.states, other.states)
    assert [one.row for one in in_memory()] == list(range(8))
    assert len(in_memory.kept) == 8
    with monkeypatch.context() as small:
        small.setattr("pipelines.frame_pass.MEMORY", 1000)
        with pytest.raises(NoFrames, match="--frames on encodes the recordings twice more"):
            passes("auto")
        asked = passes("on")
    for again in (asked(), asked()):
        for one, other in zip(again, in_memory(), strict=True):
            np.testing.assert_array_equal(one.states, other.states)
            np.testing.assert_array_equal(one.columns, other.columns)
    assert not asked.kept
    with pytest.raises(NoFrames, match="left out by --frames off"):
        passes("off")
    gone, first = next(iter(store.features.manifest("smd", model).done().items()))
    (data_root / "audio" / "smd" / first.path).unlink()
    with pytest.raises(NoFrames, match=gone):
        passes("auto")
    with pytest.raises(MessError, match=gone):
        passes("on")
