"""A run that ended with some recordings left out.

A command that made something without some recordings ends with exit status 3. Its job is yellow on
the dashboard, and its run in MLflow has the tag `TAG`. All three carry one `LeftOut`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from mess.records.base import Record

TAG = "left_out"  # of a run in MLflow
_KEPT = 200  # reasons; a log has all of them


@dataclass(frozen=True, kw_only=True)
class LeftOut(Record):
    """The recordings that a run could not use.

    Attributes
    ----------
    done : int
        The number of recordings that it used.
    count : int
        The number of those that it could not use.
    reasons : dict of str to str
        By recording, the first 200: its file, the reason and the way out, in one line.
    """

    done: int
    count: int
    reasons: dict[str, str]

    @classmethod
    def among(cls, failed: Mapping[str, str], *, done: int) -> Self:
        """Return the record of ``failed`` (the reason, by recording) beside ``done`` others."""
        return cls(done=done, count=len(failed), reasons=dict(list(failed.items())[:_KEPT]))

    @property
    def counts(self) -> str:
        """How many were used, and how many were not."""
        total = self.done + self.count
        return f"{self.done} of {total} recordings done; {self.count} could not be used"

    def rewritten(self, change: Callable[[str], str]) -> Self:
        """Return the record with each reason changed."""
        return replace(self, reasons={name: change(why) for name, why in self.reasons.items()})

    def __str__(self) -> str:
        """Return the counts and the first reason in one line.

        >>> str(LeftOut.among({"a": "a.wav: is empty; copy it again"}, done=99))
        '99 of 100 recordings done; 1 could not be used: a.wav: is empty; copy it again'
        """
        first = next(iter(self.reasons.values()), "the log has the reasons")
        return f"{self.counts}{':' if self.count == 1 else '. The first:'} {first}"
