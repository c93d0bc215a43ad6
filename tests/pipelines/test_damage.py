"""Whatever is damaged on disk: every reader is right, or names the command that mends it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from layouts import write_piece
from typer.testing import CliRunner

from mess.errors import ArtifactError
from mess.records.discovery import DiscoveryRecord
from mess.records.reliability import ReliabilityRecord, TargetReliability, Truth
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender
from mess.status.steps import STEPS, survey, survey_targets
from mess.storage.store import Store
from mess.targets import TARGETS_VERSION
from pipelines.cli import build_app

pytestmark = pytest.mark.long

# One of each kind of file; a pattern below "processed".
KINDS = {
    "features/*/*/manifest.json": "extract",
    "features/*/*/aggregated/*.npy": "extract",
    "features/*/*/segments/*.npy": "extract",
    "features/*/*/aggregated_std/*.npy": "extract",
    "features/*/*/segments_std/*.npy": "extract",
    "targets/mine.manifest.json": "targets",
    "targets/mine/*.json": "targets",
    "targets/mine/*.descriptors.npz": "targets",
    "targets/mine/*.fingerprint.npy": "targets",
    "targets/mine.parquet": "targets",
    "discovery/*/*.json": "probe",
    "discovery/*/*.predictions.parquet": "probe",
    "indices/*/*/manifest.json": "index",
    "indices/*/*/layer-02.*.faiss": "index",
    "indices/*/*/steering.*.faiss": "index",
    "indices/*/*/projection.*.npz": "index",
    "indices/*/*/passages.json": "index",
    "indices/*/*/passages.*.faiss": "index",
    "indices/*/*/passages.projection.*.npz": "index",
    "evaluation/*/*.json": "evaluate",
    "targets/mine.reliability.json": "check-targets",
    "comparison/mine.json": "compare",
    "maps/*/*/*.json": "map",
    "maps/*/*/*.npz": "map",
}
FAST = {
    "probe": "--folds 3 --permutations 20 --bootstrap 10 --repeats 1 --no-controls --frames off "
    "--no-mlflow",
    "evaluate": "--no-mlflow",
    "compare": "--no-mlflow",
}
MADE_BY = ["extract", "targets", "probe", "index", "evaluate", "compare", "map"]


def mess(command: str) -> None:
    words = command.split()[1:]
    ended = CliRunner().invoke(build_app(), [*words, *FAST.get(words[0], "").split()])
    assert ended.exit_code == 0, (command, ended.output, ended.exception)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four short recordings, and every kind of artifact of them."""
    root = tmp_path_factory.mktemp("damage") / "data"
    for number in range(4):
        write_piece(root / "audio" / "mine" / f"a{number}" / "one.wav", number, seconds=6.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(root))
        for step in MADE_BY:
            encoder = "" if step in ("targets", "compare") else "spectral"
            more = " --layer 1 --method pca --level segment" if step == "map" else ""
            mess(f"mess {step} --dataset mine{f' --encoder {encoder}' if encoder else ''}{more}")
        done = Store().targets.manifest("mine").done()
        record = ReliabilityRecord(
            dataset="mine",
            code_version=TARGETS_VERSION,
            audio={track: entry.sha256 for track, entry in done.items()},
            tracks=len(done),
            seed=0,
            targets={"tempo": TargetReliability(split_half=0.75, changes={}, trusted=True)},
            movements={},
            truth=Truth(counterparts=[], tempo={}, false_tempi=0.0),
        )
        Store().reliability.write("mine", record)  # `mess check-targets` would take half a minute
    return root


