"""Every hidden state of a dataset, gone through as often as it is asked for, and stored nowhere.

Where all states fit in memory, the recordings are encoded once; otherwise at each pass.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import typer

from mess.audio.decoding import SEGMENT_SECONDS, Signal, decode
from mess.audio.moments import frame_grid
from mess.curves.frames import FEWEST_PER_SECOND, Beats
from mess.datasets import Track, load_dataset
from mess.encoders import Encoder, load_encoder
from mess.encoders.pooling import describe_encoder, encode_segments
from mess.errors import ArtifactError, AudioError, MessError, shown_path, told_of
from mess.experiments.passes import TrackStates
from mess.experiments.rows import ProbingData
from mess.records.discovery import Frames
from mess.records.features import FeaturesEntry
from mess.records.targets import TargetsEntry
from mess.storage.paths import command_for
from mess.storage.store import Store
from pipelines.kept_states import BYTES, MEMORY, Encoded, KeptStates
from pipelines.options import WORKERS
from pipelines.progress import Progress, progress
from pipelines.recordings import same_audio


class NoFrames(MessError):
    """Single states are not asked, for the reason that the text gives."""


@dataclass
class FramePass:
    """The hidden states of the tracks of an experiment; call it for each pass.

    Attributes
    ----------
    tracks : list of (row, Track, TargetsEntry)
        The row of the experiment, the recording, and its entry in the manifest of the targets.
    dataset : str
    model : Encoder
    store : Store
    rate : int
        States per second.
    keeps : bool
        Whether states are kept in memory.
    failed : dict of str to str
        Why tracks could not be encoded.
    kept : dict of str to Encoded
        The states of tracks that are in memory.
    """

    tracks: list[tuple[int, Track, TargetsEntry]]
    dataset: str
    model: Encoder
    store: Store
    rate: int
    keeps: bool
    failed: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Encoded] = field(default_factory=dict)

    def __call__(self) -> Iterator[TrackStates]:
        """Yield the states of one track after another."""
        todo = [one for one in self.tracks if one[1].id not in self.failed]
        if all(track.id in self.kept for _, track, _ in todo):
            for row, track, entry in todo:
                yield self._of_track(row, track, entry, self.kept[track.id])
            return
        stage = f"states of {self.dataset} by {self.model.id}"
        with progress(stage, len(todo)) as shown, ThreadPoolExecutor(WORKERS) as pool:
            upcoming = iter(todo)
            waiting: deque[tuple[int, Track, TargetsEntry, Future[Signal | None]]] = deque()
            while True:
                for row, track, entry in islice(upcoming, WORKERS + 1 - len(waiting)):
                    ahead = pool.submit(self._decode, track)
                    waiting.append((row, track, entry, ahead))
                if not waiting:
                    return
                row, track, entry, read = waiting.popleft()
                try:
                    signal = read.result()
                    encoded = self.kept[track.id] if signal is None else self._encode(track, signal)
                except MessError as error:
                    self._leave_out(track, told_of(track.path, error), shown)
                else:
                    yield self._of_track(row, track, entry, encoded)
                shown.advance(track.id)

    def _leave_out(self, track: Track, reason: str, shown: Progress) -> None:
        self.failed[track.id] = reason
        shown.say(f"failed: {reason}")

    def _decode(self, track: Track) -> Signal | None:
        return None if track.id in self.kept else decode(track.path, self.model.sample_rate)

    def _encode(self, track: Track, signal: Signal) -> Encoded:
        """Return the states [layers, segments, frames, dim], and the number of samples."""
        segments = [one.astype(np.float16) for one in encode_segments(signal, self.model)]
        encoded = np.stack(segments, axis=1), signal.samples.size
        if not np.isfinite(encoded[0]).all():
            raise AudioError(
                track.path, "gives hidden states beyond the range of float16", "leave it out"
            )
        if self.keeps:
            self.kept[track.id] = encoded
        return encoded

    def _of_track(
        self, row: int, track: Track, entry: TargetsEntry, encoded: Encoded
    ) -> TrackStates:
        states, samples = encoded
        frames = states.shape[2]
        grid = frame_grid(samples, self.model.sample_rate, frames=frames, rate=self.rate)
        beats = self.store.curves.read_beats(self.dataset, track.id, entry)
        columns = Beats(**vars(beats)).columns(grid)
        inside = states[:, grid.segment, grid.number]
        return TrackStates(row, inside, grid.start, grid.seconds, columns)


def frame_pass(
    data: ProbingData,
    *,
    dataset: str,
    encoder: str,
    frames: Frames,
    store: Store,
    kept: KeptStates | None = None,
) -> FramePass:
    """Prepare the passes over all hidden states of the tracks of an experiment.

    ``kept`` holds states that are in memory already.

    Raises
    ------
    NoFrames
        If single states are not to be asked, or cannot be.
    MessError
        If they are asked for by ``frames="on"`` and cannot be had.
    """
    if frames == "off":
        raise NoFrames("left out by --frames off")
    try:
        return _prepare(data, dataset, encoder, store, asked=frames == "on", kept=kept)
    except NoFrames:
        raise
    except MessError as error:
        if frames == "on":
            raise
        raise NoFrames(str(error)) from None


def _prepare(
    data: ProbingData,
    dataset: str,
    encoder: str,
    store: Store,
    *,
    asked: bool,
    kept: KeptStates | None,
) -> FramePass:
    made_by = data.features.header
    entries = store.features.manifest(dataset, encoder).done()
    rate = made_by.layers * made_by.dim * BYTES
    seconds = sum(entries[track].duration for track in data.features.tracks)
    if not asked and seconds * FEWEST_PER_SECOND * rate > MEMORY:  # no encoder need be loaded
        raise NoFrames(_too_large(seconds))
    recordings = {track.id: track for track in load_dataset(dataset, root=store.audio_dir(dataset))}
    measured = store.targets.manifest(dataset).done()
    tracks = []
    for row, name in enumerate(data.features.tracks):
        if name not in recordings:
            path = store.audio_dir(dataset)
            raise MessError(f"the recording of {name!r} is not in {shown_path(path)}: put it back")
        _check_audio(recordings[name], entries[name])
        tracks.append((row, recordings[name], measured[name]))
    model = load_encoder(encoder)
    mine = describe_encoder(model)
    if {"weights_sha256", "settings", "sample_rate"} & set(mine.differences(made_by)):
        raise ArtifactError(
            f"features of {dataset!r} by {encoder!r}",
            "were made with other weights or settings",
            command_for("extract", dataset, encoder),
        )
    per_second = states_per_second(model)
    if per_second < FEWEST_PER_SECOND:
        raise NoFrames(
            f"{encoder} has {per_second} hidden states a second, a beat needs {FEWEST_PER_SECOND}"
        )
    keeps = seconds * per_second * rate <= MEMORY
    if not keeps and not asked:
        raise NoFrames(_too_large(seconds))
    there = {} if kept is None else kept.by_track
    missing = sum(entries[track.id].duration for _, track, _ in tracks if track.id not in there)
    if missing:
        typer.echo(_cost(missing, dataset, encoder, store, passes=1 if keeps else 2))
    return FramePass(tracks, dataset, model, store, per_second, keeps, kept=there)


def states_per_second(model: Encoder) -> int:
    """Return the rate of an encoder's states, as a segment of faint noise shows it."""
    samples = round(SEGMENT_SECONDS * model.sample_rate)
    noise = 1e-3 * np.random.default_rng(0).standard_normal((1, samples))
    return round(model.encode(noise.astype(np.float32)).shape[2] / SEGMENT_SECONDS)


def _check_audio(track: Track, entry: FeaturesEntry) -> None:
    """Raise `MessError` if a recording is not the one that the features were made from."""
    if same_audio(track, entry) is None:
        raise MessError(f"{track.path.name} has changed since its features were extracted")


def _cost(seconds: float, dataset: str, encoder: str, store: Store, *, passes: int) -> str:
    """Return the line that tells what the passes will cost."""
    rates = store.timings.read_rates(dataset, encoder)
    takes = f", about {passes * seconds * float(np.median(rates)) / 60:.1f} min" if rates else ""
    again = "once more" if passes == 1 else "twice more"
    return (
        f"tempo from every hidden state: encodes {seconds / 3600:.1f} hours by {encoder} "
        f"{again}{takes}; --frames off leaves it out"
    )


def _too_large(seconds: float) -> str:
    return (
        f"the states of {seconds / 3600:.1f} hours do not fit in {MEMORY / 1e9:.0f} GB: --frames "
        "on encodes the recordings twice more"
    )
