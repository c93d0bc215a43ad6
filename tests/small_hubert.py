"""A small random model of the HuBERT family, written as MERT is published.

Same kinds of file, configuration keys, tensor names, kernels and strides as the real one; only
narrower and with two blocks.
"""

import json
from pathlib import Path
from typing import Any

SMALL_CONFIG: dict[str, Any] = {
    "architectures": ["MERTModel"],
    "auto_map": {
        "AutoConfig": "configuration_MERT.MERTConfig",
        "AutoModel": "modeling_MERT.MERTModel",
    },
    "model_type": "mert_model",
    "sample_rate": 24000,
    "feature_extractor_cqt": False,
    "feature_extractor_cqt_bins": 336,
    "deepnorm": False,
    "attention_relax": -1.0,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "feat_extract_norm": "group",
    "feat_extract_activation": "gelu",
    "feat_proj_layer_norm": True,
    "conv_dim": [16] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_bias": False,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "do_stable_layer_norm": False,
    "mask_time_prob": 0.05,
    "torch_dtype": "float32",
    "transformers_version": "4.24.0",
}
_NEW_TO_OLD = {
    ".parametrizations.weight.original0": ".weight_g",
    ".parametrizations.weight.original1": ".weight_v",
}


def write_small_hubert(
    folder: Path, *, old_names: bool = True, seed: int = 0, **changes: Any
) -> Path:
    """Write a model to ``folder`` and return it.

    With ``old_names`` the weights are ``pytorch_model.bin`` with ``weight_g``/``weight_v``, as
    MERT publishes them; else ``model.safetensors`` with today's names. ``changes`` go to
    ``config.json``.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import HubertConfig, HubertModel

    config = SMALL_CONFIG | changes
    known = set(HubertConfig().to_dict()) - {"model_type", "architectures", "torch_dtype"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = HubertModel(HubertConfig(**{k: v for k, v in config.items() if k in known}))
    tensors = {key: value.contiguous() for key, value in model.state_dict().items()}

    folder.mkdir(parents=True, exist_ok=True)
    if old_names:
        for new, old in _NEW_TO_OLD.items():
            tensors = {key.replace(new, old): value for key, value in tensors.items()}
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "do_normalize": True,
                "feature_extractor_type": "Wav2Vec2FeatureExtractor",
                "feature_size": 1,
                "padding_side": "right",
                "padding_value": 0,
                "return_attention_mask": True,
                "sampling_rate": 24000,
            }
        )
    )
    return folder
