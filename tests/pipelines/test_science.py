"""From the command line: targets tested, datasets crossed, search evaluated, a report written."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from layouts import write_smd
from typer.testing import CliRunner, Result

from mess.errors import ArtifactMissing, MessError
from mess.records.evaluation import EvaluationRecord
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.storage.files import read_json, write_json
from mess.storage.store import Store
from mess.targets import TARGETS
from mess.targets.invariance import SAME_MUSIC
from mess.targets.reliability import CHANGES, concordance, split_half
from pipelines.cli import build_app
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_features
from pipelines.write_report import write_report


@pytest.fixture
def library(demo_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A copy of the demo library's artifacts, its audio in place."""
    root = tmp_path / "data"
    shutil.copytree(demo_library / "processed", root / "processed")
    (root / "audio").mkdir()
    (root / "audio" / "demo").symlink_to(demo_library / "audio" / "demo")
    monkeypatch.setenv("MESS_DATA", str(root))
    return Store(root)


def mess(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), arguments, catch_exceptions=False)


def test_an_evaluation_as_json(library: Store) -> None:
    ended = mess("evaluate", "--dataset", "demo", "--encoder", "spectral", "--json", "--no-mlflow")
    assert ended.exit_code == 0
    record = EvaluationRecord.from_json(json.loads(ended.stdout))
    faith = record.faithfulness
    for method in (faith.probe, faith.direct, faith.layer, faith.random):
        assert method.per_target.keys() >= set(faith.targets)
    assert faith.targets
    assert abs(faith.random.mean) < 0.1
    assert faith.direct.mean > 0.95
    assert faith.probe.mean > 1.5 * faith.layer.mean
    assert set(record.controlled["direct"]) >= {"tempo", "dynamics"}
    assert 0 < record.same_work["overall"].mrr <= 1
    assert library.evaluations.read("demo", "spectral") == record


def test_the_default_method_is_what_was_evaluated(library: Store) -> None:
    recommender = LayerBasedRecommender("demo", "spectral", store=library)
    decided = library.evaluations.read("demo", "spectral").defaults
    assert decided
    for name, one in decided.items():
        assert recommender.terms.default_method(name) == one.method


def test_shares_add_up_whatever_is_asked(library: Store) -> None:
    recommender = LayerBasedRecommender("demo", "spectral", store=library)
    names = [name for name, aspect in recommender.aspects.items() if aspect.steered]
    weights = {names[0]: 1.0, names[1]: -0.5, "overall": 0.7}
    tracks = recommender.track_ids
    for method in (None, "probe", "subspace", "direct"):
        found = recommender.multi_aspect_recommendation(
            tracks[:2], weights, 8, method=method, unlike=[tracks[5]], max_per_composer=2
        )
        assert found
        for one in found:
            assert sum(one.contributions.values()) == pytest.approx(one.score)
            assert set(one.contributions) == set(weights)
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        assert not {one.track_id for one in found} & {*tracks[:2], tracks[5]}


def test_an_offset_moves_and_a_hold_keeps(library: Store) -> None:
    recommender = LayerBasedRecommender("demo", "spectral", store=library)
    steered = [name for name, aspect in recommender.aspects.items() if aspect.steered]
    moved, held = steered[0], steered[-1]
    target, kept = recommender.aspects[moved].steered[0], recommender.aspects[held].steered[0]
    changes, strays = [], []
    for track in recommender.track_ids:
        found = recommender.multi_aspect_recommendation(
            track, {}, 3, method="probe", hold=[held], offset={moved: 1.0}
        )
        still = recommender.multi_aspect_recommendation(
            track, {held: 1.0, moved: 1.0}, 3, method="probe"
        )
        changes.append(
            np.mean([one.values[target]["track"] for one in found])
            - np.mean([one.values[target]["track"] for one in still])
        )
        strays.append(abs(found[0].values[kept]["track"] - found[0].values[kept]["query"]))
    assert np.mean(np.array(changes) > 0) > 0.8
    column = recommender.terms.coordinates.find(kept, "probe")[0]
    assert np.mean(strays) < recommender.terms.coordinates.columns[column].deviation
    with pytest.raises(MessError, match="cannot be moved by the method 'layer'"):
        recommender.multi_aspect_recommendation(
            recommender.track_ids[0], {}, 3, method="layer", offset={moved: 1.0}
        )


def test_opposites_are_opposite(library: Store) -> None:
    recommender = LayerBasedRecommender("demo", "spectral", store=library)
    aspect = next(name for name, one in recommender.aspects.items() if one.steered)
    n = len(recommender.track_ids) - 1
    track = recommender.track_ids[3]
    like = recommender.multi_aspect_recommendation(track, {aspect: 1.0}, n, method="probe")
    unlike = recommender.multi_aspect_recommendation(track, {aspect: -1.0}, n, method="probe")
    assert [one.track_id for one in like[:3]] == [one.track_id for one in unlike[::-1][:3]]


