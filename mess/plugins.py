"""Encoders, targets and datasets of other packages, found by their entry points.

A package offers a thing by a line of its metadata, ``NAME = "module:object"``, in one of the groups
``mess.encoders``, ``mess.targets`` and ``mess.datasets``; CONTRIBUTING.md has the recipe. Metadata
is read, and the packages are imported, when a registry is first asked for a name: never while
`mess` itself is imported. A package that cannot be used costs one line on standard error.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, distribution, distributions
from threading import RLock
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
_PREFIX = "mess."


class LazyMapping(Mapping[str, Thing], Generic[Thing]):
    """A mapping that is made when it is first read.

    Parameters
    ----------
    make : callable
        Returns the whole mapping.
    meanwhile : mapping
        What is seen by code that ``make`` itself runs.

    Examples
    --------
    >>> squares = LazyMapping(lambda: {"two": 4})
    >>> squares["two"], list(squares)
    (4, ['two'])
    """

    def __init__(
        self,
        make: Callable[[], Mapping[str, Thing]],
        *,
        meanwhile: Mapping[str, Thing] | None = None,
    ) -> None:
        self._make = make
        self._meanwhile = meanwhile or {}
        self._made: Mapping[str, Thing] | None = None
        self._is_making = False
        self._lock = RLock()

    def _content(self) -> Mapping[str, Thing]:
        with self._lock:
            if self._made is None:
                if self._is_making:
                    return self._meanwhile
                self._is_making = True
                try:
                    self._made = self._make()
                finally:
                    self._is_making = False
            return self._made

    def __getitem__(self, name: str) -> Thing:
        """Return what has this name."""
        return self._content()[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._content())

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._content())

    def __repr__(self) -> str:
        """Return the content as a dict shows it."""
        return repr(dict(self._content()))


def registry(
    own: Mapping[str, Thing],
    *,
    kind: str,
    group: str,
    accept: Callable[[str, str, object], Thing],
    sort: Callable[[Mapping[str, Thing]], Mapping[str, Thing]] = lambda things: things,
) -> LazyMapping[Thing]:
    """Return what MESS brings itself and what other packages add, by name.

    Parameters
    ----------
    own : mapping of str to object
        A plug-in cannot take one of these names.
    kind : str
        What one of them is called in a message.
    group : str
        Of the entry points.
    accept : callable
        (name, package, what the entry point leads to) → what is registered; raises an exception
        whose message says why it cannot be.
    sort : callable
        Puts all of them into their order.

    Examples
    --------
    >>> known = registry({"one": 1}, kind="number", group="mess.none", accept=lambda n, p, o: 0)
    >>> dict(known)
    {'one': 1}
    """

    def make() -> Mapping[str, Thing]:
        found = dict(own)
        for package, entry in _entry_points().get(group, ()):
            what = f"{kind} {entry.name!r}"
            if entry.name in found:
                leave_out(package, what, "the name is taken")
                continue
            try:
                found[entry.name] = accept(entry.name, package, entry.load())
            except (Exception, SystemExit) as error:  # whatever a foreign module does
                leave_out(package, what, told(error))
        return sort(found)

    return LazyMapping(make, meanwhile=own)


def leave_out(package: str, what: str, reason: str) -> None:
    """Say in one line on standard error what of a package is not used, and why."""
    print(f"plug-in {package}: {what} is left out: {reason}", file=sys.stderr)


def told(error: BaseException) -> str:
    """Return an exception in one line.

    >>> told(ValueError("no\\nrate"))
    'ValueError: no rate'
    """
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@cache
def _entry_points() -> Mapping[str, list[tuple[str, EntryPoint]]]:
    """Return the entry points of every package for MESS, by group, each with its package."""
    found: dict[str, list[tuple[str, EntryPoint]]] = {}
    seen = set()
    for package in distributions():
        text = package.read_text("entry_points.txt") or ""
        if _PREFIX not in text:
            continue
        name = str(package.metadata["Name"])
        # An older copy farther down the path is hidden, also from this.
        if name in seen or distribution(name).read_text("entry_points.txt") != text:
            continue
        seen.add(name)
        try:
            entries = [one for one in package.entry_points if one.group.startswith(_PREFIX)]
        except Exception as error:  # the text is malformed
            leave_out(name, "entry_points.txt", told(error))
            continue
        for entry in entries:
            found.setdefault(entry.group, []).append((name, entry))
    return {
        group: sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1].name))
        for group, pairs in found.items()
    }
