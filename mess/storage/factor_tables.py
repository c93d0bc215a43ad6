"""Factor tables on disk: which similarity of an index follows which factor of music.

``processed/factors/<dataset>/<encoder>.json`` is the record. The recordings that it was made with
are rendered into a temporary folder and are gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mess.encoders import encoder_slug
from mess.records.factors import FactorsRecord
from mess.storage.files import modified
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class FactorTableFiles:
    """The factor tables of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "factors", dataset, f"{encoder_slug(encoder)}.json")

    def write(self, dataset: str, encoder: str, record: FactorsRecord) -> None:
        """Write a factor table."""
        write_record(self.path(dataset, encoder), record)

    def read(self, dataset: str, encoder: str) -> FactorsRecord:
        """Read a factor table."""
        command = command_for("factors", dataset, encoder)
        return read_record(self.path(dataset, encoder), FactorsRecord, command=command)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when a factor table was written, 0 if there is none."""
        return modified(self.path(dataset, encoder))


@contextmanager
def rendered() -> Iterator[Path]:
    """Yield a folder for rendered recordings; it is gone with the block."""
    with TemporaryDirectory(prefix="mess-factors-") as folder:
        yield Path(folder)