@pytest.fixture
def store(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    shutil.copytree(made, tmp_path / "data")  # with the times of its files
    monkeypatch.setenv("MESS_DATA", str(tmp_path / "data"))
    return Store()


def one_of(store: Store, kind: str) -> Path:
    found = sorted((store.root / "processed").glob(kind))
    return next(path for path in found if path.suffix == Path(kind).suffix)


def readers(store: Store) -> dict[str, Callable[[], Any]]:
    """Return all that reads artifacts, as plain comparable values."""
    place = ("mine", "spectral")

    def features(level: Any) -> Any:
        found = store.features.read(*place, level=level, pooling="mean_std")
        return found.tracks, found.values.tobytes(), found.digest

    def table(read: Callable[[], Any]) -> Any:
        return read().to_json(double_precision=15)

    def recommend() -> Any:
        recommender = LayerBasedRecommender(*place, store=store)
        layers = [
            recommender.space.layers.cosines(0, layer).tobytes()
            for layer in range(len(store.indices.read_record(*place).crc32))
        ]
        coordinates = recommender.terms.coordinates
        known = coordinates.point(1).x.tobytes(), recommender.projection.serialise()
        return recommender.track_ids, recommender.terms.defaults, layers, known

    def passages() -> Any:
        found = PassageRecommender(*place, store=store)
        best = found.recommend((found.track_ids[0], 0.0), {"overall": 1.0}, 3)
        return [one.as_dict() for one in best], found.projection.serialise()

    def descriptions() -> Any:
        done = store.targets.manifest("mine").done()
        return [
            (
                {
                    k: v.tobytes()
                    for k, v in store.targets.read_descriptors("mine", one, entry).items()
                },
                store.targets.read_fingerprint("mine", one, entry).tobytes(),
            )
            for one, entry in done.items()
        ]

    def a_map() -> Any:
        record, points = store.maps.read(*place, layer=1, method="pca", level="segment")
        return record, {name: array.tobytes() for name, array in vars(points).items()}

    return {
        "features of tracks": lambda: features("track"),
        "features of segments": lambda: features("segment"),
        "targets": lambda: table(lambda: store.targets.read("mine")),
        "descriptions": descriptions,
        "discovery": lambda: store.discoveries.read(*place),
        "predictions": lambda: table(lambda: store.discoveries.read_predictions(*place)),
        "recommend": recommend,
        "passages": passages,
        "evaluation": lambda: store.evaluations.read(*place),
        "reliability": lambda: store.reliability.read("mine"),
        "comparison": lambda: store.comparisons.read("mine"),
        "map": a_map,
    }


def ask(store: Store) -> tuple[dict[str, Any], dict[str, ArtifactError]]:
    """Return the answer of every reader, and the error of those that have none."""
    answers, errors = {}, {}
    for name, read in readers(store).items():
        try:
            answers[name] = read()
        except ArtifactError as error:
            errors[name] = error
    return answers, errors


def damages(content: bytes) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {
        "gone": None,
        "empty": b"",
        "cut": content[: 2 * len(content) // 3],
        "other": b"hello",
        "zeros": b"\0" * len(content),
        "braces": b'{"header": {}, "tracks": {"a": {"status": "done"}}}',
        "deep": b"[" * 100_000,
    }
    for place in (3, len(content) // 3, len(content) // 2, len(content) - 5):
        flipped = bytearray(content)
        flipped[place] ^= 1
        found[f"flip {place}"] = bytes(flipped)
    later = range(len(content) // 2, len(content))
    for digit in [place for place in later if content[place] in b"0123456789"][:1]:
        changed = bytearray(content)
        changed[digit] = ord("7") if content[digit] != ord("7") else ord("3")
        found["another digit"] = bytes(changed)
    return found


def put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_every_reader_is_right_or_names_what_mends(made: Path, store: Store, kind: str) -> None:
    wanted, none = ask(Store(made))
    assert none == {}
    path = one_of(store, kind)
    whole = path.read_bytes()
    for name, content in damages(whole).items():
        put(path, content)
        answers, errors = ask(store)
        for reader, answer in answers.items():
            assert answer == wanted[reader], (name, reader)
        for error in errors.values():
            assert "\n" not in str(error)
            assert error.command.startswith("mess ")
        states = {one.step: one for one in survey(store, "mine", "spectral", whole=STEPS)}
        states["check-targets"] = survey_targets(store, "mine")
        if KINDS[kind] in states:
            assert states[KINDS[kind]].state != "ready", name
            assert states[KINDS[kind]].command.split()[1] == KINDS[kind]
        elif name not in ("gone", "braces") or content is None:
            assert any(e.command.split()[1] == KINDS[kind] for e in errors.values()), name
    path.write_bytes(whole)


@pytest.mark.parametrize("step", ["extract", "targets", "probe", "index", "evaluate", "map"])
def test_the_command_that_is_named_mends_it(made: Path, store: Store, step: str) -> None:
    wanted, _ = ask(Store(made))
    for number, kind in enumerate(kind for kind, by in KINDS.items() if by == step):
        path = one_of(store, kind)
        content = path.read_bytes()
        put(path, [content[:-7], None, b"", content[::-1]][number % 4])
    _, errors = ask(store)
    states = survey(store, "mine", "spectral", whole=STEPS)
    commands = {error.command for error in errors.values()}
    commands |= {one.command for one in states if one.state != "ready"}
    (command,) = {one for one in commands if one.split()[1] == step}
    mess(command)
    assert ask(store) == (wanted, {})
    states = survey(store, "mine", "spectral", whole=STEPS)
    assert [(one.step, one.state) for one in states] == [(one, "ready") for one in STEPS]


def test_run_all_mends_all_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but manifests is damaged, each file in another way."""
    from mess.records.discovery import ProbeSettings
    from pipelines import run_all as steps
    from pipelines.run_probing import run_probing

    fast = ProbeSettings(
        folds=3, permutations=20, bootstrap=10, repeats=1, controls=False, frames="off"
    )

    def probe(**given: Any) -> DiscoveryRecord:
        return run_probing(settings=fast, **given)

    monkeypatch.setattr(steps, "run_probing", probe)  # faster, and else the same
    before = ask(store)[0]
    for number, kind in enumerate(KINDS):
        if kind.endswith("manifest.json") or KINDS[kind] == "check-targets":
            continue
        path = one_of(store, kind)
        content = path.read_bytes()
        beside = kind in ("maps/*/*/*.json", "comparison/mine.json")  # gone, nobody misses them
        put(path, [content[:-7], b"" if beside else None, content[::-1]][number % 3])
    assert steps.run_all(dataset="mine", encoder="spectral", tracking=False)
    after, errors = ask(store)
    assert errors == {}
    assert [name for name in before if after[name] != before[name]] == []
    assert not list(store.root.rglob("*.tmp"))


def test_an_index_without_its_passages_is_made_whole(store: Store) -> None:
    (store.root / "processed/indices/mine/spectral/passages.json").unlink()
    index = survey(store, "mine", "spectral")[3]
    assert (index.step, index.state) == ("index", "damaged")
    assert "passages" in index.detail
    mess(f"{index.command} --no-passages")  # so it was wanted
    assert survey(store, "mine", "spectral")[3].state == "ready"
    mess(index.command)
    assert PassageRecommender("mine", "spectral", store=store).track_ids


def test_a_table_of_older_measurements_is_not_probed(store: Store) -> None:
    """As if `mess targets` had died after its last record and before the table."""
    table = store.root / "processed/targets/mine.parquet"
    old = table.read_bytes()
    write_piece(store.audio_dir("mine") / "a1" / "one.wav", 6, seconds=6.0)
    mess("mess extract --dataset mine --encoder spectral")
    mess("mess targets --dataset mine")
    table.write_bytes(old)
    with pytest.raises(ArtifactError, match="not of what was measured last: run `mess targets"):
        store.targets.read("mine")
    assert survey(store, "mine", "spectral")[1].state == "damaged"
    mess("mess targets --dataset mine")
    assert survey(store, "mine", "spectral")[1].state == "ready"
    assert survey(store, "mine", "spectral")[2].state == "stale"


def test_another_work_makes_what_was_folded_by_work_stale(store: Store) -> None:
    manifest = store.features.manifest("mine", "spectral")
    track, entry = next(iter(manifest.done().items()))
    manifest.record(track, replace(entry, work="another"))
    manifest.close()
    for status in survey(store, "mine", "spectral")[2:4]:
        assert (status.state, status.reasons) == ("stale", ("labels",))


def test_a_probe_by_other_settings_leaves_no_evaluation_standing(store: Store) -> None:
    mess("mess probe --dataset mine --encoder spectral --seed 3")
    found = survey(store, "mine", "spectral")
    assert [one.state for one in found] == ["ready", "ready", "ready", "ready", "stale"]
    warning = LayerBasedRecommender("mine", "spectral", store=store).warning
    assert "the discovery has changed since" in warning
    assert warning.endswith("run `mess evaluate --dataset mine --encoder spectral`")
