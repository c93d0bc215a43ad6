"""`mess extract` keeps half-second means beside the segments, in the same pass."""

from pathlib import Path

import numpy as np
import pytest
from layouts import SMD_IDS, write_smd
from small_models import write_small
from typer.testing import CliRunner

import pipelines.extract_features
from mess.audio.moments import moment_grid
from mess.curves import CURVES
from mess.encoders import load_encoder
from mess.new_recordings.encoding import RecordingInTime, encode_recording
from mess.status.steps import survey
from mess.storage.paths import file_stem
from mess.storage.store import Store
from pipelines.cli import build_app
from pipelines.extract_features import extract_features


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "small-whisper"
    write_small(folder, "WhisperModel")
    return str(folder)


def extract(store: Store, model: str, **how: object) -> tuple[int, int]:
    made = extract_features(dataset="smd", encoder=model, store=store, **how)  # type: ignore[arg-type]
    assert not made.failed
    return made.made, made.skipped


def moments_of(store: Store, model: str) -> dict[str, np.ndarray]:
    manifest = store.features.manifest("smd", model)
    found = store.moments.read("smd", model, manifest)
    return {one.track: np.stack([one.layer(0), one.layer(2)], axis=1) for one in found}


def test_moments_are_those_of_the_segments_in_either_kind(
    data_root: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.extract_features, "FIRST_TRACKS", 3)
    write_smd(data_root / "audio" / "smd", seconds=7.0)
    store = Store(data_root)
    assert extract(store, model, moments="full") == (8, 0)
    full = moments_of(store, model)
    grid = moment_grid(7 * 16_000, 16_000)
    segments = dict(store.features.read_segments("smd", model))
    for track, moments in full.items():
        assert len(moments) == len(grid.start)
        first = moments[grid.segment == 0].mean(axis=0)
        np.testing.assert_allclose(first, segments[track][0, [0, 2]], atol=5e-3)

    # A file that is handed over gets the same moments, and its measured curves.
    manifest = store.features.manifest("smd", model)
    path = store.audio_dir("smd") / manifest.done()[SMD_IDS[0]].path
    new = encode_recording(path, load_encoder(model), like=manifest.header)
    assert new.in_time is not None
    np.testing.assert_allclose(new.moments[:, [0, 2]], full[SMD_IDS[0]], atol=5e-3)
    again = RecordingInTime.deserialise(new.in_time.serialise())
    np.testing.assert_array_equal(again.start, grid.start)
    assert len(new.moments) == len(again.start)
    assert again.curves.values.shape == (len(again.curves.start), len(CURVES))
    assert np.isfinite(again.curves.values[:, list(CURVES).index("level")]).any()

    assert extract(store, model) == (0, 8), "what is full is made compact without the audio"
    folder = store.features.folder("smd", model) / "moments"
    stored = np.load(folder / f"{file_stem(SMD_IDS[0])}.npy", mmap_mode="r")
    assert stored.dtype == np.uint8
    spread = np.concatenate(list(full.values())).std(axis=0)
    for track, moments in moments_of(store, model).items():
        assert (np.abs(moments - full[track]) <= 0.05 * spread + 1e-3).all()

    assert extract(store, model, moments="full") == (8, 0), "full ones are another extraction"
    other = Store(data_root)
    assert extract(other, model, moments="compact", force=True) == (8, 0)
    kinds = {e.moments for e in store.features.manifest("smd", model).done().values()}
    assert kinds == {"compact"}


def test_missing_and_damaged_moments_are_told_and_made_anew(data_root: Path, model: str) -> None:
    write_smd(data_root / "audio" / "smd", seconds=3.0)
    store = Store(data_root)
    assert extract(store, model, moments="none") == (8, 0)
    assert moments_of(store, model) == {}
    assert survey(store, "smd", model)[0].state == "ready", "whoever wants none lacks none"
    assert extract(store, model) == (8, 0)
    folder = store.features.folder("smd", model)
    whole = moments_of(store, model)

    path = folder / "moments" / f"{file_stem(SMD_IDS[2])}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert survey(store, "smd", model, whole=("extract",))[0].state != "ready"
    assert extract(store, model) == (1, 7)
    path.unlink()
    assert survey(store, "smd", model)[0].state != "ready"
    assert extract(store, model) == (1, 7)

    (folder / "moments.scale.npy").unlink()
    assert extract(store, model) == (8, 0), "codes without their scale say nothing"
    for track, moments in moments_of(store, model).items():
        np.testing.assert_array_equal(moments, whole[track])


def test_a_large_collection_is_announced_in_one_line_and_a_wrong_kind_refused(
    data_root: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=1.5)
    command = ["extract", "--dataset", "smd", "--encoder", model]
    refused = CliRunner().invoke(build_app(), [*command, "--moments", "ful"])
    assert refused.exit_code == 1
    assert "did you mean 'full'?" in str(refused.exception)
    monkeypatch.setattr(pipelines.extract_features, "_LARGE", 1_000)
    said = CliRunner().invoke(build_app(), command).output
    assert [line for line in said.splitlines() if "will take" in line]
    assert "--moments none" in said
    assert "will take" not in CliRunner().invoke(build_app(), command).output


def test_the_error_of_a_coarse_precision_is_kept_with_the_first_recording(
    data_root: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=1.5)
    store = Store(data_root)
    assert extract(store, model, dtype="bfloat16") == (8, 0)
    assert "moves the means of the first recording" in capsys.readouterr().err
    entries = store.features.manifest("smd", model).done()
    errors = {t: e.precision_error for t, e in entries.items() if e.precision_error is not None}
    assert list(errors) == [SMD_IDS[0]]
    assert 0 < errors[SMD_IDS[0]] < 0.05
    other = next(iter(entries.keys() - errors.keys()))
    (store.features.folder("smd", model) / "segments" / f"{file_stem(other)}.npy").unlink()
    assert extract(store, model, dtype="bfloat16") == (1, 7)
    again = store.features.manifest("smd", model).done()
    assert [track for track, entry in again.items() if entry.precision_error] == [SMD_IDS[0]]
    assert extract(store, model) == (8, 0)
    float32 = store.features.manifest("smd", model).done().values()
    assert not any(entry.precision_error for entry in float32)
