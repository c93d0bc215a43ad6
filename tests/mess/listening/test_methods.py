"""What each method says about an excerpt is about this excerpt, and comes from other works."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from mess.curves.readings import READINGS
from mess.curves.registry import CURVES
from mess.lanes.datasets import predict_dataset, read_dataset_curves
from mess.listening.methods import Distances, Methods, Pool, best_layer, margins_between
from mess.search.passages.recommender import PassageRecommender
from mess.storage.store import Store

SMALL = "small"  # the trained network of the library


def test_a_probe_through_time_reads_the_moments_of_the_excerpt_and_no_others(
    compared_library: Path,
) -> None:
    store = Store(compared_library)
    done = store.features.manifest("demo", SMALL).done()
    chosen = [(track, number) for track in list(done)[:6] for number in (0, 2)]
    pool = Pool(
        tracks=np.array([track for track, _ in chosen], dtype=object),
        works=np.array([done[track].work for track, _ in chosen], dtype=object),
        segments=np.array([number for _, number in chosen]),
        rows=np.arange(len(chosen)),
        start=np.array([5.0 * number for _, number in chosen]),
        seconds=np.full(len(chosen), 5.0),
    )
    passages = cast(PassageRecommender, SimpleNamespace(dataset="demo", encoder=SMALL))
    target = "onset_density"
    reading = READINGS[target]
    found = Methods(store, passages, pool).through_time([target])
    assert found is not None and not found.cosine
    # The same by another way: the curves of the whole dataset, cut at the times of the excerpts.
    record = store.discoveries.read("demo", SMALL).in_time
    assert record is not None
    (summary,) = [one for one in record.summaries if one.curve == reading.curve]
    measured = read_dataset_curves(store, "demo")
    layer = int(np.argmax(summary.layers))
    predicted = predict_dataset(store, "demo", SMALL, measured=measured, layer=layer)
    column, expected = list(CURVES).index(reading.curve), []
    for (track, _), start in zip(chosen, pool.start, strict=True):
        rows = measured.rows_of(track)
        at = measured.start[rows]
        inside = (at > start - 0.1) & (at < start + 4.9)
        assert inside.sum() == 10
        expected.append(float(reading.function(predicted[rows][inside, column].astype(float))))
    scaled = (np.array(expected) - np.mean(expected)) / np.std(expected)
    np.testing.assert_allclose(found.values[:, 0], scaled, atol=1e-3)
    assert Methods(store, passages, pool).through_time(["attack_slopes"]) is None  # of no curve


def test_a_margin_is_above_zero_where_a_is_closer() -> None:
    values = np.array([[0.0], [0.1], [1.0]])
    unit = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    methods: dict[Any, Distances] = {
        "mean": Distances(values, False, ""),
        "layer": Distances(unit, True, ""),
    }
    margins = margins_between(methods, np.array([[0, 1, 2], [0, 2, 1]]))
    np.testing.assert_allclose(margins, [[0.99, -1.0], [-0.99, 1.0]])


@pytest.mark.parametrize(("targets", "layer"), [(["a"], 1), (["b"], 0), (["gone"], None)])
def test_the_layer_of_an_aspect_is_that_of_its_best_probe(
    targets: list[str], layer: int | None
) -> None:
    cells: Any = [
        SimpleNamespace(target="a", layer=0, r2=0.2),
        SimpleNamespace(target="a", layer=1, r2=0.5),
        SimpleNamespace(target="b", layer=0, r2=0.4),
        SimpleNamespace(target="b", layer=1, r2=None),
    ]
    assert best_layer(cells, targets) == layer
