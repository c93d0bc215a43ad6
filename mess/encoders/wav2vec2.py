"""The wav2vec 2.0 family: hidden states of models that take raw samples.

The family includes wav2vec 2.0, HuBERT, MERT, data2vec-audio and WavLM. Convolutions turn samples
into frames; attention blocks follow. The classes are those of transformers. The number and width of
the layers and the sample rate are read from the files of the model.

References
----------
Baevski et al., "wav2vec 2.0", NeurIPS 2020. Hsu et al., "HuBERT: Self-supervised speech
representation learning by masked prediction of hidden units", IEEE/ACM TASLP 29, 2021. Li et al.,
"MERT: Acoustic music understanding model with large-scale self-supervised training", ICLR 2024.
Baevski et al., "data2vec", ICML 2022. Chen et al., "WavLM", IEEE JSTSP 16, 2022.
"""

from typing import TYPE_CHECKING, Any

from mess.encoders.checkpoint import (
    Architecture,
    Checkpoint,
    body_of,
    read_tensors,
)
from mess.encoders.families import FAMILIES
from mess.encoders.transformer import TransformerEncoder
from mess.encoders.weights import Origin, build, load_exactly, origin_of, random_origin

if TYPE_CHECKING:
    import torch

_MASK = "masked_spec_embed"


class Wav2Vec2Encoder(TransformerEncoder):
    """A model of the family as an `Encoder`; made by `load_wav2vec2` and `random_wav2vec2`."""

    def __init__(
        self, model: Any, *, architecture: Architecture, origin: Origin, device: str, dtype: str
    ) -> None:
        super().__init__(
            model,
            architecture=architecture,
            layers=model.config.num_hidden_layers + 1,
            dim=model.config.hidden_size,
            origin=origin,
            device=device,
            dtype=dtype,
        )

    def frames(self, samples: int) -> int:
        """Return the number of frames of a segment: 374 for 5 s at 24 kHz (MERT)."""
        for kernel, stride in zip(
            self.model.config.conv_kernel, self.model.config.conv_stride, strict=True
        ):
            samples = max(samples - kernel, -stride) // stride + 1
        return samples

    def states(self, samples: "torch.Tensor") -> "list[torch.Tensor]":
        """Return the hidden states; samples must not be padded, because a norm may span time."""
        output = self.model(samples.to(self._dtype), output_hidden_states=True)
        # transformers 5 gives the last state before the final normalisation, 4 gave it after.
        return [*output.hidden_states[:-1], output.last_hidden_state]


def load_wav2vec2(
    checkpoint: Checkpoint, *, id: str, licence: str, device: str, dtype: str
) -> Wav2Vec2Encoder:
    """Return the encoder of a checkpoint.

    Raises
    ------
    MessError
        If a single tensor is missing, unexpected or of another shape, or the file is unsafe.
    """
    architecture, source = checkpoint.architecture, str(checkpoint.weights)
    weights = body_of(read_tensors(checkpoint.weights), architecture.model_type, source=source)
    # The vector of masked frames in training. Files may have it or not, independent of their
    # configuration; the forward pass does not use it.
    masking = {"mask_time_prob": 0.05 if _MASK in weights else 0.0, "mask_feature_prob": 0.0}
    model = _build(architecture, changes=masking, allocate=False)
    load_exactly(model, weights, source=source)
    return Wav2Vec2Encoder(
        model,
        architecture=architecture,
        origin=origin_of(checkpoint, id=id, licence=licence),
        device=device,
        dtype=dtype,
    )


def random_wav2vec2(
    architecture: Architecture, *, id: str, seed: int, device: str, dtype: str
) -> Wav2Vec2Encoder:
    """Return the same architecture with random weights, as a control without training."""
    return Wav2Vec2Encoder(
        _build(architecture, seed=seed),
        architecture=architecture,
        origin=random_origin(architecture, id=id, seed=seed),
        device=device,
        dtype=dtype,
    )


def _build(
    architecture: Architecture,
    *,
    changes: dict[str, float] | None = None,
    seed: int = 0,
    allocate: bool = True,
) -> Any:
    family = FAMILIES[architecture.model_type]

    def make() -> Any:
        import transformers

        config = getattr(transformers, family.config)(**architecture.config | (changes or {}))
        return getattr(transformers, family.model)(config)

    what = f"{family.model.removesuffix('Model')} model"
    return build(make, what=what, seed=seed, allocate=allocate)
