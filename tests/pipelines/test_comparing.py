"""Encoders of a real library side by side, from the command line."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mess.encoders import PRESETS
from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.probing.results import NESTED
from mess.records.comparison import ComparisonRecord, SliderFaithfulness
from mess.records.discovery import ProbeSettings
from mess.reports.encoder_comparison import compare_encoders, control_of, difference, with_rates
from mess.storage.files import read_json, write_json
from mess.storage.store import Store
from pipelines.cli import build_app
from pipelines.run_probing import run_probing

FAST = ProbeSettings(folds=4, permutations=0, repeats=1, controls=False, frames="off")


@pytest.fixture
def library(compared_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Artifacts that a test may change, their audio in place."""
    root = tmp_path / "data"
    shutil.copytree(compared_library / "processed", root / "processed")
    monkeypatch.setenv("MESS_DATA", str(root))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Store(root)


@pytest.fixture(scope="module")
def record(compared_library: Path) -> ComparisonRecord:
    return compare_encoders("demo", store=Store(compared_library))


def mess(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), arguments, catch_exceptions=False)


def test_each_encoder_stands_with_its_scores_control_and_cost(
    record: ComparisonRecord, compared_library: Path
) -> None:
    store = Store(compared_library)
    names = [row.name for row in record.encoders]
    assert sorted(names) == ["random:small", "small", "spectral"]
    assert names.index("random:small") == names.index("small") + 1
    control = control_of(record, "small")
    assert control is not None and control.name == "random:small"
    assert control_of(record, "spectral") is None
    for row in record.encoders:
        discovery = store.discoveries.read("demo", row.name)
        for one in discovery.summaries:
            cell = row.r2[one.target]
            assert cell.r2 == one.nested.r2
            assert cell.layers == one.within
        assert row.seconds_per_minute > 0
        assert row.bytes == sum(
            path.stat().st_size
            for path in (store.root / "processed" / "features" / "demo").rglob("*")
            if path.is_file() and path.is_relative_to(_folder(store, row.name))
        )
    spectral = next(row for row in record.encoders if row.name == "spectral")
    evaluation = store.evaluations.read("demo", "spectral")
    assert spectral.faithfulness == SliderFaithfulness(
        probe=evaluation.faithfulness.probe.mean,
        plain=max(one.mean for one in evaluation.baselines),
    )
    assert (spectral.layers, spectral.dim) == (10, 128)
    assert control.faithfulness is None


def _folder(store: Store, name: str) -> Path:
    return store.root / "processed" / "features" / "demo" / name.replace(":", "-")


def test_every_pair_is_compared_both_ways(record: ComparisonRecord) -> None:
    assert len(record.pairs) == 3
    there, back = (
        difference(record, *names) for names in (("spectral", "small"), ("small", "spectral"))
    )
    opposite = {"beats": "loses", "loses": "beats", "not told apart": "not told apart"}
    for target, one in there.targets.items():
        other = back.targets[target]
        assert other.difference == -one.difference
        assert (other.low, other.high) == (-one.high, -one.low)
        assert other.verdict == opposite[one.verdict]
        assert one.low <= one.difference <= one.high
        assert one.p <= one.p_holm
        if one.verdict != "not told apart":
            assert one.low > 0 or one.high < 0
    with pytest.raises(KeyError):
        difference(record, "spectral", "none")


def test_presets_that_could_join_are_listed_with_their_command(record: ComparisonRecord) -> None:
    missing = {row.name: row for row in record.missing}
    assert {*PRESETS} - {"spectral"} <= missing.keys()
    assert "spectral" not in missing
    mert = missing["mert-v1-95m"]
    assert mert.state == "not extracted"
    assert mert.command == "mess run-all --dataset demo --encoder mert-v1-95m"
    assert (mert.layers, mert.dim, mert.licence) == (13, 768, "CC-BY-NC-4.0")


def test_nested_predictions_lie_beside_those_of_the_layers(compared_library: Path) -> None:
    store = Store(compared_library)
    table = store.discoveries.read_predictions("demo", "small")
    nested, first = table[table["layer"] == NESTED], table[table["layer"] == 0]
    keys = ["track", "segment", "target", "fold", "true"]
    assert nested[keys].to_numpy().tolist() == first[keys].to_numpy().tolist()
    influence = store.discoveries.read("demo", "small").influence
    works = {
        entry.work
        for track, entry in store.features.manifest("demo", "small").done().items()
        if track in set(table["track"])
    }
    assert set(influence.groups) == works
    assert all(len(moves) == len(works) for moves in influence.by_target.values())


def test_what_a_track_took_makes_nothing_stale(library: Store) -> None:
    manifest = library.features.manifest("demo", "small")
    rates = library.timings.read_rates("demo", "small")
    assert len(rates) == len(manifest.tracks)
    assert min(rates) > 0
    library.timings.append("demo", "small", seconds=99.0, duration=1.0)
    assert library.timings.read_rates("demo", "small")[-1] == 99.0
    now = library.features.manifest("demo", "small")
    assert (now.tracks, now.digest()) == (manifest.tracks, manifest.digest())


