"""The rows of an experiment: the features, targets and works of the same tracks, aligned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mess.audio.fingerprint import Marks, find_copies, join_works
from mess.datasets.base import stated as stated_of
from mess.errors import ArtifactError, ArtifactMissing
from mess.probing.folds import NO_PARTS, parts_of_groups
from mess.probing.results import DiscoverySettings
from mess.records.discovery import ProbeSettings
from mess.records.manifest import TrackLabels
from mess.storage.features import Features
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import ALL_TARGETS

if TYPE_CHECKING:
    import pandas as pd

GROUPINGS = ("work", "composer", "year")


@dataclass(frozen=True)
class ProbingData:
    """Aligned rows: features, targets, and the labels by which rows can be grouped.

    Attributes
    ----------
    features : Features
    targets : ndarray [shape=(n, t)]
    names : list of str, length t
    labels : dict of str to list of str
        "work", "composer" and "year" of each row. If a track's composer or year is not known, its
        work is used. Labels that copies of one recording disagree on are joined.
    groups : list of str
        The label of each row that folds never split.
    targets_digest : str
    parts : list of str
        The part of the dataset's own split that each row is in, such as "train"; "" without one.
        Empty where it is not asked for.
    copies : dict of str to str
        Each track that holds the same recording as an earlier track → that earlier track.
    """

    features: Features
    targets: NDArray[np.float64]
    names: list[str]
    labels: dict[str, list[str]]
    groups: list[str]
    targets_digest: str
    copies: dict[str, str]
    parts: list[str] = field(default_factory=list)

    @property
    def works(self) -> list[str]:
        """The work of each row."""
        return self.labels["work"]

    def experiment(self, settings: ProbeSettings, *, by: str | None = None) -> DiscoverySettings:
        """Return the settings of an experiment on these rows, with the dataset's own split.

        The split is one of works, so folds ``by`` composer or year do not follow it.
        """
        own = settings.own_split and self.parts and (by or settings.group_by[0]) == "work"
        part_of = parts_of_groups(self.works, self.parts) if own else NO_PARTS
        return replace(settings.experiment, part_of=part_of)


def load_probing_data(
    dataset: str,
    encoder: str,
    *,
    settings: ProbeSettings,
    store: Store,
    stated: bool = False,
) -> ProbingData:
    """Read features and targets of the tracks that have both.

    Parameters
    ----------
    dataset, encoder : str
    settings : ProbeSettings
    store : Store
    stated : bool
        Whether numbers that the dataset states of whole tracks, such as ratings, are targets, too.

    Raises
    ------
    ArtifactError
        If one of them is missing or damaged, or they were made from different audio.
    """
    features = store.features.read(dataset, encoder, level=settings.level, pooling=settings.pooling)
    entries = store.features.manifest(dataset, encoder).done()
    measured = store.targets.manifest(dataset)
    targets_of = measured.done()
    tracks = sorted(set(entries) & set(targets_of))
    for track_id in tracks:
        if entries[track_id].sha256 != targets_of[track_id].sha256:
            raise ArtifactError(
                f"features and targets of {track_id!r}",
                "were made from different audio",
                f"{command_for('extract', dataset, encoder)} && {command_for('targets', dataset)}",
            )
    first_of = copies_of(tracks, dataset=dataset, store=store)
    if settings.samples is not None and settings.samples < len(tracks):
        rng = np.random.default_rng(settings.seed)
        tracks = sorted(rng.choice(tracks, settings.samples, replace=False).tolist())
    chosen = set(tracks)
    rows = np.array([track in chosen for track in features.tracks], dtype=bool)
    features = Features(
        tracks=[track for track in features.tracks if track in chosen],
        segments=features.segments[rows],
        values=features.values[rows],
        header=features.header,
        digest=features.digest,
    )
    table = store.targets.read(dataset, level=settings.level)
    targets, names = aligned_targets(table, tracks=features.tracks, segments=features.segments)
    if stated and settings.level == "track":
        more, of_more = stated_targets([entries[track].extra for track in features.tracks])
        targets, names = np.hstack([targets, more]), names + of_more
    labels = {
        "work": [entries[track].work for track in features.tracks],
        "composer": [entries[track].composer or entries[track].work for track in features.tracks],
        "year": [
            entries[track].extra.get("year") or entries[track].work for track in features.tracks
        ],
    }
    recording = [first_of[track] for track in features.tracks]
    labels = {name: join_works(own, recording) for name, own in labels.items()}
    return ProbingData(
        features=features,
        targets=targets,
        names=names,
        labels=labels,
        groups=labels[settings.group_by[0]],
        targets_digest=measured.digest(),
        copies={t: first for t, first in first_of.items() if first != t and t in chosen},
        parts=parts_of(features.tracks, entries),
    )


def stated_targets(
    extras: Sequence[Mapping[str, str]],
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the numbers that a dataset states of its tracks [n, t], and their names.

    A name that a measured target has is left out.

    Parameters
    ----------
    extras : sequence of mapping, length n
        See `mess.datasets.base.state`.
    """
    rows = [stated_of(extra) for extra in extras]
    names = [name for row in rows for name in row if name not in ALL_TARGETS]
    names = list(dict.fromkeys(names))
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    return values.reshape(len(rows), len(names)), names


def parts_of(tracks: Sequence[str], entries: Mapping[str, TrackLabels]) -> list[str]:
    """Return the part of the dataset's own split that each track is in, "" without one.

    Parameters
    ----------
    tracks : sequence of str
    entries : mapping of str to TrackLabels
        Of the manifest, by track.
    """
    return [entries[track].extra.get("split", "") for track in tracks]


def copies_of(tracks: list[str], *, dataset: str, store: Store) -> dict[str, str]:
    """Return, for each track, the first that holds the same recording (often itself)."""
    first_rows = find_copies(read_marks(tracks, dataset=dataset, store=store))
    return {track: tracks[first] for track, first in zip(tracks, first_rows, strict=True)}


def read_marks(tracks: list[str], *, dataset: str, store: Store) -> list[Marks]:
    """Read the audio fingerprints of some tracks; a track without one has no frames."""
    nothing = np.empty((2, 0), dtype=np.uint32)
    try:
        done = store.targets.manifest(dataset).done()
    except ArtifactMissing:
        done = {}
    return [
        store.targets.read_fingerprint(dataset, track, done[track]) if track in done else nothing
        for track in tracks
    ]


def aligned_targets(
    table: "pd.DataFrame", *, tracks: list[str], segments: NDArray[np.int64]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the targets of some rows of features [n, t], and their names.

    Targets on MIDI are left out if no track has them.

    Parameters
    ----------
    table : DataFrame
        As `TargetFiles.read` returns it.
    tracks : list of str, length n
    segments : ndarray [shape=(n,)]
        As in `Features`.
    """
    import pandas as pd

    index = pd.MultiIndex.from_arrays([tracks, segments])
    names = [name for name in ALL_TARGETS if name in table]
    return table.reindex(index)[names].to_numpy(dtype=np.float64), names
