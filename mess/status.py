"""What exists of each dataset and encoder, what is stale, and which command comes next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mess.errors import ArtifactError, ArtifactMissing
from mess.places import command_for
from mess.store import Store

State = Literal["ready", "missing", "stale", "damaged"]


@dataclass(frozen=True)
class StepStatus:
    """One step of one dataset and encoder.

    Attributes
    ----------
    step : str
        "extract", "targets", "probe", "index" or "evaluate".
    state : str
    detail : str
        What is there, or why not.
    command : str
        What makes it anew.
    """

    step: str
    state: State
    detail: str
    command: str


def survey(store: Store, dataset: str, encoder: str) -> list[StepStatus]:
    """Return the status of the five steps, in the order in which they run."""
    features = _manifest_status(
        "extract",
        lambda: store.features_manifest(dataset, encoder),
        command_for("extract", dataset, encoder),
    )
    targets = _manifest_status(
        "targets", lambda: store.targets_manifest(dataset), command_for("targets", dataset)
    )
    features_now = _fingerprint(lambda: store.features_manifest(dataset, encoder))
    targets_now = _fingerprint(lambda: store.targets_manifest(dataset))
    probe = _derived_status(
        "probe",
        lambda: store.read_discovery(dataset, encoder),
        lambda record: (
            f"{record['n']} tracks of {record['works']} works, "
            f"{len(record['layer_names'])} × {len(record['target_names'])} cells"
        ),
        {"features": features_now, "targets": targets_now},
        command_for("probe", dataset, encoder),
    )
    index = _derived_status(
        "index",
        lambda: store.read_index_record(dataset, encoder),
        lambda record: f"{len(record['tracks'])} tracks",
        {"features": features_now, "targets": targets_now},
        command_for("index", dataset, encoder),
    )
    evaluation = _derived_status(
        "evaluate",
        lambda: store.read_evaluation(dataset, encoder),
        lambda record: f"{len(record['defaults'])} aspects",
        {"index": _indexed(store, dataset, encoder)},
        command_for("evaluate", dataset, encoder),
    )
    return [features, targets, probe, index, evaluation]


def _indexed(store: Store, dataset: str, encoder: str) -> str | None:
    try:
        return str(store.read_index_record(dataset, encoder).get("fingerprint"))
    except ArtifactError:
        return None


def next_step(statuses: list[StepStatus]) -> StepStatus | None:
    """Return the first step that is not ready, or None."""
    return next((status for status in statuses if status.state != "ready"), None)


def _manifest_status(step: str, read: Callable[[], Any], command: str) -> StepStatus:
    try:
        manifest = read()
    except ArtifactError as error:
        return _unreadable(step, error, command)
    done, failed = len(manifest.done()), len(manifest.tracks) - len(manifest.done())
    if not done:
        return StepStatus(step, "missing", "no track succeeded", command)
    detail = f"{done} tracks" + (f", {failed} failed" if failed else "")
    return StepStatus(step, "ready", detail, command)


def _derived_status(
    step: str,
    read: Callable[[], dict[str, Any]],
    describe: Callable[[dict[str, Any]], str],
    inputs: dict[str, str | None],
    command: str,
) -> StepStatus:
    try:
        record = read()
    except ArtifactError as error:
        return _unreadable(step, error, command)
    for name, now in inputs.items():
        if record.get(name) != now:
            return StepStatus(step, "stale", f"the {name} have changed since", command)
    return StepStatus(step, "ready", describe(record), command)


def _unreadable(step: str, error: ArtifactError, command: str) -> StepStatus:
    if isinstance(error, ArtifactMissing):
        return StepStatus(step, "missing", "not made yet", command)
    return StepStatus(step, "damaged", str(error), command)


def _fingerprint(read: Callable[[], Any]) -> str | None:
    try:
        return str(read().fingerprint())
    except ArtifactError:
        return None
