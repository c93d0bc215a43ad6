"""How long recordings took to encode: a cost, that no result depends on.

``processed/timings/<dataset>/<encoder>.jsonl`` has one line for each encoded recording.
"""

from dataclasses import dataclass
from pathlib import Path

from mess.encoders import encoder_slug
from mess.storage.files import append_line, read_lines
from mess.storage.paths import processed
from mess.storage.shapes import NUMBER, fits

_LINE = {"seconds": NUMBER, "duration": NUMBER}


@dataclass(frozen=True)
class TimingFiles:
    """The costs of encoding, below one root folder."""

    root: Path

    def _path(self, dataset: str, encoder: str) -> Path:
        return processed(self.root, "timings", dataset, f"{encoder_slug(encoder)}.jsonl")

    def append(self, dataset: str, encoder: str, *, seconds: float, duration: float) -> None:
        """Append how long a recording of ``duration`` seconds took to encode."""
        path = self._path(dataset, encoder)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as handle:
            append_line(handle, {"seconds": round(seconds, 4), "duration": duration})

    def read_rates(self, dataset: str, encoder: str) -> list[float]:
        """Return seconds of encoding per second of audio, a number per recording, newest last."""
        try:
            content = self._path(dataset, encoder).read_bytes()
        except OSError:
            return []
        lines = [line for line in read_lines(content) if line is not None and fits(line, _LINE)]
        return [line["seconds"] / line["duration"] for line in lines if line["duration"] > 0]
