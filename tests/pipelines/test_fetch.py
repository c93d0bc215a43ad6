"""`mess fetch` against a real server that goes wrong: whole files, or one line and what arrived."""

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from faulty_server import BUSY, DROP, SILENT, WRONG, FaultyServer, faulty_server
from layouts import MAESTRO_COLUMNS
from typer.testing import CliRunner

from mess.datasets import load_dataset, published
from mess.datasets.published import MAESTRO, SMD, Published, read_recordings
from mess.encoders import PRESETS, hub
from mess.errors import MessError, UnknownName
from mess.remote.http import Patience, download
from mess.storage.downloads import DownloadFiles
from mess.storage.store import Store
from pipelines.fetch import command, fetch_dataset
from pipelines.fetch_weights import fetch_weights

QUICK = Patience(attempts=3, pause=0, timeout=10)
NOISE = bytes(hashlib.sha256(str(n).encode()).digest()[0] for n in range(40_000))
STEMS = ("Bach_BWV849-01_001_20090916-SMD", "Ravel_JeuxDEau_008_20110315-SMD")
LIST = "maestro-v3.0.0/maestro-v3.0.0.csv"


@pytest.fixture
def site() -> Iterator[FaultyServer]:
    with faulty_server() as site:
        yield site


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def serve_smd(site: FaultyServer, more: dict[str, bytes] | None = None) -> Published:
    """Serve an archive with the layout of SMD's, and return where it is."""
    files = dict(more or {})
    for number, stem in enumerate(STEMS):
        files[f"wav_44100_stereo/{stem}.wav"] = NOISE[number:]
        files[f"wav_22050_mono/{stem}.wav"] = b"another rate"
        files[f"midi/{stem}.mid"] = stem.encode()
    site.files["/smd.zip"] = zipped(files)
    archive = replace(SMD.audio, url=f"{site.url}/smd.zip")
    return replace(SMD, audio=archive, midi=archive)


def serve_maestro(site: FaultyServer, number: int = 6) -> Published:
    """Serve both archives of MAESTRO in small, and return where they are."""
    splits = ("train", "train", "test", "validation", "test", "train")
    rows = [
        ("Bach", f"Fugue {n}", splits[n], "2004", f"2004/M{n}.midi", f"2004/M{n}.wav", "1.0")
        for n in range(number)
    ]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([MAESTRO_COLUMNS, *rows])
    midi = {LIST: text.getvalue().encode()}
    midi |= {f"maestro-v3.0.0/{row[4]}": row[4].encode() for row in rows}
    site.files["/midi.zip"] = zipped(midi)
    site.files["/all.zip"] = zipped({f"maestro-v3.0.0/{row[5]}": NOISE for row in rows})
    sha256 = hashlib.sha256(site.files["/midi.zip"]).hexdigest()
    return replace(
        MAESTRO,
        audio=replace(MAESTRO.audio, url=f"{site.url}/all.zip"),
        midi=replace(MAESTRO.midi, url=f"{site.url}/midi.zip", sha256=sha256),
    )


def smd_is_whole(store: Store) -> bool:
    folder = store.audio_dir("smd")
    recordings = [folder / "wav_44100_stereo" / f"{stem}.wav" for stem in STEMS]
    assert [path.read_bytes() for path in recordings] == [NOISE, NOISE[1:]]
    assert [track.midi_path is not None for track in load_dataset("smd", root=folder)] == [True] * 2
    return sorted(path.name for path in store.downloads.folder("smd").iterdir()) == ["lock"]


@pytest.mark.parametrize("fault", [DROP, BUSY, WRONG, SILENT])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_fault_at_any_request_ends_in_whole_files(
    site: FaultyServer, store: Store, fault: str, at: int
) -> None:
    published = serve_smd(site)
    site.faults.extend([""] * at + [fault])
    soon = replace(QUICK, attempts=9, timeout=0.3)  # for silence is waited for as long as this
    fetch_dataset(published, store=store, patience=soon if fault == SILENT else QUICK)
    assert smd_is_whole(store)
    assert not site.faults  # it happened


def test_a_connection_that_breaks_again_and_again_loses_nothing(
    site: FaultyServer, store: Store
) -> None:
    published = serve_smd(site)
    site.faults.extend(["", *[DROP] * 10])
    fetch_dataset(published, store=store, patience=QUICK)
    assert smd_is_whole(store)
    assert site.sent < 2 * len(site.files["/smd.zip"])  # each byte once, and the directory


