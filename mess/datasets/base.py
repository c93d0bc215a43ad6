"""What a dataset is: a list of tracks, each a recording of a work."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mess.audio.decoding import probe_duration
from mess.errors import MessError, UnknownName


@dataclass(frozen=True, kw_only=True)
class Track:
    """One recording.

    Attributes
    ----------
    id : str
        Unique within its dataset; also the stem of its files on disk.
    path : Path
        The audio file.
    stated_duration : float or None
        Seconds, where the dataset's own metadata gives it.
    composer, work, title, movement : str
        ``work`` is the composition as its composer's catalogue names it, without the movement.
    midi_path : Path or None
        The performance as MIDI, where the dataset has one.
    extra : mapping of str to str
        What only this dataset knows (MAESTRO's split and year, the demo's changes).
    """

    id: str
    path: Path
    stated_duration: float | None = None
    composer: str = ""
    work: str = ""
    title: str = ""
    movement: str = ""
    midi_path: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def duration(self) -> float | None:
        """Seconds, as the dataset states it or else as the file's header does."""
        if self.stated_duration is not None:
            return self.stated_duration
        return probe_duration(self.path)

    @property
    def work_key(self) -> str:
        """What folds and "same work" are grouped by; a track of unknown work stands alone."""
        return f"{self.composer}/{self.work}" if self.work else self.id

    @property
    def label(self) -> str:
        """Composer and title as a person would say them."""
        name = self.title or self.id
        return f"{self.composer}: {name}" if self.composer else name


@dataclass(frozen=True)
class Dataset:
    """A named collection of tracks with its licence and its authors' address.

    ``notes`` says in a line each what was passed over, or is not there.
    """

    name: str
    root: Path
    tracks: tuple[Track, ...]
    licence: str
    homepage: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self._by_id) != len(self.tracks):
            (twice, _), *_ = Counter(track.id for track in self.tracks).most_common(1)
            raise MessError(f"dataset {self.name!r}: two files give the track id {twice!r}")

    def __len__(self) -> int:
        return len(self.tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks)

    @cached_property
    def _by_id(self) -> dict[str, Track]:
        return {track.id: track for track in self.tracks}

    def track(self, track_id: str) -> Track:
        """Return the track with this id.

        Raises
        ------
        UnknownName
            If there is none; the message names the nearest ids.
        """
        try:
            return self._by_id[track_id]
        except KeyError:
            raise UnknownName("track", track_id, self._by_id) from None
