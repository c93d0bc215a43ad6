"""What exists of each dataset and encoder, what is stale and why, and which command comes next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from mess.audio import SEGMENT_SECONDS
from mess.datasets import Dataset
from mess.encoders import PRESETS
from mess.errors import ArtifactError, ArtifactMissing
from mess.inventory import Changes, find_changes, find_recordings
from mess.manifest import Manifest
from mess.places import command_for
from mess.store import Store
from mess.targets import ALL_TARGETS, TARGET_SAMPLE_RATE, TARGETS_VERSION
from mess.versions import (
    DISCOVERY_VERSION,
    EVALUATION_VERSION,
    FEATURES_VERSION,
    INDEX_VERSION,
)

State = Literal["ready", "missing", "partial", "stale", "damaged"]
Reason = Literal["audio", "settings", "code", "inputs"]
Read = TypeVar("Read")


@dataclass(frozen=True)
class StepStatus:
    """One step of one dataset and encoder.

    Attributes
    ----------
    step : str
        "extract", "targets", "probe", "index", "evaluate" or "check-targets".
    state : str
        "partial" where recordings wait to be done.
    detail : str
        What is there, or why not.
    command : str
        What makes it anew.
    reasons : tuple of str
        Why it is stale: the audio (or its MIDI), a setting, the code or what it was made from has
        changed.
    """

    step: str
    state: State
    detail: str
    command: str
    reasons: tuple[Reason, ...] = ()


def survey(
    store: Store, dataset: str, encoder: str, *, recordings: Dataset | None = None
) -> list[StepStatus]:
    """Return the status of the five steps, in the order in which they run.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    recordings : Dataset, optional
        Found by itself where it is not given; compared by size and time, not by content.
    """
    recordings = recordings or find_recordings(store, dataset)
    features = _try(lambda: store.features_manifest(dataset, encoder))
    targets = _try(lambda: store.targets_manifest(dataset))
    index = _try(lambda: store.read_index_record(dataset, encoder))
    made_from = {"features": features, "targets": targets}
    fingerprint = None if isinstance(index, ArtifactError) else index.get("fingerprint")
    return [
        _batch_status(
            "extract",
            features,
            recordings,
            _features_header,
            command_for("extract", dataset, encoder),
        ),
        _batch_status(
            "targets",
            targets,
            recordings,
            _targets_header,
            command_for("targets", dataset),
        ),
        _derived_status(
            "probe",
            _try(lambda: store.read_discovery(dataset, encoder)),
            made_from,
            version=DISCOVERY_VERSION,
            command=command_for("probe", dataset, encoder),
        ),
        _derived_status(
            "index",
            index,
            made_from,
            version=INDEX_VERSION,
            command=command_for("index", dataset, encoder),
        ),
        _derived_status(
            "evaluate",
            _try(lambda: store.read_evaluation(dataset, encoder)),
            {"index": fingerprint},
            version=EVALUATION_VERSION,
            command=command_for("evaluate", dataset, encoder),
        ),
    ]


def survey_targets(store: Store, dataset: str) -> StepStatus:
    """Return whether the targets themselves were tested; nothing else waits for that."""
    command = command_for("check-targets", dataset)
    record = _try(lambda: store.read_reliability(dataset))
    if isinstance(record, ArtifactError):
        return _unreadable("check-targets", record, command)
    trusted = sum(bool(row.get("trusted")) for row in record["targets"].values())
    detail = f"{trusted} of {len(record['targets'])} targets trusted, {record['tracks']} tracks"
    return StepStatus("check-targets", "ready", detail, command)


def next_step(statuses: list[StepStatus]) -> StepStatus | None:
    """Return the first step that is not ready, or None."""
    return next((status for status in statuses if status.state != "ready"), None)


def _try(read: Callable[[], Read]) -> Read | ArtifactError:
    try:
        return read()
    except ArtifactError as error:
        return error


# Features and targets, track by track ----------------------------------------------------------


def _batch_status(
    step: str,
    manifest: Manifest | ArtifactError,
    recordings: Dataset | None,
    expected: Callable[[Mapping[str, Any]], dict[str, Any]],
    command: str,
) -> StepStatus:
    if isinstance(manifest, ArtifactError):
        return _unreadable(step, manifest, command)
    done = len(manifest.done())
    failed = len(manifest.tracks) - done
    if not done:
        return StepStatus(step, "missing", "no track succeeded", command)
    reasons, why = _outdated(manifest.header, expected(manifest.header))
    changes = find_changes(recordings, manifest) if recordings else Changes()
    told = _tell_changes(changes)
    if told:
        reasons = ("audio", *reasons)
    if told or why:
        return StepStatus(step, "stale", "; ".join(told + why), command, reasons)
    if changes.new:
        detail = f"{done} tracks, {changes.new} not done yet"
        return StepStatus(step, "partial", detail, command)
    detail = f"{done} tracks" + (f", {failed} failed" if failed else "")
    return StepStatus(step, "ready", detail, command)


def _tell_changes(changes: Changes) -> list[str]:
    found = (
        (changes.changed, "changed"),
        (changes.gone, "gone"),
        (changes.touched, "changed or copied (another time, the same size)"),
    )
    told = [f"{_count(number)} {what}" for number, what in found if number]
    return told + ([f"the MIDI of {_count(changes.midi)} changed"] if changes.midi else [])


def _count(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"


def _features_header(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the present code would write, as far as no weights must be read for it."""
    expected: dict[str, Any] = {
        "segment_seconds": SEGMENT_SECONDS,
        "code_version": FEATURES_VERSION,
    }
    preset = PRESETS.get(str(header.get("encoder")))
    if preset is not None:
        expected |= {
            "sample_rate": preset.sample_rate,
            "layers": preset.layers,
            "dim": preset.dim,
        }
        if preset.revision and header.get("revision"):  # none where a package brought the weights
            expected["revision"] = preset.revision
        if preset.kind == "spectral":
            from mess.encoders.spectral import SpectralEncoder

            expected["settings"] = SpectralEncoder().settings
    return expected


