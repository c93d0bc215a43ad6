"""Names of encoders: what they mean, and which folder their features lie under."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mess.encoders import PRESETS, encoder_slug, load_encoder
from mess.errors import MessError, UnknownName


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("mert-v1-95m", "mert-v1-95m"),
        ("random:mert-v1-95m", "random-mert-v1-95m"),
        ("random:/models/my model", "random-my-model"),
        ("facebook/hubert-base-ls960", "facebook--hubert-base-ls960"),
        ("/models/my MERT (tuned)/", "my-MERT-tuned"),
        ("~/models/mert", "mert"),
        ("/somewhere/spectral", "local-spectral"),  # must not pass for the preset
        ("/somewhere/random-mert-v1-95m", "local-random-mert-v1-95m"),
    ],
)
def test_slug_says_which_encoder(name: str, slug: str) -> None:
    assert encoder_slug(name) == slug


@given(st.text(max_size=300) | st.text(alphabet="./\\ :~-aé", max_size=12))
def test_slug_is_a_safe_folder_name(name: str) -> None:
    slug = encoder_slug(name)
    assert slug.strip(".-")
    assert not slug.startswith(".")
    assert not set(slug) & set('/\\:*?"<>|\0 ')
    assert len(slug) <= 100
    assert encoder_slug(slug) == slug


def test_existing_relative_folder_is_a_folder_not_a_hub_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert encoder_slug("models/tuned") == "models--tuned"
    (tmp_path / "models" / "tuned").mkdir(parents=True)
    assert encoder_slug("models/tuned") == "tuned"


@pytest.mark.parametrize(
    ("name", "near"),
    [("mert-v1-95", "'mert-v1-95m'"), ("Spectrall", "'spectral'"), ("random:mert", "random:mert-")],
)
def test_unknown_name_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=r"did you mean") as caught:
        load_encoder(name)
    assert near in str(caught.value)


def test_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(MessError, match=r"/no/such/model: there is no such folder"):
        load_encoder("/no/such/model")


def test_random_spectral_makes_no_sense_and_says_so() -> None:
    with pytest.raises(MessError, match="no weights to randomise"):
        load_encoder("random:spectral")


def test_presets_agree_with_their_own_configuration() -> None:
    for preset in PRESETS.values():
        assert len(preset.layer_names) == preset.layers
        assert preset.licence
        if preset.kind == "waveform":
            assert preset.config["hidden_size"] == preset.dim
            assert preset.config["num_hidden_layers"] == preset.layers - 1


def test_table_and_slugs_load_no_heavy_package() -> None:
    code = (
        "import sys, mess.encoders as e; e.encoder_slug('random:mert-v1-95m'); e.PRESETS;"
        "print([m for m in ('torch', 'transformers', 'scipy', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
