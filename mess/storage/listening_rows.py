"""Answers of listeners as rows of SQLite: a table for each kind of record, a column for each field.

Lists and mappings are JSON in their column.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_origin, get_type_hints

from mess.records.base import DoesNotFit, Record
from mess.records.listening import Answer, ListeningPlan, ListeningSession, RatingRow

R = TypeVar("R", bound=Record)
Row = ListeningPlan | ListeningSession | Answer | RatingRow
TABLES: Mapping[str, type[Row]] = {
    "plans": ListeningPlan,
    "sessions": ListeningSession,
    "answers": Answer,
    "ratings": RatingRow,
}
_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "INTEGER"}


def hints_of(kind: type[Record]) -> dict[str, Any]:
    """Return the type of each field of a record."""
    known = get_type_hints(kind)
    return {one.name: known[one.name] for one in fields(kind)}


def column_type(hint: Any) -> str:
    """Return the type of the column of a field."""
    return _TYPES.get(hint, "TEXT")  # a choice is a text; lists and mappings are JSON


def is_json(hint: Any) -> bool:
    """Tell whether a field is a list or a mapping."""
    return get_origin(hint) in (list, dict)


def table_of(row: Row) -> str:
    """Return the name of the table that a record belongs to."""
    return next(table for table, kind in TABLES.items() if kind is type(row))


def insert(database: sqlite3.Connection, row: Row) -> bool:
    """Add a row, and tell whether it is new."""
    content = row.to_json()
    type(row).from_json(content)  # what cannot be read is not written
    values = [
        json.dumps(content[name]) if is_json(hint) else content[name]
        for name, hint in hints_of(type(row)).items()
    ]
    marks = ", ".join("?" * len(values))
    command = f"INSERT OR IGNORE INTO {table_of(row)} VALUES ({marks})"  # noqa: S608 (own names)
    return database.execute(command, values).rowcount == 1


def rows_of(
    database: sqlite3.Connection, kind: type[R], where: str, values: tuple[object, ...]
) -> Iterator[R]:
    """Yield the records of a kind, by their ids.

    Parameters
    ----------
    database : sqlite3.Connection
    kind : type
    where : str
        A condition of SQL, "" for all.
    values : tuple
        Of the marks in ``where``.
    """
    table = next(name for name, one in TABLES.items() if one is kind)
    hints = hints_of(kind)
    condition = f" WHERE {where}" if where else ""
    command = f"SELECT {', '.join(hints)} FROM {table}{condition} ORDER BY id"  # noqa: S608
    for found in database.execute(command, values):
        try:
            yield from_columns(kind, dict(zip(hints, found, strict=True)))
        except (DoesNotFit, ValueError) as error:
            raise sqlite3.DatabaseError(f"{table} {found[0]!r}: {error}") from None


def from_columns(kind: type[R], columns: Mapping[str, Any]) -> R:
    """Return the record of a row, whose lists and mappings are JSON.

    Raises
    ------
    DoesNotFit
        If a column is missing or of another type.
    ValueError
        If it is no JSON.
    """
    hints = hints_of(kind)
    return kind.from_json(
        {
            name: json.loads(value) if is_json(hints[name]) else value
            for name, value in columns.items()
            if name in hints
        }
    )
