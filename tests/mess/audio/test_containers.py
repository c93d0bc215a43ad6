"""A whole file decodes whole, half a file is named as half, and a container is its content."""

import io
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import FFMPEG, RATE, SNDFILE, coded, sines

from mess.audio.clip import read_clip
from mess.audio.containers import read_layout
from mess.audio.decoding import decode, native_blocks, probe_duration
from mess.audio.mpeg_frames import parse_header
from mess.audio.pictures import read_peaks
from mess.errors import AudioError

SECONDS = 2.5
PITCH, OTHER = 440.0, 990.0
NAMES = [*SNDFILE, *FFMPEG]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    found = {}
    for name in NAMES:
        rate = 48_000 if name in ("a.opus", "a.webm") else RATE
        found[name] = coded(sines(SECONDS, PITCH, rate=rate), name, rate=rate)
    return found


def pitch(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 8 * samples.size))
    return float(spectrum.argmax()) * rate / (8 * samples.size)


def assert_whole(path: Path, *, seconds: float = SECONDS, notes: int = 0) -> None:
    signal = decode(path, 16_000)
    assert signal.duration == pytest.approx(seconds, abs=0.12)
    assert pitch(signal.samples[8_000:24_000], 16_000) == pytest.approx(PITCH, abs=2)
    assert len(signal.notes) == notes
    late = [block for block, _ in native_blocks(path, start=1.0)]
    rate = next(native_blocks(path))[1]
    assert sum(map(len, late)) / rate == pytest.approx(signal.duration - 1.0, abs=2e-3)


