"""Fits side by side: one thread each, instead of several threads in one fit.

Most steps of a fit (an eigendecomposition, small products, sums) gain little from several threads.
Two fits at a time use two processors wholly.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_info, threadpool_limits

In = TypeVar("In")
Out = TypeVar("Out")
_WORTH_THREADS = 100  # rows or columns from which the time is spent outside of Python


def side_by_side(work: Callable[[In], Out], items: Iterable[In], *, size: int) -> Iterator[Out]:
    """Yield ``work(item)`` in order, as many at a time as linear algebra has threads.

    Parameters
    ----------
    work : callable
    items : iterable
    size : int
        Rows or columns of the matrices, the fewer of both. On small ones threads wait for Python,
        so there is one at a time.
    """
    threads = linear_algebra_threads()
    with threadpool_limits(limits=1, user_api="blas"):
        if threads == 1 or size < _WORTH_THREADS:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(work, items)


def linear_algebra_threads() -> int:
    """Return how many threads a matrix product may use."""
    found = threadpool_info()
    return max((one["num_threads"] for one in found if one["user_api"] == "blas"), default=1)
