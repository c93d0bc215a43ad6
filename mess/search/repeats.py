"""Repeats in a library: files that hold the same recording, and works in several recordings.

Fingerprints (`mess.audio.fingerprint`) find the files of one recording, whatever their names,
formats and levels are. An index keeps what they found; this module groups it for people.

Examples
--------
>>> works = ["Op. 1", "Op. 1", "Op. 1", "Op. 2"]
>>> found = find_repeats(["a.flac", "a.mp3", "b", "c"], works=works, copies=[0, 0, 2, 3])
>>> found.copies
[['a.flac', 'a.mp3']]
>>> found.works
[WorkRepeat(work='Op. 1', recordings=[['a.flac', 'a.mp3'], ['b']])]
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class WorkRepeat:
    """A work that has several recordings.

    Attributes
    ----------
    work : str
    recordings : list of list of str
        The tracks of each recording; more than one where there are copies of it.
    """

    work: str
    recordings: list[list[str]]


@dataclass(frozen=True)
class Repeats:
    """What a library holds more than once.

    Attributes
    ----------
    copies : list of list of str
        The tracks that hold the same recording, two or more in each list.
    works : list of WorkRepeat
        The works with two or more different recordings, those with most recordings first.
    """

    copies: list[list[str]]
    works: list[WorkRepeat]


def find_repeats(tracks: Sequence[str], *, works: Sequence[str], copies: Sequence[int]) -> Repeats:
    """Return what a library holds more than once.

    Parameters
    ----------
    tracks : sequence of str, length n
    works : sequence of str, length n
        "" where the work is not known: such a track is in no list of works.
    copies : sequence of int, length n
        The row of the first track that holds the same recording.
    """
    files: dict[int, list[str]] = {}
    for track, first in zip(tracks, copies, strict=True):
        files.setdefault(first, []).append(track)
    by_work: dict[str, dict[int, list[str]]] = {}
    for work, first in zip(works, copies, strict=True):
        if work:
            by_work.setdefault(work, {})[first] = files[first]
    repeated = [
        WorkRepeat(work, list(own.values())) for work, own in by_work.items() if len(own) > 1
    ]
    return Repeats(
        copies=[own for own in files.values() if len(own) > 1],
        works=sorted(repeated, key=lambda one: (-len(one.recordings), one.work)),
    )
