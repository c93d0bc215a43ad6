"""The questions that the API answers: each a function of the data root and its parameters."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from mess.datasets import available_datasets
from mess.errors import MessError, UnknownName, without_places
from mess.search.aspects import OVERALL, parse_weights
from mess.search.paths import path_between
from mess.search.terms import Usual
from mess.serving import shelf
from mess.serving.answers import (
    AspectAnswer,
    AspectsAnswer,
    DatasetAnswer,
    DatasetsAnswer,
    DiscoveryAnswer,
    EncoderAnswer,
    Number,
    PassagesAnswer,
    PathAnswer,
    RecommendationsAnswer,
    Similar,
    SimilarPassage,
    StepAnswer,
    TargetAnswer,
    TargetRow,
    TargetsAnswer,
    TrackAnswer,
    TracksAnswer,
    WeightsAnswer,
)
from mess.serving.asking import may_answer, may_search, spots, wanted, which
from mess.serving.clips import cut
from mess.serving.parameters import (
    Nothing,
    OfClip,
    OfDiscovery,
    OfIndex,
    OfPassages,
    OfPath,
    OfRecommendations,
    OfTargets,
    OfTracks,
    OfWeights,
    Parameters,
)
from mess.serving.tracks import TrackInfo, recording_of
from mess.status.staleness import Sources, judge
from mess.storage.store import Store
from mess.targets import ALL_TARGETS, unit_of

PREFIX = "/api/v1"
_CLIP_SECONDS = 30.0


@dataclass(frozen=True)
class Endpoint:
    """A question: its path, its parameters, and what answers it.

    Attributes
    ----------
    path : str
        Below `PREFIX`.
    asked : type
        Its parameters.
    answer : type or None
        What it answers; None for a sound.
    ask : callable
        From a `Store` and the parameters to the answer. Its docstring says in one line what it is.
    quick : bool
        Whether it takes some milliseconds once its parts are in memory. Where it takes more, it
        says so by `may_answer`.
    """

    path: str
    asked: type[Parameters]
    answer: type | None
    ask: Callable[[Store, Any], object]
    quick: bool = False


def datasets(store: Store, _asked: Nothing) -> DatasetsAnswer:
    """List the datasets that have features, and what was made of them."""
    indexed = set(store.indices.available())
    found = []
    for dataset in available_datasets(store.audio_dir("")):
        known = []
        for encoder in shelf.encoders(store, dataset):
            count, problem = _count(store, dataset, encoder)
            known.append(
                EncoderAnswer(
                    name=encoder,
                    tracks=count,
                    has_discovery=store.discoveries.modified(dataset, encoder, "track") > 0,
                    has_index=(dataset, encoder) in indexed,
                    has_passages=store.passages.modified(dataset, encoder) > 0,
                    problem=problem,
                )
            )
        if known:
            found.append(DatasetAnswer(name=dataset, encoders=known))
    return DatasetsAnswer(datasets=found)


def _count(store: Store, dataset: str, encoder: str) -> tuple[int, str]:
    """Return how many tracks have features, and why it is not known: the others are listed."""
    try:
        return len(shelf.tracks(store, dataset, encoder)), ""
    except MessError as error:
        return 0, without_places(str(error), store.root)


def tracks(store: Store, asked: OfTracks) -> TracksAnswer:
    """List tracks by name."""
    dataset, encoder = which(store, asked)
    known = shelf.tracks(store, dataset, encoder)
    may_answer(len(known) * (1 + len(asked.text.split())), results=asked.limit)
    last = asked.offset + asked.limit
    found = shelf.names(store, dataset, encoder).find(asked.text, limit=last + 1)
    return TracksAnswer(
        dataset=dataset,
        encoder=encoder,
        tracks=[
            TrackAnswer(**_about(known[track], dataset, encoder))
            for track in found[asked.offset : last]
        ],
        more=len(found) > last,
    )


def aspects(store: Store, asked: OfIndex) -> AspectsAnswer:
    """List what tracks can be ranked by."""
    recommender = shelf.recommender(store, *which(store, asked))
    return AspectsAnswer(
        dataset=recommender.dataset,
        encoder=recommender.encoder,
        aspects=[
            AspectAnswer(
                name=name,
                validated=one.validated,
                r2=_number(one.r2),
                doubt=one.doubt,
                targets=list(one.targets),
                ranks_along=list(one.steered),
            )
            for name, one in recommender.aspects.items()
        ],
        warning=recommender.warning,
    )


def discovery(store: Store, asked: OfDiscovery) -> DiscoveryAnswer:
    """Tell which layer encodes which target: every cell, and how it was made."""
    dataset, encoder = which(store, asked)
    record = shelf.discovery(store, dataset, encoder, level=asked.level)
    verdict = judge("discovery", record.origin, Sources(store, dataset, encoder))
    return DiscoveryAnswer(stale=str(verdict), record=record)


def targets(store: Store, asked: OfTargets) -> TargetsAnswer:
    """List the targets as they were measured, of tracks or of segments."""
    dataset = shelf.known_dataset(store, asked.dataset or store.indices.newest()[0])
    table = shelf.targets(store, dataset, level=asked.level)
    if asked.track:
        known = table.index.get_level_values("track")
        for track in asked.track:
            if track not in known:
                raise UnknownName("track", track, known.unique())
        table = table[known.isin(asked.track)]
    last = asked.offset + asked.limit
    rows = table.iloc[asked.offset : last]
    names = [str(name) for name in table.columns]
    return TargetsAnswer(
        dataset=dataset,
        level=asked.level,
        targets=[
            TargetAnswer(
                name=name,
                unit=unit_of(name),
                description=ALL_TARGETS[name].description if name in ALL_TARGETS else "",
            )
            for name in names
        ],
        rows=[
            TargetRow(
                track=str(track),
                segment=int(segment),
                values={name: _number(one) for name, one in zip(names, values, strict=True)},
            )
            for (track, segment), values in zip(rows.index, rows.to_numpy().tolist(), strict=True)
        ],
        more=len(table) > last,
    )


def recommend(store: Store, asked: OfRecommendations) -> RecommendationsAnswer:
    """Find the tracks that are most similar to one or several, in weighted aspects."""
    recommender = shelf.recommender(store, *which(store, asked))
    queries = [*asked.track, *asked.unlike]
    (weights, left_out), hold, offset = wanted(
        store,
        asked,
        usual=lambda: recommender.usual_weights(queries, method=asked.method, by=asked.by),
    )
    may_search(len(recommender.track_ids), asked, {*weights, *hold, *offset})
    found = recommender.multi_aspect_recommendation(
        asked.track,
        weights,
        asked.n,
        method=asked.method,
        by=asked.by,
        unlike=asked.unlike,
        hold=hold,
        offset=offset,
        exclude_same_work=asked.exclude_same_work,
        exclude_same_composer=asked.exclude_same_composer,
        exclude_duplicates=asked.exclude_duplicates,
        one_per_work=asked.one_per_work,
        max_per_composer=asked.max_per_composer,
    )
    dataset, encoder = recommender.dataset, recommender.encoder
    known = shelf.tracks(store, dataset, encoder)
    return RecommendationsAnswer(
        dataset=dataset,
        encoder=encoder,
        weights=weights,
        left_out=left_out,
        results=[
            Similar(
                **_about(known[one.track_id], dataset, encoder),
                score=one.score,
                contributions=one.contributions,
                values=one.values,
                methods=one.methods,
            )
            for one in found
        ],
        warning=recommender.warning,
    )


def weights(store: Store, asked: OfWeights) -> WeightsAnswer:
    """Find the weights of the aspects that some tracks share."""
    recommender = shelf.recommender(store, *which(store, asked))
    return WeightsAnswer(
        dataset=recommender.dataset,
        encoder=recommender.encoder,
        weights=recommender.fit_weights(asked.track),
    )


def path(store: Store, asked: OfPath) -> PathAnswer:
    """Find tracks that lead evenly from one track to another, at most one of each work."""
    recommender = shelf.recommender(store, *which(store, asked))
    usual = (
        Usual(parse_weights(asked.weights, heads=store.heads.names()), {})
        if asked.weights
        else recommender.usual_weights(
            [asked.start, asked.end], method=asked.method, by=asked.by
        ).required()
    )
    found = path_between(
        recommender,
        asked.start,
        asked.end,
        usual.weights,
        steps=asked.steps,
        method=asked.method,
        by=asked.by,
    )
    dataset, encoder = recommender.dataset, recommender.encoder
    known = shelf.tracks(store, dataset, encoder)
    return PathAnswer(
        dataset=dataset,
        encoder=encoder,
        weights=found.weights,
        left_out=usual.left_out,
        methods=found.methods,
        evenness=found.evenness,
        steps=[
            StepAnswer(
                **_about(known[one.track_id], dataset, encoder),
                position=one.position,
                aside=one.aside,
                values=one.values,
            )
            for one in found.steps
        ],
        warning=recommender.warning,
    )


def passages(store: Store, asked: OfPassages) -> PassagesAnswer:
    """Find the passages of other tracks that are most similar to a moment of one."""
    recommender = shelf.passages(store, *which(store, asked))
    (weights, _), hold, offset = wanted(store, asked, usual=lambda: Usual({OVERALL: 1.0}, {}))
    may_search(len(recommender), asked, {*weights, *hold, *offset})
    found = recommender.recommend(
        spots("at", asked.track, asked.at),
        weights,
        asked.n,
        unlike=spots("unlike_at", asked.unlike, asked.unlike_at),
        hold=hold,
        offset=offset,
        exclude_same_work=asked.exclude_same_work,
        max_per_track=asked.max_per_track,
        max_per_composer=asked.max_per_composer,
    )
    dataset, encoder = recommender.dataset, recommender.encoder
    known = shelf.tracks(store, dataset, encoder)
    return PassagesAnswer(
        dataset=dataset,
        encoder=encoder,
        weights=weights,
        results=[
            SimilarPassage(
                **_about(
                    known[one.track_id],
                    dataset,
                    encoder,
                    start=one.start,
                    seconds=one.end - one.start,
                ),
                start=one.start,
                end=one.end,
                best=one.best,
                score=one.score,
                contributions=one.contributions,
                values=one.values,
            )
            for one in found
        ],
    )


def clip(store: Store, asked: OfClip) -> bytes:
    """Hear a part of a recording, as FLAC."""
    dataset, encoder = which(store, asked)
    known = shelf.tracks(store, dataset, encoder)
    if asked.track not in known:
        raise UnknownName("track", asked.track, known)
    recording, version = recording_of(store, dataset, known[asked.track])
    return cut(
        recording, version=version, start=asked.start, seconds=asked.seconds, level=asked.level
    )


ENDPOINTS = (
    Endpoint("/datasets", Nothing, DatasetsAnswer, datasets),
    Endpoint("/tracks", OfTracks, TracksAnswer, tracks, quick=True),
    Endpoint("/targets", OfTargets, TargetsAnswer, targets),
    Endpoint("/discovery", OfDiscovery, DiscoveryAnswer, discovery),
    Endpoint("/aspects", OfIndex, AspectsAnswer, aspects, quick=True),
    Endpoint("/recommend", OfRecommendations, RecommendationsAnswer, recommend, quick=True),
    Endpoint("/weights", OfWeights, WeightsAnswer, weights),
    Endpoint("/path", OfPath, PathAnswer, path),
    Endpoint("/passages", OfPassages, PassagesAnswer, passages, quick=True),
    Endpoint("/clip", OfClip, None, clip),
)


def _about(
    track: TrackInfo,
    dataset: str,
    encoder: str,
    *,
    start: float = 0.0,
    seconds: float = _CLIP_SECONDS,
) -> dict[str, Any]:
    """Return the fields of a `TrackAnswer`."""
    of = {"track": track.id, "start": f"{start:g}", "seconds": f"{min(seconds, track.duration):g}"}
    return {
        "track": track.id,
        "label": track.label,
        "composer": track.composer,
        "title": track.title,
        "work": track.work,
        "duration": track.duration,
        "clip": f"{_clips_of(dataset, encoder)}&{urlencode(of, errors='surrogatepass')}",
    }


@lru_cache(maxsize=64)
def _clips_of(dataset: str, encoder: str) -> str:
    """Return how the address of each clip of a dataset begins."""
    of = {"dataset": dataset, "encoder": encoder}
    return f"{PREFIX}/clip?{urlencode(of, errors='surrogatepass')}"


def _number(value: float | None) -> Number:
    """Return a number, None where it is undefined."""
    return None if value is None or not math.isfinite(value) else float(value)
