"""How encoders use a device: long kernels by Fourier transforms, batches, coarse precisions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import write_small

from mess.encoders import load_encoder
from mess.encoders.batches import Batches
from mess.encoders.fourier import FourierConvolution, use_fourier

torch = pytest.importorskip("torch")

LONG_KERNEL = {"num_conv_pos_embeddings": 128, "num_conv_pos_embedding_groups": 4}
SIGNAL = np.random.default_rng(0).standard_normal((5, 16_000)).astype(np.float32)


@settings(max_examples=25)
@given(
    st.integers(1, 300),
    st.sampled_from([64, 95, 128]),
    st.sampled_from([1, 4]),
    st.integers(0, 63),
    st.booleans(),
)
def test_a_product_of_spectra_is_the_convolution(
    time: int, kernel: int, groups: int, padding: int, bias: bool
) -> None:
    if time + 2 * padding < kernel:
        time = kernel
    torch.manual_seed(time)
    plain = torch.nn.Conv1d(8, 8, kernel, padding=padding, groups=groups, bias=bias)
    signal = torch.randn(2, 8, time)
    with torch.inference_mode():
        expected, found = plain(signal), FourierConvolution(plain)(signal)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=2e-6)


def test_a_model_with_a_long_kernel_gives_the_same_states(tmp_path: Path) -> None:
    own = write_small(tmp_path / "m", "HubertModel", **LONG_KERNEL)
    encoder = load_encoder(str(tmp_path / "m"), device="cpu")
    convolution = encoder.model.encoder.pos_conv_embed.conv  # type: ignore[attr-defined]
    assert isinstance(convolution.forward, FourierConvolution)
    with torch.inference_mode():
        expected = own(torch.from_numpy(SIGNAL[:1]), output_hidden_states=True).hidden_states
    states = encoder.encode(SIGNAL[:1])[0]
    for layer, wanted in enumerate(expected):
        np.testing.assert_allclose(states[layer], wanted[0].numpy(), atol=2e-5)
    assert "positional_convolution" not in encoder.settings, "in float32 the features are the same"


def test_a_convolution_that_would_differ_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = torch.nn.Sequential(torch.nn.Conv1d(8, 8, 64, padding=32))
    assert use_fourier(plain)
    short = torch.nn.Sequential(
        torch.nn.Conv1d(8, 8, 19, padding=9),
        torch.nn.Conv1d(8, 8, 128, stride=2),
        torch.nn.Conv1d(8, 8, 128, padding=64, padding_mode="circular"),
    )
    assert not use_fourier(short)
    wrong = torch.nn.Sequential(torch.nn.Conv1d(8, 8, 64, padding=32))
    monkeypatch.setattr(torch.fft, "irfft", lambda x, n, irfft=torch.fft.irfft: 1.01 * irfft(x, n))
    assert not use_fourier(wrong)
    assert "forward" not in vars(wrong[0])


@pytest.mark.parametrize("most", [1, 3, 5])
def test_a_batch_that_does_not_fit_is_halved(most: int) -> None:
    batches, sizes, failed = Batches(torch.device("cpu")), list[int](), list[int]()
    batches._sizes[16_000] = 96

    def compute(samples: torch.Tensor) -> torch.Tensor:
        if len(samples) > most:
            failed.append(len(samples))
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(samples))
        return samples.mean(dim=1)[None]

    found = batches.start(SIGNAL, compute)()
    np.testing.assert_allclose(found[0], SIGNAL.mean(axis=1), rtol=1e-5)
    assert sum(sizes) == len(SIGNAL)
    assert max(sizes) <= most
    failed.clear()
    batches.start(SIGNAL, compute)()
    assert not failed, "the next recording begins with what fits"


def test_a_segment_that_never_fits_is_told() -> None:
    def compute(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(MemoryError):
        Batches(torch.device("cpu")).start(SIGNAL, compute)()


@pytest.mark.parametrize("model", ["HubertModel", "WhisperModel"])
def test_the_error_of_a_coarse_precision_is_that_of_the_pooled_states(
    tmp_path: Path, model: str
) -> None:
    write_small(tmp_path / "m", model, **LONG_KERNEL)
    fine, coarse = (
        load_encoder(str(tmp_path / "m"), device="cpu", dtype=dtype)
        for dtype in ("float32", "bfloat16")
    )
    exact, rough = (one.pool(SIGNAL[:2])[0].mean for one in (fine, coarse))  # type: ignore[union-attr]
    error = coarse.precision_error(SIGNAL[:2])  # type: ignore[attr-defined]
    layers = range(exact.shape[2])
    norm = np.linalg.norm
    expected = max(norm((rough - exact)[:, 0, n]) / norm(exact[:, 0, n]) for n in layers)
    assert error == pytest.approx(expected, rel=1e-3)
    assert 0 < error < 0.05
    again = coarse.pool(SIGNAL[:2])[0].mean  # type: ignore[union-attr]
    np.testing.assert_array_equal(again, rough)
    assert coarse.precision_error(SIGNAL[:2]) is None  # type: ignore[attr-defined]
    assert fine.precision_error(SIGNAL[:2]) is None  # type: ignore[attr-defined]
