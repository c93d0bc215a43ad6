"""Files from a browser: nameless, apart, encoded in another process, one line for each bad one."""

import io
import os
import stat
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import coded, sines
from tones import tone, write_tone

from dashboard.sections.belonging import add_to_dataset, dataset_name
from dashboard.sections.handed_over import UPLOADED
from mess.audio.containers import SUFFIXES
from mess.audio.decoding import decode
from mess.datasets import load_dataset
from mess.errors import MessError
from mess.new_recordings.uploads import read_encoded
from mess.storage.store import Store
from mess.storage.uploads import UploadFiles, container_suffix, safe_name
from pipelines.encode_uploads import encode_waiting

EVIL = "../../<script>alert(1)</script> *b*.wav"
MOST = 50 << 20


def sound(*, format: str = "WAV", seconds: float = 7.0, subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(seconds), 22_050, format=format, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["WAV", "FLAC", "MP3", "OGG", "W64", "AIFF", "AU", "CAF"])
def test_the_container_is_what_the_bytes_say(format: str) -> None:
    content = sound(format=format)
    assert container_suffix(content) == f".{format.lower()}"
    tag = b"ID3\x03\0\0\0\0\0\x05hello"
    assert container_suffix(tag + bytes(3000) + content) == f".{format.lower()}"


def test_an_m4a_is_known(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=22_050)
        frame = av.AudioFrame.from_ndarray(tone(2.0)[None], format="fltp", layout="mono")
        frame.sample_rate = 22_050
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    assert container_suffix(path.read_bytes()) == ".m4a"


@pytest.mark.parametrize(
    "suffix, like",
    [(".MOV", "a.m4a"), (".3gp", "a.m4a"), (".mkv", "a.mka"), (".weba", "a.webm")],
)
def test_what_the_decoder_takes_is_taken_and_listed_by_any_of_its_names(
    tmp_path: Path, suffix: str, like: str
) -> None:
    content = coded(sines(4.0), like)
    kept = Store(tmp_path).uploads.add(content, f"a{suffix}", most=MOST)
    assert decode(kept.path, 16_000).duration > 1.5
    audio = tmp_path / "audio"
    audio.mkdir()
    (audio / f"a{suffix}").write_bytes(content)
    assert [track.path.name for track in load_dataset("mine", root=audio)] == [f"a{suffix}"]
    assert suffix.lower().removeprefix(".") in UPLOADED


def test_a_file_keeps_nothing_of_its_name_on_disk(tmp_path: Path) -> None:
    uploads = Store(tmp_path).uploads
    kept = uploads.add(sound(), EVIL, most=MOST)
    assert kept.name == EVIL  # as text
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert not any("script" in name or "alert" in name for name in files)
    assert kept.path.name == "audio.wav"
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    assert uploads.find("../" + kept.token) is None
    assert uploads.find(kept.token.upper()) is None
    uploads.forget(kept.token)
    assert uploads.find(kept.token) is None
    assert not kept.path.parent.exists()


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "is empty"),
        (b"hello, I am text, not sound", "is no recording that can be read"),
        (b"RIFF" + bytes(3 << 20), "is larger than 1 MB"),
    ],
)
def test_what_is_no_audio_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(MessError, match=says) as caught:
        Store(tmp_path).uploads.add(content, "a\nb.wav", most=1 << 20)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("audio.*"))


@settings(max_examples=200)
@given(st.binary(max_size=20))
def test_any_bytes_are_looked_at_without_an_error(head: bytes) -> None:
    assert container_suffix(head) in (None, *SUFFIXES.values())


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_names_of_files_and_datasets_are_harmless(text: str) -> None:
    assert Path(safe_name(text)).name == safe_name(text) not in ("", ".", "..")
    assert Path(dataset_name(text)).name == dataset_name(text)
    assert dataset_name(text)[0].isalnum() and dataset_name(text).isascii()


def test_abandoned_files_are_swept(tmp_path: Path) -> None:
    uploads = Store(tmp_path).uploads
    old, new = (uploads.add(sound(), "a.wav", most=MOST) for _ in range(2))
    past = time.time() - 25 * 3600
    os.utime(old.path.parent, (past, past))
    uploads.sweep()
    assert uploads.find(old.token) is None
    assert uploads.find(new.token) is not None


