"""The demo library as a user gets it: built from real scores, read back, built on after a crash."""

import csv
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mess.datasets.base import Dataset, Track
from mess.datasets.demo import load_demo
from mess.datasets.rendering import INSTRUMENTS
from mess.datasets.sheet_music import corpus_path, read_score
from mess.errors import ArtifactError, MessError
from pipelines.build_demo import LONGEST, LONGEST_WHOLE, SHORTEST, SHORTEST_WHOLE, build_demo
from pipelines.demo_recipe import RECIPE, read_recipe

music21 = pytest.importorskip("music21", reason="needs the extra 'demo'")
pretty_midi = pytest.importorskip("pretty_midi", reason="needs the extra 'demo'")
pytest.importorskip("symusic", reason="needs the extra 'demo'")

COLUMNS = ("id", "composer", "work", "title", "movement", "duration", "audio", "midi")
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The first two scores of the recipe: four performances and eight variants."""
    return build_demo(root=tmp_path_factory.mktemp("library"), limit=2, workers=2)


def notes_of(track: Track) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Onset, duration, pitch, velocity, sorted; and the program: read by another library."""
    (instrument,) = pretty_midi.PrettyMIDI(str(track.midi_path)).instruments
    rows = sorted((n.start, n.pitch, n.end - n.start, n.velocity) for n in instrument.notes)
    onset, pitch, duration, velocity = np.array(rows).T
    return onset, duration, pitch, velocity, instrument.program


def pairs(library: Dataset, changed: str) -> list[tuple[Track, Track]]:
    found = [
        (library.track(track.extra["variant_of"]), track)
        for track in library
        if track.extra["changed"] == changed
    ]
    assert len(found) == 2
    return found


def sound(track: Track) -> np.ndarray:
    samples, rate = soundfile.read(track.path)
    assert rate == 44_100
    assert samples.ndim == 1
    return samples


