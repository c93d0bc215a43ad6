"""How the process of a cancelled job is stopped."""

import os
import signal
from contextlib import suppress

from mess.storage.jobs import JobFiles

GRACE_SECONDS = 30.0  # between asking a process to stop and killing it


def stop_process(files: JobFiles, job: str, *, pid: int, grace: float) -> None:
    """Ask a process to stop, as Ctrl-C does; kill it if it still runs after ``grace`` seconds.

    Call it again and again until the process has ended.
    """
    asked_before = files.note_told(job)
    if asked_before is None:
        sign = signal.SIGTERM
    elif asked_before >= grace:
        sign = signal.SIGKILL
    else:
        return
    with suppress(ProcessLookupError):  # it has just ended
        os.killpg(pid, sign)
