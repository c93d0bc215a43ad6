"""What the demo library lacks beside the search: made in the background, so that no page is empty.

``make run`` asks for it (the variable of the environment `ASKED`). The jobs wait in the same queue
as those that a person starts, and can be cancelled like these.
"""

import os
from collections.abc import Callable
from typing import get_args

from dashboard.jobs import queue
from mess.encoders import by_interest
from mess.errors import ArtifactError, MessError
from mess.records.untangled import Part
from mess.storage.store import Store

ASKED = "MESS_COMPLETE_DEMO"
_DEMO = "demo"
_CONTROL = "random:whisper-tiny"


def complete_demo(store: Store) -> list[list[str]]:
    """Queue what is missing of a demo library that can be searched; return the commands.

    A command that ended once, whatever its end, is not queued again.

    Parameters
    ----------
    store : Store
    """
    if not os.environ.get(ASKED):
        return []
    tried = [job.command for job in [*queue.active_jobs(store), *queue.ended_jobs(store)]]
    wanted = [one for one in missing_of_demo(store) if one not in tried]
    for command in wanted:
        try:
            queue.add(store, dataset=_DEMO, command=command)
        except MessError:  # a page says so where a person starts a job
            return []
    return wanted


def missing_of_demo(store: Store) -> list[list[str]]:
    """Return the commands that make what a searchable demo library lacks, in their order."""
    searched = [encoder for dataset, encoder in store.indices.available() if dataset == _DEMO]
    trained = [one for one in by_interest(searched) if not one.startswith("random")]
    if not trained:
        return []
    encoder = trained[0]
    of_encoder = ["--dataset", _DEMO, "--encoder", encoder]
    commands = []
    if not store.maps.available(_DEMO, encoder):
        commands.append(["map", *of_encoder])
    if _is_missing(lambda: store.reliability.read(_DEMO)):
        commands.append(["check-targets", "--dataset", _DEMO])
    if encoder == _CONTROL.partition(":")[2] and _CONTROL not in store.features.encoders(_DEMO):
        commands.append(["run-all", "--dataset", _DEMO, "--encoder", _CONTROL])
    if _is_missing(lambda: store.comparisons.read(_DEMO)):
        commands.append(["compare", "--dataset", _DEMO])
    # The longest come last.
    if _is_missing(lambda: store.doses.read(_DEMO, encoder)):
        commands.append(["dose", *of_encoder])
    if not all(store.untangled.modified(_DEMO, encoder, part) for part in get_args(Part)):
        commands.append(["untangle", *of_encoder])
    return commands


def _is_missing(read: Callable[[], object]) -> bool:
    try:
        read()
    except ArtifactError:
        return True
    return False
