"""Answers on disk: a real database, real processes that write it at once, export and merge."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made_answers import follow, made_plan, session_of

from mess.errors import MessError
from mess.records.listening import RatingRow
from mess.storage.listening import APPLICATION, SCHEMA_VERSION, ListeningFiles

PLAN = made_plan(items=18)
WRITER = """
import json, sys
from pathlib import Path
from mess.records.listening import Answer
from mess.storage.listening import ListeningFiles
files = ListeningFiles(Path(sys.argv[1]))
answers = [Answer.from_json(one) for one in json.loads(Path(sys.argv[2]).read_text())]
print(flush=True)
sys.stdin.read(1)  # both begin at once
for answer in answers:
    assert files.add(answer)
"""


def listen(files: ListeningFiles, *, seed: int, listener: str) -> int:
    session = session_of(PLAN, seed=seed, listener=listener)
    files.add(session)
    answers = follow(PLAN, session)
    return sum(files.add(one) for one in answers)


def filled(root: Path, *, listener: str = "one") -> ListeningFiles:
    files = ListeningFiles(root)
    files.add(PLAN)
    listen(files, seed=1, listener=listener)
    return files


def test_what_is_written_is_read_and_a_row_is_written_once(tmp_path: Path) -> None:
    files = filled(tmp_path)
    answers = files.answers("demo", "spectral")
    assert len(answers) == 24
    again = replace(answers[0], answer="B" if answers[0].answer == "A" else "A")
    assert not files.add(again)  # the first answer counts
    assert files.answers("demo", "spectral") == answers
    assert files.plan(PLAN.id) == PLAN and files.plans("demo", "spectral") == [PLAN]
    session = files.session(answers[0].session)
    assert session is not None and files.answers_of(session.id) == answers
    assert files.times_asked(PLAN.id) == {one.item: 1 for one in answers if one.kind == "item"}
    assert files.answers("demo", "other") == [] and files.session("nobody") is None


def test_nothing_is_made_by_reading(tmp_path: Path) -> None:
    files = ListeningFiles(tmp_path)
    assert files.answers("demo", "spectral") == [] and files.plan("x") is None
    assert files.times_asked("x") == {} and files.modified() == 0
    assert list(tmp_path.iterdir()) == []


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = []
    for seed, name in enumerate(("one", "two")):
        answers = follow(PLAN, session_of(PLAN, seed=seed, listener=name))
        given = tmp_path / f"{name}.json"
        given.write_text(json.dumps([one.to_json() for one in answers]))
        writers.append(
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), str(given)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
            )
        )
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline()  # it is ready
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        _, problems = writer.communicate(timeout=120)
        assert writer.returncode == 0, problems.decode()
    files = ListeningFiles(tmp_path)
    answers = files.answers("demo", "spectral")
    assert len(answers) == 2 * 24
    assert {one.listener for one in answers} == {"one", "two"}
    with sqlite3.connect(files.path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("kind", ["json", "csv", "sqlite"])
def test_what_several_machines_exported_is_merged_without_doubles(
    tmp_path: Path, kind: str
) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other", listener="two")
    export = other.path
    if kind != "sqlite":
        export = tmp_path / f"answers.{kind}"
        assert other.export(export) == 24
    merged = one.merge(export)
    assert merged.new["answers"] == 24 and merged.different == []
    assert merged.known == (0 if kind == "csv" else 1)  # both have the plan
    both = one.answers("demo", "spectral")
    assert len(both) == 48
    again = one.merge(export)
    assert sum(again.new.values()) == 0 and again.known > 0
    assert one.answers("demo", "spectral") == both
    theirs = {row.id: row for row in other.answers("demo", "spectral")}
    assert theirs == {row.id: row for row in both if row.listener == "two"}  # to the last digit


def test_a_row_that_differs_stays_as_it_is_here_and_is_named(tmp_path: Path) -> None:
    files = filled(tmp_path)
    files.export(tmp_path / "all.json")
    content = json.loads((tmp_path / "all.json").read_text())
    changed = content["answers"][3]
    changed["seconds"] += 1.0
    (tmp_path / "all.json").write_text(json.dumps(content))
    before = files.answers("demo", "spectral")
    assert files.merge(tmp_path / "all.json").different == [changed["id"]]
    assert files.answers("demo", "spectral") == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{}"),
        ("a.json", b"\xff\xfe"),
        ("a.json", b'{"format": "mess listening", "version": 1, "plans": 3}'),
        ("a.csv", b"id,session\n1,2\n"),
        ("a.sqlite", b"SQLite format 3\0 and no more"),
        ("gone.json", None),
    ],
)
def test_a_file_that_is_no_export_adds_nothing(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    files = filled(tmp_path)
    before = files.read_all()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MessError) as caught:
        files.merge(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert files.read_all() == before


def test_half_an_import_is_none(tmp_path: Path) -> None:
    files = filled(tmp_path / "here")
    other = filled(tmp_path / "there", listener="two")
    other.export(tmp_path / "all.json")
    content = json.loads((tmp_path / "all.json").read_text())
    content["answers"][-1]["answer"] = "C"
    (tmp_path / "all.json").write_text(json.dumps(content))
    before = files.read_all()
    with pytest.raises(MessError, match="no export"):
        files.merge(tmp_path / "all.json")
    assert files.read_all() == before


def test_a_later_schema_and_a_foreign_or_damaged_file_are_refused_in_one_line(
    tmp_path: Path,
) -> None:
    files = filled(tmp_path)
    with sqlite3.connect(files.path) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(MessError, match="install the version that wrote it"):
        files.answers("demo", "spectral")
    for suffix in ("", "-wal", "-shm"):
        files.path.with_name(files.path.name + suffix).unlink(missing_ok=True)
    with sqlite3.connect(files.path) as database:
        database.execute("CREATE TABLE cats (name)")
    with pytest.raises(MessError, match="is no database of answers"):
        files.add(PLAN)
    files.path.write_bytes(b"not a database at all, but long enough to be read as one" * 40)
    with pytest.raises(MessError, match="cannot be used"):
        files.answers("demo", "spectral")


def test_a_file_of_another_kind_is_not_written(tmp_path: Path) -> None:
    files = filled(tmp_path)
    with pytest.raises(MessError, match=r"ends with \.json or \.csv"):
        files.export(tmp_path / "answers.xlsx")


def test_ratings_are_kept_and_forgotten(tmp_path: Path) -> None:
    files = ListeningFiles(tmp_path)
    rating = RatingRow(
        id="r1", listener="me", dataset="demo", encoder="spectral", query="a", track="b",
        rating="like", weights={"tempo": 0.5}, rated=2.0,
    )  # fmt: skip
    earlier = replace(rating, id="r2", rating="unlike", rated=1.0)
    assert files.add(rating) and files.add(earlier)
    assert files.ratings("demo") == [earlier, rating] and files.ratings("other") == []
    assert files.forget_ratings("demo") == 2 and files.ratings("demo") == []
