"""The curves are librosa's, block by block; where ours differ, by what the docstring says."""

import numpy as np
import pytest
from known_signals import RATE, Wave, analysis_of, as_signal, chord, noise, notes

from mess.targets.librosa_import import import_librosa
from mess.targets.spectrum import audible_blocks, short_time_spectrum

librosa = import_librosa()
HOP, N_FFT = 240, 2048


@pytest.fixture(scope="module")
def wave() -> Wave:
    """More than two blocks of 512 frames, with an offset."""
    return notes(list(np.arange(0.2, 11.5, 0.3)), 12, decay=0.2) + 0.01 * noise(12) + 0.02


@pytest.fixture(scope="module")
def audible(wave: Wave) -> np.ndarray:
    """The same without what lies below hearing, in one piece."""
    parts = [
        block[N_FFT // 2 :][: (last - first) * HOP]
        for first, last, block in audible_blocks(as_signal(wave).samples, RATE, n_fft=N_FFT)
    ]
    return np.concatenate(parts)[: wave.size]


def test_spectral_curves_are_those_of_librosa(wave: Wave, audible: np.ndarray) -> None:
    ours = short_time_spectrum(as_signal(wave).samples, RATE)
    magnitude = np.abs(librosa.stft(audible, n_fft=N_FFT, hop_length=HOP))
    inner = slice(5, -5)
    for name in ("centroid", "rolloff", "bandwidth"):
        function = getattr(librosa.feature, f"spectral_{name}")
        np.testing.assert_allclose(
            getattr(ours, name)[inner], function(S=magnitude, sr=RATE)[0][inner], rtol=1e-3
        )
    first, last = 5 * HOP - HOP // 2, (ours.crossings.size - 5) * HOP - HOP // 2
    signs = librosa.zero_crossings(audible[first - 1 : last], pad=False).sum()
    assert ours.crossings[inner].sum() / 100 == pytest.approx(signs, abs=1)


def test_levels_are_the_root_mean_square_of_librosa(wave: Wave, audible: np.ndarray) -> None:
    """A window of ten whole blocks lies half a block earlier than one that is centred."""
    earlier = np.pad(audible, (HOP // 2, 0))
    rms = librosa.feature.rms(y=earlier, frame_length=10 * HOP, hop_length=HOP)[0]
    ours = analysis_of(wave).level
    expected = librosa.amplitude_to_db(rms, ref=np.max, top_db=None)[: ours.size]
    np.testing.assert_allclose(ours[10:-10], expected[10:-10], atol=0.01)


def test_mel_bands_end_at_8_khz_and_hold_their_power(wave: Wave, audible: np.ndarray) -> None:
    ours = short_time_spectrum(as_signal(wave).samples, RATE).mel
    window = librosa.filters.get_window("hann", N_FFT)
    mel = librosa.feature.melspectrogram(
        y=audible, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=64, fmin=30, fmax=8000, norm=None
    )
    scale = (2 / window.sum()) ** 2
    np.testing.assert_allclose(ours[5:-5], scale * mel.T[5:-5], rtol=0.01, atol=1e-12)


def test_chroma_over_bins_takes_a_triad_for_more_pitch_classes() -> None:
    """Why pitch classes are counted over peaks: a triad of pure tones has three."""
    wave = chord([-12, -8, -5], 4)
    ours = analysis_of(wave).chroma[25:-25].sum(axis=0)
    power = librosa.feature.chroma_stft(y=wave, sr=RATE, norm=None, tuning=0.0).sum(axis=1)

    def entropy(values: np.ndarray) -> float:
        share = values / values.sum()
        return float(-(share * np.log2(np.maximum(share, 1e-12))).sum())

    assert entropy(ours) == pytest.approx(np.log2(3), abs=0.05)
    assert entropy(power) > np.log2(3) + 0.2
