"""Files beside MLflow's database: what a run keeps as a file, and the server of MLflow's pages.

::

    mlflow.db                            MLflow's own tables; MLflow alone writes them
    mlartifacts/<run>/artifacts/<name>   a file of a run
    jobs/mlflow-ui/lock                  held as long as the server lives
    jobs/mlflow-ui/server.json           its process, its port, its start
    jobs/mlflow-ui/log                   its output
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mess.records.base import Json
from mess.records.job import ServerRecord
from mess.storage.files import write_json
from mess.storage.jobs import read_if_whole
from mess.storage.records import write_record


@dataclass(frozen=True)
class ServerFiles:
    """The files of the server of MLflow's pages, below one root folder."""

    root: Path

    @property
    def folder(self) -> Path:
        """Folder of the files, and where the server works."""
        return self.root.absolute() / "jobs" / "mlflow-ui"

    @property
    def lock(self) -> Path:
        """The file whose lock the server holds."""
        return self.folder / "lock"

    def open_log(self) -> IO[bytes]:
        """Open the server's log for writing, empty."""
        return (self.folder / "log").open("wb")

    def read_log(self) -> str:
        """Return the server's log, "" if there is none."""
        try:
            return (self.folder / "log").read_text(errors="replace")
        except OSError:
            return ""

    def write(self, server: ServerRecord) -> None:
        """Write which server was started."""
        write_record(self.folder / "server.json", server)

    def read(self) -> ServerRecord | None:
        """Read which server was started; None if none was, or the record is damaged."""
        return read_if_whole(self.folder / "server.json", ServerRecord)


def write_run_file(artifacts: Path, run: str, name: str, value: Json) -> None:
    """Write a value as a JSON file of a run, below MLflow's folder of artifacts."""
    write_json(artifacts / run / "artifacts" / name, value)