def test_weights_from_examples_and_duplicates_from_the_shell(library: Store) -> None:
    tracks = library.indices.read_record("demo", "spectral").tracks
    ended = mess("recommend", "--track", tracks[0], "--track", tracks[1], "--fit", "--json")
    assert ended.exit_code == 0
    assert len(json.loads(ended.stdout)) == 5
    ended = mess(
        "recommend", "--track", tracks[0], "--aspects", "overall=1", "--exclude-duplicates",
        "--max-per-composer", "1", "-k", "4", "--exclude-same-composer", "--one-per-work",
    )  # fmt: skip
    assert ended.exit_code == 0
    assert "overall" in ended.stdout


@pytest.mark.long
def test_targets_are_tested_and_weak_ones_marked(library: Store) -> None:
    options = ("--dataset", "demo", "--tracks", "3", "--changed-tracks", "1")
    ended = mess("check-targets", *options)
    assert ended.exit_code == 0
    record = library.reliability.read("demo")
    assert record.tracks == 3
    assert set(record.targets) == set(TARGETS)
    for name, row in record.targets.items():
        assert set(row.changes) == set(CHANGES)
        assert row.changes["gain +12 dB"] == pytest.approx(1.0, abs=0.01), name
        marked = any(one is not None and one < 0.7 for one in row.numbers().values())
        assert row.trusted != marked
        assert (f"{name} !" in ended.stdout) == marked
    (movements,) = record.movements.values()
    assert set(movements) == {change.name for change in SAME_MUSIC}
    for change, row in movements.items():
        assert set(row) == set(TARGETS)
        assert f"\n{change} " in ended.stdout
    assert row["tempo"] <= 1
    assert "holds nothing above 8 kHz" in ended.stdout


def test_agreement_is_less_for_what_is_shifted_or_scattered() -> None:
    a = np.random.default_rng(0).standard_normal(300)
    assert concordance(a, a) == pytest.approx(1.0)
    assert concordance(a, a + 1) == pytest.approx(2 * a.var() / (2 * a.var() + 1))
    assert concordance(a, -a) == pytest.approx(-1.0, abs=0.05)
    assert np.isnan(concordance(np.ones(5), np.ones(5)))
    noisy = a + np.random.default_rng(1).standard_normal(300)
    r = np.corrcoef(a, noisy)[0, 1]
    assert split_half(a, noisy) == pytest.approx(2 * r / (1 + r))
    assert split_half(a, -a) == 0.0


def test_datasets_are_crossed(library: Store, capsys: pytest.CaptureFixture[str]) -> None:
    write_smd(library.audio_dir("smd"), seconds=6.0)
    extract_features(dataset="smd", encoder="spectral", store=library)
    compute_dataset_targets(dataset="smd", store=library)
    ended = mess("cross", "--encoder", "spectral", "--datasets", "demo,smd")
    assert ended.exit_code == 0
    assert "demo → smd" in ended.stdout
    rows = library.cross_tables.read("spectral").rows
    assert {(row.train, row.test) for row in rows} == {("demo", "smd"), ("smd", "demo")}
    with pytest.raises(MessError, match="two datasets or more"):
        mess("cross", "--encoder", "spectral", "--datasets", "demo")


class Links(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tables += tag == "table"
        self.found += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert tag != "script"


def test_a_report_is_the_same_bytes_and_needs_nothing_else(library: Store, tmp_path: Path) -> None:
    first = write_report(dataset="demo", encoder="spectral", out=tmp_path / "a", store=library)
    second = write_report(dataset="demo", encoder="spectral", out=tmp_path / "b", store=library)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    page = first[0].read_text()
    links = Links()
    links.feed(page)
    assert links.found == []
    assert links.tables >= 6
    assert page.count("<circle") == sum(
        one.nested.r2 is not None and one.nested.r2 >= -0.5
        for one in library.discoveries.read("demo", "spectral").summaries
    )
    record = library.discoveries.read("demo", "spectral")
    text = first[1].read_text()
    for word in (record.features, record.targets, "seed 0", "4 folds", "Limits"):
        assert word in text
    with pytest.raises(ArtifactMissing, match="mess probe"):
        write_report(dataset="demo", encoder="none", out=tmp_path, store=library)


def test_an_evaluation_of_an_older_version_is_left_out_of_a_report_in_one_line(
    library: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = library.evaluations.path("demo", "spectral")
    content = read_json(path, command="")
    for older in (content | {"code_version": 1}, content.copy()):
        if older["code_version"] != 1:
            del older["baselines"]  # as a version before the baselines wrote it
        write_json(path, older)
        page, _ = write_report(dataset="demo", encoder="spectral", out=tmp_path, store=library)
        (line,) = (one for one in capsys.readouterr().err.splitlines() if "mess evaluate" in one)
        assert line.startswith("left out of the report: ") and "version" in line
        assert line.endswith("run `mess evaluate --dataset demo --encoder spectral`")
        assert "Faithfulness of rankings" not in page.read_text()
    write_json(path, content)


def test_names_in_a_report_are_text(library: Store, tmp_path: Path) -> None:
    record = library.discoveries.read("demo", "spectral")
    record.layer_names[0] = "<script>alert(1)</script>"
    library.discoveries.write(
        "demo",
        "spectral",
        record=record,
        predictions=library.discoveries.read_predictions("demo", "spectral"),
    )
    page, _ = write_report(dataset="demo", encoder="spectral", out=tmp_path, store=library)
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()
