"""Selections on disk: what was picked on a map, where it is too long for an address.

::

    selections/<dataset>/<token>.json   the rows; the token is a digest of them

The same selection has the same token in every browser. The newest `MOST_KEPT` are kept.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mess.errors import ArtifactError, MessError
from mess.records.selection import MOST_ROWS, SelectionRecord
from mess.storage.files import modified
from mess.storage.paths import folder_name
from mess.storage.records import read_record, write_record

MOST_KEPT = 500
_TOKEN = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class SelectionFiles:
    """The selections of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str, token: str) -> Path:
        """Return the path of a selection."""
        return self.root / "selections" / folder_name(dataset) / f"{token}.json"

    def keep(self, dataset: str, rows: list[str]) -> str:
        """Keep a selection, and return its token.

        Raises
        ------
        MessError
            If it has more than `MOST_ROWS` rows.
        """
        if len(rows) > MOST_ROWS:
            raise MessError(f"a selection has at most {MOST_ROWS} rows: draw around fewer points")
        content = json.dumps([dataset, rows]).encode()
        token = hashlib.sha256(content).hexdigest()[:16]
        path = self.path(dataset, token)
        if path.exists():
            with suppress(OSError):
                os.utime(path)
            return token
        path.parent.mkdir(parents=True, exist_ok=True)
        write_record(path, SelectionRecord(dataset=dataset, rows=rows))
        for old in sorted(path.parent.glob("*.json"), key=modified)[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
        return token

    def read(self, dataset: str, token: str) -> list[str]:
        """Return the rows of a selection.

        Raises
        ------
        MessError
            If there is none with this token.
        """
        if _TOKEN.fullmatch(token):
            with suppress(ArtifactError):
                found = read_record(self.path(dataset, token), SelectionRecord, command="")
                if found.dataset == dataset:
                    return found.rows
        raise MessError("this selection is no longer kept here: draw around the points again")
