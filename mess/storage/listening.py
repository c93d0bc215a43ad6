"""Answers of listeners on disk: one SQLite database below the data root.

::

    listening/answers.sqlite     tables plans, sessions, answers, ratings; one row each

The database is in WAL mode: readers do not wait, and two writers wait for each other. A row is
written in one transaction that is synced, and never changed afterwards. Its id is a digest or holds
a random number. So rows of several machines are merged by their ids, without doubles.

The header of the file says that it is MESS's (``application_id``) and which schema it has
(``user_version``).
"""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mess.errors import MessError, shown_path
from mess.records.base import DoesNotFit
from mess.records.listening import Answer, Listening, ListeningPlan, ListeningSession, RatingRow
from mess.storage.files import modified, write_bytes
from mess.storage.listening_rows import (
    TABLES,
    R,
    Row,
    column_type,
    from_columns,
    hints_of,
    insert,
    is_json,
    rows_of,
    table_of,
)
from mess.storage.locks import hold

SCHEMA_VERSION = 1
APPLICATION = 0x4D455353  # "MESS"
_PATIENCE = 30.0  # seconds that a writer waits for others
_INDICES = (
    "CREATE INDEX answers_of_session ON answers(session)",
    "CREATE INDEX answers_of_dataset ON answers(dataset, encoder)",
)


@dataclass(frozen=True)
class Merged:
    """What became of rows that were merged.

    Attributes
    ----------
    new : dict of str to int
        By table, the rows that were added.
    known : int
        Rows that were there already.
    different : list of str
        The ids of rows that are there with another content: they stay as they are here.
    """

    new: dict[str, int]
    known: int
    different: list[str]


