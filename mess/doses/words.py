"""What an experiment with doses teaches, in plain words. Each word has a rule."""

from collections.abc import Sequence
from typing import Literal

from mess.as_text import two_decimals, with_interval
from mess.probing.dose import LEAST_MOVE
from mess.records.dose import DoseCell, DoseRecord
from mess.targets import title_of

Word = Literal[
    "follows",
    "follows in part",
    "hardly follows",
    "is blind",
    "runs ahead",
    "goes the other way",
    "unsure",
]
FOLLOWS, BLIND, AHEAD = 0.5, 0.2, 1.5  # slopes
NOTICED = 0.3  # deviations that a prediction moves before a side effect is told
TIMES = 2.0  # as far as the target itself
LISTED = 12  # in a sentence


def verdict(cell: DoseCell) -> Word | None:
    """Return in a word how a prediction follows; None where the edit does not move the target.

    The whole interval of the slope decides. Above 0.5 it follows, above 1.5 it runs ahead. Within
    ±0.2 it is blind. Below 0 it goes the other way, below 0.5 it hardly follows. Above 0 it follows
    in part. Otherwise, and without an interval, it is unsure.
    """
    low, high = cell.response.low, cell.response.high
    if cell.response.slope is None:
        return None
    if low is None or high is None:
        return "unsure"
    rules: tuple[tuple[bool, Word], ...] = (
        (low > AHEAD, "runs ahead"),
        (low > FOLLOWS, "follows"),
        (low > -BLIND and high < BLIND, "is blind"),
        (high < 0, "goes the other way"),
        (high < FOLLOWS, "hardly follows"),
        (low > 0, "follows in part"),
    )
    return next((word for holds, word in rules if holds), "unsure")


def is_side_effect(cell: DoseCell) -> bool:
    """Tell whether a prediction moves, and at least twice as far as the target itself."""
    moved, truth = cell.response.predicted, cell.response.measured
    return moved >= NOTICED and moved >= TIMES * truth


def slope_text(cell: DoseCell) -> str:
    """Return the slope with its interval; a dash where there is none.

    Examples
    --------
    >>> from mess.probing.dose import Response
    >>> answer = Response(0.9, 0.8, 1.0, 1.0, 0.9, 1.0, 0.9, 80, 20)
    >>> slope_text(
    ...     DoseCell(edit="tilt", target="t", reading="mean", layer=0, across=0.7, response=answer)
    ... )
    '0.90 [0.80, 1.00]'
    """
    response = cell.response
    return with_interval(response.slope, response.low, response.high)


def meant(record: DoseRecord) -> list[DoseCell]:
    """Return the cells of targets that an edit is meant to move, and does move."""
    return [
        cell
        for edit in record.edits
        for target in edit.moves
        if (cell := record.cell(edit.name, target)) is not None
        and cell.response.measured >= LEAST_MOVE
    ]


def side_effects(record: DoseRecord) -> list[DoseCell]:
    """Return the cells whose prediction moves and whose target hardly does, the largest first."""
    found = [cell for cell in record.cells if is_side_effect(cell)]
    return sorted(found, key=lambda cell: -cell.response.predicted)


def lesson(record: DoseRecord) -> list[str]:
    """Return sentences: what the predictions follow, to what they are blind, what moves them."""
    by_word: dict[str, list[str]] = {}
    for cell in meant(record):
        word = verdict(cell)
        if word is not None:
            by_word.setdefault(word, []).append(
                f"{title_of(cell.target)} under {cell.edit} {two_decimals(cell.response.slope)}"
            )
    order: Sequence[tuple[str, str]] = (
        ("follows", "Follows (slope)"),
        ("follows in part", "Follows in part"),
        ("hardly follows", "Hardly follows"),
        ("runs ahead", "Runs ahead"),
        ("is blind", "Is blind to"),
        ("goes the other way", "Goes the other way"),
        ("unsure", "Cannot be told"),
    )
    lines = [f"{title}: {_some(by_word[word])}." for word, title in order if word in by_word]
    moved = [
        f"{title_of(cell.target)} by {cell.edit} ({two_decimals(cell.response.predicted)}, "
        f"itself {two_decimals(cell.response.measured)})"
        for cell in side_effects(record)
    ]
    if moved:
        lines.append(f"Moved, though the target hardly is (deviations): {_some(moved)}.")
    return lines


def _some(items: Sequence[str]) -> str:
    """Return the first items, and how many more there are."""
    more = [f"and {len(items) - LISTED} more"] if len(items) > LISTED else []
    return "; ".join([*items[:LISTED], *more])
