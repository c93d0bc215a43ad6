"""On the demo library the truth is known: the MIDI that each recording was rendered from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from mess.datasets.demo import load_demo
from mess.storage.store import Store

pretty_midi = pytest.importorskip("pretty_midi", reason="needs the extra 'demo'")

TOLERANCE = 0.08  # of the tempo, as usual for tempo estimation (Gouyon et al. 2006)
ONE_ONSET = 0.03  # seconds; notes closer than this sound as one onset


@pytest.fixture(scope="module")
def tracks(demo_library: Path) -> pd.DataFrame:
    """One row a track: its proxy targets, its truth, and which variant of what it is."""
    store = Store(demo_library)
    values = store.targets.read("demo")
    rows = []
    for track in load_demo(store.audio_dir("demo")):
        notes = [
            n for i in pretty_midi.PrettyMIDI(str(track.midi_path)).instruments for n in i.notes
        ]
        begins = np.sort([note.start for note in notes])
        velocities = [note.velocity for note in notes]
        rows.append(
            {
                "track": track.id,
                "variant_of": track.extra["variant_of"],
                "changed": track.extra["changed"],
                "true_tempo": float(track.extra["mean_tempo"]),
                "true_density": (1 + (np.diff(begins) > ONE_ONSET).sum()) / track.stated_duration,
                "true_range": np.subtract(*np.percentile(velocities, [95, 10])),
            }
        )
    return pd.DataFrame(rows).set_index("track").join(values.xs(-1, level="segment"))


def pairs(tracks: pd.DataFrame, changed: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the variants in which one thing was changed, and the recordings they vary."""
    variants = tracks[tracks.changed == changed]
    assert len(variants) > 5
    return variants, tracks.loc[variants.variant_of]


def test_onset_density_follows_the_notes(tracks: pd.DataFrame) -> None:
    assert spearmanr(tracks.onset_density, tracks.true_density).statistic > 0.7
    ratio = tracks.onset_density / tracks.true_density
    assert 0.7 < ratio.median() < 1.3


def test_tempo_is_the_notated_one_or_its_double_or_half(tracks: pd.DataFrame) -> None:
    found = tracks[tracks.tempo.notna()]
    ratio = found.tempo / found.true_tempo
    related = [np.abs(ratio / factor - 1) < TOLERANCE for factor in (1, 2, 3, 1 / 2, 1 / 3)]
    assert np.any(related, axis=0).mean() > 0.6
    assert len(found) > 0.8 * len(tracks)


def test_music_played_faster_is_found_faster(tracks: pd.DataFrame) -> None:
    variants, bases = pairs(tracks, "tempo")
    true = np.log2(variants.true_tempo.to_numpy() / bases.true_tempo.to_numpy())
    found = np.log2(variants.tempo.to_numpy() / bases.tempo.to_numpy())
    octave = np.abs(found - true - np.rint(found - true))  # half and double are the same music
    assert np.nanmedian(octave) < np.log2(1 + TOLERANCE)
    density = np.log2(variants.onset_density.to_numpy() / bases.onset_density.to_numpy())
    assert (np.sign(density) == np.sign(true)).mean() > 0.8


def test_dynamic_range_follows_the_velocities(tracks: pd.DataFrame) -> None:
    assert spearmanr(tracks.dynamic_range, tracks.true_range).statistic > 0.5
    variants, bases = pairs(tracks, "dynamics")
    wider = variants.true_range.to_numpy() > bases.true_range.to_numpy()
    found = variants.dynamic_range.to_numpy() > bases.dynamic_range.to_numpy()
    assert (wider == found).mean() > 0.8
