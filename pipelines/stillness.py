"""When a recording that has changed may be read: once its files stand still.

A file that is being written changes its size or its time. A file that is gone may be back in a
moment, under the same name or another. So nothing is done before a state has lasted for some
seconds. Changes that come in a burst are done together.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

State = object  # anything that equals itself as long as nothing changes; None: it is not there


@dataclass(frozen=True)
class Due:
    """What is to be done now.

    Attributes
    ----------
    changed : frozenset of str
        Recordings that are new, changed or gone and stand still; empty as long as it is better to
        wait for others.
    moving : frozenset of str
        Recordings that do not stand still: they are to be left as they are.
    wait : float or None
        Seconds until another look is worth it; None if nothing is due.
    """

    changed: frozenset[str]
    moving: frozenset[str]
    wait: float | None


class Stillness:
    """The states of recordings as they were seen, and as they were when they were last done.

    Parameters
    ----------
    seconds : float
        How long a state has to last.
    patience : float
        How long recordings that stand still wait for others that do not.
    """

    def __init__(self, *, seconds: float, patience: float) -> None:
        self._seconds, self._patience = seconds, patience
        self._seen: dict[str, tuple[State, float]] = {}
        self._done: dict[str, State] = {}

    def look(self, states: Mapping[str, State], *, now: float, still: Collection[str] = ()) -> Due:
        """Compare the present states with those before.

        Parameters
        ----------
        states : mapping of str to State
            Of each recording that is there.
        now : float
            In seconds, of any clock that never goes back.
        still : collection of str
            Recordings that are known to have stood still, if they are seen for the first time.
        """
        for name in states.keys() | self._seen.keys():
            state = states.get(name)
            if name not in self._seen:
                self._seen[name] = state, now - (self._seconds if name in still else 0.0)
            elif self._seen[name][0] != state:
                self._seen[name] = state, now
        ends = {
            name: since + self._seconds
            for name, (state, since) in self._seen.items()
            if state != self._done.get(name)
        }
        rests = {name: end for name, end in ends.items() if end <= now}
        moving = frozenset(ends.keys() - rests.keys())
        if rests and (not moving or now - min(rests.values()) >= self._patience):
            return Due(frozenset(rests), moving, None)
        return Due(frozenset(), moving, min((ends[name] - now for name in moving), default=None))

    def done(self, names: Collection[str]) -> None:
        """Note that the states of some recordings, as they were seen last, are dealt with."""
        for name in names:
            state = self._seen[name][0]
            if state is None:
                del self._seen[name]
                self._done.pop(name, None)
            else:
                self._done[name] = state
