"""Pieces of music that no one wrote, for factor tables."""

import numpy as np

from mess.datasets.factor_music import EVENTS, Material, read_material
from mess.datasets.sheet_music import Excerpt


def material(name: str, *, seed: int) -> Material:
    """A piece of chords of one to three notes in an uneven rhythm."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.choice([0.25, 0.5, 1.0, 1.5], size=EVENTS + 8))
    onset = np.repeat(at, rng.integers(1, 4, size=len(at)))
    pitch = rng.integers(48, 80, size=len(onset))
    order = np.lexsort((pitch, onset))
    bars = np.arange(0.0, at[-1] + 4, 4.0)
    piece = Excerpt(onset[order], np.ones(len(onset)), pitch[order], bars, (4, 4))
    found = read_material(piece, name=name)
    assert found is not None
    return found
