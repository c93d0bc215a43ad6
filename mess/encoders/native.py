"""Other audio models of transformers: how each model type is loaded and run.

`mess.encoders.adapter` runs them with the class and the feature extractor of transformers. Four
model types have an entry here. The entry of any other audio encoder is made from the tables of
transformers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Input = Literal["waveform", "features", "patches", "image", "codec"]
# Names that the tensors of a head begin with (transcription, classification, speakers).
_SPEECH_HEADS = (
    *("lm_head.", "classifier.", "projector.", "layer_weights", "tdnn.", "objective."),
    *("feature_extractor.", "quantizer.", "project_q.", "project_hid.", "ctc_proj.", "dropout"),
)


@dataclass(frozen=True, kw_only=True)
class Native:
    """How a model type of transformers is loaded and run.

    Attributes
    ----------
    model : str
        transformers' class that holds the weights.
    extractor : str
        transformers' class that turns samples into the model's input; "" where that is the samples.
    input : {"waveform", "features", "patches", "image", "codec"}
        What goes in, and so how its hidden states lie; see `mess.encoders.adapter`.
    part : str
        The attribute of the model that is run, "" for all of it.
    config_part : str
        The entry of config.json that describes the model, "" for all of it.
    heads : tuple of str
        What the names of other tensors of a published file begin with; they are left out.
    sample_rate : int or None
        Hz, where the files do not say it.
    """

    model: str
    extractor: str
    input: Input
    part: str = ""
    config_part: str = ""
    heads: tuple[str, ...] = ()
    sample_rate: int | None = None


_CLAP = Native(
    model="ClapAudioModelWithProjection",
    extractor="ClapFeatureExtractor",
    input="image",
    part="audio_model",
    heads=("text_model.", "text_projection.", "logit_scale"),
    sample_rate=48_000,
)
NATIVE: Mapping[str, Native] = MappingProxyType(
    {
        "audio-spectrogram-transformer": Native(
            model="ASTModel",
            extractor="ASTFeatureExtractor",
            input="patches",
            heads=("classifier.",),
            sample_rate=16_000,
        ),
        "clap": Native(**{**vars(_CLAP), "config_part": "audio_config"}),
        "clap_audio_model": _CLAP,
        "encodec": Native(
            model="EncodecModel", extractor="", input="codec", part="encoder", sample_rate=24_000
        ),
        "wav2vec2-bert": Native(
            model="Wav2Vec2BertModel",
            extractor="SeamlessM4TFeatureExtractor",
            input="features",
            heads=_SPEECH_HEADS,
            sample_rate=16_000,
        ),
    }
)


def find_native(model_type: object) -> Native | None:
    """Return how a model type is run, None if it is no encoder of audio that can be.

    Parameters
    ----------
    model_type : object
        As config.json has it.

    Examples
    --------
    >>> find_native("encodec").model, find_native(None)
    ('EncodecModel', None)
    """
    if not isinstance(model_type, str):
        return None
    if model_type in NATIVE:
        return NATIVE[model_type]
    try:
        from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING_NAMES
        from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES
    except ImportError:
        return None
    extractor = FEATURE_EXTRACTOR_MAPPING_NAMES.get(model_type)
    model = MODEL_MAPPING_NAMES.get(model_type)
    if not isinstance(extractor, str) or not isinstance(model, str):
        return None
    if not model.endswith(("Model", "Encoder")):
        return None
    takes_samples = extractor == "Wav2Vec2FeatureExtractor"
    return Native(
        model=model,
        extractor="" if takes_samples else extractor,
        input="waveform" if takes_samples else "features",
        heads=_SPEECH_HEADS,
    )


def too_large(config: Mapping[str, Any]) -> str:
    """Return the first number of a configuration that no model has, "" if there is none.

    Building such a model would take hours, or all memory.

    Examples
    --------
    >>> too_large({"audio_config": {"depths": [2, 2, 4000]}})
    'depths'
    """
    for key, value in config.items():
        if isinstance(value, Mapping):
            if found := too_large(value):
                return found
            continue
        most = 200 if key == "depths" or key.endswith("layers") else 1_000_000
        for number in value if isinstance(value, list | tuple) else [value]:
            if isinstance(number, int) and abs(number) > most and not key.endswith("token_id"):
                return key
    return ""
