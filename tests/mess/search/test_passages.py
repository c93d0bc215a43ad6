"""Passages: exact scores, merged neighbours, nothing scored by a fit that knew its work."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from tones import write_tone

from mess.encoders import load_encoder
from mess.errors import ArtifactError, AudioError, MessError, UnknownName
from mess.new_recordings.encoding import (
    EncodedRecording,
    encode_recording,
    predicted_values,
    project_recording,
    project_segments,
)
from mess.probing.stacking import Segments
from mess.search.coordinates import make_coordinates
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender
from mess.search.passages.segment_coordinates import SegmentProjector, fold_of_tracks
from mess.search.ranking import Query
from mess.search.weights import share_weights
from mess.storage.files import write_json
from mess.storage.store import Store


@pytest.fixture(scope="module")
def store(demo_library: Path) -> Store:
    return Store(demo_library)


@pytest.fixture(scope="module")
def passages(store: Store) -> PassageRecommender:
    return PassageRecommender("demo", "spectral", store=store)


@pytest.fixture(scope="module")
def recommender(store: Store) -> LayerBasedRecommender:
    return LayerBasedRecommender("demo", "spectral", store=store)


def test_scores_are_those_of_all_segments(passages: PassageRecommender) -> None:
    track = passages.track_ids[0]
    names = [*passages.get_available_aspects()[:2], "overall"]
    weights = dict(zip(names, (1.0, -0.5, 0.8), strict=True))
    found = passages.recommend((track, 6.0), weights, 10)
    assert len(found) == 10
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert one.track_id != track
        assert sum(one.contributions.values()) == pytest.approx(one.score)
        assert one.start <= one.best < one.end
    # No segment of another track scores higher than the first.
    row = passages._row(track, 6.0)
    terms = [passages.terms.make(n, w) for n, w in share_weights(weights, names).items()]
    scores = passages._space.scores(Query(terms, [(row, 1.0)]))
    scores[passages._track_of == 0] = -np.inf
    assert found[0].score == pytest.approx(float(scores.max()), abs=1e-4)
    assert all(-1 <= one.score <= 1 for one in found)


def test_neighbours_become_one_passage(passages: PassageRecommender) -> None:
    aspect = passages.get_available_aspects()[0]
    found = passages.recommend((passages.track_ids[3], 0.0), {aspect: 1.0}, 30)
    assert any(one.end - one.start > 5.01 for one in found)
    spans = sorted((one.track_id, one.start, one.end) for one in found)
    for one, other in zip(spans, spans[1:], strict=False):
        assert one[0] != other[0] or one[2] < other[1], "two passages touch"
    alone = passages.recommend((passages.track_ids[3], 0.0), {aspect: 1.0}, 8, max_per_track=1)
    assert len({one.track_id for one in alone}) == 8


def test_the_same_work_and_composers_are_left_out(passages: PassageRecommender) -> None:
    track = next(t for t in passages.track_ids if t.endswith("_p1"))
    work = passages._works[passages._number[track]]
    found = passages.recommend(
        (track, 3.0), {"overall": 1.0}, 20, exclude_same_work=True, max_per_composer=2
    )
    numbers = [passages._number[one.track_id] for one in found]
    assert work not in {passages._works[number] for number in numbers}
    composers = [passages._composers[number] for number in numbers]
    assert max(composers.count(name) for name in composers if name) <= 2


def test_moved_held_and_several(passages: PassageRecommender) -> None:
    aspect = passages.get_available_aspects()[0]
    target = passages.aspects[aspect].steered[0]
    track = passages.track_ids[5]
    near = passages.recommend((track, 0.0), {aspect: 1.0}, 5)
    more = passages.recommend((track, 0.0), {}, 5, offset={aspect: 1.5})
    value = [
        np.mean([one.values[target]["track"] - one.values[target]["query"] for one in found])
        for found in (near, more)
    ]
    assert value[1] > value[0]
    both = passages.recommend([(track, 0.0), (passages.track_ids[6], 9.0)], {aspect: 1.0}, 3)
    assert not {one.track_id for one in both} & {track, passages.track_ids[6]}
    assert passages.recommend((track, 0.0), {aspect: 1.0}, 3, unlike=[(track, 20.0)])


def test_moments_and_windows(passages: PassageRecommender) -> None:
    track = passages.track_ids[0]
    windows = passages.windows(track)
    length = windows[-1][1]
    assert windows[0] == (0.0, 5.0)
    assert windows[-1][1] - windows[-1][0] == pytest.approx(5.0)
    for window in windows:
        assert passages.window(track, window[0]) == window
    assert passages.window(track, length) == windows[-1]
    with pytest.raises(MessError, match="has no sound at"):
        passages.window(track, length + 1)
    with pytest.raises(UnknownName):
        passages.window("nobody", 0.0)
    with pytest.raises(UnknownName):
        passages.recommend((track, 0.0), {"loudness": 1.0})
    with pytest.raises(MessError, match="not validated"):
        passages.recommend((track, 0.0), {"phrasing": 1.0})


def test_stale_passages_are_refused(store: Store, tmp_path: Path) -> None:
    record = store.passages.read_record("demo", "spectral")
    path = store.indices.folder("demo", "spectral") / "passages.json"
    whole = path.read_text()
    try:
        write_json(path, replace(record, features="older").to_json())
        with pytest.raises(ArtifactError, match="features have changed since.*: run `mess index"):
            PassageRecommender("demo", "spectral", store=store)
    finally:
        path.write_text(whole)


def planted(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, Segments]:
    """Tracks of ten segments, of which one target is a direction of the features."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(40), 10)
    x = rng.standard_normal((400, 12)) + np.repeat(rng.standard_normal((40, 12)), 10, axis=0)
    y = x[:, :1] + 0.3 * rng.standard_normal((400, 1))
    features = np.array([x[owner == row].mean(axis=0) for row in range(40)])
    target = np.array([y[owner == row].mean() for row in range(40)])[:, None]
    wide = np.concatenate([features, np.ones_like(features)], axis=1)[:, None]
    return wide, target, np.arange(40) // 2, Segments([x], y, owner)


