"""A crash or a damaged disk never goes unnoticed, and costs no more than the track in work."""

import json
import os
import subprocess
import sys
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import made_entry, made_header

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.features import FeaturesEntry, FeaturesHeader, PooledFiles
from mess.records.manifest import FailedEntry, TrackLabels
from mess.storage.arrays import RawWriter, read_array, write_array
from mess.storage.files import read_json, replacing, write_bytes, write_json
from mess.storage.manifest import FeaturesManifest, Manifest, digest
from mess.storage.replacing import sweep
from mess.storage.tables import read_table, write_table

COMMAND = "mess extract --dataset d --encoder e"
FILES = PooledFiles(
    aggregated_crc32=1, segments_crc32=2, aggregated_std_crc32=3, segments_std_crc32=4
)


def files_below(folder: Path) -> list[str]:
    """Return the names of all files but locks, which hold nothing."""
    found = (path.name for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not (name.startswith(".") and name.endswith(".lock")))


def test_writing_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    write_bytes(tmp_path / "deep" / "er" / "a.bin", b"one")
    write_bytes(tmp_path / "deep" / "er" / "a.bin", b"two")
    assert (tmp_path / "deep" / "er" / "a.bin").read_bytes() == b"two"
    assert files_below(tmp_path) == ["a.bin"]


def test_an_error_in_between_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as handle:
        handle.write(b"half of the n")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert files_below(tmp_path) == ["a.bin"]


def test_a_kill_in_between_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"state": "old"})
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from mess.storage.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as handle:\n"
        "    handle.write(b'half of the n')\n"
        "    handle.flush()\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -9
    assert read_json(path, command=COMMAND) == {"state": "old"}
    write_json(path, {"state": "new"})
    assert read_json(path, command=COMMAND) == {"state": "new"}


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"r2": float("nan")})
    with pytest.raises(ValueError, match="allow_pickle"):
        write_array(tmp_path / "a.npy", np.array([{"an": "object"}], dtype=object))
    assert files_below(tmp_path) == []


def test_arrays_and_tables_come_back(tmp_path: Path) -> None:
    array = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    checksum = write_array(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(
        read_array(tmp_path / "a.npy", checksum=checksum, command=COMMAND), array
    )
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), array)
    table = pd.DataFrame({"track": ["é", "b"], "value": [1.5, np.nan]})
    write_table(tmp_path / "t.parquet", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet", command=COMMAND), table)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
@pytest.mark.parametrize("kind", ["npy", "json", "parquet"])
def test_a_damaged_file_is_named_with_the_command_that_mends_it(
    tmp_path: Path, kind: str, damage: str
) -> None:
    path = tmp_path / f"a.{kind}"
    checksum = write_array(path, np.arange(200.0)) if kind == "npy" else 0
    if kind == "json":
        write_json(path, {"cells": list(range(100))})
    if kind == "parquet":
        write_table(path, pd.DataFrame({"value": np.arange(500.0)}))
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0xFF
    path.write_bytes(
        {"cut": content[: len(content) // 2], "flip": bytes(flipped), "empty": b"", "text": b"hm"}[
            damage
        ]
    )
    with pytest.raises(ArtifactError) as caught:
        if kind == "npy":
            read_array(path, checksum=checksum, command=COMMAND)
        elif kind == "json":
            read_json(path, command=COMMAND)
        else:
            read_table(path, command=COMMAND)
    assert not isinstance(caught.value, ArtifactMissing)
    assert caught.value.command == COMMAND
    assert str(caught.value) == f"{path} is damaged: run `{COMMAND}`"


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match="is missing: run `mess extract"):
        read_json(tmp_path / "a.json", command=COMMAND)
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_json(tmp_path / "folder.json", command=COMMAND)
    write_bytes(tmp_path / "list.json", b"[1, 2]")
    with pytest.raises(ArtifactError, match="is damaged"):
        read_json(tmp_path / "list.json", command=COMMAND)


@pytest.mark.parametrize("shape", [(1, 10, 1, 128), (3, 13, 374, 8), (2, 25, 7, 1024)])
def test_raw_features_are_a_plain_npy_file(tmp_path: Path, shape: tuple[int, ...]) -> None:
    states = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    path = tmp_path / "raw.npy"
    with replacing(path) as handle:
        writer = RawWriter(handle)
        for segment in states:
            writer.append(segment)
        writer.finish()
    for mode in (None, "r"):
        loaded = np.load(path, mmap_mode=mode, allow_pickle=False)  # type: ignore[arg-type]
        np.testing.assert_array_equal(loaded, states.astype(np.float16))


def resume(path: Path, *, force: bool = False, encoder: str = "e") -> FeaturesManifest:
    return Manifest.resume(path, made_header(encoder=encoder), FeaturesEntry, force=force)


def read_manifest(path: Path) -> FeaturesManifest:
    return Manifest.read(path, FeaturesHeader, FeaturesEntry, command=COMMAND)


def entry_of(name: str) -> FeaturesEntry:
    return made_entry(FILES, sha256=name * 2, work=name)


def manifest_with(path: Path, *names: str, encoder: str = "e") -> FeaturesManifest:
    manifest = resume(path, encoder=encoder)
    for name in names:
        manifest.record(name, entry_of(name))
    return manifest


def test_a_closed_manifest_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "b", "a").close()
    assert files_below(tmp_path) == ["manifest.json"]
    found = read_manifest(path)
    assert list(found.done()) == ["a", "b"]
    assert found.header == made_header()