def _targets_header(_header: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "targets": list(ALL_TARGETS),
        "sample_rate": TARGET_SAMPLE_RATE,
        "segment_seconds": SEGMENT_SECONDS,
        "code_version": TARGETS_VERSION,
    }


def _outdated(
    header: Mapping[str, Any], expected: Mapping[str, Any]
) -> tuple[tuple[Reason, ...], list[str]]:
    """Return why a header is not the present one, in short and in words."""
    reasons: list[Reason] = []
    why = []
    differ = {key for key in expected if key in header and header[key] != expected[key]}
    if "code_version" in differ:
        reasons.append("code")
        why.append(_tell_code(header["code_version"], expected["code_version"]))
    settings = sorted(differ - {"code_version"})
    if settings:
        reasons.append("settings")
        why.append(
            "settings changed: " + ", ".join(_tell(key, header, expected) for key in settings)
        )
    return tuple(reasons), why


def _tell_code(then: object, now: object) -> str:
    return f"made by version {then} of the code, now {now}"


def _tell(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    short = all(isinstance(one[key], str | int | float) for one in (then, now))
    return f"{key} {then[key]} → {now[key]}" if short else key


# What is concluded from them -------------------------------------------------------------------


def _derived_status(
    step: str,
    record: dict[str, Any] | ArtifactError,
    inputs: Mapping[str, Manifest | ArtifactError | str | None],
    *,
    version: int,
    command: str,
) -> StepStatus:
    if isinstance(record, ArtifactError):
        return _unreadable(step, record, command)
    reasons: list[Reason] = []
    why = []
    made = record.get("code_version", 1)
    if made != version:
        reasons.append("code")
        why.append(_tell_code(made, version))
    for name, now in inputs.items():
        fingerprint = now.fingerprint() if isinstance(now, Manifest) else now
        if isinstance(fingerprint, ArtifactError):
            fingerprint = None
        if record.get(name) == fingerprint:
            continue
        then = (record.get("inputs") or {}).get(name)
        parts = _changed_parts(then, now)
        reasons += [part for part in (parts or ("inputs",)) if part not in reasons]
        told = (
            f"the {name} have changed since" if name != "index" else "the index has changed since"
        )
        why.append(told + (f" (other {', '.join(parts)})" if parts else ""))
    if why:
        return StepStatus(step, "stale", "; ".join(why), command, tuple(reasons))
    return StepStatus(step, "ready", _describe(step, record), command)


def _changed_parts(then: object, now: object) -> tuple[Reason, ...]:
    if not isinstance(then, dict) or not isinstance(now, Manifest):
        return ()
    present = now.parts()
    names: tuple[Reason, ...] = ("audio", "settings", "code")
    return tuple(name for name in names if then.get(name) != present[name])


def _describe(step: str, record: Mapping[str, Any]) -> str:
    if step == "probe":
        cells = f"{len(record['layer_names'])} × {len(record['target_names'])} cells"
        return f"{record['n']} tracks of {record['works']} works, {cells}"
    if step == "index":
        return f"{len(record['tracks'])} tracks"
    return f"{len(record['defaults'])} aspects"


def _unreadable(step: str, error: ArtifactError, command: str) -> StepStatus:
    if isinstance(error, ArtifactMissing):
        return StepStatus(step, "missing", "not made yet", command)
    return StepStatus(step, "damaged", str(error), command)