def test_a_server_without_parts_gives_the_archive_whole(site: FaultyServer, store: Store) -> None:
    published, site.parts = serve_smd(site), False
    site.faults.extend(["", DROP])
    fetch_dataset(published, store=store, patience=QUICK)
    folder = store.audio_dir("smd")
    assert (folder / "wav_44100_stereo" / f"{STEMS[1]}.wav").read_bytes() == NOISE[1:]
    assert not list(folder.rglob("*22050*"))


@pytest.mark.parametrize(
    ("fault", "line"),
    [(BUSY, "answers 503"), (SILENT, "nothing came for 0.1 s"), (DROP, "ended too early|broke")],
)
def test_a_server_that_stays_bad_costs_one_line_and_the_next_call_goes_on(
    site: FaultyServer, tmp_path: Path, fault: str, line: str
) -> None:
    site.files["/a"] = NOISE
    part = DownloadFiles(tmp_path).part("a", "a")
    part.begin(f'"{hashlib.sha256(NOISE).hexdigest()}"')
    part.append([NOISE[:30_000]])
    site.faults.extend([fault] * 60)
    impatient = replace(QUICK, attempts=2, timeout=0.1 if fault == SILENT else 10)
    if fault == DROP:
        site.files["/a"] = NOISE[:30_001] + b""  # half of one byte is none
        part.begin(f'"{hashlib.sha256(NOISE[:30_001]).hexdigest()}"')
        part.append([NOISE[:30_000]])
    with pytest.raises(MessError, match=line) as caught:
        download(f"{site.url}/a", part, patience=impatient)
    assert "\n" not in str(caught.value) and "0.0 MB are kept" in str(caught.value)
    assert part.path.read_bytes()[:30_000] == NOISE[:30_000]
    site.faults.clear()
    before = part.size
    download(f"{site.url}/a", part, patience=QUICK)
    assert part.path.read_bytes() == site.files["/a"]
    assert site.asked[-1] == ("/a", f"bytes={before}-")


def test_a_file_that_changes_on_the_server_begins_anew(site: FaultyServer, tmp_path: Path) -> None:
    part = DownloadFiles(tmp_path).part("a", "a")
    part.begin('"an older one"')
    part.append([b"old" * 100])
    site.files["/a"] = NOISE
    counted: list[int] = []
    download(f"{site.url}/a", part, patience=QUICK, on_bytes=counted.append)
    assert part.path.read_bytes() == NOISE
    assert sum(counted) == len(NOISE)


def test_what_is_not_there_or_of_another_size_is_said_at_once(
    site: FaultyServer, tmp_path: Path
) -> None:
    part = DownloadFiles(tmp_path).part("a", "a")
    with pytest.raises(MessError, match="no such file"):
        download(f"{site.url}/gone.zip", part, patience=QUICK)
    site.files["/a"] = NOISE
    with pytest.raises(MessError, match="40,000 bytes and not 50,000"):
        download(f"{site.url}/a", part, size=50_000, patience=QUICK)
    assert len(site.asked) == 2
    with pytest.raises(MessError, match="out of reach"):
        download("http://127.0.0.1:9/a", part, patience=QUICK)


@pytest.mark.parametrize("fault", [WRONG, BUSY])
def test_a_bad_server_leaves_no_recording_that_is_not_whole(
    site: FaultyServer, store: Store, fault: str
) -> None:
    published = serve_smd(site)
    site.faults.extend(["", *[fault] * 9])
    with pytest.raises(MessError) as caught:
        fetch_dataset(published, store=store, patience=QUICK)
    assert "\n" not in str(caught.value)
    assert not [path for path in store.audio_dir("smd").rglob("*") if path.is_file()]


def test_a_kill_in_between_loses_nothing_and_a_second_fetch_waits(
    site: FaultyServer, store: Store, tmp_path: Path
) -> None:
    published = serve_smd(site)
    site.faults.extend(["", SILENT])
    script = f"""
from dataclasses import replace
from mess.datasets.published import SMD
from pipelines.fetch import fetch_dataset
archive = replace(SMD.audio, url={published.audio.url!r})
fetch_dataset(replace(SMD, audio=archive, midi=archive))
"""
    place = {**os.environ, "MESS_DATA": str(store.root)}
    process = subprocess.Popen([sys.executable, "-c", script], env=place)
    try:
        assert site.reached.wait(120)
        with pytest.raises(MessError, match="another `mess fetch smd` is running"):
            fetch_dataset(published, store=store, patience=QUICK)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    arrived = sum(path.stat().st_size for path in store.downloads.folder("smd").glob("*.part"))
    sent = site.sent
    fetch_dataset(published, store=store, patience=QUICK)
    assert smd_is_whole(store)
    assert arrived > 10_000
    whole = len(site.files["/smd.zip"])
    assert site.sent - sent < 2 * whole - arrived  # the directory, and what was missing


