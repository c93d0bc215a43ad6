"""Model families: the transformers classes of each family, and the names of its tensors.

A published file holds the bare model, or the model with a head. With a head, the names of the
model's tensors have a prefix (``wav2vec2.encoder…`` beside ``lm_head.weight``). Tensors of known
heads are left out; any other tensor must belong to the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Settings that affect the forward pass; dropout, masking and training settings do not.
_WAVEFORM = frozenset(
    {
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_act",
        "layer_norm_eps",
        "feat_extract_activation",
        "conv_dim",
        "conv_kernel",
        "conv_stride",
        "conv_bias",
        "num_conv_pos_embeddings",
        "num_conv_pos_embedding_groups",
        # These two decide whether the weights hold a vector for masked frames.
        "mask_time_prob",
        "mask_feature_prob",
    }
)
# Of pre-training (quantizer …), transcription (lm_head), classification, diarisation and speaker
# verification (tdnn, objective; its top-level feature_extractor is a linear layer).
_HEADS = (
    "lm_head.",
    "quantizer.",
    "project_q.",
    "project_hid.",
    "projector.",
    "classifier.",
    "layer_weights",
    "tdnn.",
    "feature_extractor.",
    "objective.",
)


@dataclass(frozen=True, kw_only=True)
class Family:
    """One of transformers' model families.

    Attributes
    ----------
    config, model : str
        Names of transformers' classes.
    keys : frozenset of str
        Entries of ``config.json`` that shape the forward pass.
    prefixes : tuple of str
        Prefixes that the names of the model's tensors may have in a file with a head.
    heads : tuple of str
        Prefixes of the names of the tensors of heads, in a file with a head.
    """

    config: str
    model: str
    keys: frozenset[str]
    prefixes: tuple[str, ...]
    heads: tuple[str, ...] = _HEADS


_HUBERT = Family(
    config="HubertConfig",
    model="HubertModel",
    keys=_WAVEFORM
    | {
        "feat_extract_norm",
        "feat_proj_layer_norm",
        "do_stable_layer_norm",
        "conv_pos_batch_norm",
    },
    prefixes=("hubert.",),
)
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "hubert": _HUBERT,
        "mert_model": _HUBERT,
        "wav2vec2": Family(
            config="Wav2Vec2Config",
            model="Wav2Vec2Model",
            keys=_WAVEFORM | {"feat_extract_norm", "do_stable_layer_norm"},
            prefixes=("wav2vec2.",),
        ),
        "data2vec-audio": Family(
            config="Data2VecAudioConfig",
            model="Data2VecAudioModel",
            keys=_WAVEFORM | {"conv_pos_kernel_size"},
            prefixes=("data2vec_audio.",),
        ),
        "wavlm": Family(
            config="WavLMConfig",
            model="WavLMModel",
            keys=_WAVEFORM
            | {"feat_extract_norm", "do_stable_layer_norm", "num_buckets", "max_bucket_distance"},
            prefixes=("wavlm.",),
        ),
        # Only the encoder is built; the decoder counts as a head.
        "whisper": Family(
            config="WhisperConfig",
            model="WhisperEncoder",
            keys=frozenset(
                {
                    "d_model",
                    "encoder_layers",
                    "encoder_attention_heads",
                    "encoder_ffn_dim",
                    "num_mel_bins",
                    "max_source_positions",
                    "activation_function",
                    "scale_embedding",
                }
            ),
            prefixes=("model.encoder.", "encoder."),
            heads=("model.decoder.", "decoder.", "proj_out."),
        ),
    }
)
