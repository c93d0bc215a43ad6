"""Whether a conclusion is stale: one rule for all kinds, for search, pages and commands.

A conclusion carries the version of the code and a digest of each thing that it was drawn
from. It is stale if the version or one of the digests has changed.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Literal, TypeVar

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.base import Origin, Parts
from mess.records.comparison import ComparisonRecord
from mess.records.cross import CrossRecord
from mess.records.discovery import DiscoveryRecord, Level
from mess.records.index import IndexRecord
from mess.records.reliability import ReliabilityRecord
from mess.storage.manifest import (
    AnyManifest,
    FeaturesManifest,
    Manifest,
    TargetsManifest,
    digest,
)
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import targets_version
from mess.versions import (
    COMPARISON_VERSION,
    CROSS_VERSION,
    DISCOVERY_VERSION,
    DOSES_VERSION,
    EVALUATION_VERSION,
    FACTORS_VERSION,
    INDEX_VERSION,
    MAPS_VERSION,
    PASSAGES_VERSION,
    UNTANGLED_VERSION,
)

Reason = Literal["audio", "settings", "code", "labels", "inputs"]
Conclusion = Literal[
    "discovery", "index", "passages", "evaluation", "factors", "map", "doses", "untangled"
]
Source = Literal["features", "targets", "index", "discovery", "heads"]
Read = TypeVar("Read")

# What each is drawn from.
_INPUTS: dict[Conclusion, tuple[Source, ...]] = {
    "discovery": ("features", "targets"),
    "index": ("features", "targets", "heads"),
    "passages": ("features", "targets"),
    "evaluation": ("index", "discovery"),
    "factors": ("index", "heads"),
    "map": ("features",),
    "doses": ("features", "targets", "discovery"),
    "untangled": ("features", "targets"),
}
_STEPS: dict[Conclusion, str] = {
    "discovery": "probe",
    "index": "index",
    "passages": "index",
    "evaluation": "evaluate",
    "factors": "factors",
    "map": "map",
    "doses": "dose",
    "untangled": "untangle",
}
_PARTS: tuple[Reason, ...] = ("audio", "settings", "code", "labels")


@dataclass(frozen=True)
class Verdict:
    """Why something is stale: the reasons, and each in words. Both are empty if it is not stale."""

    reasons: tuple[Reason, ...] = ()
    why: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether it is stale."""
        return bool(self.why)

    def __str__(self) -> str:
        """Return all that has changed."""
        return "; ".join(self.why)


class Sources:
    """The sources of the conclusions about a dataset by an encoder. Each source is read once.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    """

    def __init__(self, store: Store, dataset: str, encoder: str) -> None:
        self.store, self.dataset, self.encoder = store, dataset, encoder
        self._digests: dict[Source, str | None] = {}

    @cached_property
    def features(self) -> FeaturesManifest | ArtifactError:
        """The manifest of the features."""
        return attempt(lambda: self.store.features.manifest(self.dataset, self.encoder))

    @cached_property
    def targets(self) -> TargetsManifest | ArtifactError:
        """The manifest of the targets."""
        return attempt(lambda: self.store.targets.manifest(self.dataset))

    @cached_property
    def index(self) -> IndexRecord | ArtifactError:
        """The record of the index."""
        return attempt(lambda: self.store.indices.read_record(self.dataset, self.encoder))

    @cached_property
    def discovery(self) -> DiscoveryRecord | ArtifactError:
        """The record of the discovery on whole tracks."""
        return attempt(lambda: self.store.discoveries.read(self.dataset, self.encoder))

    def digest(self, name: Source) -> str | None:
        """Return the present digest of a source, None if there is no such source.

        Raises
        ------
        ArtifactError
            If it is damaged.
        """
        if name not in self._digests:
            self._digests[name] = self._digest(name)
        return self._digests[name]

    def read(self, name: Source) -> AnyManifest | IndexRecord | DiscoveryRecord | ArtifactError:
        """Return a source, or the error that reading it raised."""
        if name == "features":
            return self.features
        if name == "targets":
            return self.targets
        return self.index if name == "index" else self.discovery

    def _digest(self, name: Source) -> str | None:
        if name == "heads":
            return self.store.heads.digest(self.encoder)
        source = self.read(name)
        if isinstance(source, ArtifactMissing):
            return None
        if isinstance(source, ArtifactError):
            raise source
        if isinstance(source, Manifest):
            return source.digest()
        if isinstance(source, IndexRecord):
            return source.fingerprint
        return digest_of(source)


def digest_of(discovery: DiscoveryRecord) -> str:
    """Return the digest by which conclusions name a discovery."""
    return digest(discovery.to_json())


def attempt(read: Callable[[], Read]) -> Read | ArtifactError:
    """Return what ``read`` returns, or the `ArtifactError` that it raises."""
    try:
        return read()
    except ArtifactError as error:
        return error


