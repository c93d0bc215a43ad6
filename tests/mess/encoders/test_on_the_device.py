"""How encoders use a device: long kernels by Fourier transforms, batches, coarse precisions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import write_small

from mess.encoders import load_encoder
from mess.encoders.batches import Batches
from mess.encoders.fourier import FourierConvolution, use_fourier
from mess.errors import MessError

torch = pytest.importorskip("torch")

ON_A_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
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

    def compute(samples: torch.Tensor) -> tuple[torch.Tensor]:
        if len(samples) > most:
            failed.append(len(samples))
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(samples))
        return (samples.mean(dim=1)[None],)

    (found,) = batches.start(SIGNAL, compute)()
    np.testing.assert_allclose(found[0], SIGNAL.mean(axis=1), rtol=1e-5)
    assert sum(sizes) == len(SIGNAL)
    assert max(sizes) <= most
    failed.clear()
    batches.start(SIGNAL, compute)()
    assert not failed, "the next recording begins with what fits"


def test_a_segment_that_never_fits_is_told() -> None:
    def compute(_: torch.Tensor) -> tuple[torch.Tensor, ...]:
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


@ON_A_GPU
@pytest.mark.parametrize("model", ["HubertModel", "WhisperModel"])
@pytest.mark.parametrize(
    ("dtype", "error"), [("float32", 1e-5), ("tf32", 3e-3), ("bfloat16", 2e-2)]
)
def test_a_gpu_gives_what_a_processor_gives(
    tmp_path: Path, model: str, dtype: str, error: float
) -> None:
    write_small(tmp_path / "m", model, **LONG_KERNEL)
    exact = load_encoder(str(tmp_path / "m"), device="cpu")
    encoder: Any = load_encoder(str(tmp_path / "m"), device="cuda", dtype=dtype)
    for wanted, found in zip(
        exact.pool(SIGNAL, divisions=(1, 10)), encoder.pool(SIGNAL, divisions=(1, 10)), strict=True
    ):
        assert wanted is not None
        assert found is not None
        distance = np.linalg.norm(found.mean - wanted.mean) / np.linalg.norm(wanted.mean)
        assert distance < error
    whole, halves = encoder.start_pooling(SIGNAL, divisions=(1, 10), halves=True)()
    again = encoder.pool(SIGNAL, divisions=(1, 10))
    np.testing.assert_array_equal(whole.variance, again[0].variance)
    np.testing.assert_array_equal(halves.mean, again[1].mean.astype(np.float16))
    assert halves.variance is None
    measured = encoder.precision_error(SIGNAL[:2])
    assert (measured is None) == (dtype == "float32")
    assert measured is None or 0 < measured < error


@ON_A_GPU
def test_a_gpu_whose_memory_runs_out_computes_smaller_batches(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "HubertModel", **LONG_KERNEL)
    segments = np.random.default_rng(1).standard_normal((96, 80_000)).astype(np.float32)
    encoder: Any = load_encoder(str(tmp_path / "m"), device="cuda")
    encoder._batches._sizes[80_000] = 96
    torch.cuda.reset_peak_memory_stats()
    expected, peak = encoder.pool(segments)[0].mean, torch.cuda.max_memory_reserved()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.7 * peak / torch.cuda.mem_get_info()[1])
    try:
        found = encoder.pool(segments)[0].mean
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert encoder._batches._limits[80_000] in (48, 24)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@ON_A_GPU
def test_segments_that_a_thread_put_into_pinned_memory_give_the_same(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "HubertModel", **LONG_KERNEL)
    encoder: Any = load_encoder(str(tmp_path / "m"), device="cuda")
    encoder.pool(SIGNAL)
    expected = encoder.pool(SIGNAL)[0].mean
    results = []
    for _ in range(20):
        pinned = encoder.empty_segments(SIGNAL.shape)
        assert torch.from_numpy(pinned).is_pinned()
        pinned[...] = SIGNAL
        results.append(encoder.start_pooling(pinned))
        del pinned
    for result in results:
        np.testing.assert_array_equal(result()[0].mean, expected)


def test_a_format_that_only_gpus_have_is_refused_on_a_processor(tmp_path: Path) -> None:
    write_small(tmp_path / "m", "WhisperModel")
    with pytest.raises(MessError, match="tf32.*only GPUs.*float32"):
        load_encoder(str(tmp_path / "m"), device="cpu", dtype="tf32")
