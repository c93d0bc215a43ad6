"""Reports on disk: a page of HTML and the methods section of a paper.

``reports/<dataset>/`` holds them, unless the user names another folder.
"""

from dataclasses import dataclass
from pathlib import Path

from mess.encoders import encoder_slug
from mess.storage.files import write_bytes
from mess.storage.paths import folder_name


@dataclass(frozen=True)
class ReportFiles:
    """The reports of all datasets, below one root folder."""

    root: Path

    def folder(self, dataset: str) -> Path:
        """Return the folder of the reports of a dataset."""
        return self.root / "reports" / folder_name(dataset)

    def write(self, path: Path, text: str) -> None:
        """Write a document, whole or not at all."""
        write_bytes(path, text.encode())


def report_names(dataset: str, encoder: str, level: str) -> tuple[str, str]:
    """Return the names of the two files of a report: the page, and the methods section."""
    stem = f"{dataset}-{encoder_slug(encoder)}" + ("" if level == "track" else f"-{level}")
    return f"{stem}.html", f"{stem}-methods.md"
