"""HuBERT checkpoints are loaded exactly, safely, or not at all."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_hubert import SMALL_CONFIG, write_small_hubert

from mess.encoders import encoder_slug, load_encoder
from mess.encoders.checkpoint import file_sha256
from mess.encoders.wav2vec2 import Wav2Vec2Encoder
from mess.errors import MessError, UnknownName

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

RATE = 24_000
CONV = "encoder.pos_conv_embed.conv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_hubert(tmp_path_factory.mktemp("models") / "small-mert")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Wav2Vec2Encoder:
    return load(folder)


def load(name: str | Path, **options: Any) -> Wav2Vec2Encoder:
    encoder = load_encoder(str(name), **({"device": "cpu"} | options))
    assert isinstance(encoder, Wav2Vec2Encoder)
    return encoder


def audio(seconds: float = 5.0, batch: int = 1, seed: int = 0) -> NDArray[np.float32]:
    """Return a plucked chord over soft noise, another one in each row."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    rows = []
    for _ in range(batch):
        pitches = 220 * 2 ** (rng.integers(0, 24, size=3) / 12)
        chord = np.sin(2 * np.pi * np.outer(pitches, time)).sum(axis=0) * np.exp(-3 * (time % 1))
        row = chord + 0.01 * rng.standard_normal(time.size)
        rows.append((row - row.mean()) / row.std())
    return np.asarray(rows, dtype=np.float32)


