"""Small random models of every family, written by transformers itself as hubs hold them."""

import json
from pathlib import Path
from typing import Any

SMALL: dict[str, Any] = {
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "conv_dim": [24, 24, 24, 24],
    "conv_kernel": [10, 5, 4, 4],
    "conv_stride": [8, 5, 4, 2],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "tdnn_dim": [16, 16, 16, 16, 32],
    "xvector_output_dim": 16,
    "codevector_dim": 16,
    "proj_codevector_dim": 16,
    "num_codevectors_per_group": 8,
    "vocab_size": 12,
}
SMALL_WHISPER: dict[str, Any] = {
    "d_model": 48,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_layers": 1,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 64,
    "vocab_size": 60,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "num_mel_bins": 80,
    "max_source_positions": 1500,
}
# By class: its configuration, and its feature extractor with what that is given.
SMALL_NATIVE: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "ASTForAudioClassification": (
        {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
        | {"intermediate_size": 32, "num_labels": 3},
        "ASTFeatureExtractor",
        {},
    ),
    "ClapModel": (
        {
            "audio_config": {"patch_embeds_hidden_size": 8, "depths": [1, 1], "hidden_size": 16}
            | {"num_attention_heads": [2, 2], "num_hidden_layers": 2, "spec_size": 256},
            "text_config": {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
            | {"intermediate_size": 16, "vocab_size": 40, "max_position_embeddings": 20},
            "projection_dim": 8,
        },
        "ClapFeatureExtractor",
        {},
    ),
    "EncodecModel": (
        {"num_filters": 2, "hidden_size": 12, "codebook_size": 8, "codebook_dim": 12}
        | {"target_bandwidths": [1.5], "upsampling_ratios": [8, 5, 4, 2]},
        "EncodecFeatureExtractor",
        {},
    ),
    "Wav2Vec2BertModel": (
        {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
        | {"intermediate_size": 32, "feature_projection_input_dim": 160},
        "SeamlessM4TFeatureExtractor",
        {},
    ),
    "SEWModel": (
        {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
        | {"intermediate_size": 32, "conv_dim": [8, 8, 8], "conv_kernel": [10, 8, 4]}
        | {"conv_stride": [8, 8, 4], "num_conv_pos_embeddings": 16}
        | {"num_conv_pos_embedding_groups": 4, "squeeze_factor": 2},
        "Wav2Vec2FeatureExtractor",
        {"do_normalize": True},
    ),
}


def write_native(folder: Path, model: str) -> Any:
    """Write a model of `SMALL_NATIVE` with its extractor, and return it in evaluation mode."""
    import torch
    import transformers

    changes, extractor, given = SMALL_NATIVE[model]
    kind = getattr(transformers, model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = kind(kind.config_class(**changes)).eval()
    made.save_pretrained(folder)
    getattr(transformers, extractor)(**given).save_pretrained(folder)
    return made


def write_small(folder: Path, model: str, *, rate: int = 16_000, **changes: Any) -> Any:
    """Write a model of transformers, named by its class, and return it in evaluation mode."""
    import torch
    import transformers

    kind = getattr(transformers, model)
    known = set(kind.config_class().to_dict())
    small = SMALL_WHISPER if model.startswith("Whisper") else SMALL
    config = kind.config_class(**{k: v for k, v in (small | changes).items() if k in known})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = kind(config).eval()
    made.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"sampling_rate": rate, "do_normalize": True})
    )
    return made
