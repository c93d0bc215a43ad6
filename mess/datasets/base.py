"""Dataset and Track: a dataset is a list of tracks, and each track is a recording of a work."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mess.audio.decoding import probe_duration
from mess.errors import MessError, UnknownName

_STATED = "target:"  # begins the key of a number that a dataset states of a track


def state(values: Mapping[str, float]) -> dict[str, str]:
    """Return numbers as a track's ``extra`` keeps them; what is not finite is left out.

    They are targets beside the measured ones: ratings of listeners, or what a synthesiser was told.

    >>> state({"rated_loud": 0.8})
    {'target:rated_loud': '0.8'}
    """
    return {f"{_STATED}{name}": repr(one) for name, one in values.items() if math.isfinite(one)}


def stated(extra: Mapping[str, str]) -> dict[str, float]:
    """Return the numbers that `state` put there.

    >>> stated({"target:rated_loud": "0.8", "year": "2018", "target:damaged": "?"})
    {'rated_loud': 0.8}
    """
    found = {}
    for key, text in extra.items():
        if key.startswith(_STATED):
            try:
                found[key.removeprefix(_STATED)] = float(text)
            except ValueError:
                continue
    return found


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
        Seconds, if the metadata of the dataset states them.
    composer, work, title, movement : str
        ``work`` is the composition, as in the catalogue of its composer, without the movement.
    midi_path : Path or None
        The performance as MIDI, if the dataset has it.
    extra : mapping of str to str
        Metadata of this dataset only, such as the split and year of MAESTRO, and the numbers that
        it states (`state`).

    Examples
    --------
    >>> track = Track(
    ...     id="one", path=Path("one.wav"), composer="Bach", title="Prelude", work="BWV 846"
    ... )
    >>> track.label, track.work_key
    ('Bach: Prelude', 'Bach/BWV 846')
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
        """Length in seconds, from the dataset's metadata or else from the file's header."""
        if self.stated_duration is not None:
            return self.stated_duration
        return probe_duration(self.path)

    @property
    def work_key(self) -> str:
        """The label by which tracks are grouped; a track of unknown work has its own label."""
        return f"{self.composer}/{self.work}" if self.work else self.id

    @property
    def label(self) -> str:
        """Composer and title, for people."""
        name = self.title or self.id
        return f"{self.composer}: {name}" if self.composer else name


@dataclass(frozen=True)
class Dataset:
    """A named collection of tracks with its licence and homepage.

    Each line of ``notes`` names files that were skipped or are missing.

    Examples
    --------
    >>> tracks = tuple(Track(id=name, path=Path(f"{name}.wav")) for name in ("one", "two"))
    >>> dataset = Dataset("mine", Path("."), tracks, licence="my own")
    >>> len(dataset), dataset.track("two").path.name
    (2, 'two.wav')
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
