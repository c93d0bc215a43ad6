"""The process that encodes uploads: it starts when a file waits, and ends when none comes."""

import os
import subprocess
import sys

from dashboard.jobs.locks import is_held
from mess.new_recordings.uploads import Uploads
from mess.storage.store import Store

_children: list[subprocess.Popen[bytes]] = []  # kept, so that ended processes can be collected


def see_to(store: Store) -> None:
    """Start the process if a file waits and no process runs. Without files this is cheap."""
    _children[:] = [child for child in _children if child.poll() is None]
    uploads = Uploads(store)
    if is_held(uploads.folder / "encoding.lock") or not any(uploads.waiting()):
        return
    if _children:  # it has not taken the lock yet
        return
    with (uploads.folder / "encoding.log").open("wb") as log:
        _children.append(
            subprocess.Popen(
                [sys.executable, "-m", "pipelines.cli", "encode-uploads"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"MESS_DATA": str(store.root)},
                start_new_session=True,
            )
        )


def last_words(store: Store) -> str:
    """Return the last line that the process wrote, "" if there is none."""
    try:
        text = (Uploads(store).folder / "encoding.log").read_text(errors="replace")
    except OSError:
        return ""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
