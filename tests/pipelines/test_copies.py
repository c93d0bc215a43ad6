"""Copies of one recording are one work wherever works count: nothing is tested on what it knows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mess.audio.fingerprint import find_copies, fingerprint, join_works
from mess.errors import ArtifactError
from mess.experiments.rows import load_probing_data
from mess.probing.discovery import discover
from mess.probing.results import DiscoverySettings
from mess.records.discovery import DiscoveryRecord, ProbeSettings
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.storage.store import Store
from pipelines.build_indices import build_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.cross_datasets import cross_datasets, print_cross
from pipelines.extract_features import extract_features
from pipelines.probing_text import print_best
from pipelines.run_probing import run_probing

RATE, SECONDS, RECORDINGS = 22_050, 8.0, 14


def melody(seed: int) -> np.ndarray:
    """Notes of random pitch, length, loudness and timbre."""
    rng = np.random.default_rng(seed)
    out = np.zeros(int(SECONDS * RATE))
    at = 0.0
    while at < SECONDS - 0.7:
        time = np.arange(int(0.6 * RATE)) / RATE
        pitch = 110 * 2 ** (rng.integers(0, 30) / 12)
        parts = np.arange(1, 9)[:, None]
        strength = rng.random((8, 1)) / parts ** rng.uniform(0.3, 2)
        note = (strength * np.sin(2 * np.pi * pitch * parts * time)).sum(axis=0)
        start = int(at * RATE)
        out[start : start + len(time)] += rng.uniform(0.1, 1) * note * np.exp(-6 * time)
        at += rng.uniform(0.1, 0.5)
    return (0.5 * out / np.abs(out).max()).astype(np.float32)


def write(folder: Path, number: int, *, name: str, ogg: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if ogg:
        soundfile.write(folder / f"{name}.ogg", melody(number), RATE, format="OGG")
    else:
        soundfile.write(folder / f"{name}.wav", melody(number), RATE)


def probe(store: Store, dataset: str) -> dict[str, Any]:
    extract_features(dataset=dataset, encoder="spectral", store=store)
    compute_dataset_targets(dataset=dataset, store=store)
    settings = ProbeSettings(
        folds=7, permutations=99, bootstrap=10, repeats=1, controls=False, frames="off"
    )
    return run_probing(
        dataset=dataset, encoder="spectral", settings=settings, store=store, tracking=False
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("copies"))
    for number in range(RECORDINGS):
        write(store.audio_dir("single"), number, name=f"piece{number:02d}")
        write(store.audio_dir("double"), number, name=f"piece{number:02d}")
        write(store.audio_dir("double"), number, name=f"other name {number:02d}", ogg=True)
    return store


@pytest.fixture(scope="module")
def records(store: Store) -> dict[str, DiscoveryRecord]:
    return {name: probe(store, name) for name in ("single", "double")}


def significant(record: DiscoveryRecord) -> int:
    return sum((cell.p_family or 1.0) <= 0.05 for cell in record.cells)


def test_copies_make_nothing_significant(
    store: Store, records: dict[str, DiscoveryRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    single, double = records["single"], records["double"]
    assert (single.n, single.works, single.copies) == (14, 14, {})
    assert (double.n, double.works, double.groups) == (28, 14, 14)
    assert double.copies == {f"piece{n:02d}": f"other name {n:02d}" for n in range(RECORDINGS)}
    # The Oggs differ a little from the WAVs: a p near 0.05 may fall on the other side of it.
    assert significant(double) <= significant(single) + 3
    data = load_probing_data("double", "spectral", settings=ProbeSettings(), store=store)
    fooled = discover(
        data.features.values,
        data.targets,
        data.features.tracks,
        names=data.names,
        settings=DiscoverySettings(folds=7, permutations=99, bootstrap=10),
    )
    assert sum((cell.p_family or 1.0) <= 0.05 for cell in fooled.cells) > 50
    nested = [np.median([one.nested.r2 for one in record.summaries]) for record in (single, double)]
    assert nested[1] < nested[0] + 0.15, nested
    print_best(double)
    printed = capsys.readouterr().out
    assert "copies: 14 recordings hold what another holds" in printed
    assert "piece00 = other name 00" in printed


def test_search_and_its_passages_know_them_as_one_work(
    store: Store, records: dict[str, DiscoveryRecord]
) -> None:
    build_index(dataset="double", encoder="spectral", store=store)
    for record in (
        store.indices.read_record("double", "spectral"),
        store.passages.read_record("double", "spectral"),
    ):
        of = dict(zip(record.tracks, record.works, strict=True))
        assert len(set(of.values())) == 14
        assert of["piece03"] == of["other name 03"]
    recommender = LayerBasedRecommender("double", "spectral", store=store)
    found = recommender.multi_aspect_recommendation(
        "piece03", {"overall": 1.0}, 27, exclude_same_work=True
    )
    assert "other name 03" not in {one.track_id for one in found}
    assert len(found) == 26


def test_a_dataset_that_holds_what_was_trained_on_is_not_tested_on_it(
    store: Store, records: dict[str, DiscoveryRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    record = cross_datasets(encoder="spectral", datasets=["single", "double"], store=store)
    assert record.left_out == {"single → double": 28, "double → single": 14}
    assert record.rows == []
    print_cross(record)
    assert "single → double: 28 tracks left out" in capsys.readouterr().out


def test_a_damaged_fingerprint_is_no_other_recording(
    store: Store, records: dict[str, DiscoveryRecord]
) -> None:
    path = next((store.root / "processed" / "targets" / "double").glob("*piece07*fingerprint*"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    try:
        with pytest.raises(ArtifactError, match="mess targets --dataset double"):
            run_probing(dataset="double", encoder="spectral", store=store, tracking=False)
    finally:
        path.write_bytes(whole)


def test_labels_are_joined_through_copies() -> None:
    works = ["a", "a", "b", "c", "d"]
    assert join_works(works, range(5)) == works
    assert join_works(works, [0, 1, 1, 3, 3]) == ["a", "a", "a", "c", "c"]
    assert join_works(works, [0, 1, 1, 2, 2]) == ["a", "a", "a", "c", "c"]
    assert join_works(["x", "y", "z"], [0, 0, 0]) == ["x"] * 3
    assert join_works([], []) == []


def test_a_copy_of_a_copy_is_a_copy() -> None:
    whole = np.concatenate([melody(0), melody(1), melody(2)])
    length = int(SECONDS * RATE)
    parts = [whole[: 2 * length], whole[length:], whole, melody(3)]
    marks = [fingerprint(part, RATE) for part in parts]
    assert find_copies(marks[:1] + marks[3:]) == [0, 1]
    assert find_copies(marks) == [0, 0, 0, 3]


def sparse(*, loud: float = 1.0, short: float = 1.0) -> np.ndarray:
    """Single notes with silence between; every second one ``loud`` times as loud."""
    rng = np.random.default_rng(5)
    out = np.zeros(round(14 * CODED))
    time = np.arange(round(1.6 * CODED)) / CODED
    for number, start in enumerate(np.arange(0.5, 12, 2.3)):
        pitch = 220 * 2 ** (rng.integers(0, 24) / 12)
        note = sum(np.sin(2 * np.pi * pitch * h * time) / h**1.5 for h in range(1, 10))
        gain = (loud if number % 2 else 1.0) * rng.uniform(0.3, 1)
        fade = np.minimum(1, (time[-1] - time) / 0.05)
        first = round(start * CODED)
        out[first : first + len(time)] += gain * note * np.exp(-4 * time / short) * fade
    return (0.3 * out / np.abs(out).max()).astype(np.float32)


CODED = 44_100


def through(path: Path, samples: np.ndarray, **how: Any) -> np.ndarray:
    soundfile.write(path, samples, CODED, **how)
    return soundfile.read(path, dtype="float32")[0]


def test_sparse_copies_are_found_and_twins_are_not(tmp_path: Path) -> None:
    piece = sparse()
    low = {"bitrate_mode": "CONSTANT", "compression_level": 0.888}  # 64 kbit/s
    copies = [
        through(tmp_path / "low.mp3", piece, **low),
        through(tmp_path / "soft.wav", 0.1 * piece, subtype="PCM_16"),
        through(tmp_path / "late.mp3", 0.25 * piece[round(2.013 * CODED) :], **low),
        through(tmp_path / "low.ogg", piece, compression_level=0.95),
    ]
    twins = [sparse(loud=0.5), sparse(short=0.5)]  # other dynamics, other articulation
    marks = [fingerprint(one, CODED) for one in [piece, *copies, *twins]]
    assert find_copies(marks) == [0] * 5 + [5, 6]
