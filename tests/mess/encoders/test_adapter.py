"""Audio models of transformers through the adapter: shapes, silence, and transformers' numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_models import SMALL_NATIVE, write_native, write_small
from tones import tone

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from mess.audio.decoding import Signal  # noqa: E402
from mess.encoders import load_encoder  # noqa: E402
from mess.encoders.adapter import LEVEL  # noqa: E402
from mess.encoders.pooling import pool_segments  # noqa: E402
from mess.errors import MessError  # noqa: E402

SHAPES = {  # layers, frames of 5 s, dim, rate
    "ASTForAudioClassification": (3, 49, 24, 16_000),
    "ClapModel": (3, 128, 16, 48_000),
    "EncodecModel": (11, 375, 32, 24_000),
    "Wav2Vec2BertModel": (3, 249, 24, 16_000),
    "SEWModel": (3, 156, 24, 16_000),
}
Made = dict[str, tuple[Path, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A folder of each small model, and the model that transformers wrote there."""
    root = tmp_path_factory.mktemp("native")
    return {name: (root / name, write_native(root / name, name)) for name in SMALL_NATIVE}


@pytest.fixture(scope="module")
def encoders(made: Made) -> dict[str, Any]:
    return {name: load_encoder(str(folder), device="cpu") for name, (folder, _) in made.items()}


def signal(rate: int, *, seconds: float = 5.0, gain: float = 1.0) -> Signal:
    samples = np.float32(gain) * tone(seconds, sample_rate=rate)
    return Signal(samples, rate, float(samples.mean()), float(samples.std()))


def scaled(encoder: Any, seconds: float = 5.0) -> NDArray[np.float32]:
    """Return one segment as an encoder gets it, [1, samples]."""
    recording = signal(encoder.sample_rate, seconds=seconds)
    offset, scale = encoder.track_scale(recording)
    return ((recording.samples - np.float32(offset)) / np.float32(scale))[None]


@pytest.mark.parametrize("name", SMALL_NATIVE)
def test_a_model_loads_by_its_folder_and_says_its_shape(
    encoders: dict[str, Any], made: Made, name: str
) -> None:
    encoder = encoders[name]
    layers, frames, dim, rate = SHAPES[name]
    assert (encoder.layers, encoder.dim, encoder.sample_rate) == (layers, dim, rate)
    assert len(encoder.layer_names) == layers
    states = encoder.encode(scaled(encoder))
    assert states.shape == (1, layers, frames, dim)
    assert np.isfinite(states).all()
    again = load_encoder(str(made[name][0]), device="cpu")
    assert np.array_equal(again.encode(scaled(again)), states)
    assert again.weights_hash == encoder.weights_hash


@pytest.mark.parametrize("name", SMALL_NATIVE)
def test_a_gain_on_a_recording_changes_nothing(encoders: dict[str, Any], name: str) -> None:
    encoder = encoders[name]
    loud, soft = (
        pool_segments(signal(encoder.sample_rate, gain=gain), encoder).whole for gain in (1.0, 0.25)
    )
    assert np.abs(loud - soft).max() < 2e-3 * np.abs(loud).max()


@pytest.mark.parametrize("name", ["ASTForAudioClassification", "ClapModel"])
def test_loudness_between_segments_survives(encoders: dict[str, Any], name: str) -> None:
    encoder = encoders[name]
    loud = scaled(encoder)
    states = encoder.encode(np.concatenate([loud, 0.1 * loud]))
    assert np.abs(states[0] - states[1]).max() > 1e-2 * np.abs(states).max()


def test_a_soft_segment_moves_the_first_layer_of_a_codec_less(encoders: dict[str, Any]) -> None:
    encoder = encoders["EncodecModel"]
    loud = scaled(encoder)
    moves = encoder.encode(np.concatenate([loud, 0.1 * loud]))[:, 0].std(axis=1).max(axis=1)
    assert moves[0] == pytest.approx(10 * moves[1], rel=0.05)  # a convolution is linear


