"""What the pages read, cached until the files behind it change."""

from dashboard.readers.data import store, told
from dashboard.readers.doses import dose_changes, dose_responses, doses, sample_rate
from dashboard.readers.lanes import (
    Predictor,
    curve_probes,
    dataset_curves,
    dataset_predictions,
    measured_curves,
    predicted_curves,
    predicted_of_upload,
    predictor,
    upload_curves,
)
from dashboard.readers.listening import (
    listening_plan,
    listening_result,
    newest_plan,
    track_hashes,
)
from dashboard.readers.maps import best_layer, layer_names, map_of, map_rows
from dashboard.readers.results import (
    comparison,
    cross,
    datasets_of,
    discoveries,
    discovery,
    evaluation,
    factors,
    predictions,
    reliability,
    repeats,
    untangled,
)
from dashboard.readers.searching import passages, recommender, surprises
from dashboard.readers.staleness import (
    stale,
    stale_comparison,
    stale_cross,
    stale_reliability,
)
from dashboard.readers.targets import (
    stated,
    target_names,
    target_notes,
    target_values,
    targets,
)
from dashboard.readers.tracks import names, row_name, segment_start, tracks
from mess.serving.tracks import TrackInfo

__all__ = [
    "Predictor",
    "TrackInfo",
    "best_layer",
    "comparison",
    "cross",
    "curve_probes",
    "dataset_curves",
    "dataset_predictions",
    "datasets_of",
    "discoveries",
    "discovery",
    "dose_changes",
    "dose_responses",
    "doses",
    "evaluation",
    "factors",
    "layer_names",
    "listening_plan",
    "listening_result",
    "map_of",
    "map_rows",
    "measured_curves",
    "names",
    "newest_plan",
    "passages",
    "predicted_curves",
    "predicted_of_upload",
    "predictions",
    "predictor",
    "recommender",
    "reliability",
    "repeats",
    "row_name",
    "sample_rate",
    "segment_start",
    "stale",
    "stale_comparison",
    "stale_cross",
    "stale_reliability",
    "stated",
    "store",
    "surprises",
    "target_names",
    "target_notes",
    "target_values",
    "targets",
    "told",
    "track_hashes",
    "tracks",
    "untangled",
    "upload_curves",
]