def test_what_is_there_is_not_fetched_again(
    site: FaultyServer, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    published = serve_smd(site)
    fetch_dataset(published, store=store, patience=QUICK)
    assert "4 of 4 files are not here: 0.1 MB to download, 0.1 MB on the" in capsys.readouterr().out
    asked = len(site.asked)
    fetch_dataset(published, store=store, patience=QUICK)
    assert len(site.asked) == asked + 1  # the directory
    own = store.audio_dir("smd") / "midi" / f"{STEMS[0]}.mid"
    own.write_bytes(b"my own")
    with pytest.raises(MessError, match="move it away"):
        fetch_dataset(published, store=store, patience=QUICK)
    assert own.read_bytes() == b"my own"


def test_a_disk_that_is_too_small_is_seen_before_anything_is_downloaded(
    site: FaultyServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = serve_smd(site)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9))  # type: ignore[attr-defined]
    with pytest.raises(MessError, match="make room"):
        fetch_dataset(published, store=store, patience=QUICK)
    assert len(site.asked) == 1  # the directory
    site.parts = False
    with pytest.raises(MessError, match="make room"):
        fetch_dataset(published, store=store, patience=QUICK)
    assert not list(store.root.rglob("*.part"))


def test_no_member_of_an_archive_leaves_the_folder(site: FaultyServer, store: Store) -> None:
    evil = {
        f"../../wav_44100_stereo/{STEMS[0]}-x.wav": b"",
        f"wav_44100_stereo/../../../{STEMS[0]}.wav": b"",
        f"/etc/midi/{STEMS[0].replace('849', '850')}.mid": b"evil",
    }
    fetch_dataset(serve_smd(site, evil), store=store, patience=QUICK)
    outside = [
        p
        for p in store.root.parent.rglob("*")
        if p.is_file() and not p.is_relative_to(store.audio_dir("smd")) and p.name != "lock"
    ]
    assert not outside


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(
    site: FaultyServer, store: Store
) -> None:
    published = serve_smd(site)
    small = replace(published.audio, most=50_000)
    with pytest.raises(MessError, match="unpacks to"):
        fetch_dataset(replace(published, audio=small, midi=small), store=store, patience=QUICK)
    # A file that is larger than the directory says is cut there, and its CRC-32 is wrong.
    content = bytearray(site.files["/smd.zip"])
    entry = content.rindex(f"wav_44100_stereo/{STEMS[0]}.wav".encode()) - 46
    content[entry + 24 : entry + 28] = (1_000).to_bytes(4, "little")
    site.files["/smd.zip"] = bytes(content)
    with pytest.raises(MessError, match="not what the archive's directory states"):
        fetch_dataset(published, store=store, patience=QUICK)
    assert not list(store.audio_dir("smd").rglob("*.wav"))


def test_a_subset_of_maestro_downloads_only_its_recordings(
    site: FaultyServer, store: Store
) -> None:
    published = serve_maestro(site)
    fetch_dataset(published, split="test", subset=1, store=store, patience=QUICK)
    folder = store.audio_dir("maestro")
    assert len(list(folder.glob("2004/*.wav"))) == 1
    (track,) = load_dataset("maestro", root=folder)
    assert track.extra["split"] == "test" and track.midi_path is not None
    assert track.path.read_bytes() == NOISE
    fetch_dataset(published, split="test", store=store, patience=QUICK)
    assert {track.extra["split"] for track in load_dataset("maestro", root=folder)} == {"test"}
    assert len(list(folder.glob("2004/*.wav"))) == 2
    assert site.sent < len(site.files["/all.zip"]) * 3  # its directory is most of it, thrice
    fetch_dataset(published, midi_only=True, store=store, patience=QUICK)
    assert len(list(folder.glob("2004/*.midi"))) == 6
    with pytest.raises(UnknownName, match="train, validation|test"):
        fetch_dataset(published, split="exam", store=store, patience=QUICK)
    with pytest.raises(MessError, match="no --split"):
        fetch_dataset(serve_smd(site), split="test", store=store, patience=QUICK)


def test_a_smaller_subset_is_part_of_a_larger_one() -> None:
    rows = [{"split": "test", "audio_filename": f"2004/{n}.wav"} for n in range(40)]
    first, second = (published.choose_recordings(rows, subset=n) for n in (5, 20))
    assert second[:5] == first
    assert (
        published.choose_recordings(rows, subset=99)
        == sorted(rows, key=lambda row: second.index(row) if row in second else 99)
        or len(published.choose_recordings(rows, subset=99)) == 40
    )


