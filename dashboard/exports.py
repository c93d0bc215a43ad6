"""A list of recommendations as files: CSV for a table, JSON for a program, M3U8 for a player."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.readers import TrackInfo
from mess.as_json import as_json as to_json
from mess.search.layer_based_recommender import Recommendation

Found = Sequence[tuple[Recommendation, TrackInfo]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


def as_csv(found: Found) -> str:
    """Return a row per track: names, score, the share of each aspect, values beside the query's."""
    aspects = list(dict.fromkeys(name for one, _ in found for name in one.contributions))
    targets = list(dict.fromkeys(name for one, _ in found for name in one.values))
    about = ["rank", "track", "composer", "title", "work", "duration", "path", "score"]
    sides = [f"{target}:{side}" for target in targets for side in ("track", "query")]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*about, *(f"share:{aspect}" for aspect in aspects), *sides])
    for rank, (one, track) in enumerate(found, start=1):
        names = [_cell(text) for text in (track.id, track.composer, track.title, track.work)]
        values = [
            one.values.get(target, {}).get(side, "")
            for target in targets
            for side in ("track", "query")
        ]
        shares = [one.contributions.get(aspect, "") for aspect in aspects]
        row = [rank, *names, track.duration, _cell(track.file), one.score]
        writer.writerow([*row, *shares, *values])
    return out.getvalue()


def as_json(found: Found, *, search: Mapping[str, Any]) -> str:
    """Return the list with the search that found it."""
    results = [
        {
            "rank": rank,
            **one.as_dict(),
            "composer": track.composer,
            "title": track.title,
            "work": track.work,
            "duration": track.duration,
            "path": track.file,
        }
        for rank, (one, track) in enumerate(found, start=1)
    ]
    return to_json({"search": dict(search), "results": results}, indent=1).decode()


def as_m3u8(found: Found) -> str:
    """Return a playlist of the files on this machine; no name can begin a line of its own."""
    lines = ["#EXTM3U"]
    for _, track in found:
        path = track.path.absolute()
        place = str(path) if str(path).isprintable() else path.as_uri()
        lines += [f"#EXTINF:{round(track.duration)},{_line(track.label)}", place]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return ``text`` without any sign that ends a line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _cell(text: str) -> str:
    """Return a name as a spreadsheet shows it: never as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
