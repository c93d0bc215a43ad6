"""The process that encodes uploads: it starts when a file waits, and ends when none comes."""

import os
import subprocess
import sys

from mess.storage.locks import is_held
from mess.storage.store import Store

_children: list[subprocess.Popen[bytes]] = []  # kept, so that ended processes can be collected


def see_to(store: Store) -> None:
    """Start the process if a file waits and no process runs. Without files this is cheap."""
    _children[:] = [child for child in _children if child.poll() is None]
    uploads = store.uploads
    if is_held(uploads.lock) or not any(uploads.waiting()):
        return
    if _children:  # it has not taken the lock yet
        return
    with uploads.open_log() as log:
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
