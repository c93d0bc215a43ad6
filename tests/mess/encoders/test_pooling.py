"""Pooled states are the means and variances of the frames, wherever they are computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_models import write_native, write_small

from mess.audio.decoding import Signal
from mess.audio.moments import moment_grid
from mess.encoders import load_encoder
from mess.encoders.base import Encoder
from mess.encoders.pooling import begin_pooling, encode_segments, pool_segments
from mess.encoders.windows import averaging, pool_frames, pool_tensor, split_divisions
from mess.errors import MessError

torch = pytest.importorskip("torch")

DIVISIONS = (1, 10)


def recording(encoder: Encoder, seconds: float = 12.3) -> Signal:
    """Return notes that get louder, so that segments and half seconds differ."""
    rng = np.random.default_rng(1)
    time = np.arange(round(seconds * encoder.sample_rate)) / encoder.sample_rate
    tone = np.sin(2 * np.pi * 330 * time) * np.exp(-6 * (time % 0.4)) * (0.1 + time / seconds)
    samples = (0.3 * tone + 0.01 * rng.standard_normal(time.size)).astype(np.float32)
    mean, std = float(samples.mean()), float(samples.std())
    return Signal(samples, encoder.sample_rate, mean=mean, std=std)


def distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return the greatest relative difference of vectors along the last axis."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float((np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1)).max())


@pytest.fixture(scope="module", params=["HubertModel", "WhisperModel", "WavLMModel", "SEWModel"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tmp_path_factory.mktemp("models") / request.param
    write = write_native if request.param == "SEWModel" else write_small
    write(folder, request.param)
    return load_encoder(str(folder), device="cpu")


def test_pooled_features_are_those_of_the_frames(encoder: Encoder) -> None:
    signal = recording(encoder)
    frames = np.stack(list(encode_segments(signal, encoder))).astype(np.float64)
    pooled = pool_segments(signal, encoder, moments=True)
    assert distance(pooled.whole, frames.mean(axis=(0, 2))) < 1e-5
    assert (
        distance(pooled.whole_std, frames.swapaxes(1, 2).reshape(-1, *frames.shape[1::2]).std(0))
        < 1e-5
    )
    half = 2**-11  # float16
    np.testing.assert_allclose(pooled.segments, frames.mean(axis=2), rtol=half, atol=1e-5)
    np.testing.assert_allclose(pooled.segments_std, frames.std(axis=2), rtol=half, atol=1e-5)
    grid = moment_grid(signal.samples.size, signal.sample_rate)
    edges = np.rint(np.linspace(0, frames.shape[2], grid.per_segment + 1)).astype(int)
    assert pooled.moments is not None
    assert len(pooled.moments) == len(grid.start)
    for row, (segment, number) in enumerate(zip(grid.segment, grid.number, strict=True)):
        here = frames[segment, :, edges[number] : edges[number + 1]].mean(axis=1)
        np.testing.assert_allclose(pooled.moments[row], here, rtol=half, atol=1e-5)


def test_keeping_every_frame_changes_no_feature(encoder: Encoder) -> None:
    signal, kept = recording(encoder, 7.0), list[NDArray[np.float32]]()
    with_frames = pool_segments(signal, encoder, on_states=kept.append, moments=True)
    without = pool_segments(signal, encoder, moments=True)
    np.testing.assert_array_equal(np.stack(kept), np.stack(list(encode_segments(signal, encoder))))
    for name, values in vars(without).items():
        np.testing.assert_array_equal(values, getattr(with_frames, name), err_msg=name)


def test_what_is_begun_ahead_ends_the_same(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = recording(encoder, 12.3), recording(encoder, 7.0)
    wanted = [pool_segments(one, encoder, moments=True) for one in (first, second)]
    monkeypatch.setattr(type(encoder), "asynchronous", True)  # as on a GPU
    begun = [begin_pooling(one, encoder, moments=True) for one in (first, second)]
    broken = Signal(np.full_like(first.samples, np.nan), first.sample_rate, mean=0.0, std=1.0)
    failing = begin_pooling(broken, encoder)
    for finish, expected in zip(begun, wanted, strict=True):
        found = finish()
        # Another thread may add in another order: the last digit of float32 or float16 may differ.
        for name, values in vars(expected).items():
            ulp = np.finfo(values.dtype).eps
            np.testing.assert_allclose(
                getattr(found, name), values, rtol=2 * ulp, atol=max(ulp / 100, 1e-5), err_msg=name
            )
    with pytest.raises(FloatingPointError):
        failing()


@settings(max_examples=40)
@given(
    st.integers(1, 60),
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.floats(-100, 100),
    st.integers(0, 2**32 - 1),
)
def test_both_ways_to_pool_agree_far_from_zero_too(
    frames: int, divisions: list[int], offset: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    states = (offset + rng.standard_normal((2, 3, frames, 4))).astype(np.float32)
    matrix = torch.from_numpy(averaging(frames, divisions))
    layers = [pool_tensor(torch.from_numpy(states[:, layer]), matrix) for layer in range(3)]
    on_device = split_divisions(
        torch.stack(layers, dim=3).numpy(), frames=frames, divisions=divisions
    )
    in_memory = pool_frames(states, divisions=divisions)
    for windows, one, other in zip(divisions, on_device, in_memory, strict=True):
        assert (one is None) == (other is None) == (windows > frames)
        if one is not None and other is not None:
            assert one.mean.shape == other.mean.shape == (2, windows, 3, 4)
            np.testing.assert_allclose(one.mean, other.mean, atol=2e-6 * (1 + abs(offset)))
            np.testing.assert_allclose(one.variance, other.variance, atol=1e-5)


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(0, 40))
def test_means_of_windows_add_up_to_the_mean_of_the_segment(windows: int, more: int) -> None:
    states = np.random.default_rng(more).normal(3, 1, (1, 2, windows + more, 5)).astype(np.float32)
    whole, parts = pool_frames(states, divisions=(1, windows))
    assert whole is not None and parts is not None
    lengths = np.diff(np.rint(np.linspace(0, windows + more, windows + 1)))[:, None, None]
    total = lengths.sum()
    np.testing.assert_allclose((parts.mean[0] * lengths).sum(axis=0) / total, whole.mean[0, 0])
    power = (parts.mean_square[0] * lengths).sum(axis=0) / total
    np.testing.assert_allclose(power, whole.mean_square[0, 0])


def test_a_state_that_is_not_finite_is_told(encoder: Encoder) -> None:
    signal = recording(encoder, 6.0)
    broken = signal.samples.copy()
    broken[1000] = np.inf
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError):
        pool_segments(Signal(broken, signal.sample_rate, mean=0.0, std=1.0), encoder)


class Flat:
    """An encoder as another package may write it: `encode` alone, here with a mistake."""

    id, sample_rate, layers, dim, normalise = "flat", 100, 2, 3, False

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def encode(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        rng = np.random.default_rng(len(segments))
        return rng.standard_normal((len(segments), *self.shape)).astype(np.float32)


def test_an_encoder_without_a_pooled_call_gives_its_frames() -> None:
    signal = Signal(np.ones(1500, np.float32), 100, mean=1.0, std=0.0)
    pooled = pool_segments(signal, Flat(2, 4, 3), moments=True)  # type: ignore[arg-type]
    assert pooled.segments.shape == (3, 2, 3)
    assert pooled.moments is None, "four frames have no ten half seconds"
    for wrong in ((2, 4, 5), (2, 3)):
        with pytest.raises(MessError, match="mend its code"):
            pool_segments(signal, Flat(*wrong))  # type: ignore[arg-type]
