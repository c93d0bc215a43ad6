"""What a list of results leaves out: the queries, their works, copies, too many of one composer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mess.search.layer_index import best_rows


@dataclass(frozen=True)
class Cap:
    """A limit of ``most`` results with the same label; the label "" has no limit."""

    labels: Sequence[object]
    most: int


def capped_rows(
    scores: NDArray[np.float32], *, k: int, exclude: NDArray[np.bool_], caps: Sequence[Cap]
) -> NDArray[np.int64]:
    """Return the rows of the ``k`` highest scores that every cap allows, best first."""
    if not caps:
        return best_rows(scores, k=k, exclude=exclude)
    kept: list[int] = []
    seen: Counter[tuple[int, object]] = Counter()
    for row in best_rows(scores, k=len(scores), exclude=exclude):
        labels = [(number, cap.labels[row]) for number, cap in enumerate(caps)]
        if any(seen[label] >= caps[label[0]].most for label in labels if label[1] != ""):
            continue
        seen.update(labels)
        kept.append(int(row))
        if len(kept) == k:
            break
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True)
class Limits:
    """What the tracks of an index have in common with each other.

    Attributes
    ----------
    works : ndarray [shape=(n,), dtype=object]
    composers : sequence of str
        "" where nobody told.
    copies : sequence of int
        The same number for copies of one recording.
    """

    works: NDArray[np.object_]
    composers: Sequence[str]
    copies: Sequence[int]

    @cached_property
    def _by_copy(self) -> NDArray[np.int64]:
        return np.array(self.copies, dtype=np.int64)

    def of(
        self,
        liked: Sequence[int],
        unlike: Sequence[int],
        *,
        same_work: bool,
        same_composer: bool,
        duplicates: bool,
        one_per_work: bool,
        max_per_composer: int | None,
    ) -> tuple[NDArray[np.bool_], list[Cap]]:
        """Return which tracks are no result [n], and the caps on the others.

        Parameters
        ----------
        liked, unlike : sequence of int
            The rows of the queries.
        same_work, same_composer, duplicates : bool
            Whether other recordings of the works of ``liked``, works of their composers, and copies
            are left out.
        one_per_work : bool
            Whether only the best recording of each work is left.
        max_per_composer : int or None
        """
        mine = list(liked)
        indexed = [*liked, *unlike]
        exclude = np.zeros(len(self.works), dtype=bool)
        exclude[indexed] = True
        if same_work:
            exclude |= np.isin(self.works, self.works[mine])
        if same_composer:
            left_out = {self.composers[row] for row in mine} - {""}
            exclude |= np.array([composer in left_out for composer in self.composers])
        caps: list[Cap] = []
        if duplicates:
            exclude |= np.isin(self._by_copy, self._by_copy[indexed])
            caps.append(Cap(self._by_copy.tolist(), 1))
        if one_per_work:
            caps.append(Cap(self.works.tolist(), 1))
        if max_per_composer is not None:
            caps.append(Cap(self.composers, max_per_composer))
        return exclude, caps
