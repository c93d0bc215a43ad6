"""A recommendation is similar in the aspect that was asked for, and says how each one counts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_records import made_cell, made_discovery, made_entry, made_header, made_summary

from mess.errors import ArtifactError, ArtifactMissing, MessError, UnknownName
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages import build
from mess.search.passages.recommender import PassageRecommender
from mess.storage.store import Store
from mess.versions import DISCOVERY_VERSION
from pipelines.build_indices import build_index

TRACKS = [f"Work{row // 3:02d}-{row % 3 + 1:02d}" for row in range(24)]
LAYERS, DIM = 4, 16
# R² of each target in each layer: brightness lives in layer 2, tempo in 1, dynamics in 2 as well.
SCORES = {
    "spectral_centroid": [0.1, 0.3, 0.9, 0.2],
    "tempo": [0.0, 0.7, 0.4, 0.1],
    "dynamic_range": [0.1, 0.2, 0.6, -1.0],
    "onset_density": [0.1, 0.2, 0.12, -3.0],
}


def extract(store: Store, *, seed: int = 0, encoder: str = "e", audio: str = "") -> np.ndarray:
    """Write features as an extraction does; return them [track, layer, dim]."""
    values = np.random.default_rng(seed).standard_normal((len(TRACKS), LAYERS, DIM))
    header = made_header(encoder=encoder, layers=LAYERS, dim=DIM, layer_names=list("0123"))
    manifest = store.features.resume("d", encoder, header=header)
    for track, pooled in zip(TRACKS, values.astype(np.float32), strict=True):
        checksums = store.features.write(
            "d",
            encoder,
            track,
            aggregated=pooled,
            segments=pooled[None].astype(np.float16),
            aggregated_std=np.zeros_like(pooled),
            segments_std=np.zeros_like(pooled[None], dtype=np.float16),
        )
        entry = made_entry(checksums, sha256=track + audio, work=track.split("-")[0])
        manifest.record(track, entry)
    manifest.close()
    return values.astype(np.float32)


def probe(store: Store, *, encoder: str = "e") -> None:
    record = made_discovery(
        [
            made_cell(layer, target, r2, p_family=0.001, works=24)
            for target, row in SCORES.items()
            for layer, r2 in enumerate(row)
        ],
        [made_summary(target, max(row)) for target, row in SCORES.items()],
        encoder=encoder,
        code_version=DISCOVERY_VERSION,
        features=store.features.manifest("d", encoder).digest(),
        targets=None,
    )
    store.discoveries.write("d", encoder, record=record, predictions=pd.DataFrame({"track": []}))


@pytest.fixture
def store(data_root: Path) -> Store:
    return Store(data_root)


@pytest.fixture
def values(store: Store) -> np.ndarray:
    found = extract(store)
    probe(store)
    build_index(dataset="d", encoder="e", store=store)
    return found


def cosines(values: np.ndarray, layer: int, row: int) -> np.ndarray:
    centred = values[:, layer] - values[:, layer].mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return unit @ unit[row]


def similarities(values: np.ndarray, layer: int, row: int) -> np.ndarray:
    """1 for the track itself, 0 at the median of its distances, −1 for the farthest tenth."""
    apart = 1 - cosines(values, layer, row)
    apart[row] = 0.0
    nearer = (apart <= apart[:, None] + 1e-9).mean(axis=1)
    alike = np.where(nearer < 0.5, 1 - 2 * nearer, -np.minimum((nearer - 0.5) / 0.4, 1.0))
    alike[row] = 1.0
    return alike


def test_the_call_of_the_readme_works(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    assert (recommender.dataset, recommender.encoder) == ("d", "e")
    assert recommender.get_available_aspects() == ["brightness", "warmth", "tempo", "dynamics"]
    found = recommender.recommend_by_aspect(
        TRACKS[4], aspect="brightness", n_recommendations=5, method="layer"
    )
    expected = cosines(values, 2, 4)
    order = [row for row in np.argsort(-expected) if row != 4][:5]
    assert [one.track_id for one in found] == [TRACKS[row] for row in order]
    np.testing.assert_allclose(
        [one.score for one in found], similarities(values, 2, 4)[order], atol=1e-3
    )


def test_several_aspects_add_up(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    weights = {"brightness": 0.6, "tempo": 0.3, "dynamics": 0.1}
    found = recommender.multi_aspect_recommendation(
        TRACKS[0], aspect_weights=weights, n_recommendations=23, method="layer"
    )
    by_layer = {2: similarities(values, 2, 0), 1: similarities(values, 1, 0)}
    total = 0.7 * by_layer[2] + 0.3 * by_layer[1]
    order = [row for row in np.argsort(-total) if row != 0]
    # Where scores are equal, the order does not matter.
    np.testing.assert_allclose([one.score for one in found], total[order], atol=1e-3)
    order = [TRACKS.index(one.track_id) for one in found]
    for one, row in zip(found, order, strict=True):
        assert one.score == pytest.approx(total[row], abs=1e-3)
        assert sum(one.contributions.values()) == pytest.approx(one.score, abs=1e-12)
        assert one.contributions == pytest.approx(
            {
                "brightness": 0.6 * by_layer[2][row],
                "tempo": 0.3 * by_layer[1][row],
                "dynamics": 0.1 * by_layer[2][row],
            },
            abs=1e-3,
        )


def test_only_the_ratios_of_the_weights_matter(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    small = recommender.multi_aspect_recommendation(
        TRACKS[3], {"brightness": 0.6, "tempo": 0.4}, method="layer"
    )
    large = recommender.multi_aspect_recommendation(
        TRACKS[3], {"brightness": 60, "tempo": 40, "dynamics": 0}, method="layer"
    )
    assert [one.track_id for one in small] == [one.track_id for one in large]
    assert [one.score for one in small] == pytest.approx([one.score for one in large])


@pytest.mark.parametrize("k", [1, 5, 23, 24, 1000])
def test_the_query_is_never_among_its_results(values: np.ndarray, k: int) -> None:
    recommender = LayerBasedRecommender()
    for track in TRACKS:
        found = [
            one.track_id
            for one in recommender.recommend_by_aspect(track, "tempo", k, method="layer")
        ]
        assert track not in found
        assert len(found) == len(set(found)) == min(k, 23)


def test_other_recordings_of_the_work_can_be_left_out(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    query = "Work03-02"
    whole = recommender.recommend_by_aspect(query, "tempo", 100, method="layer")
    others = recommender.recommend_by_aspect(
        query, "tempo", 100, exclude_same_work=True, method="layer"
    )
    assert {"Work03-01", "Work03-03"} < {one.track_id for one in whole}
    assert [one for one in whole if not one.track_id.startswith("Work03")] == others
    assert len(others) == 21


def test_one_work_can_take_one_place_alone(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    everything, each = (
        recommender.recommend_by_aspect(
            TRACKS[0], "tempo", len(TRACKS), method="layer", one_per_work=one_per_work
        )
        for one_per_work in (False, True)
    )
    best: dict[str, str] = {}
    for one in everything:
        best.setdefault(one.track_id.split("-")[0], one.track_id)
    assert len(best) < len(everything)
    assert [one.track_id for one in each] == list(best.values())


def test_results_become_a_json_list_of_objects(values: np.ndarray) -> None:
    found = LayerBasedRecommender().recommend_by_aspect(TRACKS[0], "tempo", 2, method="layer")
    plain = json.loads(json.dumps([one.as_dict() for one in found]))
    assert [sorted(one) for one in plain] == [
        ["contributions", "methods", "score", "track_id", "values"]
    ] * 2
    assert plain[0]["methods"] == {"tempo": "layer"}
    assert plain[0]["contributions"]["tempo"] == pytest.approx(plain[0]["score"])


def test_what_is_unknown_names_the_nearest(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    with pytest.raises(UnknownName, match="unknown track 'work03-2': did you mean 'Work03-02'"):
        recommender.recommend_by_aspect("work03-2", "tempo", method="layer")
    with pytest.raises(UnknownName, match="unknown aspect 'Brightnes': did you mean 'brightness'"):
        recommender.recommend_by_aspect(TRACKS[0], "Brightnes", method="layer")


def test_an_aspect_without_a_good_probe_is_refused_with_its_r2(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    with pytest.raises(MessError, match=r"'rhythmic_energy' is not validated .*R² 0\.200 is under"):
        recommender.recommend_by_aspect(TRACKS[0], "rhythmic_energy")
    with pytest.raises(MessError, match=r"\(undefined\); validated: brightness, warmth"):
        recommender.recommend_by_aspect(TRACKS[0], "phrasing", method="layer")
    assert recommender.aspects["rhythmic_energy"].r2 == 0.2
    assert "rhythmic_energy" in LayerBasedRecommender(threshold=0.15).get_available_aspects()


def test_a_whole_layer_never_stands_in_for_coordinates_unasked(values: np.ndarray) -> None:
    recommender = LayerBasedRecommender()
    with pytest.raises(ArtifactError, match="without targets .*: run `mess targets --dataset d &&"):
        recommender.recommend_by_aspect(TRACKS[0], "tempo")
    assert recommender.recommend_by_aspect(TRACKS[0], "tempo", method="layer")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "at least one aspect a weight other than 0"),
        ({"tempo": 0}, "at least one aspect a weight other than 0"),
        ({"tempo": float("nan")}, "must be a number, not nan"),
        ({"tempo": float("inf")}, "must be a number, not inf"),
    ],
)
def test_weights_that_make_no_sense_are_refused(
    values: np.ndarray, weights: dict[str, float], message: str
) -> None:
    with pytest.raises(MessError, match=message):
        LayerBasedRecommender().multi_aspect_recommendation(TRACKS[0], weights, method="layer")


def test_a_choice_between_model_and_measurement_that_is_none_is_refused(
    values: np.ndarray,
) -> None:
    with pytest.raises(UnknownName, match="unknown choice 'modle': did you mean 'model'"):
        LayerBasedRecommender().multi_aspect_recommendation(
            TRACKS[0],
            {"tempo": 1.0},
            by="modle",  # type: ignore[arg-type]
        )


def test_asking_for_none_is_refused(values: np.ndarray) -> None:
    with pytest.raises(MessError, match="at least 1 recommendation, not 0"):
        LayerBasedRecommender().recommend_by_aspect(TRACKS[0], "tempo", 0, method="layer")


def test_an_index_older_than_the_features_is_refused(store: Store, values: np.ndarray) -> None:
    extract(store, seed=1, audio=" changed")
    with pytest.raises(
        ArtifactError,
        match="index .* stale .the features have changed since.*: run `mess index --dataset d",
    ):
        LayerBasedRecommender("d", "e")
    build_index(dataset="d", encoder="e", store=store)
    with pytest.raises(ArtifactError, match="discovery .* is stale .*: run `mess probe"):
        LayerBasedRecommender("d", "e")
    probe(store)
    assert LayerBasedRecommender("d", "e").recommend_by_aspect(TRACKS[0], "tempo", method="layer")


def test_the_same_audio_extracted_again_leaves_the_index_valid(
    store: Store, values: np.ndarray
) -> None:
    extract(store)
    assert LayerBasedRecommender("d", "e").recommend_by_aspect(TRACKS[0], "tempo", method="layer")


def test_what_is_missing_or_damaged_names_its_command(store: Store, values: np.ndarray) -> None:
    index = store.root / "processed/indices/d/e"
    (one,), (other,) = (list(index.glob(f"layer-0{n}.*.faiss")) for n in (1, 2))
    one.write_bytes(other.read_bytes())
    with pytest.raises(ArtifactError, match=r"layer-01\..{8}\.faiss is damaged: run `mess index"):
        LayerBasedRecommender().recommend_by_aspect(TRACKS[0], "tempo", method="layer")
    for content in ("{", "{}", '{"tracks": []}'):
        (index / "manifest.json").write_text(content)
        with pytest.raises(
            ArtifactError, match=r"manifest\.json (is|was made) .*: run `mess index"
        ):
            LayerBasedRecommender("d", "e")
    (index / "manifest.json").unlink()
    with pytest.raises(ArtifactMissing, match="is missing: run `mess index --dataset d --enc"):
        LayerBasedRecommender("d", "e")
    with pytest.raises(ArtifactMissing, match="an index of 'd' is missing: run `mess run-all"):
        LayerBasedRecommender("d")
    with pytest.raises(ArtifactMissing, match="mess run-all --dataset demo"):
        LayerBasedRecommender()


def test_the_newest_index_is_taken_unless_one_is_named(store: Store, values: np.ndarray) -> None:
    other = "random:mert-v1-95m"
    extract(store, seed=5, encoder=other)
    probe(store, encoder=other)
    build_index(dataset="d", encoder=other, store=store)
    assert LayerBasedRecommender().encoder == other
    assert LayerBasedRecommender(encoder="e").encoder == "e"
    assert LayerBasedRecommender(encoder=other).dataset == "d"


def test_a_model_folder_is_found_by_its_path(
    store: Store, values: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "e"
    folder.mkdir(parents=True)
    assert LayerBasedRecommender(encoder=str(folder)).dataset == "d"


def test_the_composer_of_a_query_can_be_left_out(store: Store) -> None:
    extract(store)
    manifest = store.features.manifest("d", "e")
    for number, (track, entry) in enumerate(manifest.done().items()):
        manifest.record(track, replace(entry, composer=["A", "B", ""][number % 3]))
    manifest.close()
    probe(store)
    build_index(dataset="d", encoder="e", store=store)
    recommender = LayerBasedRecommender("d", "e")

    def left(*queries: int) -> set[str]:
        found = recommender.multi_aspect_recommendation(
            [TRACKS[row] for row in queries],
            {"tempo": 1.0},
            100,
            method="layer",
            exclude_same_composer=True,
        )
        return {one.track_id for one in found}

    assert left(0) == {track for n, track in enumerate(TRACKS) if n % 3 != 0}
    assert left(0, 1) == {track for n, track in enumerate(TRACKS) if n % 3 == 2}
    assert left(2) == set(TRACKS) - {TRACKS[2]}  # nobody knows who wrote it


def test_passages_whose_vectors_stay_on_disk_are_the_same(
    store: Store, values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the memory is too small for them; the index says so, and its damage is found."""
    query = (TRACKS[0], 0.0)
    in_memory = PassageRecommender("d", "e", store=store).recommend(query, {"overall": 1.0}, 3)
    assert "on disk" not in build.describe_passages(store.passages.read_record("d", "e"))
    monkeypatch.setattr(build, "MEMORY_SHARE", 1e-9)
    monkeypatch.setattr(build, "FLAT_UP_TO", 1)
    build_index(dataset="d", encoder="e", store=store)
    record = store.passages.read_record("d", "e")
    assert "stay on disk, because they take more than" in build.describe_passages(record)
    on_disk = PassageRecommender("d", "e", store=store).recommend(query, {"overall": 1.0}, 3)
    assert [one.track_id for one in on_disk] == [one.track_id for one in in_memory]
    expected = pytest.approx([one.score for one in in_memory], abs=1e-4)
    assert [one.score for one in on_disk] == expected
    assert record.search.lists is not None
    path = store.passages.lists("d", "e").path(record.search.lists.crc32)
    assert store.passages.missing("d", "e", record, whole=True) == []
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert store.passages.missing("d", "e", record, whole=True) == [path.name]
    path.write_bytes(content[:-1])
    with pytest.raises(ArtifactError, match="is damaged: run `mess index"):
        PassageRecommender("d", "e", store=store)
