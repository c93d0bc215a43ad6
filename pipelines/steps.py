"""What is made of every track of a dataset, what is looked at, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from mess.datasets import Dataset, Track, load_dataset
from mess.records.manifest import (
    AudioIdentity,
    TrackLabels,
)
from mess.storage.manifest import Entry, Manifest
from mess.storage.store import Store

Computed = TypeVar("Computed")


@dataclass
class BatchSummary:
    """How many tracks a step made and skipped, why others failed, and what is doubtful.

    Among those that were skipped, ``known`` had another name or were gone for a while.
    """

    made: int = 0
    known: int = 0
    skipped: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the counts on a line, then a line for each failure and each doubt."""
        lines = [f"{self.made} made, {self.skipped} up to date, {len(self.failed)} failed"]
        lines += [f"  failed: {reason}" for reason in self.failed.values()]
        lines += [f"  note: {doubt}" for doubt in self.noted.values()]
        return "\n".join(lines)


def count_together(summaries: Sequence[BatchSummary]) -> tuple[dict[str, str], int]:
    """Return why tracks failed in any of several steps, and how many failed in none.

    Parameters
    ----------
    summaries : sequence of BatchSummary
        Of steps over the same tracks.

    Examples
    --------
    >>> count_together([BatchSummary(made=9, failed={"a": "is cut"}),
    ...                 BatchSummary(skipped=9, failed={"b": "is empty"})])
    ({'a': 'is cut', 'b': 'is empty'}, 8)
    """
    failed = {track: why for one in summaries for track, why in one.failed.items()}
    tracks = max(one.made + one.skipped + len(one.failed) for one in summaries)
    return failed, tracks - len(failed)


class Outcome(NamedTuple):
    """What became of tracks by several encoders.

    Attributes
    ----------
    failed : dict of str to str
        The reason, by track.
    done : int
        The number of tracks that did not fail.
    useless : dict of str to str
        Of several encoders those that failed, each with the reason; the others are done.
    """

    failed: dict[str, str]
    done: int
    useless: dict[str, str]


def count_by_encoder(made: Mapping[str, BatchSummary], *beside: BatchSummary) -> Outcome:
    """Return what `count_together` returns, without encoders that failed on every track.

    Such an encoder says nothing of the tracks, if another one could use some of them.

    Parameters
    ----------
    made : mapping of str to BatchSummary
        By encoder.
    *beside : BatchSummary
        Of other steps over the same tracks.

    Examples
    --------
    >>> far = BatchSummary(failed={"a": "a.wav: too long"})
    >>> count_by_encoder({"spectral": BatchSummary(made=1), "far": far}).useless
    {'far': 'far: none of 1 recordings could be used: a.wav: too long'}
    """
    useless = {
        name: f"{name}: none of {len(one.failed)} recordings could be used: "
        f"{next(iter(one.failed.values()))}"
        for name, one in made.items()
        if one.failed and not one.made + one.skipped
    }
    if len(useless) == len(made):
        useless = {}  # then the recordings are at fault
    failed, done = count_together(
        [*beside, *(one for name, one in made.items() if name not in useless)]
    )
    return Outcome(failed, done, useless)


@dataclass(frozen=True, kw_only=True)
class Source(TrackLabels, AudioIdentity):
    """The identity and the labels of a track: the parts of an entry that all steps share."""


@dataclass
class Step(Generic[Computed, Entry]):
    """One thing that is made of every track.

    Attributes
    ----------
    name : str
        By which an engine knows it.
    manifest : Manifest
        Open for writing; closed by the batch.
    keep : callable
        (track, what the engine computed, identity and labels of the track) → the entry of the
        manifest. It writes the files; maybe in a thread, while other tracks are written.
    admit : callable
        The entry → the entry as it is recorded. Called for one track after the other.
    has_files : callable
        (track id, manifest entry) → whether the files are there and undamaged.
    take : callable
        (id of a track of the same audio, track, manifest entry of the first) → whether its files
        are now those of the second, too. The ids may be equal.
    drop : callable
        Removes the files of a track id.
    end : callable
        Called when all tracks are finished, while no other process may write.
    """

    name: str
    manifest: Manifest[Any, Entry]  # of any kind: a step reads no header
    keep: Callable[[Track, Computed, Source], Entry]
    has_files: Callable[[str, Entry], bool]
    take: Callable[[str, Track, Entry], bool] = lambda *_: False
    drop: Callable[[str], None] = lambda _: None
    end: Callable[[], None] = lambda: None
    admit: Callable[[Entry], Entry] = lambda entry: entry
    summary: BatchSummary = field(default_factory=BatchSummary)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What of a dataset a step looks at; by default all of it, down to every byte.

    Attributes
    ----------
    recordings : Dataset or None
        As they were listed; None where the step lists them itself.
    leave : frozenset of str
        Tracks that stay as they are, whatever has become of their files.
    forget : bool
        Whether what was made of recordings that are gone is removed. Else it is kept, in case they
        come back.
    thorough : bool
        Whether the files of finished tracks are read and compared with their checksums. Else it is
        enough that they are there.
    told : set of str or None
        Failures that were told already, if steps that share it are not to tell them twice.
    """

    recordings: Dataset | None = None
    leave: frozenset[str] = frozenset()
    forget: bool = False
    thorough: bool = True
    told: set[str] | None = None

    def listed(self, dataset: str, store: Store) -> Dataset:
        """Return the recordings."""
        return self.recordings or load_dataset(dataset, root=store.audio_dir(dataset))


ALL = Scope()
