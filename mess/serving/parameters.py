"""The parameters of each route: their types, limits and meaning, stated once.

`read_parameters` checks a request by these classes, and `mess.serving.description` describes them
as an OpenAPI document. A field that is a list may be given several times.
"""

import typing
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Protocol, TypeVar, cast

import msgspec
from msgspec import Meta
from msgspec.inspect import (
    Field,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    Metadata,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    type_info,
)

from mess.errors import MessError, UnknownName
from mess.records.discovery import Level
from mess.records.evaluation import Method
from mess.search.paths import MOST_STEPS, STEPS
from mess.search.terms import By

P = TypeVar("P", bound="Parameters")
MOST_EXAMPLES = 20
MOST_RESULTS = 1000
MOST_ROWS = 10_000
MOST_OFFSET = 1_000_000_000
_SHOWN = 80  # letters of what was typed that a message repeats
_LATEST = 1e6  # seconds

Id = Annotated[str, Meta(max_length=1000)]
Count = Annotated[int, Meta(ge=1, le=MOST_RESULTS, description="How many results.")]
Least = Annotated[int, Meta(ge=1, le=MOST_RESULTS)]
Seconds = Annotated[float, Meta(ge=0, lt=_LATEST)]
Offset = Annotated[
    int,
    Meta(ge=0, le=MOST_OFFSET, description="How many rows are left out before the first."),
]
Limit = Annotated[int, Meta(ge=1, le=MOST_ROWS, description="The largest number of rows.")]
Query = Annotated[
    list[Id],
    Meta(
        min_length=1,
        max_length=MOST_EXAMPLES,
        description="The id of the query; several are averaged.",
    ),
]
Unlike = Annotated[
    list[Id],
    Meta(max_length=MOST_EXAMPLES, description="Tracks that the results should differ from."),
]
Weights = Annotated[
    str,
    Meta(
        max_length=2000,
        description='The weight of each aspect: "brightness:0.6,texture:-0.4". Below 0: unlike. '
        "Without any, all validated aspects that can rank the query so have the weight 1.",
    ),
]
Hold = Annotated[
    str,
    Meta(max_length=2000, description='Aspects that stay as they are: "dynamics,brightness".'),
]
Moved = Annotated[
    str,
    Meta(
        max_length=2000,
        description='The query, moved: "tempo:-1" is one standard deviation slower.',
    ),
]
ByMethod = Annotated[
    Method | None, Meta(description="The method of all aspects. [default: of each its own]")
]
ByWhat = Annotated[
    By, Meta(description="What the model predicts, what was measured, or the better of both.")
]
WithoutWork = Annotated[bool, Meta(description="Leave out the query's work.")]


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What any route is asked."""


class Nothing(Parameters, frozen=True, kw_only=True):
    """No parameter."""


class OfDataset(Parameters, frozen=True, kw_only=True):
    """Which dataset is meant."""

    dataset: Annotated[
        str, Meta(max_length=255, description="[default: that of the index that was built last]")
    ] = ""


class OfIndex(OfDataset, frozen=True, kw_only=True):
    """Which index is meant."""

    encoder: Annotated[str, Meta(max_length=1000, description="[default: likewise]")] = ""


class OfTracks(OfIndex, frozen=True, kw_only=True):
    """Which tracks are listed."""

    text: Annotated[
        str,
        Meta(max_length=1000, description="Words of composer, work, title or id. [default: all]"),
    ] = ""
    offset: Offset = 0
    limit: Limit = 100


class OfDiscovery(OfIndex, frozen=True, kw_only=True):
    """Which discovery is meant."""

    level: Annotated[Level, Meta(description="Probes of tracks or of 5 s segments.")] = "track"


class OfTargets(OfDataset, frozen=True, kw_only=True):
    """Which targets are listed."""

    level: Annotated[Level, Meta(description="Targets of tracks or of 5 s segments.")] = "track"
    track: Annotated[
        list[Id], Meta(max_length=MOST_RESULTS, description="Of these tracks. [default: all]")
    ] = []
    offset: Offset = 0
    limit: Limit = 1000


class OfWeights(OfIndex, frozen=True, kw_only=True):
    """Which tracks are liked."""

    track: Annotated[
        list[Id], Meta(min_length=2, max_length=MOST_EXAMPLES, description="Two tracks or more.")
    ]


class OfRecommendations(OfIndex, frozen=True, kw_only=True):
    """A search for tracks; see `LayerBasedRecommender.multi_aspect_recommendation`."""

    track: Query
    weights: Weights = ""
    n: Count = 5
    method: ByMethod = None
    by: ByWhat = "better"
    unlike: Unlike = []
    hold: Hold = ""
    offset: Moved = ""
    exclude_same_work: WithoutWork = False
    exclude_same_composer: Annotated[bool, Meta(description="Leave out the query's composer.")] = (
        False
    )
    exclude_duplicates: Annotated[bool, Meta(description="Leave out the same recording again.")] = (
        False
    )
    one_per_work: Annotated[
        bool, Meta(description="Keep only the best of several recordings of a work.")
    ] = False
    max_per_composer: Annotated[
        Least | None, Meta(description="The largest number of results of one composer.")
    ] = None


class OfPath(OfIndex, frozen=True, kw_only=True):
    """A path; see `mess.search.paths.path_between`."""

    start: Annotated[Id, Meta(description="The id of the track where it begins.")]
    end: Annotated[Id, Meta(description="The id of the track where it ends.")]
    weights: Annotated[
        str,
        Meta(
            max_length=2000,
            description='The weight of each aspect, above 0: "brightness:0.6,texture:0.4". '
            "Without any, all validated aspects that can rank the query so have the weight 1.",
        ),
    ] = ""
    steps: Annotated[
        int, Meta(ge=1, le=MOST_STEPS, description="How many tracks lie between the ends.")
    ] = STEPS
    method: ByMethod = None
    by: ByWhat = "better"


class OfPassages(OfIndex, frozen=True, kw_only=True):
    """A search for passages; see `PassageRecommender.recommend`."""

    track: Query
    at: Annotated[
        list[Seconds],
        Meta(
            min_length=1,
            max_length=MOST_EXAMPLES,
            description="The moment in each query's track, in seconds: as many as tracks.",
        ),
    ]
    weights: Annotated[
        str,
        Meta(max_length=2000, description='As for recommendations. [default: "overall:1"]'),
    ] = ""
    n: Count = 5
    unlike: Unlike = []
    unlike_at: Annotated[
        list[Seconds],
        Meta(max_length=MOST_EXAMPLES, description="The moment in each of these, in seconds."),
    ] = []
    hold: Hold = ""
    offset: Moved = ""
    exclude_same_work: WithoutWork = False
    max_per_track: Annotated[
        Least | None, Meta(description="The largest number of passages of one track.")
    ] = None
    max_per_composer: Annotated[
        Least | None, Meta(description="The largest number of passages of one composer.")
    ] = None


class OfClip(OfIndex, frozen=True, kw_only=True):
    """Which part of a recording is heard."""

    track: Id
    start: Annotated[Seconds, Meta(description="In seconds.")] = 0.0
    seconds: Annotated[float, Meta(gt=0, lt=_LATEST, description="At most 60 are cut.")] = 30.0
    level: Annotated[
        Annotated[float, Meta(ge=-60, le=0)] | None,
        Meta(description="The loudness in LUFS, such as -23. [default: that of the recording]"),
    ] = None


class Given(Protocol):
    """The query of a request."""

    def multi_items(self) -> list[tuple[str, str]]:
        """Return names and values in their order."""
        ...


def read_parameters(kind: type[P], given: Given) -> P:
    """Return the parameters of a request, every one checked.

    Parameters
    ----------
    kind : type
    given : Given
        The query of the request. An empty value counts as none, as a form sends it.

    Raises
    ------
    UnknownName
        If a name is none of a parameter.
    MessError
        If a value is missing, of another type, or out of its limits.
    """
    found: dict[str, Any] = {}
    lists = _lists(kind)
    for name, value in given.multi_items():
        if name not in kind.__struct_fields__:
            raise _unknown(name, kind)
        if not value:
            continue
        if name in lists:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise MessError(f"{name}: give it once")
        else:
            found[name] = value
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise MessError(_in_words(str(error), kind, found)) from None


def _unknown(name: str, kind: type[Parameters]) -> MessError:
    if kind.__struct_fields__:
        return UnknownName("parameter", name, kind.__struct_fields__)
    return MessError(f"unknown parameter {name[:_SHOWN]!r}: this question takes none")


@cache
def _lists(kind: type[Parameters]) -> frozenset[str]:
    """Return the names of the parameters that may be given several times."""
    return frozenset(one.name for one in msgspec.structs.fields(kind) if _is_list(one.type))


def _is_list(kind: Any) -> bool:
    kind = typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind
    return typing.get_origin(kind) is list


def _in_words(problem: str, kind: type[Parameters], given: Mapping[str, Any]) -> str:
    """Return a message of msgspec in plain words, with the name of the parameter first.

    >>> _in_words("Expected `int` >= 1 - at `$.n`", OfRecommendations, {"n": "0"})
    "n: give a whole number from 1 to 1000, not '0'"
    >>> _in_words("Object missing required field `track`", OfRecommendations, {})
    'track: give one'
    >>> _in_words("Expected `float` >= 0.0 - at `$.at[0]`", OfPassages, {"at": ["-1"]})
    "at: give a number from 0 below 1,000,000, not '-1'"
    >>> _in_words("Invalid enum value 'ear' - at `$.by`", OfRecommendations, {"by": "ear"})
    "by: give one of better, measurement, model, not 'ear'"
    """
    reason, _, place = problem.partition(" - at `$.")
    if not place:
        name = reason.rpartition(" field `")[2].rstrip("`")
        return f"{name}: give one"
    name, _, number = place.rstrip("`").partition("[")
    (wanted,) = (_plain(one.type) for one in _fields(kind) if one.encode_name == name)
    value = given.get(name, "")
    if isinstance(wanted, ListType) and not number:
        return f"{name}: give {_between(wanted.min_length, wanted.max_length)}, not {len(value)}"
    if isinstance(wanted, ListType):
        wanted, value = wanted.item_type, value[int(number.partition("]")[0])]
    shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    return f"{name}: give {_described(wanted)}, not {shown!r}"


def _fields(kind: type[Parameters]) -> tuple[Field, ...]:
    return cast(StructType, type_info(kind)).fields


def _plain(kind: Type) -> Type:
    return _plain(kind.type) if isinstance(kind, Metadata) else kind


def _described(kind: Type) -> str:
    """Return in words what a parameter takes."""
    wanted = _plain(kind)
    if isinstance(wanted, UnionType):
        return " or ".join(_described(one) for one in wanted.types if not isinstance(one, NoneType))
    if isinstance(wanted, LiteralType):
        return f"one of {', '.join(sorted(map(str, wanted.values)))}"
    if isinstance(wanted, IntType | FloatType):
        number = "a whole number" if isinstance(wanted, IntType) else "a number"
        above = f" above {wanted.gt:g}" if wanted.gt is not None else ""
        below = f" below {wanted.lt:,.0f}" if wanted.lt is not None else ""
        least = f" from {wanted.ge:g}" if wanted.ge is not None else ""
        most = f" to {wanted.le:.10g}" if wanted.le is not None else ""
        return f"{number}{least}{above}{most}{below}"
    if isinstance(wanted, StrType):
        return f"at most {wanted.max_length} letters" if wanted.max_length else "a text"
    return "true or false"


def _between(least: int | None, most: int | None) -> str:
    """Return how many values are taken.

    >>> _between(2, 20), _between(1, 20)
    ('2 to 20', 'at most 20')
    """
    return f"{least} to {most}" if least and least > 1 else f"at most {most}"
