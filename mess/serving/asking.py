"""What a question means: which index, which weights, how much is to be compared."""

from collections.abc import Callable, Collection

from mess.errors import MessError
from mess.search.aspects import parse_weights
from mess.search.terms import Usual
from mess.serving import shelf
from mess.serving.parameters import OfIndex, OfPassages, OfRecommendations
from mess.storage.held import may_wait
from mess.storage.store import Store

_QUICK = 1 << 18  # comparisons that take some ten milliseconds
_FITTED = 1000  # comparisons that take as long as a scale of similarities is fitted
_SHOWN = 100  # comparisons that take as long as one result is described


def which(store: Store, asked: OfIndex) -> tuple[str, str]:
    """Return the dataset and the encoder that are meant; see `IndexFiles.newest`."""
    return shelf.which(store, dataset=asked.dataset, encoder=asked.encoder)


def wanted(
    store: Store, asked: OfRecommendations | OfPassages, *, usual: Callable[[], Usual]
) -> tuple[Usual, list[str], dict[str, float]]:
    """Return weights, aspects to hold, and moves; the usual weights if nothing is given."""
    hold = [name.strip() for name in asked.hold.split(",") if name.strip()]
    heads = store.heads.names()
    offset = parse_weights(asked.offset, heads=heads) if asked.offset else {}
    if asked.weights:
        return Usual(parse_weights(asked.weights, heads=heads), {}), hold, offset
    return Usual({}, {}) if hold or offset else usual().required(), hold, offset


def may_search(size: int, asked: OfRecommendations | OfPassages, aspects: Collection[str]) -> None:
    """Return where a search may be made at once; see `may_answer`.

    Parameters
    ----------
    size : int
        The number of tracks or segments.
    asked : OfRecommendations or OfPassages
    aspects : collection of str
        Those that count.
    """
    scales = (len(asked.track) + len(asked.unlike)) * len(aspects)
    may_answer(scales * (_FITTED + size), results=asked.n)


def may_answer(comparisons: int, *, results: int) -> None:
    """Return where so much may be computed at once; in the loop of a server, much is `NotHeld`."""
    if comparisons + _SHOWN * results > _QUICK:
        may_wait()


def spots(name: str, tracks: list[str], moments: list[float]) -> list[tuple[str, float]]:
    """Return tracks with their moments, which the parameter ``name`` gives."""
    if len(tracks) != len(moments):
        raise MessError(f"{name}: give as many moments as tracks, {len(tracks)}")
    return list(zip(tracks, moments, strict=True))
