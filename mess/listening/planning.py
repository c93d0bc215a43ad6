"""The plan of a listening test: triplets on which the methods disagree, and checks of attention."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.addresses import as_path
from mess.audio.clip import RATE
from mess.audio.loudness import Heard, common_level, measure_loudness
from mess.errors import AudioError, MessError, UnknownName
from mess.listening.balance import choose_triplets, rank_margins
from mess.listening.excerpts import read_excerpt
from mess.listening.methods import Methods, Pool, draw_pool, margins_between
from mess.records.listening import Excerpt, Item, Judge, ListeningPlan
from mess.search.aspects import ASPECTS, plugin_aspects
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.passages.recommender import PassageRecommender
from mess.status.staleness import digest_of
from mess.storage.store import Store
from mess.targets import targets_version
from mess.versions import LISTENING_VERSION

ITEMS = 21  # of each aspect, unless another number is asked for
QUIETEST = -45.0  # LUFS: what is softer would be lifted with its noise
CHECKS = 3  # of each aspect
_TRIPLETS = 30_000
_FEWEST_WORKS = 6


@dataclass(frozen=True)
class NotAsked:
    """An aspect that listeners cannot be asked about, and why."""

    aspect: str
    reason: str


def make_plan(
    store: Store,
    dataset: str,
    encoder: str,
    *,
    aspects: Sequence[str] = (),
    items: int = ITEMS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[ListeningPlan, list[NotAsked]]:
    """Choose what listeners are asked.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    aspects : sequence of str
        By default all that are validated, on recordings or on segments.
    items : int
        Of each aspect; rounded up to whole rounds of all patterns (`mess.listening.balance`).
    seed : int
    progress : callable
        Gets the name of each aspect before it is worked on.

    Returns
    -------
    ListeningPlan
    list of NotAsked

    Raises
    ------
    MessError
        If no aspect can be asked about.
    ArtifactError
        If passages, probes or targets are missing, damaged or stale.
    """
    passages = PassageRecommender(dataset, encoder, store=store)
    recommender = LayerBasedRecommender(dataset, encoder, store=store, evaluated=False)
    for name in aspects:
        if name not in recommender.aspects:
            raise UnknownName("aspect", name, recommender.aspects)
    rng = np.random.default_rng(seed)
    pool = draw_pool(store, dataset, encoder, rng=rng)
    if len(set(pool.works)) < _FEWEST_WORKS:
        raise MessError(
            f"{dataset}: has {len(set(pool.works))} works with features; a listening test needs "
            f"{_FEWEST_WORKS}: add recordings of other works"
        )
    audio = _Audio(store, dataset, encoder, pool)
    methods = Methods(store, passages, pool)
    found: list[Item] = []
    checks: list[Item] = []
    words: dict[str, dict[Judge, str]] = {}
    left_out: list[NotAsked] = []
    for name in aspects or [*ASPECTS, *plugin_aspects()]:
        if name not in recommender.aspects:
            continue  # a target of a plug-in that is not validated
        aspect = recommender.aspects[name]
        validated = set(aspect.steered)
        if name in passages.aspects:
            validated |= set(passages.aspects[name].steered)
        if not validated:
            left_out.append(NotAsked(name, aspect.doubt or "not validated"))
            continue
        targets = [one for one in aspect.targets if one in validated and methods.can_judge(one)]
        if not targets:
            left_out.append(NotAsked(name, "its targets mean nothing on 5 s"))
            continue
        progress(name)
        judged = methods.of_targets(targets)
        if len(judged) < 2:
            left_out.append(NotAsked(name, "fewer than two methods judge it on 5 s"))
            continue
        own, own_checks = _items_of(
            name,
            margins_between(judged, members := _draw_triplets(pool, rng)),
            members,
            audio,
            judges=list(judged),
            count=items,
            rng=rng,
        )
        if not own:
            left_out.append(NotAsked(name, audio.problem or "some methods never disagree about it"))
            continue
        found += own
        checks += own_checks
        words[name] = {judge: one.words for judge, one in judged.items()}
    if not found:
        reasons = "; ".join(f"{one.aspect}: {one.reason}" for one in left_out)
        raise MessError(f"{dataset} by {encoder}: nothing can be asked ({reasons})")
    plan = ListeningPlan(
        id="",
        made=time.time(),
        dataset=dataset,
        encoder=encoder,
        code_version=LISTENING_VERSION,
        versions=_versions(store, dataset, encoder),
        seed=seed,
        methods=words,
        items=found,
        checks=checks,
    )
    return replace(plan, id=_digest(plan.to_json() | {"id": "", "made": 0})), left_out


class _Audio:
    """The excerpts of a pool as they sound; each is measured once."""

    def __init__(self, store: Store, dataset: str, encoder: str, pool: Pool) -> None:
        self._pool = pool
        self.works = pool.works
        self._folder = store.audio_dir(dataset)
        self._entries = store.features.manifest(dataset, encoder).done()
        self._measured: dict[int, Excerpt | None] = {}
        self.problem = ""

    def excerpt(self, row: int) -> Excerpt | None:
        """Return an excerpt with its loudness; None where it cannot be heard."""
        if row not in self._measured:
            self._measured[row] = self._measure(row)
        return self._measured[row]

    def _measure(self, row: int) -> Excerpt | None:
        pool, track = self._pool, str(self._pool.tracks[row])
        entry = self._entries[track]
        start, seconds = float(pool.start[row]), float(pool.seconds[row])
        try:
            path = as_path(f"{self._folder}/{entry.path}")
            samples = read_excerpt(path, start=start, seconds=seconds)
        except AudioError as error:
            self.problem = str(error)
            return None
        heard = measure_loudness(samples, RATE)
        if heard.lufs < QUIETEST or len(samples) < 0.9 * seconds * RATE:
            return None
        return Excerpt(
            track=track,
            work=str(pool.works[row]),
            sha256=entry.sha256,
            start=round(start, 3),
            seconds=round(seconds, 3),
            lufs=round(heard.lufs, 2),
            dbtp=round(heard.dbtp, 2),
        )


def _draw_triplets(pool: Pool, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return random triplets of three works [t, 3]."""
    drawn = rng.integers(0, len(pool.rows), size=(_TRIPLETS, 3))
    works = np.unique(pool.works, return_inverse=True)[1][drawn]
    apart = np.ptp(np.sort(works, axis=1)[:, :2], axis=1) > 0
    apart &= np.ptp(np.sort(works, axis=1)[:, 1:], axis=1) > 0
    return np.asarray(drawn[apart])


