"""Where nothing may be read: who must not keep others waiting uses only what is in memory.

A server answers some questions in the loop that all requests share. There every reader of
`mess.storage.files`, and whatever else would take its time, raises `NotHeld` by `may_wait`; then
the server asks again in a thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ONLY_HELD: ContextVar[bool] = ContextVar("only_held", default=False)


class NotHeld(Exception):
    """What is asked for is not in memory or takes long, and nobody may wait for it here."""


@contextmanager
def only_held() -> Iterator[None]:
    """Let `may_wait` raise `NotHeld` in this block.

    >>> with only_held():
    ...     may_wait()
    Traceback (most recent call last):
        ...
    mess.storage.held.NotHeld
    """
    before = _ONLY_HELD.set(True)
    try:
        yield
    finally:
        _ONLY_HELD.reset(before)


def may_wait() -> None:
    """Return where a file may be read, or long be computed; elsewhere raise `NotHeld`."""
    if _ONLY_HELD.get():
        raise NotHeld
