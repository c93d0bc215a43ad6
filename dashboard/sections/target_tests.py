"""Whether the targets can be trusted: what `mess check-targets` measured."""

import streamlit as st

from dashboard import readers
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.figures.target_tests import movement_table, reliability_table, tempo_table
from dashboard.sections.missing import offer, tell_stale
from mess.as_text import counted
from mess.errors import ArtifactError
from mess.records.reliability import ReliabilityRecord
from mess.targets import TARGETS


def show_reliability(dataset: str) -> ReliabilityRecord | None:
    """Show reliability and agreement after changes; return the whole test, None without one."""
    command = ["check-targets", "--dataset", dataset]
    try:
        record = readers.reliability(dataset)
    except ArtifactError as error:
        offer(error, dataset=dataset, command=command, button="Test the targets")
        return None
    tell_stale(
        "This test of the targets",
        readers.stale_reliability(dataset, record),
        dataset=dataset,
        command=command,
        button="Test again",
    )
    tracks = counted(record.tracks, "track")
    st.markdown(
        f"Measured on {tracks}. *Split-half*: do the two halves of a track agree (Spearman–Brown)? "
        "The other columns: does the number stay the same after a change that leaves the music "
        "alone (Lin's concordance)?"
    )
    show_table(reliability_table(record), width="stretch")
    return record


def show_tests(dataset: str) -> None:
    """Show all tests of the targets: reliability, tempo, and movements under a new digitisation."""
    record = show_reliability(dataset)
    if record is None:
        return
    tempo = tempo_table(record)
    if not tempo.empty:
        _show_tempo(record)
    movements = movement_table(record)
    if not movements.empty:
        tracks = counted(len(record.movements), "track")
        st.header("The same music, digitised in another way")
        st.markdown(
            f"The largest movement of each target on {tracks}, as a multiple of its tolerance. "
            "Up to 1 is promised; **!** is more. Brackets: the reason is known and stands below."
        )
        show_table(movements, width="stretch")
        with st.expander("Tolerances and reasons"):
            for line in tolerance_lines():
                st.markdown(f"- {plain(line)}")


def tolerance_lines() -> list[str]:
    """Return the tolerance of each target in a line, with the reasons of known exceptions."""
    lines = []
    for target in TARGETS.values():
        line = f"{target.title}: {target.tolerance.describe(target.unit)}"
        exceptions: dict[str, list[str]] = {}
        for change, reason in target.tolerance.reasons.items():
            exceptions.setdefault(reason, []).append(change)
        for reason, changes in exceptions.items():
            line += f"; {', '.join(changes)}: {reason}"
        lines.append(line)
    return lines


def _show_tempo(record: ReliabilityRecord) -> None:
    st.header("Tempo against known tempi")
    st.markdown(
        "*Accuracy 1*: within 4 % of the known tempo. *Accuracy 2*: within 4 % of it, of its half, "
        "third, double or triple. *Coverage*: any tempo was found."
    )
    show_table(tempo_table(record), width="stretch")
    share = record.truth.false_tempi
    st.caption(
        f"In notes at random times, which have no tempo, one is found in {share:.0%} of cases."
    )
