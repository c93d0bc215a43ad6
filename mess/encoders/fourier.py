"""The positional convolution of the wav2vec 2.0 family, as a product of spectra.

These models tell position by one convolution over time with a long kernel (128 frames) in few
groups. Computed directly it takes most of the time of a GPU, and some twentieth of that of a CPU.
As a product of Fourier transforms it gives the same values within rounding, at a small part of the
cost.

Conventions: `torch.nn.Conv1d` correlates, y[t] = Σ w[k] · x[t + k − padding]. So the spectrum of
the kernel is conjugated. Transforms are as long as signal and kernel together, so nothing wraps
around. They are computed in float32, whatever the precision of the model.

A convolution is replaced if its kernel is long enough, and if it gives the same for noise: this is
checked when a model is loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LONG = 64  # frames: shorter kernels are left to the library
_TOLERANCE = 1e-5  # relative error, in float32
_TRIAL_FRAMES = 200


class FourierConvolution:
    """The forward pass of a `torch.nn.Conv1d` without stride, by Fourier transforms.

    Parameters
    ----------
    convolution : torch.nn.Conv1d
        With its weights in float32; later changes of the weights are not seen.
    """

    def __init__(self, convolution: Any) -> None:
        self._weight = convolution.weight.detach().float()
        self._bias = None if convolution.bias is None else convolution.bias.detach().float()
        self._groups = convolution.groups
        (self._padding,) = convolution.padding
        self._spectra: dict[int, torch.Tensor] = {}

    def __call__(self, states: "torch.Tensor") -> "torch.Tensor":
        """Return what the convolution gives of [batch, channels, time]."""
        import torch

        batch, channels, time = states.shape
        kernel = self._weight.shape[-1]
        length = 1 << (time + kernel - 2).bit_length()  # at least time + kernel − 1
        spectrum = torch.fft.rfft(states.float(), length)
        grouped = spectrum.view(batch, self._groups, channels // self._groups, -1)
        # A matrix product of channels for each group and frequency.
        product = torch.matmul(grouped.permute(1, 3, 0, 2), self._spectrum(length, states.device))
        product = product.permute(2, 0, 3, 1).reshape(batch, -1, product.shape[1])
        shifted = torch.roll(torch.fft.irfft(product, length), self._padding, dims=-1)
        result = shifted[..., : time + 2 * self._padding - kernel + 1]
        if self._bias is not None:
            result = result + self._bias.to(result.device)[:, None]
        return result.to(states.dtype)

    def _spectrum(self, length: int, device: "torch.device") -> "torch.Tensor":
        """Return the spectrum of the kernels, [groups, frequencies, in, out]."""
        import torch

        if length not in self._spectra:
            spectrum = torch.fft.rfft(self._weight.to(device), length).conj()
            by_group = spectrum.view(self._groups, -1, *spectrum.shape[1:])
            self._spectra[length] = by_group.permute(0, 3, 2, 1).contiguous()
        return self._spectra[length]


def suits(module: object) -> bool:
    """Tell whether a module is a convolution that Fourier transforms make faster."""
    import torch

    return (
        isinstance(module, torch.nn.Conv1d)
        and module.kernel_size[0] >= LONG
        and module.stride == (1,)
        and module.dilation == (1,)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
        and module.padding[0] < module.kernel_size[0]
    )


def relative_error(convolution: Any, fourier: FourierConvolution) -> float:
    """Return how far the two ways differ for noise, relative to the result."""
    import torch

    noise = torch.randn(
        (1, convolution.in_channels, _TRIAL_FRAMES),
        generator=torch.Generator().manual_seed(0),
    ).to(convolution.weight.device)
    exact = convolution(noise)
    error = (fourier(noise) - exact).norm() / exact.norm().clamp_min(1e-12)
    return float(error)


def use_fourier(model: Any) -> bool:
    """Let the long convolutions of a model be computed by Fourier transforms.

    Parameters
    ----------
    model : torch.nn.Module
        In evaluation mode, in float32, on the device where it will run.

    Returns
    -------
    bool
        Whether there is such a convolution. Only one that gives the same for noise is replaced.
    """
    import torch

    replaced = False
    with torch.inference_mode(), _strict_float32():
        for module in model.modules():
            if suits(module):
                fourier = FourierConvolution(module)
                if relative_error(module, fourier) < _TOLERANCE:
                    module.forward = fourier
                    replaced = True
    return replaced


@contextmanager
def _strict_float32() -> Iterator[None]:
    """Let a GPU compute float32 products in float32, and not in 19 bits."""
    import torch

    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
