"""The factor table of real recordings: rendered, encoded, asked, kept, and shown."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_music import material
from small_heads import head_tensors, write_head
from streamlit.testing.v1 import AppTest

from dashboard.components.weights import describe, slider_note, weighable
from mess.datasets.factor_music import FACTORS, Pair
from mess.datasets.rendering import INSTRUMENTS
from mess.records.factors import FactorsRecord
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.status.staleness import Sources, judge
from mess.storage.store import Store
from pipelines.factors_text import print_factors
from pipelines.run_factors import draw_factor_table
from pipelines.update_indices import update_index
from pipelines.write_report import write_report

PLACE = ("demo", "spectral")
PAIRS = [
    Pair(
        material("a", seed=1),
        material("b", seed=2),
        (INSTRUMENTS["strings"], INSTRUMENTS["piano"]),
    )
]


def put_head(store: Store, *, seed: int) -> None:
    tensors = head_tensors(2 * 128, seed=seed)
    known: dict[str, Any] = {"encoder": "spectral", "layers": [0, 5], "factor": "timbre"}
    write_head(store.root, "timbre-head", tensors=tensors, **known)


@pytest.fixture(scope="module")
def drawn(
    demo_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, FactorsRecord]]:
    """The demo library with a random head, and the table of one pair of pieces."""
    root = tmp_path_factory.mktemp("factors") / "data"
    shutil.copytree(demo_library / "processed", root / "processed")
    store = Store(root)
    put_head(store, seed=0)
    (root / "heads" / "torn").mkdir()
    update_index(dataset="demo", encoder="spectral", store=store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(root))
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("scratch")))
        record = draw_factor_table(
            dataset="demo", encoder="spectral", pairs=PAIRS, workers=1, store=store, tracking=False
        )
        assert not list(Path(tempfile.gettempdir()).iterdir())  # no audio is left
        yield store, record


def test_the_table_has_every_kind_of_similarity(drawn: tuple[Store, FactorsRecord]) -> None:
    store, record = drawn
    assert store.factors.read(*PLACE) == record
    assert record.pairs == ["a / b"] and record.triplets == 4 and record.factors == list(FACTORS)
    kinds = {row.kind: row for row in record.rows}
    assert set(kinds) >= {"head", "probe", "layer"}
    assert kinds["head"].name == "timbre-head" and kinds["head"].own == "timbre"
    scores = {row.name: row.scores for row in record.rows if row.kind == "layer"}
    # Strings and piano: the mean spectrum tells them apart, whatever is played.
    assert scores["layer 0"]["timbre"].accuracy == 1.0
    brightness = next(row for row in record.rows if (row.kind, row.name) == ("probe", "brightness"))
    assert brightness.own == "timbre" and set(brightness.scores) == set(FACTORS)


def test_the_table_stands_on_the_page_in_the_report_and_beside_the_slider(
    drawn: tuple[Store, FactorsRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, record = drawn
    print_factors(record)
    printed = capsys.readouterr().out
    assert "4 triplets of 1 pairs of works" in printed and "learned heads" in printed
    page = AppTest.from_function(_draw, default_timeout=60).run()
    (heatmap,) = page.get("bidi_component")
    assert (
        not page.exception and "4 triplets" in json.loads(heatmap.proto.json)[0]["table"]["caption"]
    )
    report, _ = write_report(dataset="demo", encoder="spectral", out=tmp_path, store=store)
    assert "timbre-head" in report.read_text(encoding="utf-8")
    recommender = LayerBasedRecommender(*PLACE, store=store)
    heard = recommender.aspects["timbre-head"].heard
    assert heard is not None
    assert "timbre-head" in weighable(recommender)
    assert slider_note(recommender, "timbre-head").startswith(f"learned {heard.accuracy:.2f}")
    assert "licence of its weights: MIT" in describe(recommender, "timbre-head")


def test_the_page_recommend_has_its_slider_and_tells_of_a_damaged_head(
    drawn: tuple[Store, FactorsRecord],
) -> None:
    script = AppTest.from_function(_recommend, default_timeout=60)
    script.session_state["dataset"], script.session_state["encoder"] = PLACE
    script.query_params["weights"] = "timbre-head:1"
    page = script.run()
    assert not page.exception and not page.warning
    captions = [one.value for one in page.caption]
    assert any("The learned head torn has no slider here" in text for text in captions)


def test_a_table_of_another_head_tells_nothing(
    drawn: tuple[Store, FactorsRecord], tmp_path: Path
) -> None:
    shutil.copytree(drawn[0].root, tmp_path / "data")
    store = Store(tmp_path / "data")
    origin = store.factors.read(*PLACE).origin
    assert not judge("factors", origin, Sources(store, *PLACE))
    tensors = head_tensors(2 * 128, seed=5)
    write_head(
        store.root,
        "timbre-head",
        encoder="spectral",
        layers=[0, 5],
        tensors=tensors,
        factor="timbre",
    )
    told = judge("factors", origin, Sources(store, *PLACE))
    assert "learned heads were added, changed or removed" in str(told)
    update_index(dataset="demo", encoder="spectral", store=store)
    recommender = LayerBasedRecommender(*PLACE, store=store)
    assert recommender.aspects["timbre-head"].heard is None
    assert slider_note(recommender, "timbre-head") == "learned"


def _recommend() -> None:
    from dashboard.pages.recommend import main

    main()


def _draw() -> None:
    from dashboard.sections.factors import show_factors

    show_factors("demo", "spectral")
