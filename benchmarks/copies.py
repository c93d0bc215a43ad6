"""Are copies found, and only copies? ``python -m benchmarks.copies [--recordings 20]``.

Recordings of the demo library are coded, made soft, resampled and cut; each such file must be
joined with its recording and with nothing else, and no two of the library's recordings may be
joined: many are of one score, with another tempo, dynamics, articulation, instrument or player.

The recordings whose copies helped to choose the bounds of `mess.audio.fingerprint` are not changed
here; the false joins are counted over all, those too.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from mess.audio.decoding import decode
from mess.audio.fingerprint import Marks, find_copies, fingerprint
from mess.datasets import load_dataset
from mess.storage.store import Store
from mess.targets import TARGET_SAMPLE_RATE

Samples = NDArray[np.float32]
RATE, OPUS_RATE = 44_100, 48_000
# libsndfile's compression levels for constant bit rates of MP3
_MP3 = {64: 0.888, 96: 0.777, 128: 0.666, 192: 0.444, 256: 0.222, 320: 0.0}
_SPARSE = ("Schoenberg_Op019-02_p1", "Schoenberg_Op019-06", "Webern_Op016-02")
_CUT = 2.013  # seconds, no whole number of the fingerprint's frames


def _coded(samples: Samples, rate: int, *, kind: str, subtype: str, level: float | None) -> Marks:
    how: dict[str, object] = {} if level is None else {"compression_level": level}
    if kind == "MP3":
        how["bitrate_mode"] = "CONSTANT"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"coded.{kind.lower()}"
        with soundfile.SoundFile(
            path, "w", rate, channels=1, format=kind, subtype=subtype, **how
        ) as file:
            for first in range(0, len(samples), rate):  # all at once, Vorbis runs out of stack
                file.write(samples[first : first + rate])
        return _marks(path)


def _marks(path: Path) -> Marks:
    signal = decode(path, TARGET_SAMPLE_RATE)
    return fingerprint(signal.samples, signal.sample_rate)


def changes(path: Path) -> Iterator[tuple[str, Marks]]:
    """Yield every change of a recording by name, as the fingerprint of the file it gives."""
    whole = decode(path, RATE).samples
    soft, late = whole * np.float32(0.1), whole[round(_CUT * RATE) :]
    for rate, level in _MP3.items():
        yield (
            f"MP3 at {rate} kbit/s",
            _coded(whole, RATE, kind="MP3", subtype="MPEG_LAYER_III", level=level),
        )
    yield "Ogg Vorbis", _coded(whole, RATE, kind="OGG", subtype="VORBIS", level=None)
    yield "Ogg Vorbis, lowest", _coded(whole, RATE, kind="OGG", subtype="VORBIS", level=0.95)
    opus = decode(path, OPUS_RATE).samples
    yield "Opus", _coded(opus, OPUS_RATE, kind="OGG", subtype="OPUS", level=None)
    yield "−20 dB, 16 bit", _coded(soft, RATE, kind="WAV", subtype="PCM_16", level=None)
    yield (
        "−20 dB, MP3 at 128 kbit/s",
        _coded(soft, RATE, kind="MP3", subtype="MPEG_LAYER_III", level=_MP3[128]),
    )
    low = soxr.resample(whole, RATE, 16_000)
    yield "16 kHz", _coded(low, 16_000, kind="WAV", subtype="PCM_16", level=None)
    yield "2 s trimmed", _coded(late, RATE, kind="WAV", subtype="PCM_16", level=None)
    yield (
        "2 s trimmed, MP3 at 64 kbit/s",
        _coded(late, RATE, kind="MP3", subtype="MPEG_LAYER_III", level=_MP3[64]),
    )


def main() -> None:
    """Print recall and false joins; the exit status is 1 unless they are 100 % and none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=20, help="that are changed (default 20)")
    wanted = parser.parse_args().recordings
    tracks = list(load_dataset("demo", root=Store().audio_dir("demo")))
    library = [_marks(track.path) for track in tracks]
    seen = {*sorted(t.id for t in tracks if not t.extra.get("changed"))[::3], *_SPARSE}
    unseen = [row for row, track in enumerate(tracks) if track.id not in seen]
    chosen = unseen[:: max(1, len(unseen) // wanted)][:wanted]
    names, owners, marks = [], [], []
    for row in chosen:
        for name, changed in changes(tracks[row].path):
            names.append(name)
            owners.append(row)
            marks.append(changed)
    alone = find_copies(library)
    false = sum(first != row for row, first in enumerate(alone))
    found = find_copies([*library, *marks])[len(library) :]
    wrong = sum(
        first not in (row, number + len(library))
        for number, (row, first) in enumerate(zip(owners, found, strict=True))
    )
    print(f"{len(chosen)} of {len(tracks)} recordings of the demo, changed\n")
    print("| change | copies found |\n| --- | --- |")
    for name in dict.fromkeys(names):
        hits = [found[n] == owners[n] for n, one in enumerate(names) if one == name]
        print(f"| {name} | {sum(hits)} of {len(hits)} |")
    hits_of_all = sum(first == row for first, row in zip(found, owners, strict=True))
    print(f"| all | {hits_of_all} of {len(found)} |")
    print(f"\nfalse joins: {false} of {len(tracks)} recordings, {wrong} of {len(found)} copies")
    sys.exit(0 if hits_of_all == len(found) and not false and not wrong else 1)


if __name__ == "__main__":
    main()