def _items_of(
    aspect: str,
    margins: NDArray[np.float64],
    members: NDArray[np.int64],
    audio: _Audio,
    *,
    judges: Sequence[Judge],
    count: int,
    rng: np.random.Generator,
) -> tuple[list[Item], list[Item]]:
    """Return the items of an aspect and its checks.

    What cannot be heard is left out before the choice is repeated, so that rounds stay whole.
    """
    known = np.isfinite(margins).all(axis=1)
    ranked, members = rank_margins(margins[known]), members[known]
    works = audio.works
    while True:
        rows = choose_triplets(ranked, members, works, count=count, rng=rng)
        heard = [[audio.excerpt(int(place)) for place in members[row]] for row in rows]
        silent = {
            int(place)
            for row, excerpts in zip(rows, heard, strict=True)
            for place, one in zip(members[row], excerpts, strict=True)
            if one is None
        }
        if not silent:
            break
        kept = ~np.isin(members, list(silent)).any(axis=1)
        ranked, members = ranked[kept], members[kept]
    items = []
    for row, (x, a, b) in zip(rows, heard, strict=True):
        if x is None or a is None or b is None:
            continue
        said = dict(zip(judges, [round(float(one), 4) for one in ranked[row]], strict=True))
        items.append(_item(aspect, x, a, b, margins=said))
    checks = []
    for number in rng.permutation(len(items))[:CHECKS]:
        one = items[int(number)]
        other = one.b if sum(one.margins.values()) > 0 else one.a  # the less similar one
        checks.append(replace(_item(aspect, one.x, one.x, other, margins={}), right="A"))
    return items, checks


def _item(aspect: str, x: Excerpt, a: Excerpt, b: Excerpt, *, margins: dict[Judge, float]) -> Item:
    places = [(one.track, one.sha256, one.start, one.seconds) for one in (x, a, b)]
    return Item(
        id=_digest([aspect, places]),
        aspect=aspect,
        x=x,
        a=a,
        b=b,
        level=round(common_level([Heard(one.lufs, one.dbtp) for one in (x, a, b)]), 2),
        margins=margins,
    )


def _versions(store: Store, dataset: str, encoder: str) -> dict[str, str]:
    header = store.features.header(dataset, encoder)
    discovery = store.discoveries.read(dataset, encoder)
    passages = store.passages.read_record(dataset, encoder)
    return {
        "features": str(header.code_version),
        "weights": header.weights_sha256,
        "targets": str(targets_version()),
        "discovery": f"{discovery.code_version} {digest_of(discovery)}",
        "passages": f"{passages.code_version} {passages.fingerprint}",
        "listening": str(LISTENING_VERSION),
    }


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Balance:
    """How evenly the methods stand in the items of an aspect.

    Attributes
    ----------
    items : int
    alone : dict of str to int
        How often each method is the only one that says so.
    disagreements : list of int
        How often pairs of methods disagree: one number where it is the same for every pair.
    margin : dict of str to float
        The mean magnitude of its margins.
    """

    items: int
    alone: dict[Judge, int]
    disagreements: list[int]
    margin: dict[Judge, float]


def balance_of(items: Sequence[Item]) -> Balance:
    """Count how evenly the methods stand in some items, which share their methods."""
    judges = list(items[0].margins)
    margins = np.array([[one.margins[judge] for judge in judges] for one in items])
    signs = np.sign(margins)
    alone = (signs == -np.sign(signs.sum(axis=1, keepdims=True))) & (
        np.abs(signs.sum(axis=1, keepdims=True)) == len(judges) - 2
    )
    pairs = [
        int((signs[:, one] != signs[:, other]).sum())
        for one in range(len(judges))
        for other in range(one)
    ]
    return Balance(
        items=len(items),
        alone=dict(zip(judges, alone.sum(axis=0).tolist(), strict=True)),
        disagreements=sorted(set(pairs)),
        margin={
            judge: float(own)
            for judge, own in zip(judges, np.abs(margins).mean(axis=0), strict=True)
        },
    )