@dataclass(frozen=True)
class ListeningFiles:
    """What listeners answered, below one root folder."""

    root: Path

    @property
    def path(self) -> Path:
        """Return the path of the database."""
        return self.root / "listening" / "answers.sqlite"

    def add(self, row: Row) -> bool:
        """Add a row; return False if there is one with its id, which stays as it is."""
        with self._writing() as database:
            return insert(database, row)

    def plan(self, plan: str) -> ListeningPlan | None:
        """Return a plan by its id."""
        return next(self._select(ListeningPlan, "id = ?", plan), None)

    def plans(self, dataset: str, encoder: str) -> list[ListeningPlan]:
        """Return the plans of a dataset and an encoder, the newest first."""
        found = list(self._select(ListeningPlan, "dataset = ? AND encoder = ?", dataset, encoder))
        return sorted(found, key=lambda one: -one.made)

    def session(self, session: str) -> ListeningSession | None:
        """Return a session by its id."""
        return next(self._select(ListeningSession, "id = ?", session), None)

    def answers(self, dataset: str, encoder: str) -> list[Answer]:
        """Return all answers about a dataset and an encoder, in the order of their ids."""
        return list(self._select(Answer, "dataset = ? AND encoder = ?", dataset, encoder))

    def answers_of(self, session: str) -> list[Answer]:
        """Return the answers of a session, in its order."""
        return list(self._select(Answer, "session = ?", session))

    def times_asked(self, plan: str) -> dict[str, int]:
        """Return how often each item of a plan was answered."""
        query = "SELECT item, count(*) FROM answers WHERE plan = ? AND kind = 'item' GROUP BY item"
        with self._reading() as database:
            return {} if database is None else dict(database.execute(query, (plan,)).fetchall())

    def ratings(self, dataset: str) -> list[RatingRow]:
        """Return the ratings of tracks of a dataset, in the order in which they were given."""
        found = self._select(RatingRow, "dataset = ?", dataset)
        return sorted(found, key=lambda one: (one.rated, one.id))

    def forget_ratings(self, dataset: str) -> int:
        """Remove the ratings of a dataset; return how many there were."""
        with self._writing() as database:
            return database.execute("DELETE FROM ratings WHERE dataset = ?", (dataset,)).rowcount

    def modified(self) -> float:
        """Return a number that grows when something was added; 0 where nothing is kept."""
        wal = self.path.with_name(f"{self.path.name}-wal")
        return max(modified(self.path), modified(wal))

    # Export and merge --------------------------------------------------------------------------

    def read_all(self) -> Listening:
        """Return everything."""
        return Listening(
            format="mess listening",
            version=SCHEMA_VERSION,
            plans=list(self._select(ListeningPlan)),
            sessions=list(self._select(ListeningSession)),
            answers=list(self._select(Answer)),
            ratings=list(self._select(RatingRow)),
        )

    def export(self, path: Path) -> int:
        """Write everything as JSON, or the answers alone as CSV; return the number of answers.

        Raises
        ------
        MessError
            If the file cannot be written, or its name has another suffix.
        """
        everything = self.read_all()
        suffix = path.suffix.lower()
        if suffix == ".json":
            text = json.dumps(everything.to_json(), indent=1)
        elif suffix == ".csv":
            text = _as_csv(everything.answers)
        else:
            raise MessError(f"{shown_path(path)}: name a file that ends with .json or .csv")
        try:
            write_bytes(path, text.encode())
        except OSError as error:
            reason = error.strerror
            raise MessError(
                f"{shown_path(path)}: cannot be written ({reason}); name another file"
            ) from None
        return len(everything.answers)

    def merge(self, path: Path) -> Merged:
        """Add what another machine exported (JSON, CSV), or its database, without doubles.

        Raises
        ------
        MessError
            If the file is not one of these; then nothing is added.
        """
        rows = _read_export(path)
        new = dict.fromkeys(TABLES, 0)
        known, different = 0, []
        with self._writing() as database:
            for row in rows:
                if insert(database, row):
                    new[table_of(row)] += 1
                elif _same(row, next(rows_of(database, type(row), "id = ?", (row.id,)))):
                    known += 1
                else:
                    different.append(row.id)
        return Merged(new, known, different)

    # The database ------------------------------------------------------------------------------

    def _select(self, kind: type[R], where: str = "", *values: object) -> Iterator[R]:
        with self._reading() as database:
            found = [] if database is None else list(rows_of(database, kind, where, values))
        yield from found

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open the database; None where nothing is kept."""
        if not self.path.is_file():
            yield None
            return
        with self._mended(), _connect(self.path) as database:
            _check_schema(database, self.path)
            yield database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Open the database for one transaction, which is synced at its end."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MessError(
                f"{self.path.parent}: cannot be written ({error.strerror}): make room or change "
                "its permissions"
            ) from None
        with self._mended(), _connect(self.path) as database:
            self._use_wal(database)
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            try:
                _check_schema(database, self.path, make=True)
                yield database
            except BaseException:
                database.rollback()
                raise
            database.commit()

    def _use_wal(self, database: sqlite3.Connection) -> None:
        """Bring the database into WAL mode; SQLite does not wait for others that do so, too."""
        if database.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        lock = hold(self.path.with_name(".answers.lock"), patience=_PATIENCE)
        try:
            database.execute("PRAGMA journal_mode = WAL")
        finally:
            if lock is not None:
                lock.close()

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Say an error of SQLite in one line."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            busy = isinstance(error, sqlite3.OperationalError)
            way_out = (
                "make room, or try again when no other program writes it"
                if busy
                else "move it away and import what was exported (`mess judge import FILE`)"
            )
            raise MessError(f"{self.path}: cannot be used ({error}); {way_out}") from None


@contextmanager
def _connect(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        yield database
    finally:
        database.close()


def _check_schema(database: sqlite3.Connection, path: Path, *, make: bool = False) -> None:
    """Make the tables of an empty database; refuse one that is not of this schema."""
    application = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) == (APPLICATION, SCHEMA_VERSION):
        return
    if application == APPLICATION:
        raise MessError(
            f"{path}: has the schema {version}, and this version of MESS knows "
            f"{SCHEMA_VERSION}: install the version that wrote it"
        )
    if not make or database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise MessError(f"{path}: is no database of answers; move it away")
    for table, kind in TABLES.items():
        columns = ", ".join(
            f"{name} {column_type(hint)}" + (" PRIMARY KEY" if name == "id" else " NOT NULL")
            for name, hint in hints_of(kind).items()
        )
        database.execute(f"CREATE TABLE {table} ({columns})")
    for index in _INDICES:
        database.execute(index)
    database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _same(one: Row, other: Row) -> bool:
    """Tell whether two rows say the same; a plan may have been made twice."""
    if isinstance(one, ListeningPlan) and isinstance(other, ListeningPlan):
        return replace(one, made=other.made) == other
    return one == other


def _as_csv(answers: list[Answer]) -> str:
    hints = hints_of(Answer)
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(hints)
    for answer in answers:
        content = answer.to_json()
        writer.writerow(
            json.dumps(content[name]) if is_json(hint) else content[name]
            for name, hint in hints.items()
        )
    return sink.getvalue()


def _from_csv(text: str) -> Iterator[Answer]:
    hints = hints_of(Answer)
    for line in csv.DictReader(io.StringIO(text)):
        yield from_columns(
            Answer,
            {
                name: hints[name](value) if hints[name] in (int, float) else value
                for name, value in line.items()
                if name in hints and value is not None
            },
        )


def _read_export(path: Path) -> list[Row]:
    """Read what `ListeningFiles.export` wrote, or a database."""
    shown = shown_path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MessError(f"{shown}: cannot be read ({error.strerror}); name another file") from None
    if content.startswith(b"SQLite format 3\0"):
        return _read_database(path)
    try:
        text = content.decode()
        if path.suffix.lower() == ".csv":
            return list(_from_csv(text))
        found = Listening.from_json(json.loads(text))
    except (DoesNotFit, ValueError) as error:
        raise MessError(
            f"{shown}: is no export of answers ({error}); write one with `mess judge export`"
        ) from None
    if found.version > SCHEMA_VERSION:
        raise MessError(f"{shown}: was written by a later version of MESS: install that one")
    return [*found.plans, *found.sessions, *found.answers, *found.ratings]


def _read_database(path: Path) -> list[Row]:
    """Read the database of another data root."""
    try:
        with _connect(path) as database:
            _check_schema(database, path)
            return [row for kind in TABLES.values() for row in rows_of(database, kind, "", ())]
    except sqlite3.DatabaseError as error:
        raise MessError(f"{shown_path(path)}: cannot be read ({error}); copy it again") from None
