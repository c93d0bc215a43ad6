"""Artifacts at an address are those of a folder, on every machine, through faults, or one line."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pytest
from faults import content as all_content
from faults import differing
from s3_server import Wire, looking_at_credentials, set_credentials
from tones import write_tone

from mess.datasets import available_datasets
from mess.errors import AddressError, ArtifactError, MessError
from mess.storage import leases, mirrors
from mess.storage.arrays import read_array, write_array
from mess.storage.files import bring, read_json, write_json
from mess.storage.store import Store
from mess.storage.writers import writer_lock
from pipelines.extract_features import extract_features

RATE = 22_050
ADDRESS = "s3://music/mess"
Machine = Callable[[str], Store]


@pytest.fixture
def machine(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Gives the data root at an address as a machine of some name has it."""
    fsspec.filesystem("s3").mkdir("music")
    for number in range(3):
        write_tone(tmp_path / "recordings" / f"{number}.wav", 1.5, seed=number, sample_rate=RATE)

    def start(name: str) -> Store:
        monkeypatch.setenv("MESS_DATA", ADDRESS)
        monkeypatch.setenv("MESS_MIRROR", str(tmp_path / name))
        mirrors._mirrors.pop(str(tmp_path / name), None)  # a new process has read nothing
        store = Store()
        if not store.audio_dir("mine").exists():
            store.link_audio("mine", tmp_path / "recordings")
        return store

    return start


def extract(store: Store) -> tuple[int, int]:
    found = extract_features(dataset="mine", encoder="spectral", store=store)
    assert not found.failed
    return found.made, found.skipped


def content(root: Path) -> dict[str, bytes]:
    """Return every artifact below a root; locks hold nothing and are of one machine."""
    return {name: one for name, one in all_content(root).items() if not name.endswith(".lock")}


def objects() -> dict[str, bytes]:
    """Return what is at the address, by its path."""
    files = fsspec.filesystem("s3")
    files.invalidate_cache()
    keys = files.find("music/mess/processed")
    return {key.removeprefix("music/mess/"): files.cat_file(key) for key in keys}


def test_every_machine_reads_what_one_wrote_and_sees_what_changed(
    machine: Machine, tmp_path: Path
) -> None:
    calm = Store(tmp_path / "calm")
    calm.link_audio("mine", tmp_path / "recordings")
    extract(calm)
    one = machine("one")
    assert extract(one) == (3, 0)
    assert differing(objects(), content(calm.root)) == []
    assert differing(content(one.root), content(calm.root)) == []

    two = machine("two")
    two.audio_dir("mine").unlink()  # a machine without the recordings
    assert "mine" in available_datasets()
    two.link_audio("mine", tmp_path / "recordings")
    assert two.where() == f"{ADDRESS}, read through {two.root}"
    assert two.features.encoders("mine") == ["spectral"]
    assert two.features.size("mine", "spectral") == calm.features.size("mine", "spectral")
    manifest = two.features.manifest("mine", "spectral")
    assert two.features.missing("mine", "spectral", manifest) == []
    assert not (two.features.folder("mine", "spectral") / "segments").exists()  # only what is read
    np.testing.assert_array_equal(
        two.features.read("mine", "spectral").values, calm.features.read("mine", "spectral").values
    )
    before = two.features.modified("mine", "spectral")
    assert before == one.features.modified("mine", "spectral") > 0
    write_tone(tmp_path / "recordings" / "3.wav", 1.5, seed=3, sample_rate=RATE)
    assert extract(two) == (1, 3)
    extract(calm)
    assert differing(objects(), content(calm.root)) == []

    one = machine("one")  # its copy of the manifest is older
    assert len(one.features.manifest("mine", "spectral").done()) == 4
    assert one.features.modified("mine", "spectral") != before  # S3 states whole seconds
    assert one.features.read("mine", "spectral").values.shape[0] == 4
    assert extract(one) == (0, 4)


