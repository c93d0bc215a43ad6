"""The state of each step of a dataset and an encoder, and the command that mends it.

A step is ready, missing, partial, stale or damaged. `survey` returns the states, `next_step` the
first step that is not ready.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from mess.audio.decoding import SEGMENT_SECONDS
from mess.curves.registry import CURVES, CURVES_VERSION
from mess.datasets import Dataset
from mess.encoders import PRESETS
from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.base import Json
from mess.records.discovery import DiscoveryRecord
from mess.records.evaluation import EvaluationRecord
from mess.records.features import FeaturesHeader
from mess.records.index import IndexRecord
from mess.records.manifest import ManifestHeader
from mess.records.targets import TargetsHeader
from mess.status.inventory import Changes, find_changes, find_recordings
from mess.status.staleness import (
    Conclusion,
    Reason,
    Sources,
    attempt,
    judge,
    judge_reliability,
    tell_code,
)
from mess.storage.manifest import AnyManifest, FeaturesManifest, TargetsManifest
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import ALL_TARGETS, TARGET_SAMPLE_RATE, targets_version
from mess.versions import FEATURES_VERSION

STEPS = ("extract", "targets", "probe", "index", "evaluate")
Concluded = TypeVar("Concluded", DiscoveryRecord, IndexRecord, EvaluationRecord)
M = TypeVar("M", bound=AnyManifest)
State = Literal["ready", "missing", "partial", "stale", "damaged"]


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
        Why it is stale: the audio (or its MIDI), a setting, the code, works or composers, or what
        else it was made from has changed.
    """

    step: str
    state: State
    detail: str
    command: str
    reasons: tuple[Reason, ...] = ()


def survey(
    store: Store,
    dataset: str,
    encoder: str,
    *,
    recordings: Dataset | None = None,
    whole: Container[str] = (),
) -> list[StepStatus]:
    """Return the status of the five steps, in the order in which they run.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    recordings : Dataset, optional
        The dataset; listed here if it is not given. Its files are compared by size and time, not
        by content.
    whole : container of str
        The steps whose files are all read. Only this finds damaged files. Of the other steps, only
        the records are read.
    """
    recordings = recordings or find_recordings(store, dataset)
    sources = Sources(store, dataset, encoder)
    evaluation = attempt(lambda: store.evaluations.read(dataset, encoder))
    return [
        _batch_status(
            "extract",
            sources.features,
            recordings,
            _features_header,
            command_for("extract", dataset, encoder),
            absent=lambda found: store.features.missing(
                dataset, encoder, found, whole="extract" in whole
            ),
        ),
        _batch_status(
            "targets",
            sources.targets,
            recordings,
            _targets_header,
            command_for("targets", dataset),
            absent=lambda found: (
                store.targets.missing(dataset, found, whole="targets" in whole)
                + store.curves.missing(dataset, found, whole="targets" in whole)
            ),
        ),
        _derived_status(
            "probe",
            "discovery",
            sources.discovery,
            sources,
            absent=lambda found: store.discoveries.missing(
                dataset, encoder, found, whole="probe" in whole
            ),
        ),
        _derived_status(
            "index",
            "index",
            sources.index,
            sources,
            absent=lambda found: _missing_of_index(sources, found, whole="index" in whole),
        ),
        _derived_status("evaluate", "evaluation", evaluation, sources),
    ]


def _missing_of_index(sources: Sources, record: IndexRecord, *, whole: bool) -> list[str]:
    """Return the names of what an index lacks; the index of passages is a part of it."""
    store, dataset, encoder = sources.store, sources.dataset, sources.encoder
    lacking = store.indices.missing(dataset, encoder, record, whole=whole)
    if not record.passages:
        return lacking
    try:
        passages = store.passages.read_record(dataset, encoder)
    except ArtifactMissing:
        return [*lacking, "the passages"]
    except ArtifactError:
        return [*lacking, "passages.json"]
    if judge("passages", passages.origin, sources):
        lacking.append("the present passages")
    return lacking + store.passages.missing(dataset, encoder, passages, whole=whole)


def survey_targets(store: Store, dataset: str) -> StepStatus:
    """Return the status of the test of the targets. No other step needs this test."""
    command = command_for("check-targets", dataset)
    record = attempt(lambda: store.reliability.read(dataset))
    if isinstance(record, ArtifactError):
        return _unreadable("check-targets", record, command)
    verdict = judge_reliability(record, attempt(lambda: store.targets.manifest(dataset)))
    if verdict:
        return StepStatus("check-targets", "stale", str(verdict), command, verdict.reasons)
    trusted = sum(row.trusted for row in record.targets.values())
    detail = f"{trusted} of {len(record.targets)} targets trusted, {record.tracks} tracks"
    return StepStatus("check-targets", "ready", detail, command)


def next_step(statuses: list[StepStatus]) -> StepStatus | None:
    """Return the first step that is not ready, or None."""
    return next((status for status in statuses if status.state != "ready"), None)


