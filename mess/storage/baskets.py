"""Baskets on disk: the recordings that a person keeps, one file a dataset.

::

    baskets/<dataset>.json      tracks with tags and notes; nothing makes it anew

A change reads the file, alters it and writes it whole, under a lock. So changes of several pages
and programs are made one after another, and none is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.records.basket import MOST_ITEMS, BasketRecord
from mess.storage.files import modified
from mess.storage.locks import wait_for_lock
from mess.storage.paths import folder_name
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class BasketFiles:
    """The baskets of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str) -> Path:
        """Return the path of the basket of a dataset."""
        return self.root / "baskets" / f"{folder_name(dataset)}.json"

    def read(self, dataset: str) -> BasketRecord:
        """Return the basket of a dataset; it is empty if nothing was kept.

        Raises
        ------
        MessError
            If the file is damaged.
        """
        path = self.path(dataset)
        try:
            return read_record(path, BasketRecord, command="")
        except ArtifactMissing:
            return BasketRecord(dataset=dataset)
        except ArtifactError as error:
            reason = str(error).removesuffix(": run ``")
            raise MessError(f"{reason}: move it away, and import what was exported") from None

    def change(self, dataset: str, alter: Callable[[BasketRecord], BasketRecord]) -> BasketRecord:
        """Change the basket of a dataset, and return it as it is then.

        Parameters
        ----------
        dataset : str
        alter : callable
            From the basket to the changed one; the same object is not written.

        Raises
        ------
        MessError
            If it would hold too many recordings, or the file is damaged.
        """
        path = self.path(dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        # An own open file for each change: threads of one process wait for each other, too.
        with path.with_name(f".{path.stem}.lock").open("ab") as handle:
            wait_for_lock(handle)
            before = self.read(dataset)
            after = alter(before)
            if len(after.items) > MOST_ITEMS:
                raise MessError(f"a basket holds at most {MOST_ITEMS} recordings: remove some")
            if after is not before:
                write_record(path, after)
        return after

    def modified(self, dataset: str) -> float:
        """Return when the basket of a dataset was changed, 0 if there is none."""
        return modified(self.path(dataset))
