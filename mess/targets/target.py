"""What a proxy target is: its name, its unit, how it is measured and how far it may move."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mess.as_text import as_words
from mess.targets.analysis import Analysis

Level = Literal["segment", "track"]


@dataclass(frozen=True)
class Target:
    """A number that a probe predicts.

    Attributes
    ----------
    name, family : str
    unit : str
        Empty for a pure number.
    description : str
        One sentence that a listener understands.
    level : {"segment", "track"}
        "segment" if the target is also defined on five seconds.
    title : str
        The name as people read it; without one, the words of ``name``.

    Examples
    --------
    >>> from mess.targets import ALL_TARGETS
    >>> ALL_TARGETS["tempo"].unit, ALL_TARGETS["tempo"].family
    ('BPM', 'rhythm')
    >>> ALL_TARGETS["num_phrases"].title
    'number of phrases'
    """

    name: str
    family: str
    unit: str
    description: str
    level: Level
    title: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or as_words(self.name))


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a target may move if the same music is digitised differently.

    `mess.targets.invariance` measures it.

    Attributes
    ----------
    relative : float
        Share of the value.
    absolute : float
        In the target's unit; the larger of both limits applies.
    reasons : mapping of str to str
        The changes after which it moves farther, each with the reason.

    Examples
    --------
    >>> Tolerance(relative=0.02, absolute=0.5).allowed(100.0)
    2.0
    """

    relative: float = 0.0
    absolute: float = 0.0
    reasons: Mapping[str, str] = field(default_factory=dict)

    def allowed(self, value: float) -> float:
        """Return how far a target of this value may move."""
        return max(self.absolute, self.relative * abs(value))

    def describe(self, unit: str) -> str:
        """Return the tolerance in words.

        >>> Tolerance(relative=0.02, absolute=5.0).describe("Hz")
        '2 % or 5 Hz'
        """
        parts = [
            f"{100 * self.relative:g} %" if self.relative else "",
            f"{self.absolute:g} {unit}".strip() if self.absolute else "",
        ]
        return " or ".join(part for part in parts if part)


@dataclass(frozen=True)
class AudioTarget(Target):
    """A target that is measured on the audio.

    Attributes
    ----------
    function : callable
        From the `Analysis` of the sounding part to a float; NaN if the target is undefined.
    tolerance : Tolerance
        How far it may move when the same music is digitised differently.
    version : int
        Of a plug-in: its package raises it with the definition, so that older tables are stale.
    package : str
        The package that a plug-in comes from; filled in when it is found.

    Examples
    --------
    >>> from mess.targets import TARGETS
    >>> TARGETS["num_phrases"].tolerance.absolute
    0.5
    """

    function: Callable[[Analysis], float]
    tolerance: Tolerance
    version: int = 1
    package: str = ""
