"""Reading recorded runs through the MLflow client, from SQLite or from a tracking server.

Importing MLflow takes seconds and hundreds of MB. So its client runs in another process, which is
kept for some minutes (`mess.tracking.mlflow_process`).
"""

import math
from dataclasses import dataclass, field

from mess.errors import ArtifactMissing, ArtifactStale, MessError
from mess.records.base import DoesNotFit
from mess.records.discovery import DiscoveryRecord
from mess.records.left_out import TAG
from mess.records.run import RunRecord
from mess.storage.files import read_json
from mess.storage.store import Store
from mess.tracking.mlflow_client import sqlite_path, without_password
from mess.tracking.mlflow_process import MlflowProcess
from mess.tracking.recording import client_process, is_own, tracking_uri

_COMMAND = "mess probe"
_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class RecordedRun:
    """One run, without its metrics.

    Attributes
    ----------
    id, name : str
    experiment : str
        MLflow's id of the experiment, for links.
    kind : str
        "probe", "evaluate", "sweep", "compare" or another first word of the run's name.
    dataset, encoder : str
    status : str
        The status in MLflow: RUNNING, FINISHED, FAILED, KILLED or SCHEDULED.
    started, ended : float
        Seconds since the epoch; ``ended`` is NaN while the run is open.
    parent : str
        The sweep that the run belongs to, "" without one.
    params, tags : dict of str to str
    score : float
        The mean nested R² over targets, NaN without any.
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

    @property
    def left_out(self) -> str:
        """What it says of the recordings that it could not use; "" if it used all."""
        return self.tags.get(TAG, "")

    @property
    def outcome(self) -> str:
        """The status in MLflow; INCOMPLETE if it finished without some recordings."""
        return "INCOMPLETE" if self.status == "FINISHED" and self.left_out else self.status


def read_runs(store: Store) -> list[RecordedRun]:
    """Return every run of the experiment that is not deleted, the newest first.

    Raises
    ------
    ArtifactMissing
        If nothing was recorded yet.
    MessError
        If the store is damaged, of another version of MLflow, or does not answer in time.
    """
    try:
        return [_run(RunRecord.from_json(fields)) for fields in _reader(store).ask("runs")]
    except DoesNotFit as error:
        raise MessError(f"MLflow told of a run that cannot be read: {error}") from None


def read_metrics(store: Store, run: str) -> dict[str, float]:
    """Return the last value of every metric of a run; undefined ones are NaN.

    Raises
    ------
    MessError
        As `read_runs`.
    """
    metrics = _reader(store).ask("metrics_of", run=run)
    return {key: float(value) for key, value in metrics.items()}


def read_discovery_of(store: Store, run: RecordedRun) -> DiscoveryRecord:
    """Return the record of a discovery that was stored with its run.

    Raises
    ------
    ArtifactMissing
        If no discovery was stored with the run.
    MessError
        If it is damaged, or the store does not answer in time.
    """
    command = f"{_COMMAND} --dataset {run.dataset} --encoder {run.encoder}"
    if is_own(store):
        folder = store.mlflow_artifacts / run.id / "artifacts"
        paths = sorted(folder.glob("*.json"))  # older versions of MESS wrote them through MLflow
        records = (read_json(path, command=command, sealed=False) for path in paths)
    else:
        records = iter(_reader(store).ask("records_of", run=run.id))
    for content in records:
        if {"cells", "layer_names", "target_names"} <= content.keys():
            try:
                return DiscoveryRecord.from_json(content)
            except DoesNotFit as error:
                what = f"the discovery of the run {run.name!r}"
                reason = f"was made by another version of the code ({error})"
                raise ArtifactStale(what, reason, command) from None
    raise ArtifactMissing(f"the discovery of the run {run.name!r}", command)


def runs_version(store: Store) -> tuple[int, ...]:
    """Return numbers that change when a run is written to an SQLite store; () for a server."""
    path = sqlite_path(tracking_uri(store))
    if path is None:
        return ()
    beside = (path, path.with_name(f"{path.name}-wal"))
    status = [file.stat() for file in beside if file.exists()]
    return tuple(number for stat in status for number in (stat.st_mtime_ns, stat.st_size))


def server_address(store: Store) -> str | None:
    """Return the address of the tracking server that runs are recorded at, None without one."""
    uri = tracking_uri(store)
    return without_password(uri).rstrip("/") if uri.startswith(("http://", "https://")) else None


_readers: dict[
    tuple[str, str], MlflowProcess
] = {}  # the clients of this process; each ends when idle


def _reader(store: Store) -> MlflowProcess:
    path = sqlite_path(tracking_uri(store))
    try:
        if path is not None and not (path.exists() and path.stat().st_size):
            raise ArtifactMissing("the record of runs", _COMMAND)
    except OSError as error:
        raise MessError(f"{path}: cannot be read ({error.strerror})") from None
    key = (tracking_uri(store), str(store.root.absolute()))
    return _readers.setdefault(key, client_process(store, write=False))


def _run(fields: RunRecord) -> RecordedRun:
    tags, params = fields.tags, fields.params
    return RecordedRun(
        id=fields.id,
        name=fields.name,
        experiment=fields.experiment,
        kind=tags.get("kind") or fields.name.partition(" ")[0],
        dataset=tags.get("dataset") or params.get("dataset", ""),
        encoder=tags.get("encoder") or params.get("encoder", ""),
        status=fields.status,
        started=(fields.started or 0) / 1000,
        ended=fields.ended / 1000 if fields.ended else math.nan,
        parent=tags.get(_PARENT, ""),
        params=params,
        tags={key: value for key, value in tags.items() if not key.startswith("mlflow.")},
        score=math.nan if fields.score is None else fields.score,
    )
