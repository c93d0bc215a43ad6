"""The spectral pyramid: what each layer answers to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mess.encoders import PRESETS, load_encoder
from mess.encoders.spectral import SpectralEncoder, mel_power
from mess.errors import MessError
from mess.targets.librosa_import import import_librosa

RATE = 24_000
# The centres of 128 bands on Slaney's mel scale, by librosa.
BAND_CENTRES = import_librosa().mel_frequencies(n_mels=130, fmin=0, fmax=RATE / 2)[1:-1]
Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def encoder() -> SpectralEncoder:
    encoder = load_encoder("spectral")
    assert isinstance(encoder, SpectralEncoder)
    return encoder


def noise(seconds: float = 5.0, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(round(seconds * RATE)).astype(np.float32)


def normalised(samples: Samples) -> Samples:
    """Return a track as the pipeline gives it: by its own mean and deviation."""
    return (samples - samples.mean()) / samples.std()


def modulated(rate: float, seconds: float = 5.0) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    envelope = 1 + 0.8 * np.cos(2 * np.pi * rate * time)
    return normalised((noise(seconds) * envelope).astype(np.float32))


def test_shape_is_what_the_preset_promises(encoder: SpectralEncoder) -> None:
    states = encoder.encode(np.stack([noise(seed=1), noise(seed=2)]))
    preset = PRESETS["spectral"]
    assert states.shape == (2, preset.layers, 1, preset.dim) == (2, 10, 1, 128)
    assert states.dtype == np.float32
    assert np.isfinite(states).all()
    assert list(preset.layer_names) == encoder.layer_names


def test_same_audio_gives_same_states_alone_or_in_a_batch(encoder: SpectralEncoder) -> None:
    segments = np.stack([noise(seed=seed) for seed in range(3)])
    together = encoder.encode(segments)
    np.testing.assert_array_equal(together, encoder.encode(segments.copy()))
    np.testing.assert_array_equal(together[1:2], encoder.encode(segments[1:2]))


def test_another_instance_has_the_same_hash(encoder: SpectralEncoder) -> None:
    assert SpectralEncoder().weights_hash == encoder.weights_hash
    assert len(encoder.weights_hash) == 64


@settings(max_examples=25)
@given(frequency=st.floats(80, 11_000), gain=st.floats(0.01, 1))
def test_sine_lights_the_band_of_its_pitch(frequency: float, gain: float) -> None:
    time = np.arange(RATE) / RATE
    sine = (gain * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
    states = SpectralEncoder().encode(normalised(sine)[np.newaxis])[0, :, 0]
    band = int(np.abs(BAND_CENTRES - frequency).argmin())
    for layer in (0, 1):
        assert abs(int(states[layer].argmax()) - band) <= 1


def test_bands_of_a_frame_sum_to_its_mean_square() -> None:
    power = mel_power(noise(10.0))
    # White noise of unit variance, but for the two half triangles at 0 Hz and 12 kHz.
    assert power.sum(axis=1).mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("rate", "layer"), [(0.6, 4), (1.4, 5), (3.0, 6), (6.0, 7), (11.0, 8), (25.0, 9)]
)
def test_modulated_noise_lights_the_layer_of_its_rate(
    encoder: SpectralEncoder, rate: float, layer: int
) -> None:
    plain = encoder.encode(normalised(noise())[np.newaxis])[0, 4:, 0].mean(axis=1)
    moving = encoder.encode(modulated(rate)[np.newaxis])[0, 4:, 0].mean(axis=1)
    assert int((moving - plain).argmax()) + 4 == layer


def test_three_hertz_tremolo_stands_out_between_2_and_4_hz(encoder: SpectralEncoder) -> None:
    energy = encoder.encode(modulated(3.0)[np.newaxis])[0, 4:, 0].mean(axis=1)
    assert encoder.layer_names[4 + int(energy.argmax())] == "2–4 Hz modulation"


def test_flux_tells_a_struck_note_from_a_held_one(encoder: SpectralEncoder) -> None:
    time = np.arange(5 * RATE) / RATE
    held = np.sin(2 * np.pi * 440 * time)
    struck = held * np.exp(-8 * (time % 0.5))
    tracks = np.stack([normalised(x.astype(np.float32)) for x in (held, struck)])
    band = int(np.abs(BAND_CENTRES - 440).argmin())
    flux = encoder.encode(tracks)[:, 3, 0, band]
    assert flux[1] > 5 * flux[0]


@settings(max_examples=15)
@given(decibels=st.floats(-60, 20), offset=st.floats(-0.05, 0.05))
def test_gain_and_offset_of_a_track_change_nothing(decibels: float, offset: float) -> None:
    encoder = SpectralEncoder()
    assert encoder.normalise
    track = noise(2.0) * np.linspace(0.1, 1, 2 * RATE, dtype=np.float32)
    louder = track * np.float32(10 ** (decibels / 20)) + np.float32(offset) * track.std()
    states = encoder.encode(np.stack([normalised(track), normalised(louder)]))
    np.testing.assert_allclose(states[0], states[1], atol=2e-3)


def test_loudness_between_segments_of_a_track_survives(encoder: SpectralEncoder) -> None:
    track = np.concatenate([0.1 * noise(seed=1), noise(seed=2)])  # 20 dB apart
    soft, loud = encoder.encode(normalised(track).reshape(2, -1))[:, :, 0]
    assert (loud[1] - soft[1]).mean() == pytest.approx(2.0, abs=0.05)
    np.testing.assert_allclose(loud[0].mean(), soft[0].mean(), rtol=1e-4)


def test_silent_stretch_of_a_track_is_finite(encoder: SpectralEncoder) -> None:
    states = encoder.encode(np.zeros((1, 5 * RATE), dtype=np.float32))
    assert np.isfinite(states).all()
    np.testing.assert_allclose(states[0, 1], -8.0, atol=1e-3)


def test_short_tail_has_every_layer(encoder: SpectralEncoder) -> None:
    states = encoder.encode(modulated(3.0, seconds=1.0)[np.newaxis])
    assert np.isfinite(states).all()
    assert int(states[0, 4:, 0].mean(axis=1).argmax()) == 2


def test_too_short_segment_is_refused(encoder: SpectralEncoder) -> None:
    with pytest.raises(MessError, match="too short"):
        encoder.encode(np.zeros((1, 500), dtype=np.float32))


def test_one_signal_without_a_batch_axis_is_refused(encoder: SpectralEncoder) -> None:
    with pytest.raises(ValueError, match="batch"):
        encoder.encode(noise())
