"""Weights are looked for before anything is loaded, on this machine or at the hub."""

from pathlib import Path

import pytest
from small_hubert import write_small_hubert

from mess.encoders import PRESETS, require_weights, whisper_wheel
from mess.errors import MessError, UnknownName


@pytest.fixture(autouse=True)
def far_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nothing listens there


def test_what_is_here_needs_no_hub(tmp_path: Path) -> None:
    write_small_hubert(tmp_path / "model")
    names = ["spectral", "random:mert-v1-95m", str(tmp_path / "model")]
    require_weights([*names, f"random:{names[2]}"])
    place = tmp_path / "cache" / "models--m-a-p--MERT-v1-95M" / "snapshots"
    write_small_hubert(place / PRESETS["mert-v1-95m"].revision)
    require_weights(["mert-v1-95m"])


@pytest.mark.parametrize("name", ["mert-v1-95m", "facebook/hubert-base-ls960", "whisper-tiny"])
def test_what_is_at_the_hub_alone_is_asked_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(whisper_wheel, "PACKAGE", "a-package-that-is-not-installed")
    with pytest.raises(MessError, match=r"out of reach.*--encoder /path/to/folder") as caught:
        require_weights(["spectral", name])
    assert "--encoder spectral needs no weights" in str(caught.value)
    assert ("pip install" in str(caught.value)) == (name == "whisper-tiny")


def test_what_cannot_be_loaded_is_said_in_the_words_of_the_loader(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="mert-v1-95m"):
        require_weights(["mert-v1-59m"])
    write_small_hubert(tmp_path / "model")
    for weights in (tmp_path / "model").glob("*.safetensors"):
        weights.unlink()
    for weights in (tmp_path / "model").glob("*.bin"):
        weights.unlink()
    with pytest.raises(MessError, match="holds no weights"):
        require_weights([str(tmp_path / "model")])
    require_weights([f"random:{tmp_path / 'model'}"])  # its configuration is enough