def judge(
    kind: Conclusion,
    origin: Origin,
    sources: Sources,
    *,
    also: Mapping[Source, str] = MappingProxyType({}),
    beside: Container[Source] = (),
) -> Verdict:
    """Tell whether a conclusion is stale, and why.

    Parameters
    ----------
    kind : str
    origin : Origin
        What it was drawn from.
    sources : Sources
    also : mapping of str to str
        Older digests of sources that are good enough; see `fitted_digests`.
    beside : container of str
        Sources that may have changed.
    """
    reasons: list[Reason] = []
    why: list[str] = []
    # Looked up at every call: tests make code newer than it is.
    version = {
        "discovery": DISCOVERY_VERSION,
        "index": INDEX_VERSION,
        "passages": PASSAGES_VERSION,
        "evaluation": EVALUATION_VERSION,
        "factors": FACTORS_VERSION,
        "map": MAPS_VERSION,
        "doses": DOSES_VERSION,
        "untangled": UNTANGLED_VERSION,
    }[kind]
    if origin.code_version != version:
        reasons.append("code")
        why.append(tell_code(origin.code_version, version))
    for name in _INPUTS[kind]:
        if name in beside:
            continue
        told = _told(name)
        try:
            now = sources.digest(name)
        except ArtifactError:
            reasons.append("inputs")
            why.append(f"the {name} cannot be read")
            continue
        then = origin.digests.get(name)
        if then == now or (then is not None and then == also.get(name)):
            continue
        if now is None and name != "heads":
            reasons.append("inputs")
            why.append(f"the {name} {'is' if name in _SINGULAR else 'are'} missing")
            continue
        parts = (
            () if name == "heads" else _changed_parts(origin.inputs.get(name), sources.read(name))
        )
        reasons += [part for part in (parts or ("inputs",)) if part not in reasons]
        why.append(told + (f" (other {', '.join(parts)})" if parts else ""))
    return Verdict(tuple(dict.fromkeys(reasons)), tuple(why))


def fitted_digests(index: IndexRecord) -> dict[Source, str]:
    """Return the digests of what the coordinates of an index were fitted on.

    Recordings that were placed since then are ranked by the probes of that time. So search goes by
    the discovery and the evaluation of that time.
    """
    of = index.fitted
    return {"features": of.features, "targets": of.targets, "index": of.index} if of else {}


def require(
    kind: Conclusion,
    origin: Origin,
    sources: Sources,
    *,
    level: Level = "track",
    also: Mapping[Source, str] = MappingProxyType({}),
    beside: Container[Source] = (),
) -> None:
    """Refuse a conclusion that is stale; see `judge`.

    Raises
    ------
    ArtifactStale
        The message says what has changed and what makes it anew.
    """
    verdict = judge(kind, origin, sources, also=also, beside=beside)
    if verdict:
        what = f"the {kind} of {sources.dataset!r} by {sources.encoder!r}"
        command = command_for(_STEPS[kind], sources.dataset, sources.encoder, level=level)
        verb = "are" if kind in ("passages", "doses") else "is"
        raise ArtifactStale(what, f"{verb} stale ({verdict})", command)


def judge_comparison(store: Store, dataset: str, record: ComparisonRecord) -> Verdict:
    """Tell whether an encoder was probed after the encoders were compared."""
    if record.code_version != COMPARISON_VERSION:
        return Verdict(("code",), (tell_code(record.code_version, COMPARISON_VERSION),))
    then = {row.name: row.discovery for row in record.encoders}
    now = {}
    for encoder in store.features.encoders(dataset):
        found = Sources(store, dataset, encoder).discovery
        if not isinstance(found, ArtifactError):
            now[found.encoder] = digest_of(found)
    joined = {} if record.chosen else now  # who was left out on purpose has not joined
    changed = [name for name in now if name in then | joined and then.get(name) != now[name]]
    gone = [name for name in then if name not in now]
    why = [f"probed since: {', '.join(changed)}"] if changed else []
    why += [f"no longer probed: {', '.join(gone)}"] if gone else []
    return Verdict(("inputs",) if why else (), tuple(why))


def judge_reliability(
    record: ReliabilityRecord, targets: TargetsManifest | ArtifactError
) -> Verdict:
    """Tell whether the targets, or the recordings that they were tested on, have changed."""
    reasons: list[Reason] = []
    why = []
    if record.code_version != targets_version():
        reasons.append("code")
        why.append(tell_code(record.code_version, targets_version()))
    if isinstance(targets, Manifest):
        audio = record.audio
        done = targets.done()
        other = [
            track for track in audio if track not in done or done[track].sha256 != audio[track]
        ]
        if other:
            reasons.append("audio")
            why.append(f"{len(other)} of its recordings changed or are gone")
    return Verdict(tuple(reasons), tuple(why))


def judge_cross(store: Store, encoder: str, record: CrossRecord) -> Verdict:
    """Tell whether the features or targets of a dataset of the cross table have changed."""
    if record.code_version != CROSS_VERSION:
        return Verdict(("code",), (tell_code(record.code_version, CROSS_VERSION),))
    why = []
    for dataset, then in record.inputs.items():
        sources = Sources(store, dataset, encoder)
        digests: tuple[tuple[Source, str], ...] = (
            ("features", then.features),
            ("targets", then.targets),
        )
        for name, before in digests:
            if attempt(partial(sources.digest, name)) != before:
                why.append(f"the {name} of {dataset} have changed since")
    return Verdict(("inputs",) if why else (), tuple(why))


def tell_code(then: int | str, now: int | str) -> str:
    """Say that the code is another one."""
    return f"made by version {then} of the code, now {now}"


_SINGULAR = ("index", "discovery")


def _told(name: str) -> str:
    if name == "heads":
        return "learned heads were added, changed or removed since"
    return f"the {name} {'has' if name in _SINGULAR else 'have'} changed since"


def _changed_parts(
    then: Parts | None, now: AnyManifest | IndexRecord | DiscoveryRecord | ArtifactError
) -> tuple[Reason, ...]:
    if then is None or not isinstance(now, Manifest):
        return ()
    present = now.parts()
    return tuple(name for name in _PARTS if getattr(then, name) != getattr(present, name))
