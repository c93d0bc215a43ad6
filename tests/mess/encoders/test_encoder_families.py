"""Checkpoints of each family give what transformers' own classes give, or are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_models import write_small

from mess.encoders import load_encoder
from mess.encoders.wav2vec2 import Wav2Vec2Encoder
from mess.errors import MessError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")

RATE = 16_000


def load(folder: Path) -> Wav2Vec2Encoder:
    encoder = load_encoder(str(folder), device="cpu")
    assert isinstance(encoder, Wav2Vec2Encoder)
    return encoder


def segment(seconds: float = 1.5) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, round(seconds * RATE))).astype(np.float32)


def states_by_hooks(model: Any, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The input of the first block, the output of each but the last, and the model's own."""
    seen: list[Any] = []
    blocks = model.encoder.layers
    blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    for block in blocks[:-1]:
        block.register_forward_hook(
            lambda _, __, out: seen.append(out[0] if isinstance(out, tuple) else out)
        )
    with torch.inference_mode():
        last = model(torch.tensor(samples)).last_hidden_state
    return [state.reshape(last.shape)[0].numpy() for state in [*seen, last]]


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("Wav2Vec2Model", {}),
        ("Wav2Vec2Model", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}),
        ("HubertModel", {"conv_bias": True}),
        ("HubertModel", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}),
        ("HubertModel", {"feat_proj_layer_norm": False}),
        ("Data2VecAudioModel", {"num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 7}),
        ("WavLMModel", {"num_buckets": 32, "max_bucket_distance": 80}),
        ("WavLMModel", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}),
    ],
)
def test_states_are_those_of_transformers(
    tmp_path: Path, model: str, changes: dict[str, Any]
) -> None:
    own = write_small(tmp_path / "m", model, **changes)
    encoder = load(tmp_path / "m")
    assert (encoder.layers, encoder.dim, encoder.sample_rate) == (4, 48, RATE)
    states = encoder.encode(segment())
    assert states.shape == (1, 4, encoder.frames(round(1.5 * RATE)), 48)
    expected = states_by_hooks(own, segment())
    for layer in range(4):
        np.testing.assert_allclose(states[0, layer], expected[layer], atol=2e-5)


@pytest.mark.parametrize(
    ("with_head", "body"),
    [
        ("Wav2Vec2ForPreTraining", "wav2vec2"),
        ("Wav2Vec2ForCTC", "wav2vec2"),
        ("Wav2Vec2ForXVector", "wav2vec2"),
        ("HubertForCTC", "hubert"),
        ("HubertForSequenceClassification", "hubert"),
        ("Data2VecAudioForCTC", "data2vec_audio"),
        ("Data2VecAudioForAudioFrameClassification", "data2vec_audio"),
        ("WavLMForCTC", "wavlm"),
        ("WavLMForXVector", "wavlm"),
    ],
)
def test_a_head_is_left_out(tmp_path: Path, with_head: str, body: str) -> None:
    own = getattr(write_small(tmp_path / "m", with_head), body)
    written = safetensors.load_file(tmp_path / "m" / "model.safetensors")
    assert any(not key.startswith(f"{body}.") for key in written)
    states = load(tmp_path / "m").encode(segment())[0]
    np.testing.assert_allclose(states, states_by_hooks(own, segment()), atol=2e-5)


def change(folder: Path, *, drop: str = "", **new: Any) -> None:
    path = folder / "model.safetensors"
    tensors = safetensors.load_file(path)
    tensors = {key: value for key, value in tensors.items() if key != drop} | new
    safetensors.save_file(tensors, path)


def test_a_strange_tensor_beside_a_head_is_named(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "Wav2Vec2ForCTC")
    change(tmp_path / "m", **{"language_head.weight": torch.zeros(2)})
    with pytest.raises(MessError, match=r"unexpected language_head\.weight"):
        load(tmp_path / "m")


def test_a_head_without_a_body_below_it_is_named(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "Wav2Vec2Model")
    change(tmp_path / "m", **{"lm_head.weight": torch.zeros(2)})
    with pytest.raises(MessError, match=r"unexpected lm_head\.weight"):
        load(tmp_path / "m")


def test_a_missing_tensor_below_a_head_is_named(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "WavLMForCTC")
    change(tmp_path / "m", drop="wavlm.encoder.layers.1.attention.q_proj.weight")
    with pytest.raises(MessError, match=r"lacks encoder\.layers\.1\.attention\.q_proj\.weight"):
        load(tmp_path / "m")


@pytest.mark.parametrize("probability", [0.0, 0.05])
def test_the_vector_of_masked_frames_may_be_there_or_not(
    tmp_path: Path, probability: float
) -> None:
    """Published files lack it or hold it against their own configuration."""
    own = write_small(tmp_path / "m", "Wav2Vec2Model", mask_time_prob=probability)
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(
        json.dumps(config | {"mask_time_prob": 0.05 - probability})
    )
    states = load(tmp_path / "m").encode(segment())[0]
    np.testing.assert_allclose(states, states_by_hooks(own, segment()), atol=2e-5)


def test_a_configuration_with_a_strange_vocabulary_loads(tmp_path: Path) -> None:
    """music2vec's names a folder of its authors where a size belongs."""
    write_small(tmp_path / "m", "Data2VecAudioModel")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(
        json.dumps(config | {"vocab_size": "/home/somebody/vocab"})
    )
    assert load(tmp_path / "m").layers == 4


@pytest.mark.parametrize("option", [{"add_adapter": True}, {"adapter_attn_dim": 8}])
def test_adapters_are_refused(tmp_path: Path, option: dict[str, Any]) -> None:
    write_small(tmp_path / "m", "Wav2Vec2Model")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(json.dumps(config | option))
    with pytest.raises(MessError, match="adapters are not supported"):
        load(tmp_path / "m")


def test_weights_of_another_family_are_refused(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "WavLMModel")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(json.dumps(config | {"model_type": "wav2vec2"}))
    with pytest.raises(MessError, match="unexpected"):
        load(tmp_path / "m")


def test_a_preset_knows_the_rate_that_its_files_do_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    cache = tmp_path / "models--m-a-p--music2vec-v1"
    commit = "a" * 40
    write_small(cache / "snapshots" / commit, "Data2VecAudioModel")
    (cache / "snapshots" / commit / "preprocessor_config.json").unlink()
    absent = cache / ".no_exist" / commit / "preprocessor_config.json"
    absent.parent.mkdir(parents=True)
    absent.touch()
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    encoder = load_encoder("music2vec", device="cpu")
    assert (encoder.sample_rate, encoder.revision, encoder.id) == (RATE, commit, "music2vec")


def test_random_music2vec_has_the_shape_of_the_table() -> None:
    from mess.encoders import PRESETS

    preset = PRESETS["music2vec"]
    states = load_encoder("random:music2vec", device="cpu").encode(segment(1.0))
    assert states.shape == (1, preset.layers, 49, preset.dim)
    assert np.isfinite(states).all()
