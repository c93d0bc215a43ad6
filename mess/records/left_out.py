"""A run that ended with some recordings left out.

A command that made something without some recordings, or without one of several encoders, ends with
exit status 3. Its job is yellow on
the dashboard, and its run in MLflow has the tag `TAG`. All three carry one `LeftOut`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    encoders : dict of str to str
        Of a run with several encoders, those for which nothing could be made, each with the reason.
        The recordings are counted for the others.
    """

    done: int
    count: int
    reasons: dict[str, str]
    encoders: dict[str, str] = field(default_factory=dict)

    @classmethod
    def among(
        cls, failed: Mapping[str, str], *, done: int, encoders: Mapping[str, str] | None = None
    ) -> Self:
        """Return the record of ``failed`` (the reason, by recording) beside ``done`` others."""
        reasons = dict(list(failed.items())[:_KEPT])
        return cls(done=done, count=len(failed), reasons=reasons, encoders=dict(encoders or {}))

    @property
    def all_reasons(self) -> list[str]:
        """The reasons, those of encoders first."""
        return [*self.encoders.values(), *self.reasons.values()]

    @property
    def total(self) -> int:
        """How many recordings and encoders were left out."""
        return self.count + len(self.encoders)

    @property
    def counts(self) -> str:
        """How many were used, and how many were not."""
        said = f"{self.done} of {self.done + self.count} recordings done"
        if self.count or not self.encoders:
            said += f"; {self.count} could not be used"
        if self.encoders:
            said += f"; nothing by {' and '.join(self.encoders)}"
        return said

    def rewritten(self, change: Callable[[str], str]) -> Self:
        """Return the record with each reason changed."""
        reasons = {name: change(why) for name, why in self.reasons.items()}
        encoders = {name: change(why) for name, why in self.encoders.items()}
        return replace(self, reasons=reasons, encoders=encoders)

    def __str__(self) -> str:
        """Return the counts and the first reason in one line.

        >>> str(LeftOut.among({"a": "a.wav: is empty; copy it again"}, done=99))
        '99 of 100 recordings done; 1 could not be used: a.wav: is empty; copy it again'
        """
        first = next(iter(self.all_reasons), "the log has the reasons")
        return f"{self.counts}{':' if self.total == 1 else '. The first:'} {first}"
