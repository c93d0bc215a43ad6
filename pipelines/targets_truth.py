"""Compare the targets with known values: click tracks, and the MIDI of recordings."""

import math

import numpy as np
import typer

from mess.datasets import Track
from mess.errors import MessError
from mess.records.reliability import Counterpart, Truth
from mess.targets import compute_midi_targets, read_notes
from mess.targets.summaries import COUNTERPARTS, STATED
from mess.targets.tempo_accuracy import (
    click_accuracy,
    false_tempi,
    notated_tempo,
    tempo_accuracy,
)

_FEWEST = 5  # the least number of recordings for a rank correlation
_CLICKS = {1: "clicks on the beat", 2: "and softer ones between", 3: "and two softer between"}


def truth_of(track: Track) -> dict[str, float]:
    """Return the targets of the MIDI of a recording, none if it has no MIDI.

    The tempo comes from the tempo marks of the MIDI if the dataset states that they are right.
    """
    if track.midi_path is None:
        return {}
    try:
        found = compute_midi_targets(read_notes(track.midi_path))
    except MessError:
        return {}
    if STATED in track.extra:
        found[STATED] = notated_tempo(track.midi_path)
    return found


def held_out(tracks: list[Track]) -> set[str]:
    """Return every second work: no constant of the tempo was chosen on these."""
    return set(sorted({track.work for track in tracks})[1::2])


def compare_with_truth(
    values: dict[str, dict[str, float]], truths: dict[str, dict[str, float]], *, unseen: set[str]
) -> Truth:
    """Compare targets with the MIDI, and tempo with known tempi.

    Parameters
    ----------
    values, truths : dict
        By track, then by target.
    unseen : set of str
        Tracks on which no constant of the tempo was chosen.

    Returns
    -------
    Truth
    """
    from scipy.stats import spearmanr  # takes a second

    rows: list[Counterpart] = []
    for one in COUNTERPARTS:
        pairs = np.array(
            [(values[t][one.proxy], truth.get(one.truth, np.nan)) for t, truth in truths.items()]
        ).reshape(-1, 2)
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        if len(pairs) >= _FEWEST:
            rho = float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
            if math.isfinite(rho):
                rows.append(Counterpart(target=one.proxy, truth=one.truth, rho=rho, n=len(pairs)))
    tempo = {_CLICKS[number]: found for number, found in click_accuracy().items()}
    known = [t for t in truths if t in unseen and math.isfinite(truths[t].get(STATED, math.nan))]
    if known:
        estimated = np.array([values[t]["tempo"] for t in known])
        stated = np.array([truths[t][STATED] for t in known])
        tempo["recordings"] = tempo_accuracy(estimated, stated)
    return Truth(counterparts=rows, tempo=tempo, false_tempi=false_tempi())


def print_truth(truth: Truth) -> None:
    """Print tempo's accuracies, and how targets agree with MIDI."""
    typer.echo(
        "\nTempo: right within 4 % (accuracy 1); or its half, third, double or triple (accuracy 2);"
        "\nfound at all (coverage)"
    )
    typer.echo(f"{'':<25}{'n':>5}{'accuracy 1':>13}{'accuracy 2':>13}{'coverage':>11}")
    for name, found in truth.tempo.items():
        typer.echo(
            f"{name:<25}{found.recordings:>5}{found.accuracy_1:>13.2f}{found.accuracy_2:>13.2f}"
            f"{found.coverage:>11.2f}"
        )
    typer.echo(f"a tempo is found in notes at random times: {truth.false_tempi:.2f}")
    if truth.counterparts:
        typer.echo("\nAgreement with MIDI (Spearman)")
        for row in truth.counterparts:
            typer.echo(f"{row.target:<23}{row.truth:<21}{row.rho:>6.2f}  n {row.n}")