def test_one_bad_file_does_not_stop_the_rest(demo_library: Path, tmp_path: Path) -> None:
    (tmp_path / "processed").symlink_to(demo_library / "processed")
    store = Store(tmp_path)
    uploads = store.uploads
    good = sound(format="FLAC")
    silence, nan = io.BytesIO(), io.BytesIO()
    soundfile.write(silence, np.zeros(50_000), 22_050, format="WAV")
    soundfile.write(nan, np.full(50_000, np.nan), 22_050, format="WAV", subtype="FLOAT")
    long = io.BytesIO()
    soundfile.write(long, np.zeros(8000 * 120), 8000, format="FLAC")
    files = {
        "cut": (good[: len(good) // 3], "damaged or truncated|truncated"),
        "broken": (b"RIFF\x00\x00\x00\x00WAVEjunk" + bytes(100), "no audio that can be decoded"),
        "silent": (silence.getvalue(), "is silent"),
        "nan": (nan.getvalue(), "not finite"),
        "short": (sound(seconds=0.4), "is only 0.4 s long"),
        "long": (long.getvalue(), "is longer than 1 minutes"),
        "good": (good, ""),
    }
    tokens = {
        name: uploads.add(content, f"{name}.wav", most=MOST).token
        for name, (content, _) in files.items()
    }
    for token in tokens.values():
        uploads.want(token, dataset="demo", encoder="spectral")
        assert uploads.state(token, "spectral") == "waiting"
    assert encode_waiting(store, linger=0.0, max_seconds=60.0) == len(files)
    for name, (_, says) in files.items():
        token = tokens[name]
        if not says:
            assert uploads.state(token, "spectral") == "done"
            assert read_encoded(uploads, token, "spectral").duration == pytest.approx(7.0, abs=0.01)
            continue
        assert uploads.state(token, "spectral") == "failed", name
        problem = uploads.problem(token, "spectral")
        assert any(part in problem for part in says.split("|")), problem
        assert "\n" not in problem and token not in problem


def test_a_file_that_killed_the_encoder_is_not_tried_again(
    demo_library: Path, tmp_path: Path
) -> None:
    (tmp_path / "processed").symlink_to(demo_library / "processed")
    uploads = Store(tmp_path).uploads
    kept = uploads.add(sound(), "a.wav", most=MOST)
    uploads.want(kept.token, dataset="demo", encoder="spectral")
    assert uploads.begin(kept.token, "spectral")  # and then the process died
    encode_waiting(Store(tmp_path), linger=0.0)
    assert "broke off" in uploads.problem(kept.token, "spectral")


def test_a_file_becomes_part_of_a_dataset(tmp_path: Path) -> None:
    store = Store(tmp_path)
    uploads = store.uploads
    kept = uploads.add(sound(), EVIL, most=MOST)
    assert add_to_dataset(store, kept, dataset="mine", title="../My song") == 1
    assert [path.name for path in store.audio_dir("mine").iterdir()] == ["My song.wav"]
    with pytest.raises(MessError, match="there is one of this name"):
        add_to_dataset(store, kept, dataset="mine", title="My song")
    with pytest.raises(MessError, match="belong to others"):
        add_to_dataset(store, kept, dataset="demo", title="x")
    elsewhere = write_tone(tmp_path / "elsewhere" / "a.wav").parent
    store.audio_dir("linked").symlink_to(elsewhere)
    with pytest.raises(MessError, match="belong to others"):
        add_to_dataset(store, kept, dataset="linked", title="x")


def test_what_somebody_waits_for_is_encoded_before_what_nobody_does(
    demo_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "processed").symlink_to(demo_library / "processed")
    uploads = Store(tmp_path).uploads
    tokens = [uploads.add(sound(), f"{n}.wav", most=MOST).token for n in range(4)]
    for place, token in enumerate(tokens):
        uploads.want(token, dataset="demo", encoder="spectral")
        asked = uploads.folder / token / "spectral.wanted"
        os.utime(asked, (1e9 + place, 1e9 + place))
    assert [one.token for one, _, _ in uploads.waiting()] == tokens
    uploads.watch(tokens[2], "spectral")
    done: list[str] = []
    keep = UploadFiles.keep_features

    def noted(self: UploadFiles, token: str, encoder: str, features: bytes) -> None:
        done.append(token)
        if len(done) == 1:  # meanwhile somebody opened the last one
            self.watch(tokens[3], encoder)
        keep(self, token, encoder, features)

    monkeypatch.setattr(UploadFiles, "keep_features", noted)
    encode_waiting(Store(tmp_path), linger=0.0)
    assert done == [tokens[2], tokens[3], tokens[0], tokens[1]]
    assert not list(uploads.folder.rglob("*.watched"))
    assert uploads.others(tokens[:1])[0] == 3


def test_damaged_notes_cost_the_name_or_another_try_and_never_the_file(tmp_path: Path) -> None:
    uploads = Store(tmp_path).uploads
    kept = uploads.add(sound(), "mine.wav", most=MOST)
    folder = uploads.folder / kept.token
    for content in (b"", b"[" * 100_000, b'{"name": 1}', b"\0\xff"):
        (folder / "about.json").write_bytes(content)
        found = uploads.find(kept.token)
        assert found is not None
        assert (found.path, found.size) == (kept.path, kept.size)
        assert found.name == "a file without a name"

        (folder / "spectral.wanted").write_bytes(content)
        assert list(uploads.waiting()) == []
        assert uploads.state(kept.token, "spectral") == ""  # so the page asks again
        uploads.want(kept.token, dataset="d", encoder="spectral")
        assert [request[1:] for request in uploads.waiting()] == [("d", "spectral")]

        (folder / "spectral.failed").write_bytes(content)
        assert uploads.problem(kept.token, "spectral") == "it could not be encoded"
        (folder / "spectral.failed").unlink()

        (folder / "spectral.npz").write_bytes(content)
        with pytest.raises(MessError, match="damaged: choose it again"):
            read_encoded(uploads, kept.token, "spectral")
        assert uploads.state(kept.token, "spectral") == "waiting"