# Features and targets, track by track ----------------------------------------------------------


def _batch_status(
    step: str,
    manifest: M | ArtifactError,
    recordings: Dataset | None,
    expected: Callable[[M], ManifestHeader],
    command: str,
    *,
    absent: Callable[[M], list[str]],
) -> StepStatus:
    """Return the status of a step that works track by track.

    ``expected`` returns the header that the present code would write, ``absent`` the names of what
    is missing or damaged.
    """
    if isinstance(manifest, ArtifactError):
        return _unreadable(step, manifest, command)
    done = len(manifest.done())
    failed = len(manifest.tracks) - done
    if not done:
        return StepStatus(step, "missing", "no track succeeded", command)
    outdated, why = _outdated(manifest.header, expected(manifest))
    changes = find_changes(recordings, manifest) if recordings else Changes()
    told = _tell_changes(changes)
    if told or why:
        reasons: tuple[Reason, ...] = ("audio", *outdated) if told else outdated
        return StepStatus(step, "stale", "; ".join(told + why), command, reasons)
    lacking = absent(manifest)
    if lacking:
        return StepStatus(step, "damaged", _tell_lacking(lacking), command)
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


def _features_header(manifest: FeaturesManifest) -> FeaturesHeader:
    """Return the header that the present code would write. The weights are not read for it."""
    header = replace(
        manifest.header, segment_seconds=SEGMENT_SECONDS, code_version=FEATURES_VERSION
    )
    preset = PRESETS.get(header.encoder)
    if preset is None:
        return header
    # Weights of a package have no revision.
    revision = (header.revision and preset.revision) or header.revision
    header = replace(
        header,
        sample_rate=preset.sample_rate,
        layers=preset.layers,
        dim=preset.dim,
        revision=revision,
    )
    if preset.kind == "spectral":
        from mess.encoders.spectral import SpectralEncoder

        header = replace(header, settings=SpectralEncoder().settings)
    return header


def _targets_header(manifest: TargetsManifest) -> TargetsHeader:
    return TargetsHeader(
        dataset=manifest.header.dataset,
        targets=list(ALL_TARGETS),
        sample_rate=TARGET_SAMPLE_RATE,
        segment_seconds=SEGMENT_SECONDS,
        code_version=targets_version(),
        curves=list(CURVES),
        curves_version=CURVES_VERSION,
    )


def _outdated(
    header: ManifestHeader, expected: ManifestHeader
) -> tuple[tuple[Reason, ...], list[str]]:
    """Return why a header is not the present one, as reasons and in words."""
    reasons: list[Reason] = []
    why = []
    if header.code_version != expected.code_version:
        reasons.append("code")
        why.append(tell_code(header.code_version, expected.code_version))
    then, now = header.to_json(), expected.to_json()
    settings = sorted(key for key in now.keys() - {"code_version"} if then[key] != now[key])
    if settings:
        reasons.append("settings")
        why.append("settings changed: " + ", ".join(_tell(key, then, now) for key in settings))
    return tuple(reasons), why


def _tell(key: str, then: Json, now: Json) -> str:
    short = all(isinstance(header[key], str | int | float) for header in (then, now))
    return f"{key} {then[key]} → {now[key]}" if short else key


# What is concluded from them -------------------------------------------------------------------


def _derived_status(
    step: str,
    kind: Conclusion,
    record: Concluded | ArtifactError,
    sources: Sources,
    *,
    absent: Callable[[Concluded], list[str]] = lambda _: [],
) -> StepStatus:
    command = command_for(step, sources.dataset, sources.encoder)
    if isinstance(record, ArtifactError):
        return _unreadable(step, record, command)
    verdict = judge(kind, record.origin, sources)
    if verdict:
        return StepStatus(step, "stale", str(verdict), command, verdict.reasons)
    lacking = absent(record)
    if lacking:
        return StepStatus(step, "damaged", _tell_lacking(lacking), command)
    return StepStatus(step, "ready", _describe(record), command)


def _tell_lacking(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more} missing or damaged"


def _describe(record: DiscoveryRecord | IndexRecord | EvaluationRecord) -> str:
    if isinstance(record, DiscoveryRecord):
        cells = f"{len(record.layer_names)} × {len(record.target_names)} cells"
        return f"{record.n} tracks of {record.works} works, {cells}"
    if isinstance(record, IndexRecord):
        placed = f", {len(record.placed)} placed by older probes" if record.placed else ""
        return f"{len(record.tracks)} tracks{placed}"
    return f"{len(record.defaults)} aspects"


def _unreadable(step: str, error: ArtifactError, command: str) -> StepStatus:
    if isinstance(error, ArtifactMissing):
        return StepStatus(step, "missing", "not made yet", command)
    if isinstance(error, ArtifactStale):
        return StepStatus(step, "stale", str(error), command, ("code",))
    return StepStatus(step, "damaged", str(error), command)
