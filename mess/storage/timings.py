"""How long recordings took to encode: a cost, that no result depends on.

``processed/timings/<dataset>/<encoder>.jsonl`` has one line for each encoded recording.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mess.encoders import encoder_slug
from mess.records.base import DoesNotFit, Record
from mess.storage.files import append_line, read_lines
from mess.storage.paths import processed


@dataclass(frozen=True, kw_only=True)
class _Timing(Record):
    """How many seconds the encoding of so many seconds of audio took."""

    seconds: float
    duration: float


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
            timing = _Timing(seconds=round(seconds, 4), duration=duration)
            append_line(handle, timing.to_json())

    def read_rates(self, dataset: str, encoder: str) -> list[float]:
        """Return seconds of encoding per second of audio, a number per recording, newest last."""
        try:
            content = self._path(dataset, encoder).read_bytes()
        except OSError:
            return []
        timings: list[_Timing] = []
        for line in read_lines(content):
            with suppress(DoesNotFit):  # a damaged line costs only itself
                timings.append(_Timing.from_json(line))
        return [one.seconds / one.duration for one in timings if one.duration > 0]