def written(folder: Path, content: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_file_decodes_whole_whatever_its_name(
    tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    assert_whole(written(tmp_path, files[name], name))
    wrong = written(tmp_path, files[name], "named.flac" if "flac" not in name else "named.m4a")
    assert_whole(wrong)
    length = probe_duration(wrong)
    assert length == pytest.approx(SECONDS, abs=0.12)


@pytest.mark.parametrize("name", NAMES)
def test_a_part_of_a_file_is_named_as_truncated(
    tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    whole = files[name]
    for share in (0.06, 0.31, 0.5, 0.77, 0.94):
        path = written(tmp_path, whole[: int(share * len(whole))], name)
        with pytest.raises(AudioError, match="truncated") as caught:
            decode(path, 16_000)
        assert "\n" not in str(caught.value)
        with pytest.raises(AudioError, match="truncated"):
            read_peaks(path, start=SECONDS - 0.5)
        if name != "a.flac":  # its header states the length, and only decoding tells
            assert probe_duration(path) is None


# Sizes that are not known ---------------------------------------------------------------------


def test_a_wav_that_was_never_finished_decodes_whole(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    whole = files["a.wav"]
    place = whole.index(b"data")
    for riff, data in ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (len(whole) - 8, 0)):
        content = bytearray(whole)
        content[4:8] = struct.pack("<I", riff)
        content[place + 4 : place + 8] = struct.pack("<I", data)
        assert_whole(written(tmp_path, content, "a.wav"))
    content = bytearray(whole[: place + 8])
    content[place + 4 :] = struct.pack("<I", 0)
    with pytest.raises(AudioError, match=r"only 0\.0 s long"):  # there is no sound behind it
        decode(written(tmp_path, bytes(content) + b"LIST\4\0\0\0abcd", "a.wav"), 16_000)


def test_an_odd_chunk_without_its_padding_is_passed_over(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    whole = files["a.wav"]
    place = whole.index(b"data")
    for text in (b"hello", b"hello\0"):
        content = whole[:place] + b"LIST\5\0\0\0" + text + whole[place:]
        assert_whole(written(tmp_path, content, "a.wav"))


def test_a_flac_that_does_not_know_its_length_decodes_whole(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    pytest.importorskip("av")
    content = bytearray(files["a.flac"])
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path = written(tmp_path, content, "a.flac")
    assert_whole(path)
    assert probe_duration(path) is None  # and not the largest number of 64 bits
    with pytest.raises(AudioError) as caught:
        decode(written(tmp_path, content[: len(content) // 2], "a.flac"), 16_000)
    assert "truncated" in str(caught.value)
    assert "9223372036854775807" not in str(caught.value)


def id3(payload: bytes) -> bytes:
    size = len(payload)
    return b"ID3\3\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + payload


def test_what_stands_before_the_first_frame_of_an_mp3_is_passed_over(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, 100_000).astype(np.uint8).tobytes()
    for before in (bytes(4096), id3(b"text") + bytes(999), id3(b"text") + id3(picture)):
        assert_whole(written(tmp_path, before + files["a.mp3"], "a.mp3"))
    after = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8) + b"TAG" + bytes(125)
    assert_whole(written(tmp_path, files["a.mp3"] + after, "a.mp3"))


def without_count(content: bytes) -> bytes:
    frame = parse_header(content[:4])
    assert frame is not None
    assert b"Xing" in content[: frame.size] or b"Info" in content[: frame.size]
    return content[frame.size :]


@pytest.mark.parametrize(("rate", "channels"), [(22_050, 1), (44_100, 2), (48_000, 1)])
def test_an_mp3_of_variable_bit_rate_without_a_count_decodes_whole(
    tmp_path: Path, rate: int, channels: int
) -> None:
    samples = 0.3 * sines(6.0, PITCH, rate=rate, channels=channels)
    samples[: 2 * rate] *= 1e-4  # nearly silent: low bit rates, then high ones
    samples[2 * rate :] += np.random.default_rng(0).normal(0, 0.02, samples[2 * rate :].shape)
    vbr = coded(samples, "a.mp3", rate=rate, bitrate_mode="VARIABLE", compression_level=0.1)
    path = written(tmp_path, without_count(vbr), "a.mp3")
    assert_whole(path, seconds=6.0)
    assert probe_duration(path) == pytest.approx(6.0, abs=0.12)


def test_a_cut_frame_of_an_mp3_without_a_count_is_noted(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    content = without_count(files["a.mp3"])
    signal = decode(written(tmp_path, content[: len(content) * 2 // 3 - 100], "a.mp3"), 16_000)
    assert signal.notes == ("ends within a frame: it may be truncated",)


def test_a_clip_of_an_mp3_begins_with_sound(tmp_path: Path) -> None:
    samples = sines(4.0, 200.0, rate=44_100)
    path = written(tmp_path, coded(samples, "a.mp3", rate=44_100, bitrate_mode="VARIABLE"), "a.mp3")
    clip, _ = soundfile.read(io.BytesIO(read_clip(path, start=2.0, seconds=1.0)))
    assert np.abs(clip[:1000]).max() == pytest.approx(0.5, abs=0.05)


# Several recordings in one file ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.wav", "a.aiff"])
def test_joined_files_are_heard_to_the_end(
    tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    rate = 48_000 if name == "a.opus" else RATE
    second = coded(sines(2.0, OTHER, rate=rate), name, rate=rate)
    path = written(tmp_path, files[name] + second, name)
    signal = decode(path, 16_000)
    assert signal.duration == pytest.approx(SECONDS + 2.0, abs=0.06)
    assert pitch(signal.samples[:32_000], 16_000) == pytest.approx(PITCH, abs=2)
    assert pitch(signal.samples[-24_000:], 16_000) == pytest.approx(OTHER, abs=2)
    assert probe_duration(path) == pytest.approx(SECONDS + 2.0, abs=0.06)
    blocks = list(native_blocks(path, start=3.0))
    late = np.concatenate([block[:, 0] for block, _ in blocks])
    assert late.size / rate == pytest.approx(signal.duration - 3.0, abs=0.01)
    assert pitch(late, rate) == pytest.approx(OTHER, abs=2)


@pytest.mark.parametrize("name", ["a.mp3", "a.wav"])
def test_joined_files_of_other_rates_and_channels_keep_their_pitch(
    tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    second = coded(sines(2.0, OTHER, rate=44_100, channels=2), name, rate=44_100)
    path = written(tmp_path, files[name] + second, name)
    signal = decode(path, 16_000)
    assert signal.duration == pytest.approx(SECONDS + 2.0, abs=0.06)
    assert pitch(signal.samples[-24_000:], 16_000) == pytest.approx(OTHER, abs=2)
    assert read_clip(path, start=2.0, seconds=2.0)


def test_a_second_mp3_without_a_count_and_behind_a_picture_is_heard(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    second = without_count(coded(sines(2.0, OTHER), "a.mp3"))
    picture = id3(np.random.default_rng(1).integers(0, 256, 90_000).astype(np.uint8).tobytes())
    for between in (b"", b"TAG" + bytes(125) + picture):
        path = written(tmp_path, files["a.mp3"] + between + second, "a.mp3")
        signal = decode(path, 16_000)
        assert signal.duration == pytest.approx(SECONDS + 2.0, abs=0.12)
        assert signal.notes == ()
        assert pitch(signal.samples[-16_000:], 16_000) == pytest.approx(OTHER, abs=2)


# Ogg ------------------------------------------------------------------------------------------


def ogg_pages(content: bytes) -> list[bytes]:
    starts = [at for at in range(len(content)) if content[at : at + 5] == b"OggS\0"]
    return [content[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def test_an_ogg_that_has_no_end_or_lacks_a_page_is_noted(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, (6 * RATE, 1)).astype(np.float32)
    pages = ogg_pages(coded(noise, "a.ogg"))
    assert len(pages) > 4
    endless = decode(written(tmp_path, b"".join(pages[:-1]), "a.ogg"), 16_000)
    assert endless.notes == ("has no page that ends the stream: it may be truncated",)
    changed = bytearray(b"".join(pages))
    changed[-40] ^= 1  # in the body of the last page
    without = b"".join(pages[:3] + pages[4:])
    for content in (changed, without):
        layout = read_layout(io.BytesIO(content))
        assert layout.notes == ("is damaged: pages are missing or changed",)
    tagged = written(tmp_path, files["a.ogg"] + b"TAG" + bytes(125), "a.ogg")
    assert_whole(tagged)


# Headers that cannot be true --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        (24, struct.pack("<I", 1), "states a sample rate of 1 Hz"),
        (24, struct.pack("<I", 10), "states a sample rate of 10 Hz"),
        (24, struct.pack("<I", 2_000_000_000), "states a sample rate of 2,000,000,000 Hz"),
        (22, struct.pack("<H", 0), "states 0 channels"),
        (22, struct.pack("<H", 255), "states 255 channels"),
    ],
)
def test_an_implausible_header_is_refused_at_once(
    tmp_path: Path, files: dict[str, bytes], field: int, value: bytes, says: str
) -> None:
    content = bytearray(files["a.wav"])
    content[field : field + len(value)] = value
    path = written(tmp_path, content, "a.wav")
    tracemalloc.start()
    for read in (lambda: decode(path, 16_000), lambda: read_clip(path), lambda: read_peaks(path)):
        with pytest.raises(AudioError, match=says):
            read()
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert probe_duration(path) is None


def test_implausible_headers_of_other_containers_are_refused(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    for place, value, says in ((16, 3, "sample rate of 3 Hz"), (20, 200, "200 channels")):
        content = bytearray(files["a.au"])
        content[place : place + 4] = struct.pack(">I", value)
        with pytest.raises(AudioError, match=says):
            decode(written(tmp_path, content, "a.au"), 16_000)


# Tags, playlists, damage ----------------------------------------------------------------------


def test_a_latin_1_tag_costs_nothing(tmp_path: Path) -> None:
    content = coded(sines(SECONDS, PITCH), "a.m4a", title="Etude")
    assert content.count(b"Etude") == 1
    assert_whole(written(tmp_path, content.replace(b"Etude", b"\xc9tude"), "a.m4a"))


def test_a_playlist_opens_no_other_file(tmp_path: Path, files: dict[str, bytes]) -> None:
    target = written(tmp_path, files["a.aac"], "other.aac")
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.5,\n"
    playlist = written(tmp_path, f"{head}{target}\n#EXT-X-ENDLIST\n".encode(), "list.m4a")
    concat = written(tmp_path, f"ffconcat version 1.0\nfile {target.name}\n".encode(), "list.wav")
    for path in (playlist, concat):
        with pytest.raises(AudioError, match="no audio that can be decoded"):
            decode(path, 16_000)


@pytest.mark.parametrize("name", NAMES)
def test_damage_costs_one_line_from_the_beginning_and_from_the_middle(
    tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    rng = np.random.default_rng(len(name))
    for number in range(6):
        content = bytearray(files[name])
        reach = len(content) if number % 2 else min(300, len(content))
        for place in rng.integers(0, reach, 8):
            content[place] = rng.integers(0, 256)
        path = written(tmp_path, content, name)
        for read in (
            lambda path=path: decode(path, 16_000).samples,
            lambda path=path: read_peaks(path, start=1.3),
            lambda path=path: [probe_duration(path) or 0.0],
        ):
            try:
                found = read()
            except AudioError as error:
                assert "\n" not in str(error)
            else:
                assert np.isfinite(found).all()


@settings(max_examples=150)
@given(
    head=st.sampled_from(
        [
            *(b"RIFF\0\0\0\0WAVE", b"RIFX\0\0\0\0WAVEfmt ", b"FORM\0\0\0\0AIFF", b"caff\0\1\0\0"),
            *(b".snd\0\0\0\x18", b"OggS\0\2", b"fLaC\0\0\0\x22", b"ID3\3\0\0\0\0\0\1", b"\xff\xfb"),
            *(b"\xff\xf1", b"\0\0\0\x08ftyp", b"\0\0\0\1moov", b"\x1a\x45\xdf\xa3", b""),
            bytes.fromhex("3026b2758e66cf11"),
            b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000"),
        ]
    ),
    rest=st.binary(max_size=120),
)
def test_any_bytes_have_a_layout(head: bytes, rest: bytes) -> None:
    layout = read_layout(io.BytesIO(head + rest))
    assert all(0 <= part.start <= part.stop <= len(head + rest) for part in layout.parts)
