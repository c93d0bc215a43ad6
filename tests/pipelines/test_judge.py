"""`mess judge` on real recordings: a balanced plan, excerpts that are equally loud, and answers."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_answers import follow
from typer.testing import CliRunner

from mess.audio.loudness import MOST_DBTP, measure_loudness
from mess.listening.excerpts import render
from mess.listening.planning import balance_of, make_plan
from mess.listening.sessions import begin_session
from mess.records.listening import ListeningPlan
from mess.storage.store import Store
from pipelines.cli import build_app


@pytest.fixture(scope="module")
def root(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root of its own over the recordings and results of the demo library."""
    own = tmp_path_factory.mktemp("listening")
    for name in ("audio", "processed"):
        (own / name).symlink_to(demo_library / name)
    return own


@pytest.fixture(scope="module")
def plan(root: Path) -> ListeningPlan:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(root))
        found, _ = make_plan(
            Store(), "demo", "spectral", aspects=["brightness", "articulation"], items=9
        )
        Store().listening.add(found)
    return found


def run(root: Path, monkeypatch: pytest.MonkeyPatch, *words: object):
    monkeypatch.setenv("MESS_DATA", str(root))
    return CliRunner().invoke(build_app(["judge"]), ["judge", *map(str, words)])


def test_every_excerpt_of_a_triplet_sounds_equally_loud_and_never_clips(
    plan: ListeningPlan, root: Path
) -> None:
    store = Store(root)
    entries = store.features.manifest("demo", "spectral").done()
    for item in plan.items[:4]:
        for one in (item.x, item.a, item.b):
            path = store.audio_dir("demo") / entries[one.track].path
            samples, rate = soundfile.read(io.BytesIO(render(path, one, level=item.level)))
            heard = measure_loudness(samples, rate)
            assert heard.lufs == pytest.approx(item.level, abs=0.2)
            assert heard.dbtp <= MOST_DBTP + 0.1
            assert len(samples) == pytest.approx(5 * rate, abs=2)
            assert one.sha256 == entries[one.track].sha256


def test_a_plan_is_balanced_in_every_aspect_and_made_again_alike(
    plan: ListeningPlan, root: Path
) -> None:
    assert set(plan.methods) == {"brightness", "articulation"}
    for aspect in plan.methods:
        items = [one for one in plan.items if one.aspect == aspect]
        balance = balance_of(items)
        assert len(balance.disagreements) == 1 and len(set(balance.alone.values())) == 1
        margins = list(balance.margin.values())
        assert max(margins) - min(margins) < 0.1
        assert all(len({one.x.work, one.a.work, one.b.work}) == 3 for one in items)
        assert all(np.isfinite(one.level) and one.level <= -23 for one in items)
    for check in plan.checks:
        assert check.a == check.x and check.right == "A" and check.b.work != check.x.work
    aspect = next(iter(plan.methods))
    again, left_out = make_plan(Store(root), "demo", "spectral", aspects=[aspect], items=9)
    assert {one.id for one in again.items} == {one.id for one in plan.items if one.aspect == aspect}
    assert left_out == []


def test_answers_are_analysed_exported_and_imported(
    plan: ListeningPlan, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"  # nobody has listened there
    own.mkdir()
    for name in ("audio", "processed"):
        (own / name).symlink_to(root / name)
    store = Store(own)
    store.listening.add(plan)
    where = ("--dataset", "demo", "--encoder", "spectral")
    nobody = run(own, monkeypatch, "analyse", *where)
    assert "nobody has listened yet" in str(nobody.exception)
    for number in range(4):
        session = begin_session(plan, asked=store.listening.times_asked(plan.id), seed=number)
        store.listening.add(session)
        for answer in follow(plan, session, judge="mean"):
            store.listening.add(answer)
    told = run(own, monkeypatch, "analyse", *where)
    assert "64 answers by 4 listeners in 4 sessions" in told.output
    assert "probe, from means    1.00 [1.00, 1.00]" in told.output
    export = tmp_path / "answers.json"
    assert "96 answers" in run(own, monkeypatch, "export", "--out", export).output
    other = tmp_path / "other"
    assert "96 new answers" in run(other, monkeypatch, "import", export).output
    assert "0 new answers" in run(other, monkeypatch, "import", export).output
    printed = run(other, monkeypatch, "analyse", *where, "--json").output
    shares = {one["method"]: one["share"] for one in json.loads(printed)["agreements"]}
    assert shares["mean"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("listen",), "unknown action 'listen'"),
        (("import",), "name what is imported"),
        (("analyse", "x.json"), "takes no files"),
        (("plan", "--encoder", "spectral", "--aspects", "colour"), "unknown aspect 'colour'"),
        (("plan", "--encoder", "spectral", "--aspects", "tempo"), "nothing can be asked"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    result = run(root, monkeypatch, *words)
    assert message in str(result.exception) and "\n" not in str(result.exception)
