"""From recordings laid out as SMD and MAESTRO to recommendations, with both kinds of encoder."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from layouts import MAESTRO_IDS, SMD, SMD_IDS, write_maestro, write_piece, write_smd
from small_hubert import write_small_hubert

from mess.encoders import encoder_slug, load_encoder
from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.status.steps import next_step, survey
from mess.storage.store import Store
from mess.targets import TARGETS
from pipelines.build_indices import build_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_features
from pipelines.probing_options import parse_alphas, parse_folds
from pipelines.probing_text import print_beside, print_best
from pipelines.run_all import run_all
from pipelines.run_evaluation import evaluate
from pipelines.run_probing import ProbeSettings, run_probing, sweep

# One experiment without what stands beside it; the whole of it runs in one test.
QUICK = ProbeSettings(
    folds=4, permutations=20, bootstrap=20, repeats=1, controls=False, frames="off"
)
IDS = {"smd": SMD_IDS, "maestro": MAESTRO_IDS}
WORKS = {"smd": 5, "maestro": 7}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with both datasets and their targets, and beside it a small checkpoint."""
    root = tmp_path_factory.mktemp("library")
    write_smd(root / "data" / "audio" / "smd")
    write_maestro(root / "data" / "audio" / "maestro")
    store = Store(root / "data")
    for dataset in IDS:
        assert not compute_dataset_targets(dataset=dataset, store=store, workers=2).failed
    write_small_hubert(root / "models" / "small mert", old_names=True)
    return root


@pytest.fixture(scope="module")
def store(library: Path) -> Store:
    return Store(library / "data")


@pytest.fixture(scope="module")
def probed(store: Store) -> Store:
    extract_features(dataset="smd", encoder="spectral", store=store)
    run_probing(dataset="smd", encoder="spectral", settings=QUICK, store=store, tracking=False)
    build_index(dataset="smd", encoder="spectral", store=store)
    return store