def test_ast_is_transformers_own_with_a_spectrogram_as_long_as_the_segment(
    encoders: dict[str, Any], made: Made
) -> None:
    encoder, (_, model) = encoders["ASTForAudioClassification"], made["ASTForAudioClassification"]
    samples = scaled(encoder)
    frames = 1 + (samples.shape[1] - 400) // 160
    own = transformers.ASTModel(
        transformers.ASTConfig(**model.config.to_dict() | {"max_length": frames})
    ).eval()
    weights = model.audio_spectrogram_transformer.state_dict()
    position = weights["embeddings.position_embeddings"]
    columns = (frames - 16) // 10 + 1
    grid = position[:, 2:].reshape(1, 12, -1, 24)[:, :, :columns].reshape(1, -1, 24)
    weights["embeddings.position_embeddings"] = torch.cat([position[:, :2], grid], dim=1)
    own.load_state_dict(weights)
    extractor = transformers.ASTFeatureExtractor(max_length=frames)
    inputs = extractor(list(samples), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        output = own(**inputs, output_hidden_states=True)
    expected = [*output.hidden_states[:-1], output.last_hidden_state]
    means = np.stack([state[0, 2:].mean(dim=0).numpy() for state in expected])
    np.testing.assert_allclose(encoder.encode(samples)[0].mean(axis=1), means, atol=2e-5)


def test_clap_is_transformers_own_with_the_segment_repeated(
    encoders: dict[str, Any], made: Made
) -> None:
    encoder, (_, model) = encoders["ClapModel"], made["ClapModel"]
    samples = scaled(encoder)
    extractor = transformers.ClapFeatureExtractor(truncation="rand_trunc")
    twice = np.concatenate([samples, samples], axis=1)  # ten seconds, which is all it hears
    inputs = extractor(list(twice), sampling_rate=48_000, return_tensors="pt")
    inputs["input_features"] = inputs["input_features"].float()
    with torch.inference_mode():
        output = model.audio_model(**inputs, output_hidden_states=True)
    means = encoder.encode(samples)[0].mean(axis=1)
    for layer, state in enumerate(output.hidden_states[:-1]):
        width = state.shape[1]
        expected = state[0].mean(dim=(1, 2)).numpy()
        np.testing.assert_allclose(means[layer, :width], expected, atol=2e-5)
        assert not means[layer, width:].any()
    expected = output.last_hidden_state[0].mean(dim=(1, 2)).numpy()
    np.testing.assert_allclose(means[-1], expected, atol=2e-5)


def test_encodec_and_wav2vec2_bert_are_transformers_own(
    encoders: dict[str, Any], made: Made
) -> None:
    codec, (_, model) = encoders["EncodecModel"], made["EncodecModel"]
    samples = scaled(codec)
    with torch.inference_mode():
        last = model.encoder(torch.from_numpy(samples)[:, None])
        first = model.encoder.layers[0](torch.from_numpy(samples)[:, None])
    states = codec.encode(samples)[0]
    np.testing.assert_allclose(states[-1, :, :12], last[0].T.numpy(), atol=2e-5)
    np.testing.assert_allclose(
        states[0].mean(axis=0)[:2], first[0].mean(dim=1).numpy(), atol=2e-5
    )  # 120 000 samples averaged down to 375 frames

    bert, (_, model) = encoders["Wav2Vec2BertModel"], made["Wav2Vec2BertModel"]
    samples = scaled(bert)
    extractor = transformers.SeamlessM4TFeatureExtractor()
    inputs = extractor(list(samples), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        output = model(inputs["input_features"], output_hidden_states=True)
    for layer, state in enumerate(output.hidden_states):
        np.testing.assert_allclose(bert.encode(samples)[0, layer], state[0].numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ["ASTForAudioClassification", "ClapModel"])
def test_a_short_recording_is_not_diluted_by_silence(encoders: dict[str, Any], name: str) -> None:
    """Three seconds of one steady sound are what five seconds of it are."""
    encoder = encoders[name]
    rate = encoder.sample_rate
    time = np.arange(5 * rate) / rate
    steady = np.float32(0.14 * np.sin(2 * np.pi * 440 * time))[None]
    short, long = (encoder.encode(steady[:, : n * rate])[0].mean(axis=1) for n in (3, 5))
    silent = encoder.encode(np.zeros((1, 3 * rate), dtype=np.float32))[0].mean(axis=1)
    assert np.linalg.norm(short - long) < 0.1 * np.linalg.norm(silent - long)


def test_what_is_longer_than_the_window_is_refused(encoders: dict[str, Any]) -> None:
    clap = encoders["ClapModel"]
    with pytest.raises(MessError, match=r"a segment of 11.0 s is longer than the model's window"):
        clap.encode(np.zeros((1, 11 * 48_000), dtype=np.float32))


def test_random_weights_are_the_same_shape_and_other_values(
    encoders: dict[str, Any], made: Made
) -> None:
    trained = encoders["Wav2Vec2BertModel"]
    control, again = (
        load_encoder(f"random:{made['Wav2Vec2BertModel'][0]}", device="cpu", seed=3)
        for _ in range(2)
    )
    samples = scaled(trained)
    assert np.array_equal(control.encode(samples), again.encode(samples))
    assert control.encode(samples).shape == trained.encode(samples).shape
    assert not np.allclose(control.encode(samples), trained.encode(samples))


def test_an_old_name_of_a_tensor_is_known_and_a_missing_one_refused(
    made: Made, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder, _ = made["ASTForAudioClassification"]
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    weights = load_file(folder / "model.safetensors")
    gone = next(key for key in weights if "layernorm" in key)
    save_file({k: v for k, v in weights.items() if k != gone}, tmp_path / "model.safetensors")
    with pytest.raises(MessError, match="lacks .*layernorm.*take config.json and the weights from"):
        load_encoder(str(tmp_path), device="cpu")
    save_file({**weights, "layers.9.extra": weights[gone].clone()}, tmp_path / "model.safetensors")
    with pytest.raises(MessError, match=r"has unexpected layers\.9\.extra"):
        load_encoder(str(tmp_path), device="cpu")


def test_what_is_no_audio_model_is_refused_in_a_line(made: Made, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(MessError, match="'bert'.*encodec.*choose another model") as caught:
        load_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)
    folder, _ = made["EncodecModel"]
    config = json.loads((folder / "config.json").read_text())
    for change, reason in (
        ({"hidden_size": 10**9}, "hidden_size is larger than any model has"),
        ({"chunk_length_s": 1.0}, "a model that hears chunks"),
        ({"upsampling_ratios": "many"}, "describes no EncodecModel"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(config | change))
        (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
        with pytest.raises(MessError, match=reason):
            load_encoder(str(tmp_path))


def test_code_beside_the_weights_is_not_run(made: Made, tmp_path: Path) -> None:
    folder, _ = made["Wav2Vec2BertModel"]
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    load_encoder(str(tmp_path), device="cpu")
    assert not (tmp_path / "ran").exists()


def test_a_family_with_code_of_its_own_keeps_it(tmp_path: Path) -> None:
    write_small(tmp_path, "WavLMModel")
    assert "level" not in load_encoder(str(tmp_path), device="cpu").settings
    assert LEVEL == 0.1
