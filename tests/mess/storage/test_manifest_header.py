"""What all tracks share is read without their entries, and is what the whole manifest says."""

from dataclasses import replace
from pathlib import Path

import pytest

from mess.errors import ArtifactError
from mess.storage import manifest as manifests
from mess.storage.store import Store


@pytest.fixture
def store(demo_library: Path, tmp_path: Path) -> Store:
    made = Store(demo_library).features
    store = Store(tmp_path)
    place = store.features.folder("demo", "spectral")
    place.mkdir(parents=True)
    content = (made.folder("demo", "spectral") / "manifest.json").read_bytes()
    (place / "manifest.json").write_bytes(content)
    return store


def test_no_entry_is_read_for_the_header(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = store.features.manifest("demo", "spectral").header
    monkeypatch.setattr(manifests, "_read_entries", lambda *_, **__: pytest.fail("entries"))
    assert store.features.header("demo", "spectral") == wanted
    assert store.features.encoders("demo") == ["spectral"]


def test_the_header_of_a_run_in_work_is_the_one_that_it_began_with(store: Store) -> None:
    known = store.features.manifest("demo", "spectral")
    header = replace(known.header, revision="another")
    track, entry = next(iter(known.done().items()))
    manifest = store.features.resume("demo", "spectral", header=header)
    manifest.record(track, entry)
    assert store.features.header("demo", "spectral") == header
    manifest.close()
    assert store.features.header("demo", "spectral") == header


@pytest.mark.parametrize("change", ["cut", "byte", "header", "gone"])
def test_a_damaged_manifest_is_refused_as_by_its_reader(store: Store, change: str) -> None:
    path = store.features.folder("demo", "spectral") / "manifest.json"
    content = path.read_bytes()
    if change == "gone":
        path.unlink()
    elif change == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif change == "byte":
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    else:
        path.write_bytes(content.replace(b'"layers": ', b'"stories": ', 1))
    with pytest.raises(ArtifactError) as of_all:
        store.features.manifest("demo", "spectral")
    with pytest.raises(ArtifactError) as of_header:
        store.features.header("demo", "spectral")
    assert str(of_header.value) == str(of_all.value)
