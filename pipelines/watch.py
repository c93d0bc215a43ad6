"""Watch the recordings of a dataset, and bring what is made of them up to date.

    python pipelines/watch.py --dataset quartets --encoder mert-v1-95m

A change in the folder only says when to look. What has changed follows from a new listing of the
dataset, so a change that no one reported is found by the next look. The steps are those of
`mess extract`, `mess targets` and, where the probes are fitted anew, of `mess run-all`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Annotated

import typer

from mess.audio.addresses import Address
from mess.datasets import Dataset, Track, load_dataset
from mess.encoders import Encoder, load_encoder, require_weights
from mess.errors import ArtifactError, ArtifactMissing, MessError, UnknownName
from mess.records.index import IndexRecord
from mess.status.staleness import Sources, fitted_digests, judge
from mess.storage.jobs import JobFiles
from mess.storage.locks import hold
from mess.storage.store import Store
from pipelines.build_indices import build_index, describe_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.engine import size_and_time
from pipelines.extract_features import extract_all
from pipelines.kept_states import KeptStates
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncodersOption,
    WorkersOption,
    encoders_or_default,
    run_script,
)
from pipelines.run_all import How, analyse
from pipelines.steps import Scope
from pipelines.stillness import State, Stillness
from pipelines.update_indices import CannotPlace, update_index

LOOK_ANYWAY = 60.0  # seconds: some changes are reported by no one
_LEAST = 0.5  # seconds between two looks: one copied file is reported many times
_PATIENCE = 10  # how many times longer than its own rest a recording waits for others
_WITHOUT_REPORTS = 10.0  # seconds between looks where the system cannot report changes
_OF_NOTE = {"created", "modified", "deleted", "moved", "closed"}  # reading is none


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a dataset is watched.

    Attributes
    ----------
    settle : float
        Seconds for which a recording must stand still.
    probe : bool
        Whether the probes are fitted anew after every change.
    share : float
        The share of recordings that may change before the probes are fitted anew.
    workers : int
    tracking : bool
        Whether probing is recorded in MLflow.
    """

    settle: float = 3.0
    probe: bool = False
    share: float = 0.1
    workers: int = WORKERS
    tracking: bool = True


