"""Errors that a user can act on: one line that names the thing, the reason and the remedy.

The command line and the dashboard print a `MessError` as it is. Any other exception is a defect of
the program and keeps its traceback.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

_NEAR = 100  # names on either side that an unknown name is compared with
_COMPARED = 255  # letters of it that are compared: a name of a file has no more
_SHOWN = 80  # letters of an unknown name that a message repeats
# A path from the root of this machine, or an address, up to its last name.
_PLACE = re.compile(r"(?<![\w.~%/])(?:[a-z][a-z0-9+]*:/)?/(?:[^\s/'\"`]+/)+(?=[^\s/'\"`])")


class MessError(Exception):
    """Base of every error whose message is meant for the user.

    Examples
    --------
    >>> from mess import load_encoder
    >>> try:
    ...     load_encoder("spectra")
    ... except MessError as error:
    ...     print(error)
    unknown encoder 'spectra': did you mean 'spectral', ...?
    """


class UnknownName(MessError):
    """A dataset, encoder, track, target or aspect that does not exist.

    ``also`` names what else would be accepted. Of a long name, the message repeats the beginning.
    """

    def __init__(self, kind: str, name: str, valid: Iterable[str], *, also: str = "") -> None:
        choices = sorted(set(valid))
        folded = {choice.casefold(): choice for choice in choices}
        asked = name[:_COMPARED].casefold()
        near = get_close_matches(asked, _beside(asked, folded), n=3, cutoff=0.4)
        if near:
            hint = "did you mean " + ", ".join(repr(folded[key]) for key in near) + "?"
        elif choices:
            shown = ", ".join(choices[:12]) + (", …" if len(choices) > 12 else "")
            hint = f"there are: {shown}"
        else:
            hint = "there is none yet"
        if also and not near:
            hint += f"; {also}"
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        super().__init__(f"unknown {kind} {shown!r}: {hint}")


def _beside(name: str, choices: Iterable[str]) -> list[str]:
    """Return the choices that stand near ``name``, sorted by their beginnings or by their ends.

    Each comparison takes some 0.1 ms. So of 50,000 tracks only these are compared.
    """
    found: dict[str, None] = {}
    for step in (1, -1):
        ordered = sorted(choice[::step] for choice in choices)
        at = bisect_left(ordered, name[::step])
        found |= dict.fromkeys(one[::step] for one in ordered[max(at - _NEAR, 0) : at + _NEAR])
    return list(found)


def shown_path(path: object) -> str:
    """Return a path that is safe to print: line feeds and bytes that are not UTF-8 are escaped."""
    name = str(path)
    return name if name.isprintable() else repr(name)


def told_of(path: object, problem: MessError) -> str:
    """Return what is said of a recording that failed: the encoder of a package may not name it.

    >>> told_of("a.wav", MessError("is too high for this encoder"))
    'a.wav: is too high for this encoder'
    >>> told_of("a.wav", AudioError("a.wav", "is empty", "export it again"))
    'a.wav: is empty; export it again'
    """
    name, told = shown_path(path), str(problem)
    return told if name in told else f"{name}: {told}"


def without_places(text: str, root: Path) -> str:
    """Return a message without the place of a file on this machine: of it, only what is below.

    A command stays as it is, or it would not run.

    >>> without_places("/srv/data/audio/mine/a b.wav: is cut; see /tmp/x/y.log", Path("/srv/data"))
    'audio/mine/a b.wav: is cut; see y.log'
    >>> without_places("/tmp/y.log says: run `mess probe --encoder /srv/model`", Path("/data"))
    'y.log says: run `mess probe --encoder /srv/model`'
    """
    parts = text.split("`")  # every second one is a command
    for folder in sorted({str(root.absolute()), str(root.resolve())}, key=len, reverse=True):
        parts[::2] = [part.replace(f"{folder}/", "") for part in parts[::2]]
    parts[::2] = [_PLACE.sub("", part) for part in parts[::2]]
    return "`".join(parts)


class AudioError(MessError):
    """A recording that cannot be used."""

    def __init__(self, path: object, reason: str, way_out: str) -> None:
        super().__init__(f"{shown_path(path)}: {reason}; {way_out}")


class AddressError(MessError):
    """A server that artifacts are kept on cannot be used."""

    def __init__(self, address: object, reason: str, way_out: str) -> None:
        super().__init__(f"{address}: {reason}; {way_out}")


class MissingDependency(MessError):
    """A package of an optional extra is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: run `pip install -e '.[{extra}]'`")


class ArtifactError(MessError):
    """A file on disk is missing, damaged or stale; the message names the command to run."""

    def __init__(self, what: str, reason: str, command: str) -> None:
        self.command = command
        super().__init__(f"{what} {reason}: run `{command}`")


class ArtifactMissing(ArtifactError):
    """A file on disk was never made."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(what, "is missing", command)


class ArtifactStale(ArtifactError):
    """A file on disk was made by older code, or its sources have changed since."""