def change_weights(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "pytorch_model.bin"
    tensors = torch.load(path, weights_only=True)
    change(tensors)
    torch.save(tensors, path)


def change_config(folder: Path, **changes: Any) -> None:
    (folder / "config.json").write_text(json.dumps(SMALL_CONFIG | changes))


def test_what_an_encoder_says_of_itself(encoder: Wav2Vec2Encoder, folder: Path) -> None:
    assert (encoder.layers, encoder.dim, encoder.sample_rate) == (3, 32, RATE)
    assert encoder.layer_names == ["0", "1", "2"]
    assert encoder.id == "small-mert"
    assert encoder_slug(encoder.id) == encoder_slug(str(folder))
    assert encoder.normalise is True
    assert encoder.weights_hash == file_sha256(folder / "pytorch_model.bin")
    assert encoder.settings["dtype"] == "float32"


def test_five_seconds_give_374_frames(encoder: Wav2Vec2Encoder) -> None:
    states = encoder.encode(audio(batch=2))
    assert states.shape == (2, 3, 374, 32)
    assert states.dtype == np.float32
    assert [encoder.frames(s * RATE) for s in (1, 5, 30)] == [74, 374, 2249]


def test_every_tensor_of_the_file_is_in_the_model(encoder: Wav2Vec2Encoder, folder: Path) -> None:
    written = torch.load(folder / "pytorch_model.bin", weights_only=True)
    loaded = encoder.model.state_dict()
    assert len(written) == len(loaded)
    for key, value in written.items():
        new = key.replace("weight_g", "parametrizations.weight.original0")
        new = new.replace("weight_v", "parametrizations.weight.original1")
        assert torch.equal(loaded[new], value), key
    assert f"{CONV}.weight_g" in written


def test_states_are_those_of_transformers_own_model(encoder: Wav2Vec2Encoder, folder: Path) -> None:
    known = set(transformers.HubertConfig().to_dict()) - {"model_type", "architectures"}
    own = transformers.HubertModel(
        transformers.HubertConfig(**{k: v for k, v in SMALL_CONFIG.items() if k in known})
    ).eval()
    written = torch.load(folder / "pytorch_model.bin", weights_only=True)
    own.load_state_dict(
        {
            key.replace("weight_g", "parametrizations.weight.original0").replace(
                "weight_v", "parametrizations.weight.original1"
            ): value
            for key, value in written.items()
        }
    )
    first_input: list[Any] = []
    own.encoder.layers[0].register_forward_pre_hook(lambda _, args: first_input.append(args[0]))
    segment = audio()
    with torch.inference_mode():
        output = own(torch.tensor(segment), output_hidden_states=True)
    states = encoder.encode(segment)[0]
    np.testing.assert_allclose(states[0], first_input[0][0].numpy(), atol=1e-5)
    np.testing.assert_allclose(states[1], output.hidden_states[1][0].numpy(), atol=1e-5)
    np.testing.assert_allclose(states[2], output.last_hidden_state[0].numpy(), atol=1e-5)


def test_last_layer_of_a_pre_norm_model_is_its_normalised_output(tmp_path: Path) -> None:
    encoder = load(write_small_hubert(tmp_path / "large", do_stable_layer_norm=True))
    states = encoder.encode(audio(1.0))[0]
    # A fresh LayerNorm has weight 1 and bias 0: what it returns has unit variance per frame.
    np.testing.assert_allclose(states[-1].var(axis=1), 1.0, atol=1e-2)
    assert abs(states[1].var(axis=1).mean() - 1) > 1e-2


def test_old_and_new_names_hold_the_same_model(encoder: Wav2Vec2Encoder, tmp_path: Path) -> None:
    new = load(write_small_hubert(tmp_path / "new", old_names=False))
    segment = audio(1.0)
    np.testing.assert_array_equal(new.encode(segment), encoder.encode(segment))
    assert new.weights_hash != encoder.weights_hash


def test_rows_of_a_batch_do_not_touch_each_other(encoder: Wav2Vec2Encoder) -> None:
    segments = audio(2.0, batch=3)
    together = encoder.encode(segments)
    np.testing.assert_array_equal(together[1:2], encoder.encode(segments[1:2]))
    assert not np.allclose(together[0], together[1])


def test_encoding_leaves_torchs_settings_alone(encoder: Wav2Vec2Encoder) -> None:
    before = torch.get_float32_matmul_precision()
    encoder.encode(audio(1.0))
    assert torch.get_float32_matmul_precision() == before


def test_bfloat16_is_close_and_recorded(tmp_path: Path) -> None:
    # With 2 channels a group, torch's bfloat16 convolution is wrong on CPUs with AMX; real
    # models have 48 and more.
    folder = write_small_hubert(tmp_path / "m", num_conv_pos_embedding_groups=2)
    fine, coarse = load(folder), load(folder, dtype="bfloat16")
    assert coarse.settings["dtype"] == "bfloat16"
    assert coarse.settings != fine.settings
    segment = audio(2.0)
    a, b = (e.encode(segment).mean(axis=2).ravel() for e in (coarse, fine))
    assert 0 < np.linalg.norm(a - b) / np.linalg.norm(b) < 0.05


@pytest.mark.parametrize("old_names", [True, False])
def test_missing_tensor_is_named(tmp_path: Path, old_names: bool) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_small_hubert(tmp_path / "m", old_names=old_names)
    if old_names:
        change_weights(folder, lambda t: t.pop(f"{CONV}.weight_g"))
    else:
        tensors = load_file(folder / "model.safetensors")
        tensors.pop(f"{CONV}.parametrizations.weight.original0")
        save_file(tensors, folder / "model.safetensors")
    with pytest.raises(MessError, match=rf"lacks {CONV}\.parametrizations\.weight\.original0"):
        load(folder)


def test_unexpected_tensor_is_named(tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m")
    change_weights(folder, lambda t: t.update({"lm_head.weight": torch.zeros(2)}))
    with pytest.raises(MessError, match=r"unexpected lm_head\.weight"):
        load(folder)


def test_tensor_of_another_shape_is_named(tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m")
    change_weights(folder, lambda t: t.update({"encoder.layer_norm.weight": torch.ones(8)}))
    with pytest.raises(MessError, match=r"encoder\.layer_norm\.weight is \(8,\), not \(32,\)"):
        load(folder)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m")
    change_config(folder, num_hidden_layers=3)
    with pytest.raises(MessError, match=r"lacks encoder\.layers\.2\..*and \d+ more"):
        load(folder)


class _Payload:
    """What a hostile file holds: unpickling it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickle_with_code_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    folder, mark = write_small_hubert(tmp_path / "m"), tmp_path / "was-here"
    if zipped:
        torch.save({"a": _Payload(mark)}, folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": _Payload(mark)}, protocol=2))
    with pytest.raises(MessError, match="was not read"):
        load(folder)
    assert not mark.exists()


def test_code_beside_the_weights_is_not_run(tmp_path: Path) -> None:
    folder, mark = write_small_hubert(tmp_path / "m"), tmp_path / "was-here"
    for name in ("configuration_MERT.py", "modeling_MERT.py"):
        (folder / name).write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    load(folder)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_half_written_weights_are_refused(tmp_path: Path, name: str) -> None:
    folder = write_small_hubert(tmp_path / "m", old_names=name.endswith(".bin"))
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MessError, match=f"{name}: "):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"feature_extractor_cqt": True}, "feature_extractor_cqt"),
        ({"deepnorm": True}, "deepnorm"),
        ({"model_type": "bert"}, "bert"),
        ({"num_attention_heads": 5}, "describes no Hubert model"),
        ({"conv_stride": [5, 2]}, "describes no Hubert model"),
    ],
)
def test_model_of_another_kind_is_refused(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    folder = write_small_hubert(tmp_path / "m")
    change_config(folder, **changes)
    with pytest.raises(MessError, match=reason) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_attention_relax_changes_nothing(encoder: Wav2Vec2Encoder, tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m")
    change_config(folder, attention_relax=32.0)
    segment = audio(1.0)
    np.testing.assert_array_equal(load(folder).encode(segment), encoder.encode(segment))


@pytest.mark.parametrize(
    ("file", "reason"),
    [("config.json", "holds no config.json"), ("pytorch_model.bin", "holds no weights")],
)
def test_incomplete_folder_says_what_it_lacks(tmp_path: Path, file: str, reason: str) -> None:
    folder = write_small_hubert(tmp_path / "m")
    (folder / file).unlink()
    with pytest.raises(MessError, match=reason):
        load(folder)


def test_damaged_configuration_is_named(tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m")
    (folder / "config.json").write_text('{"hidden_size": ')
    with pytest.raises(MessError, match=r"config\.json: cannot be read"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"num_hidden_layers": 1_000_000}, "num_hidden_layers is 1000000"),
        ({"num_hidden_layers": -1}, "num_hidden_layers is -1"),
        ({"num_hidden_layers": "2"}, "num_hidden_layers is 2, and a whole number"),
        ({"hidden_size": 10**9}, "hidden_size is 1000000000"),
        ({"hidden_size": 20_000, "num_hidden_layers": 150}, "billion weights"),
        ({"conv_dim": 512}, "conv_dim is no list"),
        ({"conv_kernel": [10] * 1_000_000}, "conv_kernel is no list"),
    ],
)
def test_a_model_that_cannot_be_is_refused_before_it_is_built(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    folder = write_small_hubert(tmp_path / "m")
    change_config(folder, **changes)
    for name in (str(folder), f"random:{folder}"):
        with pytest.raises(MessError, match=f"config.json: .*{reason}") as caught:
            load_encoder(name)
        assert "\n" not in str(caught.value)


def test_a_configuration_nested_deeply_is_named(tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m")
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(MessError, match=r"config\.json: cannot be read"):
        load(folder)


def test_preprocessor_decides_rate_and_normalisation(tmp_path: Path) -> None:
    folder = write_small_hubert(tmp_path / "m", model_type="hubert", sample_rate=None)
    preprocessor = folder / "preprocessor_config.json"
    preprocessor.write_text('{"sampling_rate": 16000, "do_normalize": false}')
    encoder = load(folder)
    assert (encoder.sample_rate, encoder.normalise) == (16_000, False)
    preprocessor.unlink()
    with pytest.raises(MessError, match="sampling_rate"):
        load(folder)


def test_random_control_has_the_shape_and_other_weights(
    encoder: Wav2Vec2Encoder, folder: Path
) -> None:
    first, again, other = (load(f"random:{folder}", seed=seed) for seed in (3, 3, 4))
    assert first.id == "random:small-mert"
    assert encoder_slug(first.id) == encoder_slug(f"random:{folder}") == "random-small-mert"
    segment = audio(1.0)
    states = first.encode(segment)
    assert states.shape == encoder.encode(segment).shape
    np.testing.assert_array_equal(states, again.encode(segment))
    assert first.weights_hash == again.weights_hash != other.weights_hash
    assert not np.allclose(states, other.encode(segment))
    assert not np.allclose(states, encoder.encode(segment))


def test_random_control_leaves_the_callers_random_state_alone(folder: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    load(f"random:{folder}", seed=3)
    assert torch.equal(torch.rand(4), expected)


def test_random_mert_has_the_size_of_the_published_one() -> None:
    encoder = load("random:mert-v1-95m")
    state = encoder.model.state_dict()
    assert len(state) == 211
    assert sum(value.numel() for value in state.values()) == 94_371_712
    states = encoder.encode(audio(1.0))
    assert states.shape == (1, 13, 74, 768)
    assert np.isfinite(states).all()


def test_segment_without_a_frame_is_refused(encoder: Wav2Vec2Encoder) -> None:
    with pytest.raises(MessError, match="too short"):
        encoder.encode(np.zeros((1, 300), dtype=np.float32))
    with pytest.raises(ValueError, match="batch"):
        encoder.encode(np.zeros(RATE, dtype=np.float32))


@pytest.mark.parametrize(("option", "value"), [("device", "tpu"), ("dtype", "float8")])
def test_unknown_option_is_refused(folder: Path, option: str, value: str) -> None:
    with pytest.raises(MessError, match=value):
        load(folder, **{option: value})


@pytest.mark.parametrize("name", ["mert-v1-95m", "facebook/hubert-base-ls960"])
@pytest.mark.parametrize("offline", [True, False])
def test_hub_out_of_reach_names_the_local_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, offline: bool
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    if offline:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MessError, match=r"out of reach.*--encoder /path/to/folder") as caught:
        load(name)
    assert "\n" not in str(caught.value)


def test_model_in_the_hubs_cache_needs_no_network(
    encoder: Wav2Vec2Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    commit = "12af15fef9d0ac838c3f475bfbbf26d2060dd4f5"
    cache = tmp_path / "models--m-a-p--MERT-v1-95M"
    write_small_hubert(cache / "snapshots" / commit)
    absent = cache / ".no_exist" / commit / "model.safetensors"  # as the hub's client notes it
    absent.parent.mkdir(parents=True)
    absent.touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    cached = load("mert-v1-95m")
    assert (cached.id, cached.revision, cached.licence) == ("mert-v1-95m", commit, "CC-BY-NC-4.0")
    segment = audio(1.0)
    np.testing.assert_array_equal(cached.encode(segment), encoder.encode(segment))


def test_random_control_of_a_hub_id_is_refused() -> None:
    with pytest.raises(UnknownName):
        load("random:facebook/hubert-base-ls960")
