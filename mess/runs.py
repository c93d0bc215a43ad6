"""The recorded runs, read straight from MLflow's SQLite store: no import of MLflow, no writing.

MLflow takes seconds and hundreds of MB to import; a table of runs needs five of its tables. Their
columns are those of MLflow 3; a store that lacks one is refused.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.files import read_json
from mess.store import Store
from mess.tracking import EXPERIMENT, tracking_uri

_COLUMNS = {
    "experiments": {"experiment_id", "name"},
    "runs": {
        "run_uuid",
        "name",
        "status",
        "start_time",
        "end_time",
        "lifecycle_stage",
        "artifact_uri",
        "experiment_id",
    },
    "params": {"key", "value", "run_uuid"},
    "tags": {"key", "value", "run_uuid"},
    "latest_metrics": {"key", "value", "is_nan", "run_uuid"},
}
_COMMAND = "mess probe"
_WAIT_SECONDS = 3.0  # for a pipeline that writes
_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class RecordedRun:
    """One run, without its metrics.

    Attributes
    ----------
    id, name : str
    experiment : str
        MLflow's number of the experiment, for links.
    kind : str
        "probe", "evaluate", "sweep", "compare" or what else began the run's name.
    dataset, encoder : str
    status : str
        As MLflow has it: RUNNING, FINISHED, FAILED, KILLED or SCHEDULED.
    started, ended : float
        Seconds since the epoch; ``ended`` is NaN while it runs.
    parent : str
        The sweep that a run belongs to, "" if it stands alone.
    params, tags : dict of str to str
    score : float
        The mean nested R² over targets, NaN where a run has none.
    artifacts : str
        Where its files lie, as MLflow has it.
    """

    id: str
    name: str
    experiment: str
    kind: str
    dataset: str
    encoder: str
    status: str
    started: float
    ended: float
    parent: str = ""
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    score: float = math.nan
    artifacts: str = ""


def runs_path(store: Store) -> Path:
    """Return MLflow's SQLite store.

    Raises
    ------
    MessError
        If ``MLFLOW_TRACKING_URI`` names something else: runs are looked at there.
    """
    uri = tracking_uri(store)
    if not uri.startswith("sqlite:///"):
        raise MessError(f"runs are recorded at {uri}: open it there (MLFLOW_TRACKING_URI)")
    return Path(uri.removeprefix("sqlite:///").partition("?")[0])


def read_runs(store: Store) -> list[RecordedRun]:
    """Return every run of the experiment that is not deleted, the newest first.

    Raises
    ------
    ArtifactMissing
        If nothing was recorded yet.
    MessError
        If the store is damaged, not one of MLflow 3, or not on this machine.
    """
    with _open(store) as db:
        rows = db.execute(
            "SELECT r.run_uuid, r.name, r.experiment_id, r.status, r.start_time, r.end_time, "
            "r.artifact_uri FROM runs r JOIN experiments e USING (experiment_id) "
            "WHERE e.name = ? AND r.lifecycle_stage = 'active' "
            "ORDER BY r.start_time DESC, r.run_uuid",
            (EXPERIMENT,),
        ).fetchall()
        params = _by_run(db.execute("SELECT run_uuid, key, value FROM params"))
        tags = _by_run(db.execute("SELECT run_uuid, key, value FROM tags"))
        scores = dict(
            db.execute(
                "SELECT run_uuid, avg(value) FROM latest_metrics "
                "WHERE is_nan = 0 AND key LIKE 'nested_r2/%' GROUP BY run_uuid"
            ).fetchall()
        )
    return [
        _run(row, params=params.get(row[0], {}), tags=tags.get(row[0], {}), scores=scores)
        for row in rows
    ]


def read_metrics(store: Store, run: str) -> dict[str, float]:
    """Return the last value of every metric of a run; undefined ones are NaN."""
    with _open(store) as db:
        found = db.execute(
            "SELECT key, CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics "
            "WHERE run_uuid = ? ORDER BY key",
            (run,),
        ).fetchall()
    return {key: math.nan if value is None else float(value) for key, value in found}


def read_discovery_of(store: Store, run: RecordedRun) -> dict[str, Any]:
    """Return the record of a discovery that was kept with its run, also after the root moved.

    Raises
    ------
    ArtifactError
        If the run kept none, or it is damaged.
    """
    command = f"{_COMMAND} --dataset {run.dataset} --encoder {run.encoder}"
    what = f"the discovery of the run {run.name!r}"
    parts = urlsplit(run.artifacts)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        raise ArtifactError(what, f"lies at {run.artifacts}, not on this machine", command)
    folders = (Path(unquote(parts.path)), store.mlflow_artifacts / run.id / "artifacts")
    for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
        record = read_json(path, command=command, sealed=False)
        if {"cells", "layer_names", "target_names"} <= record.keys():
            return record
    raise ArtifactMissing(what, command)


def runs_version(store: Store) -> tuple[int, ...]:
    """Return numbers that change when a run is written: a look at the store's files."""
    try:
        path = runs_path(store)
    except MessError:
        return ()
    beside = (path, path.with_name(f"{path.name}-wal"))
    found = [one.stat() for one in beside if one.exists()]
    return tuple(number for one in found for number in (one.st_mtime_ns, one.st_size))


def _run(
    row: Sequence[Any], *, params: dict[str, str], tags: dict[str, str], scores: dict[str, float]
) -> RecordedRun:
    identity, name, experiment, status, started, ended, artifacts = row
    name = name or ""
    return RecordedRun(
        id=identity,
        name=name,
        experiment=str(experiment),
        kind=tags.get("kind") or name.partition(" ")[0],
        dataset=tags.get("dataset") or params.get("dataset", ""),
        encoder=tags.get("encoder") or params.get("encoder", ""),
        status=status or "",
        started=(started or 0) / 1000,
        ended=ended / 1000 if ended else math.nan,
        parent=tags.get(_PARENT, ""),
        params=params,
        tags={key: value for key, value in tags.items() if not key.startswith("mlflow.")},
        score=scores.get(identity, math.nan),
        artifacts=artifacts or "",
    )


def _by_run(rows: sqlite3.Cursor) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for run, key, value in rows:
        found.setdefault(run, {})[key] = "" if value is None else str(value)
    return found


@contextmanager
def _open(store: Store) -> Iterator[sqlite3.Connection]:
    """Open the store for reading; what goes wrong is one line."""
    path = runs_path(store)
    if not path.exists():
        raise ArtifactMissing("the record of runs", _COMMAND)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        db = sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS)
        try:
            _check(db, path)
            yield db
        finally:
            db.close()
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise MessError(f"{path}: a pipeline is writing; look again in a moment") from None
        raise MessError(
            f"{path}: cannot be read ({error}): move it away, and the next run begins a new record"
        ) from None


def _check(db: sqlite3.Connection, path: Path) -> None:
    for table, columns in _COLUMNS.items():
        there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        if not columns <= there:
            lacking = ", ".join(sorted(columns - there))
            raise MessError(
                f"{path}: is not a store of MLflow 3 (its table {table!r} lacks {lacking}): open "
                "it by `mlflow ui`, or bring it up to date by `mlflow db upgrade`"
            )
