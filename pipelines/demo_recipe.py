"""The recipe of the demo library: which scores it has, and which recordings are made of each."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mess.datasets.expressive_performance import CHANGES
from mess.errors import MessError
from mess.storage.demo_library import COMMAND

RECIPE = Path(__file__).resolve().parents[1] / "data" / "demo" / "recipe.csv"


@dataclass(frozen=True)
class RecipeRow:
    """A score of the library; positions in quarter notes, tempo in quarter notes per minute.

    ``seconds`` is the length of an excerpt, 0 for the whole movement.
    """

    id: str
    score: str
    composer: str
    work: str
    title: str
    movement: str
    start: float
    seconds: float
    tempo: float
    performances: int
    instrument: str
    other_instrument: str
    licence: str

    @property
    def whole(self) -> bool:
        """Whether the movement is played from its beginning to its end."""
        return self.seconds == 0

    @property
    def base_ids(self) -> list[str]:
        """One recording per performance."""
        if self.performances == 1:
            return [self.id]
        return [f"{self.id}_p{number + 1}" for number in range(self.performances)]

    @property
    def recordings(self) -> list[tuple[str, str, str]]:
        """Track id, id of its base, and what it changes; the base itself changes nothing."""
        found = []
        for number, base in enumerate(self.base_ids):
            found.append((base, base, ""))
            if number == 0 and self.other_instrument:
                found += [(f"{base}_{change}", base, change) for change in CHANGES]
        return found


def read_recipe(path: Path) -> list[RecipeRow]:
    """Read which scores the library has.

    Raises
    ------
    MessError
        If the recipe is missing (it lies in the repository) or damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise MessError(f"{path}: is not there; run {COMMAND} in a clone of MESS") from None
    numbers: dict[str, Callable[[str], Any]] = {"start": float, "tempo": float}
    numbers["seconds"] = lambda cell: float(cell or 0)
    numbers["performances"] = int
    names = [field.name for field in fields(RecipeRow)]
    try:
        return [
            RecipeRow(**{name: numbers.get(name, str)(row[name]) for name in names})
            for row in csv.DictReader(text.splitlines())
        ]
    except (KeyError, TypeError, ValueError):
        raise MessError(f"{path}: is damaged; restore it with git") from None
