"""Draw the pictures of docs/architecture.md: ``python -m docs.building.drawings``.

The rooms come from the tables of that page. The pictures are plain SVG that follows the reader's
light or dark theme. The same page gives the same bytes, so a test sees an old picture.
"""

import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from docs.building.rooms import Room, read_rooms

IMAGES = Path(__file__).parents[1] / "images"
_STYLE = """\
text { font-family: system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1c2733 }
.name { font-size: 14px; font-weight: 600 }
.text { font-size: 12px }
.command { font-size: 12px; font-family: ui-monospace, Consolas, monospace }
.paper { fill: #fff }
.box { fill: #e8f0f8; stroke: #2166ac }
.file { fill: #f4f1e6; stroke: #8a6d1c }
.arrow { fill: none; stroke: #55626f; stroke-width: 1.5; marker-end: url(#head) }
.head { fill: #55626f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6ebf0 }
  .paper { fill: #161b22 }
  .box { fill: #1d3045; stroke: #67a9cf }
  .file { fill: #332e1c; stroke: #d0b35c }
  .arrow { stroke: #9aa7b4 }
  .head { fill: #9aa7b4 }
}"""
_HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker>'
)


class Box(NamedTuple):
    """A rectangle with a name, some words and perhaps the command that makes it, in pixels."""

    left: float
    top: float
    width: float
    height: float
    name: str
    text: str
    kind: str = "box"
    command: str = ""

    def svg(self) -> Iterator[str]:
        """Yield its elements, the words centred."""
        yield (
            f'<rect class="{self.kind}" x="{self.left:g}" y="{self.top:g}" '
            f'width="{self.width:g}" height="{self.height:g}" rx="5"/>'
        )
        lines = [(line, "text") for line in textwrap.wrap(self.text, int(self.width / 7))]
        if self.command:
            lines.append((self.command, "command"))
        middle = self.left + self.width / 2
        y = self.top + (self.height - 15 * len(lines)) / 2 + 3
        yield text(middle, y, self.name, kind="name")
        for number, (line, kind) in enumerate(lines, start=1):
            yield text(middle, y + 15 * number + 1, line, kind=kind)


def text(x: float, y: float, words: str, *, kind: str) -> str:
    """Return a line of text whose middle is at ``x``."""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle">{escape(words)}</text>'


def picture(width: float, height: float, *, title: str, content: Sequence[str]) -> str:
    """Return a whole SVG file."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            f"<defs>{_HEAD}</defs>",
            f'<rect class="paper" width="{width:g}" height="{height:g}" rx="8"/>',
            *content,
            "</svg>\n",
        ]
    )


# The files: column, row, what is in them, the command that writes them.
_FILES = {
    "recordings": (0, 1, "data/audio/", ""),
    "features": (1, 0, "hidden states by segment and layer", "mess extract"),
    "targets": (1, 2, "numbers by track and segment", "mess targets"),
    "discovery": (2, 1, "R² of each layer and target", "mess probe"),
    "index": (3, 0, "coordinates of tracks", "mess index"),
    "comparison": (3, 2, "encoders side by side", "mess compare"),
    "evaluation": (4, 0, "a method for each slider", "mess evaluate"),
    "ranked list": (4, 1, "in browser or terminal", "mess recommend"),
}
# The command that writes the second file reads the first.
_READ = [
    ("recordings", "features"),
    ("recordings", "targets"),
    ("features", "discovery"),
    ("targets", "discovery"),
    ("features", "index"),
    ("discovery", "index"),
    ("discovery", "comparison"),
    ("index", "evaluation"),
    ("index", "ranked list"),
    ("evaluation", "ranked list"),
]
_TURN = 17  # where an arrow turns, in pixels before its target


def draw_flow() -> str:
    """Return the way of the data: files, and which of them the next is made from."""
    width, height, gap, rise = 132, 78, 34, 20
    boxes = {}
    for name, (column, row, words, command) in _FILES.items():
        left, top = 16 + column * (width + gap), 16 + row * (height + rise)
        boxes[name] = Box(left, top, width, height, name, words, kind="file", command=command)
    arrows = [_arrow(boxes[source], boxes[target]) for source, target in _READ]
    shapes = [line for box in boxes.values() for line in box.svg()]
    return picture(
        max(box.left + box.width for box in boxes.values()) + 16,
        max(box.top + box.height for box in boxes.values()) + 16,
        title="From recordings through features and targets to probes, an index and ranked lists",
        content=[*arrows, *shapes],
    )


def _arrow(source: Box, target: Box) -> str:
    y, end = source.top + source.height / 2, target.top + target.height / 2
    if source.left == target.left:
        x = source.left + source.width / 2
        return f'<path class="arrow" d="M{x:g} {source.top + source.height:g}V{target.top:g}"/>'
    right, turn = source.left + source.width, target.left - _TURN
    return f'<path class="arrow" d="M{right:g} {y:g}H{turn:g}V{end:g}H{target.left:g}"/>'


def draw_rooms(rooms: Sequence[Room]) -> str:
    """Return the house: the library at the left, the dashboard at the right, floor on floor."""
    sides = [
        (16, 500, [room for room in rooms if not room.path.startswith("dashboard")]),
        (540, 330, [room for room in rooms if room.path.startswith("dashboard")]),
    ]
    height, gap, top = 66, 8, 44
    floors = [
        [list(group) for _, group in groupby(_upstairs_first(side), key=lambda room: room.floor)]
        for *_, side in sides
    ]
    tallest = max(len(side) for side in floors)
    content: list[str] = []
    for (left, width, _), side, name in zip(
        sides, floors, ("library and commands", "dashboard"), strict=True
    ):
        content.append(text(left + width / 2, 28, name, kind="name"))
        for number, floor in enumerate(side):
            y = top + (tallest - len(side) + number) * (height + gap)
            each = (width - gap * (len(floor) - 1)) / len(floor)
            for position, room in enumerate(floor):
                box = Box(
                    left + position * (each + gap),
                    y,
                    each,
                    height,
                    _short(room),
                    room.holds.replace("`", ""),
                )
                content.extend(box.svg())
    return picture(
        886,
        top + tallest * (height + gap) + 6,
        title="The rooms of the code: each may import the rooms on the floors below it",
        content=content,
    )


def _upstairs_first(rooms: Sequence[Room]) -> list[Room]:
    return sorted(rooms, key=lambda room: -room.floor)


def _short(room: Room) -> str:
    library, _, rest = room.path.rstrip("/").partition("/")
    return rest or f"{library}/"


def drawings() -> dict[str, str]:
    """Return every picture by the name of its file in docs/images/."""
    return {"flow.svg": draw_flow(), "rooms.svg": draw_rooms(read_rooms())}


if __name__ == "__main__":
    for file, content in drawings().items():
        (IMAGES / file).write_text(content, encoding="utf-8")