@pytest.mark.parametrize("dataset", ["smd", "maestro"])
@pytest.mark.parametrize("kind", ["spectral", "checkpoint", "random control"])
def test_the_whole_way(
    library: Path, store: Store, dataset: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(library / "models" / "small mert")
    encoder = {"spectral": "spectral", "checkpoint": folder, "random control": f"random:{folder}"}[
        kind
    ]
    summary = extract_features(dataset=dataset, encoder=encoder, store=store, workers=2)
    assert summary.made + summary.skipped == 8
    assert not summary.failed
    model = load_encoder(encoder)
    features = store.features.read(dataset, encoder)
    assert features.tracks == sorted(IDS[dataset])
    assert features.values.shape == (8, model.layers, model.dim)
    assert len(np.unique(features.values[:, -1].round(6), axis=0)) == 8
    header = store.features.manifest(dataset, encoder).header
    assert header.weights_sha256 == model.weights_hash
    assert header.encoder == model.id

    record = run_probing(
        dataset=dataset,
        encoder=encoder,
        settings=ProbeSettings(folds=4) if (kind, dataset) == ("spectral", "smd") else QUICK,
        store=store,
        tracking=False,
    )
    assert len(record.cells) == model.layers * len(TARGETS)
    assert record.works == WORKS[dataset]
    written = store.discoveries.read(dataset, encoder)
    assert replace(written, predictions_crc32=None, curve_probes_crc32=None) == record
    print_best(record)
    print_beside(record)
    shown = capsys.readouterr().out
    assert "spectral_centroid" in shown
    told = {one.baseline: one.difference for one in record.beyond or []}
    assert set(told) == ({"signal features"} if record.settings.controls else set())
    assert ("beyond signal features" in shown) == record.settings.controls

    assert build_index(dataset=dataset, encoder=encoder, store=store) == 8
    recommender = LayerBasedRecommender(dataset, encoder, store=store)
    assert recommender.get_available_aspects() == []
    doubt = recommender.aspects["brightness"].doubt
    assert doubt == f"{WORKS[dataset]} works, and 10 are needed"
    found = recommender.multi_aspect_recommendation(
        IDS[dataset][0], {"brightness": 0.6, "texture": 0.4}, 5, method="direct"
    )
    assert len(found) == 5
    assert IDS[dataset][0] not in {one.track_id for one in found}
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    evaluate(dataset=dataset, encoder=encoder, store=store, tracking=False)
    statuses = survey(store, dataset, encoder)
    assert [status.state for status in statuses] == ["ready"] * 5
    assert next_step(statuses) is None


def test_folds_keep_to_maestros_own_split_unless_told_otherwise(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    extract_features(dataset="maestro", encoder="spectral", store=store)
    quick = ProbeSettings(
        folds=4,
        alpha=1.0,
        level="segment",
        permutations=0,
        bootstrap=10,
        group_by=("work",),
        repeats=1,
        controls=False,
    )
    found = {}
    for own in (True, False):
        record = run_probing(
            dataset="maestro",
            encoder="spectral",
            settings=replace(quick, own_split=own),
            store=store,
            tracking=False,
        )
        print_best(record)
        shown = "work within its authors' split (train, validation)" in capsys.readouterr().out
        table = store.discoveries.read_predictions("maestro", "spectral", level="segment")
        fold = table.groupby("track", observed=True)["fold"].first()
        found[own] = shown, (fold == fold["MIDI-Unprocessed_04_R1_2008"]).sum(), fold
    assert found[True][:2] == (True, 1)  # the only recording of the validation part
    assert found[False][:2] == (False, 2)
    # Berg's sonata is in two parts: it goes as a whole into the larger one.
    assert found[True][2][MAESTRO_IDS[:2]].nunique() == 1


def test_a_checkpoint_gives_what_transformers_gives(library: Path, store: Store) -> None:
    folder = str(library / "models" / "small mert")
    extract_features(dataset="smd", encoder=folder, store=store, raw=True)
    track = SMD_IDS[0]
    below = store.root / "processed/features/smd" / encoder_slug(folder)
    raw = np.load(below / "raw" / f"{track}.npy", mmap_mode="r")
    model = load_encoder(folder)
    assert raw.shape == (2, model.layers, 374, model.dim)
    pooled = np.load(below / "segments" / f"{track}.npy").astype(np.float32)
    np.testing.assert_allclose(raw.astype(np.float32).mean(axis=2), pooled, atol=2e-3)
    aggregated = np.load(below / "aggregated" / f"{track}.npy")
    np.testing.assert_allclose(pooled.mean(axis=0), aggregated, atol=2e-3)


def test_predictions_are_kept_out_of_fold(probed: Store) -> None:
    record = probed.discoveries.read("smd", "spectral")
    table = probed.discoveries.read_predictions("smd", "spectral")
    assert list(table.columns) == [
        "track", "segment", "target", "layer", "fold", "true", "predicted"
    ]  # fmt: skip
    scored = [cell for cell in record.cells if cell.r2 is not None]
    assert scored
    targets = probed.targets.read("smd")
    for cell in scored:
        rows = table[(table["target"] == cell.target) & (table["layer"] == cell.layer)]
        assert len(rows) == cell.n
        error = np.sqrt(np.mean((rows["true"] - rows["predicted"]) ** 2))
        assert cell.rmse == pytest.approx(error)
        for row in rows.itertuples():
            assert row.true == targets.loc[(row.track, -1), cell.target]
    movements = table[table["track"].isin(["Bach_BWV849-01", "Bach_BWV849-02"])]
    assert movements["fold"].nunique() == 1


def test_segments_are_probed_beside_the_tracks(probed: Store) -> None:
    record = run_probing(
        dataset="smd",
        encoder="spectral",
        settings=replace(QUICK, level="segment"),
        store=probed,
        tracking=False,
    )
    assert record.n == 16
    assert record.works == 5
    assert set(record.target_names) == {n for n, t in TARGETS.items() if t.level == "segment"}
    assert probed.discoveries.read("smd", "spectral", level="segment").n == 16
    assert probed.discoveries.read("smd", "spectral").n == 8
    predictions = probed.discoveries.read_predictions("smd", "spectral", level="segment")
    assert set(predictions["segment"]) == {0, 1}


def test_samples_draws_tracks_by_the_seed(probed: Store) -> None:
    def tracks(seed: int) -> tuple[int, list[int]]:
        record = run_probing(
            dataset="smd",
            encoder="spectral",
            settings=replace(QUICK, samples=6, seed=seed, folds=3, permutations=0),
            store=probed,
            tracking=False,
            keep=False,
        )
        return record.n, [cell.r2 for cell in record.cells]

    assert tracks(1)[0] == 6
    assert tracks(1) == tracks(1)
    assert tracks(1) != tracks(2)


def test_a_sweep_keeps_its_first_setting_on_disk(probed: Store, tmp_path: Path) -> None:
    own = Store(tmp_path / "data")
    shutil.copytree(probed.root / "processed", own.root / "processed")
    (own.root / "audio").symlink_to(probed.root / "audio", target_is_directory=True)
    before = own.discoveries.read("smd", "spectral")
    settings = [replace(QUICK, alpha=alpha) for alpha in (0.5, 50.0)]
    records = sweep(dataset="smd", encoder="spectral", settings=settings, store=own, tracking=False)
    assert [record.settings.alpha for record in records] == [0.5, 50.0]
    assert own.discoveries.read("smd", "spectral").settings.alpha == 0.5
    assert before.settings.alpha == "auto"
    for record in records:
        assert all(set(cell.alpha) <= {record.settings.alpha} for cell in record.cells)


def test_each_step_names_the_step_that_must_come_before(data_root: Path) -> None:
    write_smd(data_root / "audio" / "smd", seconds=2.0)
    store = Store()
    with pytest.raises(ArtifactMissing, match="run `mess extract --dataset smd --encoder spec"):
        build_index(dataset="smd", encoder="spectral")
    with pytest.raises(ArtifactMissing, match="run `mess extract --dataset smd --encoder spec"):
        run_probing(dataset="smd", encoder="spectral", tracking=False)
    extract_features(dataset="smd", encoder="spectral")
    with pytest.raises(ArtifactMissing, match="run `mess targets --dataset smd`"):
        run_probing(dataset="smd", encoder="spectral", tracking=False)
    build_index(dataset="smd", encoder="spectral")
    with pytest.raises(ArtifactMissing, match="run `mess probe --dataset smd --encoder spec"):
        LayerBasedRecommender("smd", "spectral")
    waiting = next_step(survey(store, "smd", "spectral"))
    assert waiting is not None
    assert waiting.command == "mess targets --dataset smd"


@pytest.mark.long
def test_a_changed_recording_makes_what_follows_stale(data_root: Path) -> None:
    write_smd(data_root / "audio" / "smd", seconds=3.0)
    assert run_all(dataset="smd", encoder="spectral", tracking=False)
    write_piece(data_root / "audio" / "smd" / f"{SMD[3]}.wav", 9, seconds=3.0)
    extract_features(dataset="smd", encoder="spectral")
    with pytest.raises(ArtifactError, match="were made from different audio: run `mess extract"):
        run_probing(dataset="smd", encoder="spectral", tracking=False)
    states = {s.step: s.state for s in survey(Store(), "smd", "spectral")}
    assert states == {
        "extract": "ready",
        "targets": "stale",  # they were measured on the recording as it was
        "probe": "stale",
        "index": "stale",
        "evaluate": "ready",  # it still tells about the index as it is
    }
    with pytest.raises(ArtifactError, match="features have changed since.*: run `mess index"):
        LayerBasedRecommender("smd", "spectral")

    assert run_all(dataset="smd", encoder="spectral", tracking=False)
    states = {s.step: s.state for s in survey(Store(), "smd", "spectral")}
    assert set(states.values()) == {"ready"}
    before = {path: path.stat().st_mtime_ns for path in data_root.rglob("*") if path.is_file()}
    assert run_all(dataset="smd", encoder="spectral", tracking=False)
    after = {path: path.stat().st_mtime_ns for path in before}
    rewritten = {path.name for path in before if before[path] != after[path]}
    assert rewritten <= {"manifest.json", "smd.manifest.json", "smd.parquet"}


def test_too_few_works_is_one_clear_line(data_root: Path) -> None:
    root = data_root / "audio" / "mine"
    for number in range(6):
        write_piece(root / f"album{number % 2}" / f"{number}.wav", number, seconds=3.0)
    extract_features(dataset="mine", encoder="spectral")
    compute_dataset_targets(dataset="mine")
    with pytest.raises(MessError, match="at least 3 works, there are 2: add recordings"):
        run_probing(dataset="mine", encoder="spectral", tracking=False)


def test_settings_are_read_as_the_command_line_writes_them() -> None:
    assert parse_alphas("auto, 0.5,10") == ["auto", 0.5, 10.0]
    assert parse_folds("5,10") == [5, 10]
    with pytest.raises(MessError, match="--alpha takes numbers or 'auto', not 'much'"):
        parse_alphas("much")
    with pytest.raises(MessError, match="--folds takes whole numbers, not '2[.]5'"):
        parse_folds("2.5")