def test_a_copy_that_is_lost_or_damaged_is_fetched_and_a_damaged_object_is_named(
    machine: Machine,
) -> None:
    store = machine("one")
    path = store.root / "processed" / "features" / "mine" / "spectral" / "x.npy"
    checksum = write_array(path, np.arange(9))
    write_json(path.with_name("manifest.json"), {"a": 1})
    for harm in (path.unlink, lambda: path.write_bytes(b"harm")):
        harm()
        assert read_array(path, checksum=checksum, command="mess").tolist() == list(range(9))
    path.unlink()
    fsspec.filesystem("s3").pipe(f"music/mess/{path.relative_to(store.root)}", b"harm")
    with pytest.raises(ArtifactError, match="is damaged: run `mess extract`"):
        read_array(path, checksum=checksum, command="mess extract")


@pytest.mark.long
def test_what_is_not_at_the_address_any_more_is_sent_again(machine: Machine) -> None:
    store = machine("one")
    extract(store)
    wanted = objects()
    lost = "processed/features/mine/spectral/segments/1.npy"
    fsspec.filesystem("s3").rm(f"music/mess/{lost}")
    store = machine("one")
    manifest = store.features.manifest("mine", "spectral")
    assert store.features.missing("mine", "spectral", manifest) == ["1"]
    assert extract(store) == (0, 3)
    assert differing(objects(), wanted) == []


def test_a_connection_that_breaks_in_a_file_costs_nothing(machine: Machine, wire: Wire) -> None:
    store = machine("one")
    path = store.root / "processed" / "maps" / "large.npy"
    values = np.random.default_rng(0).random(100_000)
    checksum = write_array(path, values)
    write_json(path.with_name("record.json"), {"a": 1})
    path.unlink()
    wire.cuts = [300_000, 200_000]
    np.testing.assert_array_equal(read_array(path, checksum=checksum, command="mess"), values)
    assert wire.cut == 2


