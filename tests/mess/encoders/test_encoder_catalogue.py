"""Names of encoders: what they mean, and which folder their features lie under."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mess.encoders import PRESETS, by_interest, encoder_slug, load_encoder
from mess.encoders.families import FAMILIES
from mess.errors import MessError, UnknownName
from pipelines.cli import build_app


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
        assert preset.cost > 0
        assert (preset.trained_on == "none") == (preset.kind == "spectral")
        if preset.kind == "waveform":
            assert preset.config["hidden_size"] == preset.dim
            assert preset.config["num_hidden_layers"] == preset.layers - 1
        if preset.kind == "whisper":
            assert preset.config["d_model"] == preset.dim
            assert preset.config["encoder_layers"] == preset.layers - 1
        if preset.config:
            assert set(preset.config) <= FAMILIES[preset.model_type].keys


def test_a_trained_network_is_shown_before_the_baseline_and_the_controls() -> None:
    names = ["mine", "random:whisper-tiny", "spectral", "whisper-tiny", "mert-v1-95m"]
    assert by_interest(names) == [
        "mert-v1-95m",
        "whisper-tiny",
        "mine",
        "spectral",
        "random:whisper-tiny",
    ]


def test_the_documents_table_is_what_the_command_prints() -> None:
    document = (Path(__file__).parents[3] / "docs" / "encoders.md").read_text(encoding="utf-8")
    shown = CliRunner().invoke(build_app(), ["encoders"])
    assert shown.exit_code == 0
    table = shown.output.split("\n\n")[0]
    assert len(table.splitlines()) == len(PRESETS) + 2
    assert table in document


def test_presets_as_json_say_which_can_run_here() -> None:
    shown = CliRunner().invoke(build_app(), ["encoders", "--json"])
    found = {one["name"]: one for one in json.loads(shown.output)}
    assert list(found) == list(PRESETS)
    assert found["spectral"]["here"] is True
    assert found["whisper-tiny"]["trained_on"] == "speech"
    assert found["mert-v1-330m"]["layers"] == 25


def test_table_and_slugs_load_no_heavy_package() -> None:
    code = (
        "import sys, mess.encoders as e; e.encoder_slug('random:mert-v1-95m'); e.PRESETS;"
        "print([m for m in ('torch', 'transformers', 'scipy', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
