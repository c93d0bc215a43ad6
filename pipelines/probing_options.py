"""What the options of `mess probe` mean: text as values, or one line that names what is allowed."""

from typing import cast, get_args

from mess.errors import MessError, UnknownName
from mess.experiments.rows import GROUPINGS
from mess.probing.results import Alpha
from mess.records.discovery import Frames, Level, Pooling


def parse_alphas(text: str) -> list[Alpha]:
    """Parse ``auto``, a number, or several with commas between.

    >>> parse_alphas("auto, 0.5")
    ['auto', 0.5]

    Raises
    ------
    MessError
        If a part is neither of these.
    """
    try:
        return ["auto" if part.strip() == "auto" else float(part) for part in text.split(",")]
    except ValueError:
        raise MessError(f"--alpha takes numbers or 'auto', not {text!r}") from None


def parse_folds(text: str) -> list[int]:
    """Parse a whole number, or several with commas between.

    Raises
    ------
    MessError
        If a part is no whole number.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise MessError(f"--folds takes whole numbers, not {text!r}") from None


def parse_poolings(text: str) -> list[Pooling]:
    """Parse ``mean``, ``mean_std``, or both with a comma between; else raise `UnknownName`."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if part not in get_args(Pooling):
            raise UnknownName("pooling", part, get_args(Pooling))
    return cast(list[Pooling], parts)


def parse_groupings(text: str) -> tuple[str, ...]:
    """Parse the groups that folds never split, the ruling one first; else raise `UnknownName`."""
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for part in parts:
        if part not in GROUPINGS:
            raise UnknownName("grouping", part, GROUPINGS)
    return parts


def checked_level(level: str) -> Level:
    """Return ``level``, or raise `UnknownName`."""
    if level not in get_args(Level):
        raise UnknownName("level", level, get_args(Level))
    return cast(Level, level)


def checked_frames(frames: str) -> Frames:
    """Return ``frames``, or raise `UnknownName`."""
    if frames not in get_args(Frames):
        raise UnknownName("kind of frames", frames, get_args(Frames))
    return cast(Frames, frames)