def test_without_a_connection_work_is_kept_here_and_the_next_run_sends_it(
    machine: Machine, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    set_credentials(monkeypatch)  # so that this counts
    store = machine("one")
    written = mirrors.Mirror._send
    sent: list[Path] = []

    def break_then_send(self: mirrors.Mirror, path: Path) -> None:
        sent.append(path)
        if len(sent) == 6:
            wire.cuts = [0] * 1000  # nothing comes any more
        written(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(mirrors.Mirror, "_send", break_then_send)
        with pytest.raises(AddressError) as told:
            extract(store)
    assert "the same command goes on" in str(told.value) and "\n" not in str(told.value)
    assert str(told.value).startswith("s3://music/mess/processed/")
    wire.cuts = []
    assert "files wait to be sent" in store.where()
    assert sum(extract(machine("one"))) == 3
    calm = Store(tmp_path / "calm")
    calm.link_audio("mine", tmp_path / "recordings")
    extract(calm)
    assert differing(objects(), content(calm.root)) == []
    assert not list((store.root / "pending").iterdir())


def test_wrong_credentials_a_missing_bucket_and_other_addresses_are_one_line(
    machine: Machine, s3_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = machine("one")
    with looking_at_credentials(s3_server, monkeypatch), pytest.raises(AddressError) as told:
        extract(store)
    assert str(told.value).startswith("s3://music/mess/processed: access is denied (")
    assert str(told.value).endswith("; check the credentials")

    with pytest.raises(MessError, match="is the mirror of s3://music/mess; name another by"):
        Store("s3://nowhere/at/all")
    monkeypatch.setenv("MESS_MIRROR", str(tmp_path / "nowhere"))
    nowhere = Store("s3://nowhere/at/all")
    with pytest.raises(AddressError, match="there is no bucket 'nowhere'; make it, or correct"):
        nowhere.features.manifest("mine", "spectral")

    (tmp_path / "plain" / "processed").mkdir(parents=True)
    monkeypatch.setenv("MESS_MIRROR", str(tmp_path / "plain"))
    with pytest.raises(MessError, match="has data of this machine; name another by MESS_MIRROR"):
        Store(ADDRESS)
    with pytest.raises(MessError, match="is neither a folder nor s3://"):
        Store("ftp://music/mess")
    assert Store(f"file://{tmp_path}/plain").root == tmp_path / "plain"


def test_a_folder_that_is_a_mirror_is_one_whatever_names_it(machine: Machine) -> None:
    """The dashboard starts commands with the folder for a data root."""
    store = machine("one")
    mirrors._mirrors.clear()
    write_json(Store(store.root).root / "processed" / "record.json", {"a": 1})
    assert list(objects()) == ["processed/record.json"]
    os.environ["MESS_DATA"] = str(store.root)
    assert Store().root == store.root


def test_of_two_machines_one_waits_for_the_other(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leases, "_PAUSE", 0.02)
    name = Path("processed") / "indices" / "mine" / "spectral" / "manifest.json"
    path = machine("one").root / name
    with_one = writer_lock(path)
    write_json(path, {"by": "one"})
    other = machine("two").root / name
    read: list[str] = []

    def wait_and_read() -> None:
        lock = writer_lock(other)
        read.append(read_json(other, command="mess")["by"])
        lock.free()

    waiting = threading.Thread(target=wait_and_read)
    waiting.start()
    while "writes it; waiting for its end" not in capfd.readouterr().err:
        assert waiting.is_alive()
    write_json(path, {"by": "one again"})
    assert not read
    with_one.free()
    waiting.join()
    assert read == ["one again"]


def test_a_machine_that_was_away_too_long_leaves_what_another_wrote(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_PAUSE", 0.02)
    monkeypatch.setattr(leases, "_PATIENCE", 0.1)  # shorter than the beat: the first is away
    name = Path("processed") / "indices" / "mine" / "spectral" / "manifest.json"
    path = machine("one").root / name
    away = writer_lock(path)
    write_json(path, {"by": "one"})
    other = machine("two").root / name
    lock = writer_lock(other)
    write_json(other, {"by": "two"})
    with pytest.raises(AddressError, match="another machine has written it meanwhile"):
        write_json(path, {"by": "one again"})
    assert read_json(other, command="mess") == {"by": "two"}
    away.free()
    lock.free()
    path = machine("one").root / name
    assert read_json(path, command="mess") == {"by": "two"}
    lock = writer_lock(path)
    write_json(path, {"by": "one again"})
    lock.free()
    assert objects()[str(name)] == path.read_bytes()


def test_a_server_that_creates_an_object_twice_is_told(
    machine: Machine, wire: Wire, capfd: pytest.CaptureFixture[str]
) -> None:
    path = machine("one").root / "processed" / "indices" / "manifest.json"
    writer_lock(path).free()
    assert "let one machine write" not in capfd.readouterr().err
    leases._exclusive.clear()
    wire.changes = (b"If-None-Match", b"X-Is-Not-Known")
    try:
        writer_lock(path).free()
    finally:
        leases._exclusive.clear()
    assert "let one machine write at a time" in capfd.readouterr().err


@pytest.mark.long
def test_a_file_that_was_removed_is_gone_on_every_machine(machine: Machine) -> None:
    store = machine("one")
    extract(store)
    store.features.drop("mine", "spectral", "1")
    write_json(store.root / "processed" / "record.json", {})
    assert sum("/1.npy" in name for name in objects()) == 0
    assert sum("/0.npy" in name for name in objects()) == 4


def test_vectors_that_stay_on_disk_are_opened_on_another_machine(machine: Machine) -> None:
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    of_rows = np.array([0, 1, 0], dtype=np.uint16)
    lists = machine("one").passages.lists("mine", "spectral")
    writer = lists.write(sizes=np.array([2, 1]), width=4)
    writer.add(0, of_rows, vectors)
    checksum = writer.finish()
    write_json(lists.folder / "passages.json", {})  # the record is sent last
    index = (
        machine("two").passages.lists("mine", "spectral").open(checksum, of_rows=of_rows, width=4)
    )
    np.testing.assert_array_equal(index.reconstruct(2), vectors[2])


def test_what_is_written_now_is_not_replaced_by_what_it_replaces(machine: Machine) -> None:
    """A page that reads by the older record in the moment between a rename and the request."""
    path = machine("one").root / "processed" / "maps" / "x.npy"
    older = write_array(path, np.arange(3))
    write_json(path.with_name("record.json"), {})
    mirror = mirrors.mirror_of(path)
    assert mirror is not None
    with mirror.writing(path, record=False):
        path.write_bytes(b"newer")
        bring(path, checksum=older)
    assert path.read_bytes() == b"newer"
    write_json(path.with_name("record.json"), {})
    assert objects()["processed/maps/x.npy"] == b"newer"