class Watcher:
    """Brings the artifacts of one dataset up to date, look by look.

    Parameters
    ----------
    dataset : str
    models : dict of str to Encoder
        By the name of the encoder.
    settings : Settings
    store : Store, optional
    """

    def __init__(
        self,
        dataset: str,
        models: dict[str, Encoder],
        settings: Settings,
        *,
        store: Store | None = None,
    ) -> None:
        self.dataset, self._models, self._settings = dataset, models, settings
        self._store = store or Store()
        self._jobs = JobFiles(self._store.jobs_dir, dataset)
        self._stillness = Stillness(seconds=settings.settle, patience=_PATIENCE * settings.settle)
        self._began = False
        self._bad: set[str] = set()  # recordings that failed and have not changed since
        self._said = ""

    def look(self, *, now: float) -> float | None:
        """Look once, and do what is due.

        Parameters
        ----------
        now : float
            In seconds, of a clock that never goes back.

        Returns
        -------
        float or None
            Seconds until the next look is worth it, if nothing is reported; None if nothing is due.

        Raises
        ------
        UnknownName
            If there is no such dataset.
        """
        try:
            recordings = load_dataset(self.dataset, root=self._store.audio_dir(self.dataset))
        except UnknownName:
            if not self._began:
                raise
            self._say_once(f"{self.dataset}: its folder is gone; everything is kept as it is")
            return None
        except (MessError, OSError) as error:
            self._say_once(f"{error}; everything is kept as it is")
            return None
        self._said = ""
        states = _states(recordings)
        still = set() if self._began else _untouched(recordings, seconds=self._settings.settle)
        due = self._stillness.look(states, now=now, still=still)
        if due.changed:
            self._bad -= due.changed
            self._bring(recordings, due.changed, leave=due.moving | self._bad)
            self._stillness.done(due.changed)
            self._began = True
        return due.wait

    def take_as_done(self) -> None:
        """Take the recordings as they are now for done, as if the first look had been."""
        recordings = load_dataset(self.dataset, root=self._store.audio_dir(self.dataset))
        states = _states(recordings)
        self._stillness.look(states, now=0.0)
        self._stillness.done(list(states))
        self._began = True

    def _bring(
        self, recordings: Dataset, changed: frozenset[str], *, leave: frozenset[str]
    ) -> None:
        names = {track.id for track in recordings}
        if self._began:
            there = changed & names
            typer.echo(f"{self.dataset}: {len(there)} new or changed, {len(changed - names)} gone")
        scope = Scope(recordings=recordings, leave=leave, thorough=not self._began, told=set())
        with self._alone():
            extracted = extract_all(
                dataset=self.dataset,
                encoders=list(self._models),
                models=self._models,
                store=self._store,
                workers=self._settings.workers,
                scope=scope,
            )
            measured = compute_dataset_targets(
                dataset=self.dataset,
                store=self._store,
                workers=self._settings.workers,
                scope=scope,
            )
            steps = [measured, *extracted.values()]
            self._bad |= {track for step in steps for track in step.failed}
            if min(step.made + step.skipped for step in steps) == 0:
                return
            for encoder in self._models:
                self._conclude(encoder)

    def _conclude(self, encoder: str) -> None:
        """Bring the index up to date; fit anew what has to be."""
        why = ""
        try:
            record = update_index(dataset=self.dataset, encoder=encoder, store=self._store)
            why = self._why_anew(encoder, record)
        except ArtifactMissing:
            why = "it was not probed yet"
        except (CannotPlace, ArtifactError) as reason:
            why = str(reason)
        if why:
            typer.echo(f"{encoder}: everything is fitted anew: {why}")
            how = How(self.dataset, force=False, tracking=self._settings.tracking, verbose=False)
            try:
                analyse(self._store, encoder, how, kept=KeptStates(), say=typer.echo)
            except MessError as error:
                typer.echo(f"{encoder}: not probed: {error}", err=True)
                build_index(dataset=self.dataset, encoder=encoder, store=self._store)
                record = self._store.indices.read_record(self.dataset, encoder)
                typer.echo(f"index by {encoder}: {describe_index(record)}")
            return
        typer.echo(f"index by {encoder}: {describe_index(record)}")

    def _why_anew(self, encoder: str, record: IndexRecord) -> str:
        """Return why kept probes do not suffice, "" if they do."""
        if record.changed > self._settings.share:
            return (
                f"{100 * record.changed:.0f} % of the recordings changed since (--probe-share "
                f"{self._settings.share:g})"
            )
        if self._settings.probe and record.fitted is not None:
            return "--probe"
        discovery = self._store.discoveries.read(self.dataset, encoder)
        sources = Sources(self._store, self.dataset, encoder)
        return str(judge("discovery", discovery.origin, sources, also=fitted_digests(record)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of the dataset's jobs: the dashboard starts none while the block runs."""
        if "MESS_JOB" in environ:  # whoever started it holds the lock
            yield
            return
        lock = hold(self._jobs.lock, patience=0.1)
        if lock is None:
            typer.echo(f"{self.dataset}: waits for a job of the dashboard to end")
            lock = hold(self._jobs.lock, patience=float("inf"))
        try:
            yield
        finally:
            if lock is not None:
                lock.close()

    def _say_once(self, line: str) -> None:
        if line != self._said:
            typer.echo(line, err=True)
        self._said = line


def watch(watcher: Watcher, folder: Path, *, poll: float | None) -> None:
    """Look whenever something is reported or it is time to; return never.

    Parameters
    ----------
    watcher : Watcher
    folder : Path
        Of the recordings.
    poll : float or None
        Seconds between looks, instead of reports.
    """
    changed = threading.Event()
    if poll is None and not _report_changes(folder, changed.set):
        typer.echo(
            f"the system cannot report changes of so many folders: looking every "
            f"{_WITHOUT_REPORTS:g} s (--poll)",
            err=True,
        )
        poll = _WITHOUT_REPORTS
    while True:
        changed.clear()
        wait = watcher.look(now=time.monotonic())
        longest = LOOK_ANYWAY if poll is None else poll
        time.sleep(_LEAST)
        changed.wait(longest if wait is None else min(max(wait - _LEAST, 0.0), longest))


def _report_changes(folder: Path, report: Callable[[], None]) -> bool:
    """Have the system report changes below a folder; return whether it can."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in _OF_NOTE:
                report()

    observer = Observer()
    observer.daemon = True
    observer.schedule(Handler(), str(folder.resolve()), recursive=True)
    try:
        observer.start()
    except OSError:  # too many folders, for one
        return False
    return True


def _states(recordings: Dataset) -> dict[str, State]:
    return {track.id: _state(track) for track in recordings}


def _state(track: Track) -> State:
    """Return all of a recording by which a change is noticed."""
    midi = track.midi_path
    return (
        *(track.composer, track.work, track.title, dict(track.extra)),
        *(str(track.path), size_and_time(track.path)),
        *(str(midi), size_and_time(midi) if midi else None),
    )


def _untouched(recordings: Dataset, *, seconds: float) -> set[str]:
    """Return the recordings that were not written in the last seconds, by the clock of files."""
    now = time.time_ns()
    return {
        track.id
        for track in recordings
        if all(
            (stat := size_and_time(path)) and not 0 <= now - stat[1] < 1e9 * seconds
            for path in (track.path, track.midi_path)
            if path
        )
    }


def start(
    *,
    dataset: str,
    encoders: Sequence[str],
    settings: Settings,
    poll: float | None = None,
    device: str = "auto",
    dtype: str = "float32",
) -> None:
    """Watch a dataset until the process is stopped.

    Raises
    ------
    MessError
        If there is no such dataset, or it is watched already.
    """
    store = Store()
    folder = store.audio_dir(dataset)
    if isinstance(folder, Address):
        raise MessError(
            f"dataset {dataset!r} lies at {folder}, and `mess watch` looks at folders of a disk: "
            "run `mess run-all` from time to time"
        )
    if not folder.is_dir():
        load_dataset(dataset, root=folder)  # says where its files belong
    require_weights(encoders)  # of all, before those of the first are downloaded
    alone = hold(JobFiles(store.jobs_dir, dataset).watcher_lock, patience=0.2)
    if alone is None:
        raise MessError(f"dataset {dataset!r} is watched already, by another `mess watch`")
    with alone:
        models = {name: load_encoder(name, device=device, dtype=dtype) for name in encoders}
        watcher = Watcher(dataset, models, settings, store=store)
        typer.echo(f"watching {folder}; Ctrl-C ends it")
        watch(watcher, folder, poll=poll)


def command(
    dataset: DatasetOption,
    encoder: EncodersOption = None,
    poll: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Look every so many seconds: for network file systems, which report no changes. "
            "[default: when the system reports a change]",
            show_default=False,
        ),
    ] = None,
    settle: Annotated[
        float, typer.Option(min=0.5, help="Seconds for which a file must stand still.")
    ] = 3.0,
    probe: Annotated[
        bool, typer.Option("--probe", help="Fit the probes anew after every change.")
    ] = False,
    probe_share: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Fit them anew if a larger share of the recordings has changed."
        ),
    ] = 0.1,
    workers: WorkersOption = WORKERS,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32, tf32 (GPU) or bfloat16.")] = "float32",
    mlflow: Annotated[bool, typer.Option(help="Record the probing in MLflow.")] = True,
) -> None:
    """Watch the recordings, and bring features, targets and index up to date as they change."""
    settings = Settings(
        settle=settle, probe=probe, share=probe_share, workers=workers, tracking=mlflow
    )
    start(
        dataset=dataset,
        encoders=encoders_or_default(encoder, dataset),
        settings=settings,
        poll=poll,
        device=device,
        dtype=dtype,
    )


if __name__ == "__main__":
    run_script(command)