def test_the_journal_of_a_killed_process_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a").close()
    killed = manifest_with(path, "b", "c")  # never closed
    assert list(read_manifest(path).done()) == ["a", "b", "c"]
    resumed = Manifest.resume(path, killed.header, FeaturesEntry)
    assert list(resumed.done()) == ["a", "b", "c"]
    assert files_below(tmp_path) == ["manifest.json"]  # folded: a new journal starts clean
    resumed.record("d", entry_of("d"))
    assert list(read_manifest(path).done()) == ["a", "b", "c", "d"]


def test_a_half_written_journal_line_costs_that_track_only(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a", "b")
    journal = tmp_path / "manifest.journal.jsonl"
    whole = journal.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last, len(whole) - 1):
        journal.write_bytes(whole[:end])
        assert list(read_manifest(path).done()) == ["a"]
    journal.write_bytes(whole[:last] + b"\0" * 40)  # what some file systems leave after a crash
    assert list(read_manifest(path).done()) == ["a"]


def test_the_journal_alone_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a")
    path.unlink()
    assert list(read_manifest(path).done()) == ["a"]


def test_other_settings_drop_every_entry(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a", "b").close()
    assert list(resume(path).tracks) == ["a", "b"]
    assert list(resume(path, encoder="other").tracks) == []
    assert list(read_manifest(path).tracks) == []


def test_force_drops_every_entry(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a", "b").close()
    assert list(resume(path, force=True).tracks) == []


def test_failed_tracks_are_remembered_but_not_done(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest = manifest_with(path, "a")
    labels = TrackLabels(path="b.wav", work="b")
    manifest.record("b", FailedEntry.of(labels, error="b.wav: is empty; copy it again"))
    manifest.close()
    found = read_manifest(path)
    assert list(found.done()) == ["a"]
    assert found.failed() == {"b": "b.wav: is empty; copy it again"}


@pytest.mark.parametrize("content", ["", "{", '{"header": 1, "tracks": {}}', '{"header": {}}', "3"])
def test_a_damaged_manifest_is_named_and_extraction_starts_anew(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json is damaged: run `mess extract"):
        read_manifest(path)
    assert resume(path).tracks == {}


def test_the_digest_tells_audio_and_settings_apart(tmp_path: Path) -> None:
    def of(*names: str, encoder: str) -> str:
        folder = tmp_path / digest([names, encoder])
        return manifest_with(folder / "manifest.json", *names, encoder=encoder).digest()

    assert of("a", "b", encoder="e") == of("b", "a", encoder="e")
    different = {of("a", encoder="e"), of("b", encoder="e"), of("a", "b", encoder="e")}
    assert len(different | {of("a", encoder="f")}) == 4


def test_a_new_title_leaves_the_digest(tmp_path: Path) -> None:
    manifest = manifest_with(tmp_path / "manifest.json", "a")
    before = manifest.digest()
    manifest.record("a", replace(entry_of("a"), title="another"))
    assert manifest.digest() == before


@given(
    st.dictionaries(
        st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.booleans())
    )
)
def test_a_digest_knows_no_order(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))
    assert digest(value) == digest(json.loads(json.dumps(value)))


def test_a_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    checksum = write_array(tmp_path / "a.npy", np.arange(5))
    assert checksum == zlib.crc32((tmp_path / "a.npy").read_bytes())


PAUSED = """
import sys
from dataclasses import replace
from pathlib import Path
from mess.storage.files import replacing
with replacing(Path(sys.argv[1])) as handle:
    handle.write(b"half")
    handle.flush()
    print("open", flush=True)
    sys.stdin.read()
"""


def test_what_killed_processes_left_is_swept_and_what_living_ones_write_is_not(
    tmp_path: Path,
) -> None:
    old = tmp_path / ".old.json.4194303.tmp"  # as older code named it
    old.write_bytes(b"half")
    writers = []
    for name in ("killed", "alive"):
        writers.append(
            subprocess.Popen(
                [sys.executable, "-c", PAUSED, str(tmp_path / name)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert writers[-1].stdout is not None
        assert writers[-1].stdout.readline() == "open\n"
    killed, alive = writers
    killed.kill()
    killed.communicate()
    sweep(tmp_path)
    (left,) = files_below(tmp_path)
    assert left.startswith(f".alive.{alive.pid}.")
    alive.communicate("")
    assert (alive.returncode, files_below(tmp_path)) == (0, ["alive"])


def test_the_first_write_into_a_folder_sweeps_it(tmp_path: Path) -> None:
    (tmp_path / ".a.json.4194303.7.tmp").write_bytes(b"half")
    write_json(tmp_path / "b.json", {})
    assert files_below(tmp_path) == ["b.json"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=4), JSON, min_size=1), st.data())
def test_no_changed_byte_of_json_goes_unnoticed(
    value: dict[str, object], data: st.DataObject
) -> None:
    value.pop("checksum", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        write_json(path, value)
        assert read_json(path, command=COMMAND) == value
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        if value:
            with pytest.raises(ArtifactError, match="is damaged|is of older code"):
                read_json(path, command=COMMAND)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_of_a_table_goes_unnoticed(place: int, flip: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        write_table(path, pd.DataFrame({"track": ["a", "b"], "value": [0.5, 1.5]}))
        content = bytearray(path.read_bytes())
        content[place % len(content)] ^= flip
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match="is damaged|is of older code"):
            read_table(path, command=COMMAND)


@given(
    st.lists(st.binary(max_size=40) | JSON.map(lambda one: json.dumps(one).encode()), max_size=4)
)
def test_whatever_stands_in_a_journal_costs_what_comes_after_it_alone(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.json"
        manifest_with(path, "a", "b")
        with (Path(folder) / "manifest.journal.jsonl").open("ab") as handle:
            handle.write(b"".join(line + b"\n" for line in lines))
        assert list(read_manifest(path).done())[:2] == ["a", "b"]
        assert list(resume(path).done())[:2] == ["a", "b"]


def test_an_entry_without_its_fields_is_named_and_done_again(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a", "b").close()
    content = read_json(path, command=COMMAND)
    del content["tracks"]["b"]["sha256"]
    write_json(path, content)
    with pytest.raises(ArtifactStale, match=r"another version .* `sha256`\): run `mess extract"):
        read_manifest(path)
    assert list(resume(path).tracks) == ["a"]


def test_a_damaged_manifest_keeps_what_its_journal_has(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest_with(path, "a").close()
    manifest_with(path, "b")  # killed
    path.write_bytes(path.read_bytes()[:-20])
    assert list(resume(path).tracks) == ["b"]


def test_two_processes_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.bin") as handle:
        assert str(os.getpid()) in Path(handle.name).name
        assert Path(handle.name).parent == tmp_path
