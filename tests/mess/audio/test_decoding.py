"""A recording comes out as it went in, at the wanted rate; a bad one is named in one line."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tones import tone, write_tone

import mess.audio.decoders
import mess.audio.decoding
from mess.audio.clip import RATE, read_clip
from mess.audio.decoding import decode, downmix, native_blocks, probe_duration, segment_bounds
from mess.errors import AudioError
from mess.targets.analysis import TARGET_SAMPLE_RATE, Analysis, analyse

# Suffix, rate, subtype, and by how many seconds the coding may change the length.
FORMATS = [
    (".wav", 44_100, "PCM_16", 0.0),
    (".wav", 22_050, "PCM_24", 0.0),
    (".wav", 48_000, "FLOAT", 0.0),
    (".flac", 44_100, "PCM_24", 0.0),
    (".aiff", 44_100, "PCM_16", 0.0),
    (".aif", 32_000, "PCM_16", 0.0),
    (".mp3", 44_100, "MPEG_LAYER_III", 0.08),
    (".ogg", 44_100, "VORBIS", 0.003),
    (".opus", 48_000, "OPUS", 0.003),
]


def sine(
    seconds: float, *, frequency: float = 440.0, rate: int = 44_100, amplitude: float = 0.5
) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return amplitude * np.sin(2 * np.pi * frequency * time)


def write(path: Path, samples: np.ndarray, rate: int, subtype: str | None = None) -> Path:
    kind = {".opus": "OGG", ".aif": "AIFF"}.get(path.suffix)
    soundfile.write(path, samples, rate, subtype=subtype, format=kind)
    return path


def write_m4a(path: Path, samples: np.ndarray, rate: int) -> Path:
    av = pytest.importorskip("av", reason="m4a needs PyAV, of the extra 'ml'")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            samples.astype(np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def frequency_and_amplitude(samples: np.ndarray, rate: int) -> tuple[float, float]:
    """Of the strongest partial, away from the edges."""
    middle = samples[samples.size // 4 : 3 * samples.size // 4].astype(np.float64)
    window = np.hanning(middle.size)
    spectrum = np.abs(np.fft.rfft(middle * window, 8 * middle.size))
    peak = int(spectrum.argmax())
    return peak * rate / (8 * middle.size), 2 * spectrum[peak] / window.sum()


def assert_refused(path: Path, *, reason: str, rate: int = 24_000) -> None:
    with pytest.raises(AudioError, match=reason) as caught:
        decode(path, rate)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    assert message.count(";") >= 1  # the reason, then the way out


@pytest.mark.parametrize(("suffix", "rate", "subtype", "slack"), FORMATS)
def test_every_format_keeps_length_pitch_and_loudness(
    tmp_path: Path, suffix: str, rate: int, subtype: str, slack: float
) -> None:
    path = write(tmp_path / f"a{suffix}", sine(3.0, rate=rate), rate, subtype)
    signal = decode(path, 24_000)
    assert signal.sample_rate == 24_000
    assert signal.samples.dtype == np.float32
    assert signal.samples.ndim == 1
    assert signal.duration == pytest.approx(3.0, abs=slack + 0.001)
    pitch, amplitude = frequency_and_amplitude(signal.samples, 24_000)
    assert pitch == pytest.approx(440, abs=0.2)
    assert amplitude == pytest.approx(0.5, rel=0.02)


def test_m4a_keeps_length_pitch_and_loudness(tmp_path: Path) -> None:
    path = write_m4a(tmp_path / "a.m4a", sine(3.0), 44_100)
    signal = decode(path, 24_000)
    assert signal.duration == pytest.approx(3.0, abs=0.06)
    pitch, amplitude = frequency_and_amplitude(signal.samples, 24_000)
    assert pitch == pytest.approx(440, abs=0.2)
    assert amplitude == pytest.approx(0.5, rel=0.05)


def test_lossless_audio_at_its_own_rate_is_untouched(tmp_path: Path) -> None:
    samples = tone(3.0, sample_rate=24_000)
    path = write(tmp_path / "a.wav", samples, 24_000, "FLOAT")
    signal = decode(path, 24_000)
    np.testing.assert_array_equal(signal.samples, samples)
    assert signal.mean == pytest.approx(float(samples.mean(dtype=np.float64)), abs=1e-9)
    assert signal.std == pytest.approx(float(samples.std(dtype=np.float64)), rel=1e-6)


@pytest.mark.parametrize("target", [8_000, 16_000, 24_000, 44_100])
def test_8_khz_mono_and_96_khz_six_channels_work(tmp_path: Path, target: int) -> None:
    low = write(tmp_path / "low.wav", sine(2.0, rate=8_000), 8_000)
    wide = np.stack([sine(2.0, rate=96_000, amplitude=a / 10) for a in range(1, 7)], axis=1)
    high = write(tmp_path / "high.wav", wide, 96_000, "PCM_24")
    for path, loudness in ((low, 0.5), (high, 0.35)):
        signal = decode(path, target)
        assert signal.duration == pytest.approx(2.0, abs=0.002)
        pitch, amplitude = frequency_and_amplitude(signal.samples, target)
        assert pitch == pytest.approx(440, abs=0.3)
        assert amplitude == pytest.approx(loudness, rel=0.01)


def test_resampling_lets_nothing_alias(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sine(2.0) + sine(2.0, frequency=15_000), 44_100, "FLOAT")
    signal = decode(path, 24_000)
    spectrum = np.abs(np.fft.rfft(signal.samples[12_000:36_000] * np.hanning(24_000)))
    assert spectrum[8_900:9_100].max() < 1e-4 * spectrum.max()  # 24 − 15 = 9 kHz


def test_the_mean_of_the_channels_is_taken() -> None:
    block = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    for channels in range(1, 7):
        np.testing.assert_allclose(
            downmix(block[:, :channels]), block[:, :channels].mean(axis=1), atol=1e-6
        )


@pytest.mark.parametrize("rate", [22_050, 24_000])
def test_a_long_file_goes_to_disk_and_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int
) -> None:
    path = write_tone(tmp_path / "long.flac", 9.0, sample_rate=24_000)
    whole = decode(path, rate)
    assert not isinstance(whole.samples, np.memmap)
    monkeypatch.setattr(mess.audio.decoding, "_IN_MEMORY_SECONDS", 2)
    monkeypatch.setattr(mess.audio.decoders, "BLOCK_FRAMES", 5_000)
    spilled = decode(path, rate)
    assert isinstance(spilled.samples, np.memmap)
    np.testing.assert_allclose(spilled.samples, whole.samples, atol=1e-7)
    assert spilled.mean == pytest.approx(whole.mean, abs=1e-9)
    assert spilled.std == pytest.approx(whole.std, rel=1e-6)


def test_a_full_temporary_folder_stops_nothing_and_a_full_data_root_is_named(
    tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tone(tmp_path / "long.flac", 9.0, sample_rate=24_000)
    monkeypatch.setattr(mess.audio.decoding, "_IN_MEMORY_SECONDS", 2)
    monkeypatch.setattr(mess.audio.decoders, "BLOCK_FRAMES", 5_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    data_root.mkdir()
    assert isinstance(decode(path, 24_000).samples, np.memmap)
    assert list(data_root.iterdir()) == []  # it has no name
    full = Path("/dev/full").open("wb")  # noqa: SIM115 (decode closes it)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    with pytest.raises(OSError) as caught:
        decode(path, 24_000)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(data_root))
    with suppress(OSError):
        full.close()


@pytest.mark.parametrize(
    "name",
    [
        "two words.wav",
        'it\'s "quoted".wav',
        "piano 🎹 été.flac",
        "..hidden..dots...wav",
        "semi;colon & $HOME `x` %20.flac",
        "UPPER.WAV",
    ],
)
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    assert decode(write_tone(tmp_path / name, 1.5), 24_000).duration == pytest.approx(1.5, abs=1e-3)


def test_a_path_with_parents_in_it_works(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", 1.5)
    (tmp_path / "sub").mkdir()
    assert decode(tmp_path / "sub" / ".." / "a.wav", 24_000).samples.size == 36_000
    assert decode(str(tmp_path / "a.wav"), 24_000).samples.size == 36_000


def test_bad_files_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    assert_refused(empty, reason="is empty")

    text = tmp_path / "text.wav"
    text.write_text("Dear diary,\n" * 500)
    assert_refused(text, reason="no audio that can be decoded")

    whole = write_tone(tmp_path / "whole.flac", 8.0).read_bytes()
    for share in (0.02, 0.5, 0.99):
        cut = tmp_path / f"cut{share}.flac"
        cut.write_bytes(whole[: int(share * len(whole))])
        assert_refused(cut, reason="truncated")

    holed = tone(3.0)
    holed[30_000] = np.nan
    assert_refused(write(tmp_path / "nan.wav", holed, 22_050, "FLOAT"), reason="not finite")
    holed[30_000] = np.inf
    assert_refused(write(tmp_path / "inf.wav", holed, 22_050, "FLOAT"), reason="not finite")

    silence = write(tmp_path / "silence.wav", np.zeros(66_150), 22_050)
    assert_refused(silence, reason="is silent")
    short = write_tone(tmp_path / "short.wav", 0.2)
    assert_refused(short, reason="only 0.2 s long")
    headers = write(tmp_path / "headers.wav", np.zeros(0), 22_050)
    assert_refused(headers, reason="only 0.0 s long")


def test_any_scale_is_measured_alike_and_one_beyond_all_is_refused(tmp_path: Path) -> None:
    # Programs also write floats of the size of 16 or 32 bits.
    path, samples = tmp_path / "scaled.wav", tone(3.0)
    of: list[Analysis] = []
    for scale in (1.0, 2.0**15, 2.0**31):
        write(path, samples * scale, 22_050, "FLOAT")
        of.append(analyse(decode(path, TARGET_SAMPLE_RATE)))
    for one in of[1:]:
        np.testing.assert_allclose(one.level, of[0].level, atol=1e-3)
        np.testing.assert_allclose(one.onsets, of[0].onsets)
    write(path, samples * 1e30, 22_050, "FLOAT")
    assert_refused(path, reason="holds samples up to ")
    samples[5] = -1e13  # one is enough
    assert_refused(write(path, samples, 22_050, "FLOAT"), reason=r"up to 1e\+13")


def test_a_nan_is_found_at_the_files_own_rate_too(tmp_path: Path) -> None:
    samples = tone(3.0, sample_rate=24_000)
    samples[-1] = np.nan
    assert_refused(write(tmp_path / "nan.wav", samples, 24_000, "FLOAT"), reason="not finite")


def test_damage_in_a_compressed_file_gives_one_line_or_sound(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for suffix in (".flac", ".ogg", ".mp3", ".aiff"):
        content = write_tone(tmp_path / f"whole{suffix}", 4.0).read_bytes()
        for number in range(8):
            broken = bytearray(content)
            first = int(rng.integers(0, len(content) - 64))
            broken[first : first + 64] = rng.bytes(64)
            path = tmp_path / f"broken{number}{suffix}"
            path.write_bytes(broken)
            try:
                signal = decode(path, 24_000)
            except AudioError as error:
                assert path.name in str(error)
                assert "\n" not in str(error)
            else:
                assert np.isfinite(signal.samples).all()


def test_text_renamed_to_m4a_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="m4a needs PyAV, of the extra 'ml'")
    text = tmp_path / "text.m4a"
    text.write_text("Dear diary,\n" * 500)
    assert_refused(text, reason="no audio that can be decoded")


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="mp4 needs PyAV, of the extra 'ml'")
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(picture), *stream.encode(None)]:
            container.mux(packet)
    assert_refused(path, reason="no audio that can be decoded")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "gone.wav")
    for name in ("folder.wav", "dangling.wav", "missing.wav"):
        assert_refused(tmp_path / name, reason="is not there")


def test_a_file_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tone(tmp_path / "locked.wav", 1.5)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything: let the system's call refuse instead

        def refuse(self: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", refuse)
    assert_refused(path, reason="cannot be read; change its permissions")


def test_a_disk_error_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tone(tmp_path / "a.wav", 1.5)

    def fail(self: Path, *_: object, **__: object) -> None:
        raise OSError(5, "Input/output error", str(self))

    monkeypatch.setattr(Path, "open", fail)
    assert_refused(path, reason="Input/output error")


def test_a_name_that_cannot_be_printed_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines \x1b[31m.wav"
    path.touch()
    with pytest.raises(AudioError, match="is empty") as caught:
        decode(path, 24_000)
    assert str(caught.value).isprintable()

    latin = tmp_path / os.fsdecode(b"\xe9t\xe9.wav")
    try:
        latin.touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(AudioError, match="is empty") as caught:
        decode(latin, 24_000)
    assert str(caught.value).encode()


def test_the_header_states_the_duration(tmp_path: Path) -> None:
    assert probe_duration(write_tone(tmp_path / "a.flac", 2.0)) == pytest.approx(2.0)
    (tmp_path / "b.flac").write_bytes(b"none")
    assert probe_duration(tmp_path / "b.flac") is None


def test_blocks_begin_where_they_are_asked_to(tmp_path: Path) -> None:
    samples = tone(3.0)
    path = write(tmp_path / "a.wav", samples, 22_050, "FLOAT")
    blocks = [block for block, _ in native_blocks(path, start=1.0)]
    np.testing.assert_array_equal(np.concatenate(blocks)[:, 0], samples[22_050:])
    assert [block for block, _ in native_blocks(path, start=9.0)] == []


def test_a_late_part_of_an_m4a_is_found_without_decoding_what_comes_before(tmp_path: Path) -> None:
    samples = tone(20.0, sample_rate=44_100)
    path = write_m4a(tmp_path / "a.m4a", samples, 44_100)
    whole = np.concatenate([block for block, _ in native_blocks(path)])[:, 0]
    for start in (0.5, 4.0, 17.3):
        part = np.concatenate([block for block, _ in native_blocks(path, start=start)])[:, 0]
        expected = whole[round(start * 44_100) :]
        assert len(part) == len(expected)
        np.testing.assert_allclose(part, expected, atol=0.01)


def test_a_clip_is_the_wanted_part(tmp_path: Path) -> None:
    low, high = sine(2.0, frequency=300), sine(2.0, frequency=900)
    for path in (
        write(tmp_path / "a.flac", np.concatenate([low, high]), 44_100),
        write_m4a(tmp_path / "a.m4a", np.concatenate([low, high]), 44_100),
    ):
        clip = tmp_path / "clip.flac"
        clip.write_bytes(read_clip(path, start=2.2, seconds=1.0))
        samples, rate = soundfile.read(clip)
        assert rate == RATE
        assert len(samples) == RATE
        assert frequency_and_amplitude(samples, rate)[0] == pytest.approx(900, abs=1)
        with pytest.raises(AudioError, match="no sound at 60 s"):
            read_clip(path, start=60)


@given(st.integers(1, 5_000), st.integers(1, 700))
def test_segments_cover_a_track_without_padding(n: int, size: int) -> None:
    bounds = segment_bounds(n, size)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == n
    assert {stop - start for start, stop in bounds} == {min(n, size)}
    for (start, stop), (following, _) in zip(bounds, bounds[1:], strict=False):
        assert start < following <= stop
    assert len(bounds) == -(-n // size)