def test_a_segment_never_meets_a_fit_that_saw_its_work() -> None:
    features, target, works, segments = planted()
    hidden = int(works[0])
    rows = np.flatnonzero(works == hidden)
    own = np.isin(segments.owner, rows)

    def place_own(wrong: float) -> np.ndarray:
        """Place the hidden work's segments after its targets were made wrong by so much."""
        targets = segments.targets.copy()
        targets[own] += wrong
        of_tracks = target.copy()
        of_tracks[rows] += wrong
        course = pd.DataFrame(index=range(40))
        made = make_coordinates(
            features,
            of_tracks,
            works,
            names=["rms"],
            course=course,
            segments=Segments(segments.predictors, targets, segments.owner),
        )
        placer = SegmentProjector(made.of_segments, ["rms"], segments.predictors[0][:, None])
        fold = fold_of_tracks(made.fold, works.tolist())
        for row in range(40):
            placer.add(segments.predictors[0][segments.owner == row][:, None], fold=int(fold[row]))
        return np.concatenate(placer._values)[own, 0]

    np.testing.assert_array_equal(place_own(0.0), place_own(1e4))


def test_a_track_without_targets_goes_with_its_work() -> None:
    fold = np.array([0, -1, 2, -1])
    assert fold_of_tracks(fold, ["a", "a", "b", "c"]).tolist() == [0, 0, 2, -1]


def test_what_is_not_indexed_is_placed_like_what_is() -> None:
    features, target, works, segments = planted()
    course = pd.DataFrame(index=range(40))
    made = make_coordinates(
        features, target, works, names=["tempo"], course=course, segments=segments
    )
    placed = made.projection.coordinates(features)
    assert np.corrcoef(placed[:, 0], made.values[:, 0])[0, 1] > 0.98
    assert np.abs(placed[:, 0] - made.values[:, 0]).max() < 0.5  # only folds differ
    assert np.isnan(placed[:, 1]).all()  # measured: features do not tell
    np.testing.assert_allclose(made.projection.overall(features), made.overall, atol=1e-8)
    # A track whose target is hidden is placed by the index as the projection places it.
    hidden = target.copy()
    hidden[:4] = np.nan
    partly = make_coordinates(features, hidden, works, names=["tempo"], course=course)
    np.testing.assert_allclose(
        partly.projection.coordinates(features)[:4, 0], partly.values[:4, 0], atol=1e-4
    )


def test_a_recording_finds_itself(
    store: Store, recommender: LayerBasedRecommender, passages: PassageRecommender, tmp_path: Path
) -> None:
    header = recommender.made_by
    track = recommender.track_ids[4]
    entry = store.features.manifest("demo", "spectral").done()[track]
    path = store.audio_dir("demo") / entry.path
    new = encode_recording(path, load_encoder("spectral"), like=header)
    again = EncodedRecording.deserialise(new.serialise())
    point = project_recording(again, recommender)
    best = recommender.multi_aspect_recommendation(point, {"overall": 1.0}, 1)[0]
    assert best.track_id == track and best.score == pytest.approx(1.0, abs=1e-3)
    aspect = recommender.get_available_aspects()[0]
    for method in ("probe", "subspace", "direct", "layer"):
        found = recommender.multi_aspect_recommendation(point, {aspect: 1.0}, 5, method=method)
        shares = [sum(one.contributions.values()) for one in found]
        assert shares == pytest.approx([one.score for one in found])
        if method in ("direct", "layer"):
            assert found[0].track_id == track
    segment = project_segments(again, passages)[2]
    assert passages.recommend(segment, {"overall": 1.0}, 1)[0].track_id == track
    known = store.targets.read("demo").droplevel("segment").loc[track]
    for name, value in again.measured.items():
        assert value == pytest.approx(known[name], rel=1e-6)
    assert set(predicted_values(again, recommender)) >= {"spectral_centroid"}


def test_another_encoder_is_refused(recommender: LayerBasedRecommender, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.wav", 7)
    header = replace(recommender.made_by, settings={"version": -1})
    with pytest.raises(MessError, match=r"another 'spectral' .*\(settings\): run `mess extract"):
        encode_recording(path, load_encoder("spectral"), like=header)


def test_hour_long_files_are_refused_early(
    recommender: LayerBasedRecommender, tmp_path: Path
) -> None:
    path = tmp_path / "long.flac"
    silence = np.zeros(8000 * 60, dtype=np.float32)
    with soundfile.SoundFile(path, "w", 8000, 1) as sink:
        for _ in range(90):
            sink.write(silence)
    with pytest.raises(AudioError, match="longer than 60 minutes"):
        encode_recording(path, load_encoder("spectral"), like=recommender.made_by)
