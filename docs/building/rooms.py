"""The rooms of the code, as the tables of docs/architecture.md list them.

The page is the only place that says which room stands on which floor. The test of the imports and
the drawing both read it here.
"""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "architecture.md"
_ROW = re.compile(r"^\| (\d+) \| `([\w/.]+)` \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Room:
    """A package, or a module that stands alone.

    Attributes
    ----------
    floor : int
        A room may import the rooms on lower floors; 1 is the ground.
    path : str
        From the root of the repository.
    holds : str
        What it holds, in some words.
    """

    floor: int
    path: str
    holds: str

    @property
    def module(self) -> str:
        """Its name in an import."""
        return self.path.removesuffix(".py").strip("/").replace("/", ".")


def read_rooms(page: str | None = None) -> list[Room]:
    """Return every room of the page, in its order.

    >>> read_rooms("| 2 | `mess/audio/` | samples |")
    [Room(floor=2, path='mess/audio/', holds='samples')]
    """
    text = PAGE.read_text(encoding="utf-8") if page is None else page
    return [Room(int(floor), path, holds) for floor, path, holds in _ROW.findall(text)]