def test_as_text(library: Store) -> None:
    ended = mess("compare", "--dataset", "demo", "--no-mlflow")
    assert ended.exit_code == 0
    text = ended.stdout
    assert max(map(len, text.splitlines())) <= 110
    assert " of works never heard" in text
    for target in library.discoveries.read("demo", "spectral").target_names:
        assert f"\n{target} " in text
    assert "random    gain" in text
    found = library.comparisons.read("demo")
    pair = next(p for p in found.pairs if {p.a, p.b} == {"spectral", "small"})
    assert f"{pair.a} minus {pair.b}: mean difference" in text
    beats = [target for target, one in pair.targets.items() if one.verdict == "beats"]
    assert f"beats on {len(beats)}" in text
    assert "not extracted: `mess run-all --dataset demo --encoder mert-v1-95m`" in text


@pytest.mark.long
def test_as_json_of_chosen_encoders_and_in_mlflow(library: Store, empty_mlflow: Path) -> None:
    from mlflow.tracking import MlflowClient

    shutil.copy(empty_mlflow, library.mlflow_db)
    ended = mess("compare", "--dataset", "demo", "--encoders", "small, spectral", "--json")
    assert ended.exit_code == 0
    found = ComparisonRecord.from_json(json.loads(ended.stdout))
    assert found == with_rates(library, library.comparisons.read("demo"))
    assert [row.name for row in found.encoders] == ["small", "spectral"]
    assert [(pair.a, pair.b) for pair in found.pairs] == [("small", "spectral")]
    client = MlflowClient(tracking_uri=f"sqlite:///{library.mlflow_db}")
    (run,) = client.search_runs([client.get_experiment_by_name("mess").experiment_id])
    assert run.info.run_name == "compare demo"
    mean = found.pairs[0].mean.difference
    assert run.data.metrics["mean_difference/small-spectral"] == pytest.approx(mean)
    tempo = found.encoders[0].r2["tempo"].r2
    assert run.data.metrics["nested_r2/small/tempo"] == pytest.approx(tempo)
    assert run.data.tags["features.spectral"] == found.encoders[1].features


@pytest.mark.long
def test_other_folds_are_refused_with_the_command_that_mends_it(library: Store) -> None:
    other = ProbeSettings(folds=3, permutations=0, repeats=1, controls=False, frames="off")
    run_probing(dataset="demo", encoder="small", settings=other, store=library, tracking=False)
    with pytest.raises(ArtifactError, match="different settings") as caught:
        compare_encoders("demo", encoders=["spectral", "small"], store=library)
    assert "(folds)" in str(caught.value) and "\n" not in str(caught.value)
    words = caught.value.command.split()
    assert words[:2] == ["mess", "probe"]
    fast = ["--permutations", "0", "--repeats", "1", "--no-controls", "--no-mlflow"]
    assert mess(*words[1:], *fast).exit_code == 0
    assert compare_encoders("demo", encoders=["spectral", "small"], store=library).pairs


def test_other_tracks_are_refused(library: Store) -> None:
    manifest = library.features.manifest("demo", "small")
    del manifest.tracks[min(manifest.tracks)]
    manifest.close()
    run_probing(dataset="demo", encoder="small", settings=FAST, store=library, tracking=False)
    with pytest.raises(ArtifactError, match="different tracks") as caught:
        compare_encoders("demo", encoders=["spectral", "small"], store=library)
    assert caught.value.command == (
        "mess extract --dataset demo --encoder small && mess probe --dataset demo --encoder small"
    )


def test_what_is_stale_old_or_missing_is_refused(library: Store) -> None:
    good = library.discoveries.read("demo", "small")
    table = library.discoveries.read_predictions("demo", "small")

    def rewritten(**changes: Any) -> None:
        record = replace(good, **changes)
        library.discoveries.write("demo", "small", record=record, predictions=table)

    rewritten(features="other")
    with pytest.raises(ArtifactError, match="stale.*mess probe --dataset demo --encoder small"):
        compare_encoders("demo", store=library)
    rewritten()
    path = library.discoveries.path("demo", "small", "track")
    content = read_json(path, command="")
    write_json(path, {key: one for key, one in content.items() if key != "influence"})
    with pytest.raises(ArtifactError, match="another version of the code.*mess probe"):
        compare_encoders("demo", store=library)
    with pytest.raises(ArtifactMissing, match="mess probe --dataset demo --encoder mert-v1-95m"):
        compare_encoders("demo", encoders=["spectral", "mert-v1-95m"], store=library)
    with pytest.raises(MessError, match="no encoder of 'smd' was probed: run `mess run-all"):
        compare_encoders("smd", store=library)


def test_one_encoder_alone_is_shown_with_what_could_join(library: Store) -> None:
    ended = mess("compare", "--dataset", "demo", "--encoders", "spectral", "--no-mlflow")
    assert ended.exit_code == 0
    assert "minus" not in ended.stdout
    assert "mert-v1-95m" in ended.stdout
