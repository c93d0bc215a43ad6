"""A list of recommendations as files: CSV for a table, JSON for a program, M3U8 for a player."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard.readers import TrackInfo
from mess.as_json import as_json as to_json
from mess.baskets import as_cell, join_tags
from mess.records.basket import BasketRecord
from mess.search.layer_based_recommender import Recommendation
from mess.search.paths import Path

if TYPE_CHECKING:
    import pandas as pd

Found = Sequence[tuple[Recommendation, TrackInfo]]
_NAMES = ("track", "composer", "title", "work", "duration", "path")


def as_csv(found: Found) -> str:
    """Return a row per track: names, score, the share of each aspect, values beside the query's."""
    aspects = list(dict.fromkeys(name for one, _ in found for name in one.contributions))
    targets = list(dict.fromkeys(name for one, _ in found for name in one.values))
    about = ["rank", *_NAMES, "score"]
    sides = [f"{target}:{side}" for target in targets for side in ("track", "query")]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*about, *(f"share:{aspect}" for aspect in aspects), *sides])
    for rank, (one, track) in enumerate(found, start=1):
        values = [
            one.values.get(target, {}).get(side, "")
            for target in targets
            for side in ("track", "query")
        ]
        shares = [one.contributions.get(aspect, "") for aspect in aspects]
        row = [rank, *_names(track), one.score]
        writer.writerow([*row, *shares, *values])
    return out.getvalue()


def as_json(found: Found, *, search: Mapping[str, Any]) -> str:
    """Return the list with the search that found it."""
    results = [
        {
            "rank": rank,
            **one.as_dict(),
            **_labels(track),
        }
        for rank, (one, track) in enumerate(found, start=1)
    ]
    return to_json({"search": dict(search), "results": results}, indent=1).decode()


def path_as_csv(path: Path, tracks: Mapping[str, TrackInfo]) -> str:
    """Return a row per step of a path: names, where it lies, and its values."""
    targets = list(dict.fromkeys(name for step in path.steps for name in step.values))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["step", *_NAMES, "position", "aside", *targets])
    for number, step in enumerate(path.steps):
        values = [step.values.get(target, "") for target in targets]
        names = _names(tracks[step.track_id])
        writer.writerow([number, *names, step.position, step.aside, *values])
    return out.getvalue()


def path_as_json(path: Path, tracks: Mapping[str, TrackInfo], *, search: Mapping[str, Any]) -> str:
    """Return a path with the search that found it."""
    found = path.as_dict()
    steps = [{**step, **_labels(tracks[step["track_id"]])} for step in found.pop("steps")]
    return to_json({"search": dict(search), **found, "steps": steps}, indent=1).decode()


def basket_as_csv(basket: BasketRecord, tracks: Mapping[str, TrackInfo]) -> str:
    """Return a row per recording of a basket: names, why it is kept, tags, note."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*_NAMES, "kept", "tags", "note"])
    for item in basket.items:
        track = tracks.get(item.track)
        names = _names(track) if track else [as_cell(item.track), *[""] * (len(_NAMES) - 1)]
        writer.writerow([*names, item.kept, as_cell(join_tags(item.tags)), as_cell(item.note)])
    return out.getvalue()


def rows_as_csv(
    rows: Sequence[tuple[str, float]], tracks: Mapping[str, TrackInfo], values: Sequence[str]
) -> str:
    """Return a row per recording or segment that was picked: names, where it begins, its value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*_NAMES, "start", "value"])
    for (track, start), value in zip(rows, values, strict=True):
        writer.writerow([*_names(tracks[track]), start, as_cell(value)])
    return out.getvalue()


def rows_as_json(
    rows: Sequence[tuple[str, float]],
    tracks: Mapping[str, TrackInfo],
    values: Sequence[str],
    *,
    search: Mapping[str, Any],
) -> str:
    """Return what was picked with the address that shows it."""
    found = [
        {"track": track, "start": start, "value": value, **_labels(tracks[track])}
        for (track, start), value in zip(rows, values, strict=True)
    ]
    return to_json({"search": dict(search), "rows": found}, indent=1).decode()


def table_as_csv(table: "pd.DataFrame") -> str:
    """Return a table with names from files, none of which is a formula."""
    texts = table.map(lambda one: as_cell(one) if isinstance(one, str) else one)
    return str(texts.to_csv(index=False))


def as_m3u8(tracks: Iterable[TrackInfo]) -> str:
    """Return a playlist of the files on this machine; no name can begin a line of its own."""
    lines = ["#EXTM3U"]
    for track in tracks:
        path = track.path.absolute()
        place = str(path) if str(path).isprintable() else path.as_uri()
        lines += [f"#EXTINF:{round(track.duration)},{_line(track.label)}", place]
    return "\n".join(lines) + "\n"


def _names(track: TrackInfo) -> list[str | float]:
    """Return what a table says of a track, in the order of `_NAMES`."""
    names = [as_cell(text) for text in (track.id, track.composer, track.title, track.work)]
    return [*names, track.duration, as_cell(track.file)]


def _labels(track: TrackInfo) -> dict[str, str | float]:
    """Return what a program is told of a track."""
    return {
        "composer": track.composer,
        "title": track.title,
        "work": track.work,
        "duration": track.duration,
        "path": track.file,
    }


def _line(text: str) -> str:
    """Return ``text`` without any sign that ends a line."""
    if text.isprintable():  # as nearly all are: a playlist may have 50,000 of them
        return " ".join(text.split())
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
