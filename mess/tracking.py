"""The record of every run, in MLflow; a run without it is the same run.

The store is SQLite below the data root unless ``MLFLOW_TRACKING_URI`` names another. MLflow costs
seconds to import, so it is imported when the first run starts.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mess.errors import MissingDependency
from mess.store import Store

EXPERIMENT = "mess"


class Run:
    """An open MLflow run, or nothing at all when tracking is off."""

    def __init__(self, mlflow: Any) -> None:
        self._mlflow = mlflow

    def params(self, values: Mapping[str, Any]) -> None:
        """Record settings."""
        if self._mlflow:
            self._mlflow.log_params(dict(values))

    def metrics(self, values: Mapping[str, float | None]) -> None:
        """Record results; those that are undefined are left out."""
        if self._mlflow:
            self._mlflow.log_metrics({k: v for k, v in values.items() if v is not None})

    def record(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value with the run, as a JSON file."""
        if self._mlflow:
            self._mlflow.log_dict(dict(value), name)


def tracking_uri(store: Store) -> str:
    """Return where runs are recorded."""
    default = f"sqlite:///{store.mlflow_db.absolute().as_posix()}"
    return os.environ.get("MLFLOW_TRACKING_URI") or default


@contextmanager
def start_run(
    name: str,
    *,
    store: Store,
    tags: Mapping[str, str] | None = None,
    enabled: bool = True,
    nested: bool = False,
) -> Iterator[Run]:
    """Record a run from the beginning of the block to its end; an error marks it as failed.

    Parameters
    ----------
    name : str
        Shown in MLflow's list.
    store : Store
        Where the SQLite store and its artifacts lie.
    tags : mapping, optional
        Fingerprints of what went in.
    enabled : bool
        False makes the run a no-op.
    nested : bool
        Whether this is a child of the run that is open.

    Raises
    ------
    MissingDependency
        If MLflow is wanted and not installed.
    """
    if not enabled:
        yield Run(None)
        return
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    try:
        import mlflow
    except ImportError:
        raise MissingDependency("mlflow (leave it out with --no-mlflow)", "ml") from None
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    uri = tracking_uri(store)
    store.root.mkdir(parents=True, exist_ok=True)
    chosen_by_user = "MLFLOW_TRACKING_URI" in os.environ
    mlflow.set_tracking_uri(uri)
    if not chosen_by_user:  # MLflow sets the variable, and another store's runs would go here too
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        local = uri.startswith("sqlite:")
        location = store.mlflow_artifacts.absolute().as_uri() if local else None
        mlflow.create_experiment(EXPERIMENT, artifact_location=location)
    mlflow.set_experiment(EXPERIMENT)
    kind = name.partition(" ")[0]  # of the run, whatever name it is given later
    with mlflow.start_run(run_name=name, nested=nested, tags={"kind": kind} | dict(tags or {})):
        yield Run(mlflow)
