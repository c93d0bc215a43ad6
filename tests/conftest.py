"""Shared by all tests: an own data root, and the test modules that others import."""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from s3_server import Wire

_TESTS = Path(__file__).parent
# A busy machine is no fault, and every machine tries the same examples; for new ones:
# python -m pytest --hypothesis-profile=search
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("suite")
# The package `mess` must be found before the folder tests/mess, which has its name.
sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]


# The long ones first, so that two workers end together. While one builds the demo library for the
# first of them, the other works off the next three, which need none.
_FIRST = (
    *("test_recommend", "test_jobs", "test_tracking_stores", "test_probing_pipeline"),
    "test_recommend_heard",
    *("test_comparing", "test_science", "test_discovery_page", "test_jobs_in_the_browser"),
    *("test_experiments", "test_your_audio", "test_shown", "test_map", "test_pages", "test_home"),
    *("test_passages_page", "test_compare", "test_targets", "test_maps", "test_tracking"),
    *("test_command_line", "test_demo_library", "test_damage", "test_copies", "test_reading"),
    *("test_killed_at_every_rename", "test_site", "test_plugins", "test_tutorial"),
    *("test_batch_resume", "test_several_encoders", "test_synthetic", "test_differences"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files of tests."""
    place = {name: number for number, name in enumerate(_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what is loaded for good: it costs a tenth of the time."""
    gc.collect()
    gc.freeze()


def built_once(name: str, factory: pytest.TempPathFactory, build: Callable[[Path], None]) -> Path:
    """Return a folder that one worker of the test run builds for all."""
    from filelock import FileLock

    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root = shared / name
    finished = shared / f"{name}.finished"
    with FileLock(shared / f"{name}.lock"):
        if not finished.exists():
            root.mkdir()
            build(root)
            finished.touch()
    return root


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data root that every part of the program uses."""
    root = tmp_path / "data"
    monkeypatch.setenv("MESS_DATA", str(root))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield root


@pytest.fixture(scope="session")
def s3_server() -> Iterator[int]:
    """The port of an S3 server."""
    from s3_server import running_server

    with running_server() as port:
        yield port


@pytest.fixture
def wire(s3_server: int, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Wire]":
    """The way to the S3 server, which is empty."""
    from s3_server import wire_to

    with wire_to(s3_server, monkeypatch) as made:
        yield made


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the first scores of the demo library, through every pipeline."""
    return built_once("library", tmp_path_factory, _build_demo_library)


@pytest.fixture(scope="session")
def compared_library(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo library with two more encoders probed: a small network and its random control."""
    return built_once("compared", tmp_path_factory, lambda root: _add_encoders(demo_library, root))


@pytest.fixture(scope="session")
def untangled_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with planted answers (`benchmarks.synthetic`), and what `mess untangle` says."""
    return built_once("untangled", tmp_path_factory, _build_untangled)


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without runs, as a first run finds it: MLflow needs seconds to make its tables."""
    return built_once("mlflow", tmp_path_factory, _build_mlflow) / "mlflow.db"


def _build_mlflow(root: Path) -> None:
    from mess.storage.store import Store
    from mess.tracking.recording import client_process

    process = client_process(Store(root), write=True)
    assert process.ask("runs") == []
    process.close()


def _build_demo_library(root: Path) -> None:
    from mess.records.discovery import ProbeSettings
    from mess.storage.store import Store
    from pipelines.build_demo import build_demo
    from pipelines.build_indices import build_index
    from pipelines.compute_targets import compute_dataset_targets
    from pipelines.extract_features import extract_features
    from pipelines.run_evaluation import evaluate
    from pipelines.run_probing import run_probing

    store = Store(root)
    build_demo(root=store.audio_dir("demo"), limit=19, workers=1)  # 15 works
    extract_features(dataset="demo", encoder="spectral", store=store)
    compute_dataset_targets(dataset="demo", store=store)
    run_probing(
        dataset="demo",
        encoder="spectral",
        settings=ProbeSettings(folds=4),
        store=store,
        tracking=False,
    )
    build_index(dataset="demo", encoder="spectral", store=store)
    evaluate(dataset="demo", encoder="spectral", store=store, tracking=False)


def _build_untangled(root: Path) -> None:
    from benchmarks.synthetic import Shape, write_library
    from mess.records.untangled import UntangleSettings
    from mess.storage.store import Store
    from pipelines.untangle import untangle

    shape = Shape(tracks=60, layers=2, dim=24, recordings=1)
    write_library(Store(root), shape)
    untangle(
        dataset=shape.dataset,
        encoder=shape.encoder,
        settings=UntangleSettings(folds=3, draws=2, orders=1),
        store=Store(root),
        tracking=False,
    )


def _add_encoders(demo_library: Path, root: Path) -> None:
    from small_hubert import write_small_hubert

    from mess.records.discovery import ProbeSettings
    from mess.storage.store import Store
    from pipelines.extract_features import extract_features
    from pipelines.run_probing import run_probing

    shutil.copytree(demo_library / "processed", root / "processed")
    (root / "audio").mkdir()
    (root / "audio" / "demo").symlink_to(demo_library / "audio" / "demo")
    store = Store(root)
    folder = str(write_small_hubert(root / "models" / "small", seed=1))
    settings = ProbeSettings(folds=4, permutations=0, repeats=1, controls=False, frames="off")
    for encoder in (folder, f"random:{folder}"):
        extract_features(dataset="demo", encoder=encoder, store=store)
        run_probing(dataset="demo", encoder=encoder, settings=settings, store=store, tracking=False)
