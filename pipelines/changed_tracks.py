"""Recordings that are changed by known steps: made, measured, encoded, and kept on disk.

Nothing of a sound is kept. What is measured and predicted of a recording is written when all of its
versions are done.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Lock

import numpy as np
import pandas as pd
import typer

from mess.as_text import duration
from mess.audio.decoding import decode
from mess.datasets import Track, load_dataset
from mess.doses.changed import Changed, editing_rate, encode, excerpt, measure
from mess.doses.plan import (
    AnyEdit,
    Excerpt,
    Version,
    program_for,
    read_excerpt_notes,
    versions,
)
from mess.doses.readings import FittedReadings
from mess.doses.responses import as_points
from mess.encoders import Encoder
from mess.errors import MessError, MissingDependency, told_of
from mess.experiments.rows import ProbingData
from mess.probing.statistics import FEWEST_WORKS
from mess.records.discovery import Pooling
from mess.records.dose import DoseSettings, DoseTrack
from mess.storage.paths import command_for
from mess.storage.store import Store
from pipelines.progress import Progress, progress
from pipelines.recordings import same_audio

_AHEAD = 3  # versions that are changed and measured before the encoder takes them
_THREADS = 2
_TRIAL = 5  # versions that tell how long all will take


class _Clock:
    """Tells once how long all versions will take."""

    def __init__(self, total: int, say: Callable[[str], None]) -> None:
        self._total, self._say = total, say
        self._began, self._done = time.monotonic(), 0

    def tick(self) -> None:
        """Count one version."""
        self._done += 1
        if self._done == min(_TRIAL, self._total):
            left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            line = f"{self._total} versions, about {duration(left)}; Ctrl-C keeps what is done"
            self._say(line)


class ChangedTracks:
    """The changed recordings of one experiment."""

    def __init__(
        self,
        *,
        dataset: str,
        encoder: str,
        settings: DoseSettings,
        edits: Sequence[AnyEdit],
        fitted: FittedReadings,
        model: Encoder,
        pooling: Pooling,
        works: Mapping[str, str],
        store: Store,
        key: str,
        force: bool,
    ) -> None:
        self.remarks: list[str] = []
        self._dataset, self._encoder, self._settings = dataset, encoder, settings
        self._edits, self._fitted, self._model, self._pooling = edits, fitted, model, pooling
        self._works, self._store, self._key, self._force = works, store, key, force
        self._lock = Lock()

    def change_all(self, chosen: Sequence[Track], left_out: dict[str, str]) -> list[DoseTrack]:
        """Change recordings one after another; return those that could be changed."""
        plans = [(track, self._lacking(track)) for track in chosen]
        total = sum(len(lacking) for _, lacking in plans)
        done: list[DoseTrack] = []
        with progress(
            f"dose {self._dataset} with {self._encoder}", total, unit="versions"
        ) as shown:
            self._clock = _Clock(total, shown.say)
            for track, lacking in plans:
                try:
                    part, start = self._read(track)
                    if lacking:
                        self._change(track, part, lacking, shown=shown)
                except MessError as error:
                    left_out[track.id] = told_of(track.path, error)
                    shown.say(f"left out: {left_out[track.id]}")
                    continue
                done.append(
                    DoseTrack(
                        track=track.id,
                        work=self._works[track.id],
                        fold=self._fitted.fold_of[track.id],
                        start=start,
                        seconds=part.samples.size / part.rate,
                    )
                )
        return done

    def _lacking(self, track: Track) -> list[Version]:
        """Return the versions of a recording that an earlier run has not made."""
        plan = list(versions(self._edits, with_midi=track.midi_path is not None))
        plan = plan or [Version()]
        kept = self._kept(track)
        if kept is None:
            return plan
        there = set(zip(kept["edit"], kept["rendered"], kept["dose"], strict=True))
        return [one for one in plan if (one.name, one.rendered, one.dose) not in there]

    def _kept(self, track: Track) -> pd.DataFrame | None:
        if self._force:
            return None
        return self._store.doses.kept_points(self._dataset, self._encoder, track.id, key=self._key)

    def _read(self, track: Track) -> tuple[Excerpt, float]:
        """Return the part of a recording that is changed, and when it begins."""
        rate = editing_rate(self._model.sample_rate)
        samples, start = excerpt(decode(track.path, rate), seconds=self._settings.seconds)
        notes = None
        try:
            notes = read_excerpt_notes(track, start=start, seconds=samples.size / rate)
        except MessError as error:
            self._remark(f"{track.id}: {error}; it is not rendered")
        return Excerpt(samples, rate, notes, program_for(track)), start

    def _change(
        self, track: Track, part: Excerpt, lacking: Sequence[Version], *, shown: Progress
    ) -> None:
        """Change a recording in every way that lacks, and write what is found to disk."""
        fold, tables = self._fitted.fold_of[track.id], []
        for version, changed in self._prepared(part, lacking):
            if changed is not None:
                states = encode(changed, self._model, pooling=self._pooling)
                tables.append(
                    as_points(
                        changed.measured,
                        self._fitted.predict(states, fold=fold),
                        self._fitted,
                        edit=version.name,
                        rendered=version.rendered,
                        dose=version.dose,
                    )
                )
            shown.advance(f"{track.id}, {version.name or 'unchanged'}")
            self._clock.tick()
        kept = self._kept(track)
        if kept is None and not tables:
            raise MessError(f"{track.id}: could not be changed in any way")
        table = pd.concat([*([] if kept is None else [kept]), *tables], ignore_index=True)
        self._store.doses.write_points(self._dataset, self._encoder, track.id, table, key=self._key)

    def _prepared(
        self, part: Excerpt, lacking: Sequence[Version]
    ) -> Iterator[tuple[Version, Changed | None]]:
        """Yield each version, changed and measured; threads work some versions ahead.

        None stands for what cannot be rendered.
        """
        waiting: deque[tuple[Version, Future[Changed | None]]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            try:
                for version in lacking:
                    waiting.append((version, pool.submit(self._prepare, part, version)))
                    if len(waiting) > _AHEAD:
                        first, future = waiting.popleft()
                        yield first, future.result()
                while waiting:
                    first, future = waiting.popleft()
                    yield first, future.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def _prepare(self, part: Excerpt, version: Version) -> Changed | None:
        if version.rendered and part.notes is None:
            return None
        try:
            samples, truth = part.make(version)
        except MissingDependency as error:
            self._remark(f"nothing is rendered from MIDI: {error}")
            return None
        found = measure(samples, part.rate, encoder_rate=self._model.sample_rate)
        return replace(found, measured={**found.measured, **truth})

    def _remark(self, line: str) -> None:
        """Keep a line, and print it once."""
        with self._lock:
            if line not in self.remarks:
                self.remarks.append(line)
                typer.echo(line, err=True)


def choose_tracks(
    data: ProbingData, *, dataset: str, settings: DoseSettings, store: Store
) -> tuple[list[Track], dict[str, str]]:
    """Return recordings of as many works as possible, drawn by the seed, and why others lack."""
    entries = store.features.manifest(dataset, data.features.header.encoder).done()
    recordings = {one.id: one for one in load_dataset(dataset, root=store.audio_dir(dataset))}
    left_out: dict[str, str] = {}
    order = np.random.default_rng(settings.seed).permutation(len(data.features.tracks))
    # Each work once, then each work a second time, and so on; what is a variant comes last.
    times: dict[str, int] = {}
    ranked: list[tuple[bool, int, int, Track]] = []
    for row in order.tolist():
        name, work = data.features.tracks[row], data.works[row]
        track = recordings.get(name)
        if track is None:
            continue
        variant = bool(track.extra.get("variant_of"))
        if not variant:
            times[work] = times.get(work, 0) + 1
        ranked.append((variant, times.get(work, 0), len(ranked), track))
    gone = len(data.features.tracks) - len(ranked)
    if gone:
        typer.echo(f"{gone} of the recordings are not on this machine, and take no part", err=True)
    chosen: list[Track] = []
    for *_, track in sorted(ranked, key=lambda one: one[:3]):
        if len(chosen) == settings.tracks:
            break
        if same_audio(track, entries[track.id]) is None:
            left_out[track.id] = f"{track.path.name} has changed since its features were extracted"
            continue
        chosen.append(track)
    if not chosen:
        raise MessError(
            f"the recordings of {dataset!r} are not on this machine: put them back, or run "
            f"`{command_for('extract', dataset)}`"
        )
    works = len({track.work_key for track in chosen})
    if works < FEWEST_WORKS:
        typer.echo(f"{works} works: intervals need {FEWEST_WORKS}, so none are given", err=True)
    return chosen, left_out
