"""The page Map: what its first opening costs the server."""

import gc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mess.serving import shelf
from mess.storage.garbage import without_collection
from mess.storage.manifest import Manifest
from mess.storage.store import Store
from pipelines.make_map import make_map


def _call() -> None:
    """Draw the page: Streamlit runs this text as a script."""
    from dashboard.pages.map import main

    main()


def test_the_first_opening_reads_each_manifest_once(
    demo_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("audio", "processed"):
        (tmp_path / name).mkdir()
    (tmp_path / "audio" / "demo").symlink_to(demo_library / "audio" / "demo")
    for one in (demo_library / "processed").iterdir():
        (tmp_path / "processed" / one.name).symlink_to(one)
    (tmp_path / "processed" / "maps").unlink(missing_ok=True)
    monkeypatch.setenv("MESS_DATA", str(tmp_path))
    layer = 2
    make_map(dataset="demo", encoder="spectral", layer=layer, store=Store(tmp_path))
    read, counts = Manifest.read, Counter[str]()

    def counted(path: Path, *of: Any, **more: Any) -> Any:
        counts[path.parent.name] += 1
        return read(path, *of, **more)

    monkeypatch.setattr(Manifest, "read", counted)
    page = AppTest.from_function(_call, default_timeout=60)
    page.session_state["dataset"], page.session_state["encoder"] = "demo", "spectral"
    page.query_params["layer"] = str(layer)
    drawn = page.run()
    assert not drawn.exception
    assert drawn.caption and "PCA of " in drawn.caption[0].value, "the map is drawn"
    assert counts["spectral"] == 1, counts
    # Their digest, their tracks and their layers come from one reading.
    kept = shelf.features(Store(tmp_path), "demo", "spectral")
    manifest = Store(tmp_path).features.manifest("demo", "spectral")
    assert kept.digest == manifest.digest() and list(kept.tracks) == list(manifest.done())


def test_collection_of_garbage_goes_on_after_the_last_of_several_blocks() -> None:
    assert gc.isenabled()
    with without_collection():
        with without_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled(), "who turned it off before turns it on"
    finally:
        gc.enable()
