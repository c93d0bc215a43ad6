"""The plain implementations that the benchmarks compare with: what one writes first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.search.ranking import Part


def librosa_targets(path: Path) -> dict[str, float]:
    """Measure the 15 targets with one librosa call after the other."""
    import librosa

    y, sr = librosa.load(path, sr=22_050)
    rms = librosa.feature.rms(y=y)[0]
    onset = librosa.onset.onset_strength(y=y, sr=sr)
    onsets = librosa.onset.onset_detect(y=y, sr=sr)
    tempo, _ = librosa.beat.beat_track(y=y, sr=sr)
    chroma = librosa.feature.chroma_cqt(y=y, sr=sr)
    distribution = chroma.mean(axis=1) / chroma.mean(axis=1).sum()
    boundaries = librosa.segment.agglomerative(
        librosa.feature.mfcc(y=y, sr=sr), int(np.clip(len(y) / sr // 15, 4, 12))
    )
    spans = np.diff(boundaries)
    slope = np.diff(rms)
    return {
        "spectral_centroid": float(librosa.feature.spectral_centroid(y=y, sr=sr).mean()),
        "spectral_rolloff": float(librosa.feature.spectral_rolloff(y=y, sr=sr).mean()),
        "spectral_bandwidth": float(librosa.feature.spectral_bandwidth(y=y, sr=sr).mean()),
        "zero_crossing_rate": float(librosa.feature.zero_crossing_rate(y).mean()),
        "tempo": float(np.atleast_1d(tempo)[0]),
        "onset_density": len(onsets) / (len(y) / sr),
        "dynamic_range": float(rms.max() - rms.min()),
        "dynamic_variance": float(rms.var()),
        "crescendo_strength": float(slope[slope > 0].mean()),
        "diminuendo_strength": float(-slope[slope < 0].mean()),
        "harmonic_complexity": float(-(distribution * np.log2(distribution)).sum()),
        "attack_slopes": float(np.diff(onset).max()),
        "attack_sharpness": float(onset.std() / onset.mean()),
        "phrase_regularity": float(1 - spans.std() / spans.mean()),
        "num_phrases": float(len(boundaries)),
    }


def librosa_pyramid(path: Path) -> NDArray[np.float32]:
    """Compute the spectral encoder's kind of statistics with librosa, segment by segment."""
    import librosa

    y, sr = librosa.load(path, sr=24_000)
    length = 5 * sr
    rows = []
    for start in range(0, len(y) - length + 1, length):
        mel = librosa.feature.melspectrogram(
            y=y[start : start + length], sr=sr, n_fft=1024, hop_length=240, n_mels=128
        )
        log = librosa.power_to_db(mel)
        spectrum = np.abs(np.fft.rfft(log, axis=1)) ** 2
        bands = np.array_split(spectrum[:, 1:250], 6, axis=1)
        flux = np.maximum(np.diff(log, axis=1), 0)
        rows.append(
            np.stack(
                [mel.mean(1), log.mean(1), log.std(1), flux.mean(1)]
                + [np.log(band.sum(1)) for band in bands]
            )
        )
    return np.stack(rows).astype(np.float32)


def transformers_loop(path: Path, model: Any) -> NDArray[np.float32]:
    """Encode 5 s segments with transformers as its documentation does."""
    import librosa
    import torch
    from transformers import Wav2Vec2FeatureExtractor

    y, sr = librosa.load(path, sr=24_000)
    processor = Wav2Vec2FeatureExtractor(sampling_rate=sr, do_normalize=True)
    pooled = []
    for start in range(0, len(y) - 5 * sr + 1, 5 * sr):
        inputs = processor(y[start : start + 5 * sr], sampling_rate=sr, return_tensors="pt")
        with torch.no_grad():
            states = model(**inputs, output_hidden_states=True).hidden_states
        pooled.append(torch.stack(states).mean(dim=2)[:, 0].numpy())
    return np.stack(pooled)


def sklearn_cell(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: NDArray[np.int64],
    *,
    alpha: float,
    folds: int,
) -> float:
    """Cross-validate one layer, target and penalty with scikit-learn; return R²."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), Ridge(alpha=alpha))
    predicted = cross_val_predict(probe, x, y, groups=groups, cv=GroupKFold(folds))
    return float(r2_score(y, predicted))


def cosine_loop(
    vectors: NDArray[np.float32], row: int, weights: dict[int, float], k: int
) -> list[int]:
    """Rank tracks by a weighted sum of scikit-learn's cosines, layer after layer."""
    from sklearn.metrics.pairwise import cosine_similarity

    scores = np.zeros(len(vectors))
    for layer, weight in weights.items():
        scores += weight * cosine_similarity(vectors[row : row + 1, layer], vectors[:, layer])[0]
    scores[row] = -np.inf
    order: Sequence[int] = np.argsort(-scores)[:k].tolist()
    return list(order)


def segment_coordinates(
    n: int, *, per_track: int = 50, seed: int = 0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return made-up coordinates of segments, correlated as those of the demo library are.

    There three directions hold four fifths of the variance of the targets, and two fifths of it (of
    the whitened vectors three fifths) lie within tracks. The directions are the same for any seed.

    Returns
    -------
    x : ndarray [shape=(n, 12), dtype=float32]
        Standardised.
    overall : ndarray [shape=(n, 32), dtype=float32]
        Unit vectors.
    """
    rng = np.random.default_rng(seed)

    def within_tracks(width: int, share: float) -> NDArray[Any]:
        tracks = rng.standard_normal((-(-n // per_track), width)) * np.sqrt(1 - share)
        own = np.repeat(tracks, per_track, axis=0)[:n]
        return np.asarray(own + rng.standard_normal((n, width)) * np.sqrt(share))

    strength = np.sqrt([0.37, 0.30, 0.12, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01])
    latent = within_tracks(len(strength), 0.4) * strength
    x = latent @ np.random.default_rng(1).standard_normal((len(strength), 12))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    overall = within_tracks(32, 0.6)
    overall /= np.linalg.norm(overall, axis=1, keepdims=True)
    return x.astype(np.float32), overall.astype(np.float32)


def best_segments(
    x: NDArray[Any], overall: NDArray[Any], query: Sequence[Part], *, k: int
) -> NDArray[Any]:
    """Return the rows of the ``k`` highest scores, from a sort of all distances."""
    scores = np.zeros(len(x))
    for part in query:
        own, point = part.term.column_weights, part.point
        if own is None or point is None:
            continue
        if own.overall:
            apart = 1 - overall @ point.overall
        else:
            apart = np.square(x[:, own.columns] - point.x[own.columns]) @ own.shares
        share = np.searchsorted(np.sort(apart), apart, side="right") / len(x)
        alike = np.where(share < 0.5, 1 - 2 * share, -np.minimum((share - 0.5) / 0.4, 1))
        scores += part.weight * alike
    best = np.argpartition(-scores, k)[:k]
    return np.asarray(best[np.argsort(-scores[best])])


def course_distances(
    query: NDArray[np.float32], values: NDArray[np.float32], owner: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the distance of each stretch, shifted and scaled, to the query; track by track."""
    m = len(query)
    own = (query - query.mean()) / query.std()
    found = []
    for track in range(int(owner[-1]) + 1):
        windows = np.lib.stride_tricks.sliding_window_view(values[owner == track], m)
        mean, deviation = windows.mean(axis=1), windows.std(axis=1)
        scaled = (windows - mean[:, None]) / np.maximum(deviation, 1e-9)[:, None]
        found.append(np.linalg.norm(scaled - own, axis=1))
    return np.concatenate(found)