def test_midi_of_maestro_with_another_sha256_is_not_kept(site: FaultyServer, store: Store) -> None:
    right = serve_maestro(site)
    other = replace(right, midi=replace(right.midi, sha256="0" * 64))
    with pytest.raises(MessError, match="sha256"):
        fetch_dataset(other, midi_only=True, store=store, patience=QUICK)
    assert not list(store.root.rglob("*.zip")) and not list(store.root.rglob("*.part"))
    site.faults.append(WRONG)
    fetch_dataset(right, midi_only=True, store=store, patience=QUICK)
    kept = store.downloads.folder("maestro") / "midi.zip"
    kept.write_bytes(b"damaged meanwhile")
    with pytest.raises(MessError, match="is removed"):
        fetch_dataset(right, midi_only=True, store=store, patience=QUICK)
    fetch_dataset(right, midi_only=True, store=store, patience=QUICK)


@pytest.mark.parametrize("path", ["../2004/a.wav", "/etc/a.wav", "2004/../../a.wav", "2004/a.sh"])
def test_a_list_that_names_other_places_is_refused(path: str) -> None:
    text = f"split,audio_filename,midi_filename\ntest,{path},2004/a.midi\n"
    with pytest.raises(MessError, match="nothing is unpacked"):
        read_recordings(text.encode())


def test_nobody_agrees_by_accident(data_root: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    for name, licence in (("smd", "CC BY-NC-SA 3.0"), ("mert-v1-95m", "CC-BY-NC-4.0")):
        result = CliRunner().invoke(app, [name])
        assert licence in result.output
        assert isinstance(result.exception, MessError)
        assert "--agree" in str(result.exception)
    result = CliRunner().invoke(app, ["maestros", "--agree"])
    assert "did you mean 'maestro'" in str(result.exception)
    assert not data_root.exists()


# Weights -----------------------------------------------------------------------------------------

COMMIT = "12af15fef9d0ac838c3f475bfbbf26d2060dd4f5"


@pytest.fixture
def model(site: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that the server has as the hub does; returns the folder of the cache."""
    from huggingface_hub import constants

    site.files["/"] = b"the hub"
    config = json.dumps({"model_type": "hubert"}).encode()
    preprocessor = json.dumps({"sampling_rate": 24_000}).encode()
    for file, content in (
        ("config.json", config),
        ("preprocessor_config.json", preprocessor),
        ("pytorch_model.bin", NOISE),
        ("modeling_MERT.py", b"raise SystemExit"),
    ):
        name = f"/m-a-p/MERT-v1-95M/resolve/{COMMIT}/{file}"
        blob = hashlib.sha1(
            b"blob %d\0%b" % (len(content), content), usedforsecurity=False
        ).hexdigest()
        large = file.endswith(".bin")
        checksum = hashlib.sha256(content).hexdigest() if large else blob
        site.files[name] = content
        site.headers[name] = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Etag": f'"{checksum}"',
            "X-Linked-Size": str(len(content)),
        }
    monkeypatch.setattr(constants, "ENDPOINT", site.url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_weights_come_into_the_place_where_the_loader_looks(
    site: FaultyServer, store: Store, model: Path
) -> None:
    preset = replace(PRESETS["mert-v1-95m"], weights_sha256="")
    site.faults.extend(["", DROP, DROP, WRONG, BUSY])
    folder = fetch_weights(preset, store=store, patience=QUICK)
    assert folder.is_relative_to(model) and not list(folder.glob("*.py"))
    assert hub.in_cache(preset.hub_id, revision=preset.revision)
    checkpoint = hub.fetch(preset.hub_id, revision=preset.revision)
    assert checkpoint.revision == COMMIT
    name = f"/m-a-p/MERT-v1-95M/resolve/{COMMIT}/{checkpoint.weights.name}"
    assert checkpoint.weights.read_bytes() == site.files[name]
    asked = len(site.asked)
    fetch_weights(preset, store=store, patience=QUICK)
    assert len(site.asked) == asked


def test_weights_that_are_not_the_known_ones_are_not_downloaded(
    site: FaultyServer, store: Store, model: Path
) -> None:
    with pytest.raises(MessError, match="another sha256"):
        fetch_weights(PRESETS["mert-v1-95m"], store=store, patience=QUICK)
    assert not hub.in_cache("m-a-p/MERT-v1-95M", revision=COMMIT)
