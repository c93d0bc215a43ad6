"""Processes that a pipeline starts for a part of its work."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from mess.errors import MessError

Params = ParamSpec("Params")
Result = TypeVar("Result")


def follow_parent() -> None:
    """Leave Ctrl-C to the parent, which says how its processes end; end when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def stopped(again: str) -> MessError:
    """Return the error that tells of a process that was stopped from outside."""
    return MessError(f"a process was stopped from outside: run `{again}` again")


@contextmanager
def side_by_side(
    workers: int,
    *,
    again: str,
    begin: Callable[..., None] = follow_parent,
    settings: tuple[Any, ...] = (),
) -> Iterator[ProcessPoolExecutor]:
    """Share work among processes, in a script without ``if __name__ == "__main__"``, too.

    They are spawned, not forked: threads of the caller (torch, a notebook) do not survive a fork.
    What was submitted and has not begun at the end of the block is dropped.

    Parameters
    ----------
    workers : int
        How many processes at most.
    again : str
        The command to be run again after an interruption.
    begin : callable
        What each process does first: it calls `follow_parent`.
    settings : tuple
        Its arguments.

    Raises
    ------
    MessError
        If a process was stopped from outside.
    """
    with _Pool(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=begin,
        initargs=settings,
    ) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise stopped(again) from None
        except BaseException:  # Ctrl-C, say: do not wait for minutes of work
            pool.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Pool(ProcessPoolExecutor):
    """Starts its processes without the caller's script, which spawning would run again in each.

    And without Ctrl-C, which the parent alone hears: a process that still imports would print it.
    """

    def stop(self) -> None:
        """End its processes, and no others of the caller."""
        for process in list((self._processes or {}).values()):
            process.terminate()

    def submit(
        self, fn: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Future[Result]:
        # Processes start here alone. multiprocessing finds the script by the module's __file__.
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children inherit it
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            sys.modules["__main__"] = script
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