def level(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def bytes_by_name(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(root.glob("*.mid"))}


def test_the_recipe_holds_what_the_library_promises() -> None:
    rows = read_recipe(RECIPE)
    assert len({(row.composer, row.work) for row in rows}) >= 80
    assert len({row.score for row in rows}) == len(rows)
    assert len({row.composer for row in rows}) >= 30
    assert len({row.id for row in rows if row.whole}) >= 10
    assert len({(row.composer, row.work) for row in rows if row.other_instrument}) == 20
    changes = Counter(change for row in rows for _, _, change in row.recordings if change)
    assert changes == {"tempo": 20, "dynamics": 20, "articulation": 20, "instrument": 20}
    assert all(row.instrument != row.other_instrument for row in rows)
    ids = [track_id for row in rows for track_id, _, _ in row.recordings]
    assert len(set(ids)) == len(ids)
    assert all(name.isascii() and name.replace("_", "").replace("-", "").isalnum() for name in ids)
    assert all(row.licence.startswith("music21 corpus; composition in the pub") for row in rows)


def test_no_timbre_stands_for_one_work_or_one_composer() -> None:
    rows = read_recipe(RECIPE)
    assert {row.instrument for row in rows} == set(INSTRUMENTS)
    for instrument in INSTRUMENTS:
        played = [row for row in rows if row.instrument == instrument]
        assert len({(row.composer, row.work) for row in played}) >= 3, instrument
        assert len({row.composer for row in played}) >= 3, instrument
    for composer in {row.composer for row in rows}:
        own = [row.instrument for row in rows if row.composer == composer]
        assert len(own) == 1 or len(set(own)) > 1, composer


def test_a_whole_movement_is_played_from_beginning_to_end(tmp_path: Path) -> None:
    row = next(row for row in read_recipe(RECIPE) if row.id == "Josquin_FortunaDUnGranTempo")
    (track,) = build_demo(root=tmp_path, only=[row.id])
    score = read_score(corpus_path(row.score))
    onset, *_ = notes_of(track)
    assert len(onset) == score.onset.size
    assert float(track.extra["quarters"]) == pytest.approx(score.quarters, abs=1e-3)
    assert track.duration is not None and SHORTEST_WHOLE <= track.duration <= LONGEST_WHOLE


def test_every_score_of_the_recipe_is_in_the_corpus() -> None:
    corpus = Path(music21.__file__).parent / "corpus"
    assert [row.score for row in read_recipe(RECIPE) if not (corpus / row.score).is_file()] == []


def test_tracks_carry_work_licence_and_performance(library: Dataset) -> None:
    assert len(library) == 12
    chopin = library.track("Chopin_Op006No2_p2")
    assert (chopin.composer, chopin.work) == ("Frédéric Chopin", "Op006No2")
    assert chopin.work_key == library.track("Chopin_Op006No2_p1").work_key
    assert "Craig Stuart Sapp" in chopin.extra["licence"]
    assert (
        chopin.extra["variant_of"] == chopin.extra["changed"] == chopin.extra["change_value"] == ""
    )
    assert chopin.extra["instrument"] == "harpsichord"
    assert float(chopin.extra["articulation"]) > 0
    with (library.root / "demo.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["id"] for row in rows] == [track.id for track in library]
    assert all((library.root / row["audio"]).is_file() for row in rows)


def test_audio_lasts_as_stated_and_is_neither_silent_nor_clipped(library: Dataset) -> None:
    for track in library:
        samples = sound(track)
        assert track.duration == pytest.approx(samples.size / 44_100, abs=1e-3)
        assert SHORTEST <= samples.size / 44_100 <= LONGEST
        assert np.abs(samples).max() < 0.98
        assert track.midi_path is not None and track.midi_path.stem == track.path.stem


def test_levels_are_within_twelve_decibels_of_each_other(library: Dataset) -> None:
    levels = [level(sound(track)) for track in library]
    assert max(levels) - min(levels) < 12
    raw = [one - float(track.extra["gain_db"]) for one, track in zip(levels, library, strict=True)]
    assert np.ptp(levels) < 0.5 * np.ptp(raw)


def test_audio_begins_and_ends_with_its_midi(library: Dataset) -> None:
    for track in library:
        onset, duration, *_ = notes_of(track)
        assert track.duration == pytest.approx((onset + duration).max() + 1.0, abs=0.01)


def test_midi_holds_the_tempo_that_the_table_states(library: Dataset) -> None:
    for track in library:
        midi = pretty_midi.PrettyMIDI(str(track.midi_path))
        ticks = round(float(track.extra["quarters"]) * midi.resolution)
        seconds = midi.tick_to_time(ticks)
        bpm = 60 * float(track.extra["quarters"]) / seconds
        assert bpm == pytest.approx(float(track.extra["mean_tempo"]), rel=1e-3)


def test_a_tempo_variant_scales_time_and_nothing_else(library: Dataset) -> None:
    for base, variant in pairs(library, "tempo"):
        onset, duration, pitch, velocity, program = notes_of(base)
        onset2, duration2, pitch2, velocity2, program2 = notes_of(variant)
        factor = float(variant.extra["change_value"])
        assert factor in {0.77, 1.3}
        np.testing.assert_allclose(onset2 * factor, onset, atol=1e-3)
        np.testing.assert_allclose(duration2 * factor, duration, atol=1e-3)
        np.testing.assert_array_equal(pitch2, pitch)
        np.testing.assert_array_equal(velocity2, velocity)
        assert program2 == program


def test_a_dynamics_variant_has_other_velocities_and_nothing_else(library: Dataset) -> None:
    for base, variant in pairs(library, "dynamics"):
        onset, duration, pitch, velocity, program = notes_of(base)
        onset2, duration2, pitch2, velocity2, program2 = notes_of(variant)
        np.testing.assert_array_equal(onset2, onset)
        np.testing.assert_array_equal(duration2, duration)
        np.testing.assert_array_equal(pitch2, pitch)
        assert program2 == program
        wider = float(variant.extra["change_value"]) > float(base.extra["span"])
        assert (velocity2.std() > velocity.std() + 2) == wider
        assert (velocity2.std() < velocity.std() - 2) == (not wider)


def test_an_articulation_variant_has_other_durations_and_nothing_else(library: Dataset) -> None:
    for base, variant in pairs(library, "articulation"):
        onset, duration, pitch, velocity, program = notes_of(base)
        onset2, duration2, pitch2, velocity2, program2 = notes_of(variant)
        np.testing.assert_array_equal(onset2, onset)
        np.testing.assert_array_equal(pitch2, pitch)
        np.testing.assert_array_equal(velocity2, velocity)
        assert program2 == program
        longer = variant.extra["change_value"] == "1.05"
        assert (np.median(duration2 / duration) > 1.2) == longer
        assert (np.median(duration2 / duration) < 0.8) == (not longer)


def test_an_instrument_variant_has_another_sound_and_the_same_notes(library: Dataset) -> None:
    for base, variant in pairs(library, "instrument"):
        *notes, program = notes_of(base)
        *notes2, program2 = notes_of(variant)
        for mine, other in zip(notes, notes2, strict=True):
            np.testing.assert_array_equal(mine, other)
        assert program2 != program
        assert variant.extra["change_value"] == variant.extra["instrument"]
        assert variant.extra["instrument"] != base.extra["instrument"]
        mine, other = sound(base), sound(variant)
        assert mine.size == other.size
        assert abs(np.corrcoef(mine, other)[0, 1]) < 0.5


def test_loud_passages_of_the_midi_are_loud_in_the_audio(library: Dataset) -> None:
    louder = Counter[bool]()
    for base, variant in pairs(library, "dynamics"):
        spans = []
        for track in (base, variant):
            onset, _, _, velocity, _ = notes_of(track)
            samples = sound(track)
            window = 2 * 44_100
            levels, velocities = [], []
            for begin in range(0, samples.size - window, window):
                inside = (onset >= begin / 44_100) & (onset < (begin + window) / 44_100)
                if inside.sum() >= 4:
                    levels.append(level(samples[begin : begin + window]))
                    velocities.append(velocity[inside].mean())
            spans.append((np.ptp(velocities), np.ptp(levels)))
        louder[(spans[0][0] > spans[1][0]) == (spans[0][1] > spans[1][1])] += 1
    assert louder == {True: 2}


def test_two_performances_of_a_score_differ(library: Dataset) -> None:
    first, second = (library.track(f"Bach_BWV846_p{number}") for number in (1, 2))
    assert first.extra["mean_tempo"] != second.extra["mean_tempo"]
    assert first.extra["level"] != second.extra["level"]


def test_the_same_seed_gives_the_same_files_in_one_process_or_many(
    library: Dataset, tmp_path: Path
) -> None:
    again = build_demo(root=tmp_path / "again", limit=1, workers=1)
    for track in again:
        other = library.track(track.id)
        assert track.midi_path is not None and other.midi_path is not None
        assert track.midi_path.read_bytes() == other.midi_path.read_bytes()
        assert track.path.read_bytes() == other.path.read_bytes()


def test_another_seed_gives_other_performances(library: Dataset, tmp_path: Path) -> None:
    other = build_demo(root=tmp_path / "other", limit=1, workers=1, seed=1)
    mine, theirs = bytes_by_name(library.root), bytes_by_name(other.root)
    assert len(theirs) == 6
    assert all(mine[name] != content for name, content in theirs.items())


def test_a_killed_build_goes_on_where_it_stopped(library: Dataset, tmp_path: Path) -> None:
    root = tmp_path / "killed"
    code = (
        "import sys; from pathlib import Path; from pipelines.build_demo import build_demo; "
        "build_demo(root=Path(sys.argv[1]), limit=1, workers=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(root)], cwd=REPOSITORY)
    try:
        deadline = time.monotonic() + 300  # the imports take long on a busy machine
        while not list(root.glob("records/*.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    kept = {path: path.stat().st_mtime_ns for path in root.glob("records/*.json")}
    assert 1 <= len(kept) < 6
    with pytest.raises(ArtifactError, match="mess demo"):
        load_demo(root)
    seen: list[tuple[int, int, str]] = []
    built = build_demo(root=root, limit=1, workers=1, on_progress=lambda *step: seen.append(step))
    assert seen[0] == (0, 6 - len(kept), "")
    assert seen[-1][:2] == (6 - len(kept), 6 - len(kept))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    mine = bytes_by_name(library.root)
    assert all(mine[name] == content for name, content in bytes_by_name(built.root).items())


def test_missing_and_damaged_files_are_made_anew(tmp_path: Path) -> None:
    root = tmp_path / "library"
    built = build_demo(root=root, limit=1, workers=1)
    paths = [track.path for track in built]
    whole = [path.read_bytes() for path in paths]
    paths[0].unlink()
    paths[1].write_bytes(whole[1][: len(whole[1]) // 2])
    with pytest.raises(ArtifactError, match=r"Bach_BWV846_p1\.flac is missing: run `mess demo`"):
        load_demo(root)
    made: list[str] = []
    build_demo(root=root, limit=1, workers=1, on_progress=lambda _d, _t, name: made.append(name))
    assert made == ["", built.tracks[0].id, built.tracks[1].id]
    assert [path.read_bytes() for path in paths] == whole


def test_an_unbuilt_or_damaged_library_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"is not built in .*: run `mess demo`"):
        load_demo(tmp_path)
    too_long = f"{','.join(COLUMNS)}\nx,,,,,1.5,{'x' * 5000},x.mid\n"
    for damaged in ("", "id,audio\nx,x.flac\n", "\x00\x01", too_long, '"' + "x" * 200_000):
        (tmp_path / "demo.csv").write_text(damaged)
        with pytest.raises(ArtifactError, match="is damaged: run `mess demo`"):
            load_demo(tmp_path)


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    for name in ("x.flac", "x.mid"):
        (tmp_path / name).touch()
    text = f"{','.join(COLUMNS)}\r\nx,Bach,1,A,,1.5,x.flac,x.mid\r\n"
    (tmp_path / "demo.csv").write_text(text, encoding="utf-8-sig", newline="")
    assert [track.id for track in load_demo(tmp_path)] == ["x"]


def test_a_missing_or_damaged_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(MessError, match="clone of MESS"):
        read_recipe(tmp_path / "recipe.csv")
    (tmp_path / "recipe.csv").write_text("id,score\na,b\n")
    with pytest.raises(MessError, match="is damaged"):
        read_recipe(tmp_path / "recipe.csv")


def test_reading_the_library_needs_none_of_the_packages_that_made_it(library: Dataset) -> None:
    code = (
        "import sys; from pathlib import Path; from mess.datasets.demo import load_demo; "
        "print(len(load_demo(Path(sys.argv[1])))); "
        "assert not {'music21', 'symusic', 'pretty_midi'} & set(sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(library.root)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "12"


@pytest.mark.long
def test_a_score_that_is_missing_is_left_out_and_the_others_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = list(csv.DictReader(RECIPE.read_text(encoding="utf-8").splitlines()))
    played = next(row for row in table if row["id"] == "Josquin_FortunaDUnGranTempo")
    recipe = tmp_path / "recipe.csv"
    with recipe.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.DictWriter(sink, list(played))
        writer.writeheader()
        writer.writerows([played, played | {"id": "Nobody", "score": "nobody/nothing.xml"}])
    monkeypatch.setattr("pipelines.build_demo.RECIPE", recipe)
    failed: dict[str, str] = {}
    built = build_demo(root=tmp_path / "audio", workers=1, failed=failed)
    assert [track.id for track in built] == [played["id"]]
    assert list(failed) == ["Nobody"] and "nothing.xml: music21's corpus has no" in failed["Nobody"]
    with pytest.raises(MessError, match="1 scores could not be performed"):
        build_demo(root=tmp_path / "audio", workers=1)
