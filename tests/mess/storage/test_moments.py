"""Compact moments are what the full ones were, up to a small error, and small."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mess.storage.moments import Scale, moments_bytes


@given(st.floats(-1e3, 1e3), st.floats(0.0, 30.0), st.integers(0, 99))
def test_a_code_is_within_half_a_step_of_its_value(mean: float, spread: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    moments = (mean + spread * rng.standard_normal((60, 2, 3))).astype(np.float16)
    scale = Scale.learn([moments[:20], moments[20:]])
    codes = scale.encode(moments)
    for layer in range(2):
        values = moments[:, layer].astype(np.float32)
        error = np.abs(scale.decode(codes, layer=layer) - values)
        assert (error <= 0.51 * scale.step[layer] + 1e-4 * np.abs(values)).all()
        deviation = values.astype(np.float64).std(axis=0)
        assert (scale.step[layer] <= 0.05 * deviation + 1e-6 * (1 + abs(mean))).all()


def test_what_lies_beyond_the_scale_is_cut_off_and_never_wraps() -> None:
    rng = np.random.default_rng(0)
    scale = Scale.learn([rng.standard_normal((500, 1, 2)).astype(np.float16)])
    far = np.array([[[-60000.0, 60000.0]]], dtype=np.float16)
    assert scale.encode(far).tolist() == [[[0, 255]]]


def test_an_hour_of_thirteen_layers_takes_less_than_75_mb() -> None:
    assert moments_bytes(3600, layers=13, dim=768, kind="compact") < 75e6
    assert moments_bytes(3600, layers=13, dim=768, kind="full") < 150e6
