"""A slider ranks by what was evaluated, and puts twins where their names say.

Twenty recordings of the demo library have twins that differ in one thing. A slider of that thing
must put that twin far down the list of its base, and the others near the top.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mess.errors import MessError
from mess.evaluation.controlled import OWN_CHANGE, find_variants
from mess.experiments.rows import aligned_targets
from mess.new_recordings.encoding import EncodedRecording, project_recording
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.terms import Method
from mess.storage.store import Store

# Another instrument has other attacks: its twin differs in more than its name.
ALSO_CHANGES = {("articulation", "instrument"), ("rhythmic_energy", "instrument")}


@pytest.fixture(scope="module")
def recommender(demo_library: Path) -> LayerBasedRecommender:
    return LayerBasedRecommender("demo", "spectral", store=Store(demo_library))


def places(
    recommender: LayerBasedRecommender, aspect: str, *, method: Method | None = None
) -> Mapping[str, float]:
    """Search as a listener does; return by change where its twin stands, 0 the top, 1 the end."""
    entries = Store(recommender._store.root).features.manifest("demo", "spectral").done()
    ids = recommender.track_ids
    variants = find_variants(ids, {track: one.extra for track, one in entries.items()})
    found: dict[str, list[float]] = {}
    for base, changed in variants.items():
        ranked = [
            one.track_id
            for one in recommender.recommend_by_aspect(ids[base], aspect, len(ids), method=method)
        ]
        for change, row in changed.items():
            found.setdefault(change, []).append(ranked.index(ids[row]) / (len(ranked) - 1))
    return {change: float(np.median(values)) for change, values in found.items()}


def test_every_slider_with_a_twin_puts_it_far_down_and_the_others_near_the_top(
    recommender: LayerBasedRecommender,
) -> None:
    judged = [name for name in recommender.get_available_aspects() if name in OWN_CHANGE]
    assert len(judged) >= 3
    for aspect in judged:
        place = dict(places(recommender, aspect))
        own = place.pop(OWN_CHANGE[aspect])
        others = [at for change, at in place.items() if (aspect, change) not in ALSO_CHANGES]
        assert own > 0.15, (aspect, own)
        assert own > 1.5 * max(others), (aspect, own, others)


def test_measured_tempo_puts_the_twin_of_another_tempo_far_down(
    recommender: LayerBasedRecommender,
) -> None:
    place = dict(places(recommender, "tempo", method="direct"))
    assert place.pop("tempo") > 0.5
    assert max(place.values()) < 0.1


def test_what_is_reported_is_how_a_search_ranks(recommender: LayerBasedRecommender) -> None:
    evaluation = recommender._store.evaluations.read("demo", "spectral")
    available = recommender.get_available_aspects()
    assert evaluation.defaults.keys() == set(available)
    complete = recommender.track_ids[0]
    for name in available:
        reported = evaluation.defaults[name].method
        found = recommender.recommend_by_aspect(complete, name, 3)
        assert [one.methods for one in found] == [{name: reported}] * 3
        asked = recommender.recommend_by_aspect(complete, name, 3, method=reported)
        assert [one.as_dict() for one in asked] == [one.as_dict() for one in found]
    assert recommender.terms.density_share == evaluation.tempo.density_share


@pytest.mark.parametrize("method", ["probe", "subspace", "direct", "layer"])
def test_a_slider_ranks_by_whatever_method_was_chosen(
    demo_library: Path, tmp_path: Path, method: Method
) -> None:
    shutil.copytree(demo_library / "processed", tmp_path / "processed")
    store = Store(tmp_path)
    record = store.evaluations.read("demo", "spectral")
    name = "brightness"
    chosen = replace(record.defaults[name], method=method)
    record = replace(record, defaults=record.defaults | {name: chosen})
    store.evaluations.write("demo", "spectral", record)
    recommender = LayerBasedRecommender("demo", "spectral", store=store)
    track = recommender.track_ids[0]
    found = recommender.recommend_by_aspect(track, name, 5)
    assert found[0].methods == {name: method}
    asked = recommender.recommend_by_aspect(track, name, 5, method=method)
    assert [one.track_id for one in found] == [one.track_id for one in asked]


def test_an_aspect_that_is_not_validated_is_ranked_by_measurement_on_request_only(
    recommender: LayerBasedRecommender,
) -> None:
    weak = next(name for name, one in recommender.aspects.items() if not one.validated)
    with pytest.raises(MessError, match="not validated .*'direct' ranks by what was measured"):
        recommender.recommend_by_aspect(recommender.track_ids[0], weak)
    found = recommender.recommend_by_aspect(recommender.track_ids[0], weak, method="direct")
    assert found[0].methods == {weak: "direct"}


def test_predicted_and_measured_values_of_one_target_stand_side_by_side(
    recommender: LayerBasedRecommender,
) -> None:
    terms = recommender.terms
    columns = [terms.coordinates.find("spectral_centroid", kind)[0] for kind in ("probe", "direct")]
    row = np.array([3])
    predicted, measured = terms.coordinates.values(row, columns)[0]
    kept = recommender.terms
    chosen: dict[str, Method] = {"brightness": "direct", "warmth": "probe"}
    recommender.terms = replace(terms, defaults={**terms.defaults, **chosen})
    try:
        found = recommender.multi_aspect_recommendation(
            recommender.track_ids[0], {"brightness": 1, "warmth": 1}, 1000
        )
    finally:
        recommender.terms = kept
    one = next(one for one in found if one.track_id == recommender.track_ids[3])
    assert one.values["spectral_centroid"]["track"] == pytest.approx(predicted)
    assert one.values["spectral_centroid:measured"]["track"] == pytest.approx(measured)


def test_the_strongest_plain_baseline_is_printed(demo_library: Path) -> None:
    record = Store(demo_library).evaluations.read("demo", "spectral")
    found = {(one.metric, one.over): one.mean for one in record.baselines}
    assert len(found) == 12
    assert found["centred cosine", "best layer"] == pytest.approx(
        record.faithfulness.layer.mean, abs=1e-6
    )
    assert record.faithfulness.probe.mean > max(found.values())


def test_a_recording_of_ones_own_is_found_by_its_measured_tempo(
    recommender: LayerBasedRecommender, demo_library: Path
) -> None:
    store = Store(demo_library)
    features = store.features.read("demo", "spectral", pooling="mean_std")
    measured, names = aligned_targets(
        store.targets.read("demo"), tracks=features.tracks, segments=features.segments
    )
    row = recommender.track_ids.index(features.tracks[3])
    segments = dict(store.features.read_segments("demo", "spectral"))
    new = EncodedRecording(
        made_by=recommender.made_by,
        duration=40.0,
        whole=features.values[3],
        segments=segments[features.tracks[3]],
        measured=dict(zip(names, measured[3].tolist(), strict=True)),
        moments=np.empty((0, *features.values.shape[1:]), dtype=np.float16),
    )
    found = recommender.multi_aspect_recommendation(
        project_recording(new, recommender), {"tempo": 1.0}, 1, method="direct"
    )
    assert found[0].score == pytest.approx(1, abs=1e-4)
    coordinates = recommender.terms.coordinates
    columns = coordinates.find("tempo", "direct_octaves")
    np.testing.assert_allclose(
        project_recording(new, recommender).x[columns], coordinates.point(row).x[columns], atol=1e-4
    )
