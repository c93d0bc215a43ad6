"""Faults on purpose: a process that is killed at a rename, a disk that is full; and what was made.

Every run is a fork that may be killed with SIGKILL: nothing of Python's own clean-up runs. The
parent only imports and computes nothing, so that no thread pool of a library is copied in mid-work.
"""

import os
import re
import signal
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# What comes after these is the next rename and nothing else: to die after them is to die before it.
_FOLLOWED = re.compile(
    r"/(aggregated|segments|aggregated_std)/|\.(descriptors|fingerprint)\.|/targets/[^/]+/[^.]*\.json"
    r"|\.faiss$|/projection"
)
_ALIKE = re.compile(r"/layer-0[2-8]\.")  # the second and the last layer stand for these


def in_a_fork(root: Path, run: Callable[[], object], *, die: "Death | None" = None) -> int:
    """Run something on a data root in a fork, perhaps to be killed there; return its exit status.

    A result that is false is status 3.
    """
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        os.environ["MESS_DATA"] = str(root)
        if die:
            die.arm()
        os._exit(0 if run() else 3)
    except BaseException:
        traceback.print_exc()
        os._exit(99)


@dataclass
class Death:
    """A kill at each rename that changes what is on disk, one after another.

    A process dies at the first rename at which none died yet: before it, with the temporary file
    left behind, and after it where something else follows than the next rename. A file that gets
    another content is another rename.

    Attributes
    ----------
    note : Path
        Where a dying process writes at which rename.
    """

    note: Path

    @property
    def places(self) -> list[str]:
        """At which renames processes have died."""
        return self.note.read_text().splitlines() if self.note.exists() else []

    def arm(self) -> None:
        rename, seen = Path.replace, set(self.places)

        def die_once(place: str) -> None:
            if place not in seen and not _ALIKE.search(place):
                with self.note.open("a") as note:
                    note.write(f"{place}\n")
                os.kill(os.getpid(), signal.SIGKILL)

        def replace(path: Path, target: Path) -> Path:
            if target.exists() and target.read_bytes() == path.read_bytes():
                return rename(path, target)
            place = f"{target} {zlib.crc32(path.read_bytes())}"
            die_once(f"before {place}")
            rename(path, target)
            if not _FOLLOWED.search(str(target)):
                die_once(f"after {place}")
            return target

        Path.replace = replace  # type: ignore[method-assign, assignment]


def die_everywhere(root: Path, run: Callable[[], object], note: Path) -> list[str]:
    """Run something until no rename is left to die at; return the places of all deaths."""
    death = Death(note)
    while (status := in_a_fork(root, run, die=death)) == -signal.SIGKILL:
        assert len(set(death.places)) == len(death.places), "it goes round in a circle"
    assert status == 0
    return death.places


def content(root: Path) -> dict[str, bytes]:
    """Return every file that was made, by its path; locks hold nothing."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted((root / "processed").rglob("*"))
        if path.is_file() and "timings" not in path.parts  # what took how long is never compared
    }


def differing(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    names = found.keys() | wanted.keys()
    return sorted(name for name in names if found.get(name) != wanted.get(name))
