"""What untangles readings, on disk: erasures, codelengths and confounds.

::

    processed/untangled/<dataset>/<encoder>.erasure.json       what is left after a target is erased
    processed/untangled/<dataset>/<encoder>.codelength.json    the bits that a layer saves
    processed/untangled/<dataset>/<encoder>.confounds.json     R² with a confound held apart

Each is written alone, so one can be made anew without the others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mess.encoders import encoder_slug
from mess.records.untangled import KINDS, Part, Untangled
from mess.storage.files import modified
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record

R = TypeVar("R", bound=Untangled)
_PART: dict[type, Part] = {kind: part for part, kind in KINDS.items()}


@dataclass(frozen=True)
class UntangledFiles:
    """The erasures, codelengths and confounds of all datasets and encoders, below one root."""

    root: Path

    def path(self, dataset: str, encoder: str, part: Part) -> Path:
        """Return the path of one of the records."""
        return processed(self.root, "untangled", dataset, f"{encoder_slug(encoder)}.{part}.json")

    def write(self, dataset: str, encoder: str, record: Untangled) -> None:
        """Write one of the records."""
        write_record(self.path(dataset, encoder, _PART[type(record)]), record)

    def read(self, dataset: str, encoder: str, kind: type[R]) -> R:
        """Read the record of this class.

        Raises
        ------
        ArtifactError
            If it is missing or damaged.
        """
        part = _PART[kind]
        command = f"{command_for('untangle', dataset, encoder)} --what {part}"
        return read_record(self.path(dataset, encoder, part), kind, command=command)

    def modified(self, dataset: str, encoder: str, part: Part) -> float:
        """Return when a record was written, 0 if there is none."""
        return modified(self.path(dataset, encoder, part))
