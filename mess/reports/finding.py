"""The finding: in one sentence, what a model hears in these recordings and what it does not.

A model hears an aspect if the aspect is validated (`mess.search.aspects`).
"""

from collections.abc import Mapping, Sequence

from mess.as_text import two_decimals
from mess.probing.differences import Verdict
from mess.probing.statistics import FEWEST_WORKS
from mess.records.comparison import ComparisonRecord, EncoderPair
from mess.reports.encoder_comparison import difference
from mess.search.aspects import HEARD, Aspect
from mess.targets import title_of

_NAMED = 3  # aspects that a sentence names of each kind


def rank_heard(aspects: Mapping[str, Aspect]) -> tuple[list[Aspect], list[Aspect]]:
    """Return the aspects that are heard and those that are not, the surest of each first.

    Of the ten aspects only: heads and targets of other packages are left out.
    """
    ten = [aspect for name, aspect in aspects.items() if name in HEARD]
    heard = sorted((one for one in ten if one.validated), key=lambda one: -(one.r2 or 0.0))
    unheard = sorted(
        (one for one in ten if not one.validated),
        key=lambda one: -1.0 if one.r2 is None else one.r2,
    )
    return heard, unheard


def finding(encoder: str, aspects: Mapping[str, Aspect], *, works: int) -> str:
    """Return the sentence.

    Parameters
    ----------
    encoder : str
    aspects : mapping of str to Aspect
        Those of a recommender.
    works : int
        How many works were probed. Of too few, nothing can be told.

    Examples
    --------
    >>> from mess import LayerBasedRecommender
    >>> aspects = LayerBasedRecommender("demo", "spectral").aspects
    >>> finding("spectral", aspects, works=91)
    'spectral hears how ...'
    """
    heard, unheard = rank_heard(aspects)
    if not heard and works < FEWEST_WORKS:
        count = f"{works} work is" if works == 1 else f"{works} works are"
        return f"{count} too few to tell what {encoder} hears: at least {FEWEST_WORKS} are needed."
    if not heard:
        return f"{encoder} hears none of the ten aspects in these recordings."
    more = f" and {len(heard) - _NAMED} more of the ten aspects" if len(heard) > _NAMED else ""
    text = f"{encoder} hears {_listed(heard[:_NAMED], more=more)}"
    if unheard:
        text += f"; it does not hear {_listed(unheard[:_NAMED], more='')}"
    return text + "."


def beside_others(record: ComparisonRecord, encoder: str) -> list[str]:
    """Return a sentence about an encoder beside each other one: what it hears better, and worse.

    Only differences that hold after Holm's correction are named (`mess compare`).

    Parameters
    ----------
    record : ComparisonRecord
    encoder : str

    Returns
    -------
    list of str
        The trained encoders first, in the order of the record. Controls of other encoders are
        left out. Empty if the encoder was not compared, or alone.

    Examples
    --------
    >>> from mess.reports.encoder_comparison import compare_encoders
    >>> from mess.storage.store import Store
    >>> record = compare_encoders("demo", encoders=["spectral"], store=Store())
    >>> beside_others(record, "spectral")
    []
    """
    if encoder not in {row.name for row in record.encoders}:
        return []
    others = sorted(
        (row for row in record.encoders if row.name != encoder),
        key=lambda row: row.control_of is not None,
    )
    return [
        _beside(record, difference(record, encoder, row.name), control=row.control_of is not None)
        for row in others
        if row.control_of in (None, encoder)
    ]


def _beside(record: ComparisonRecord, pair: EncoderPair, *, control: bool) -> str:
    other = "its own network with random weights" if control else pair.b
    told = {
        "better": _told_apart(record, pair, "beats"),
        "worse": _told_apart(record, pair, "loses"),
    }
    rest = len(pair.targets) - sum(map(len, told.values()))
    said = [f"{_in_words(names)} {words}" for words, names in told.items() if names]
    if not said:
        return f"{pair.a} and {other} cannot be told apart on any of {rest} targets."
    unknown = f"; {rest} other targets cannot be told apart" if rest else ""
    return f"{pair.a} hears {', and '.join(said)} than {other}{unknown}."


def _told_apart(record: ComparisonRecord, pair: EncoderPair, verdict: Verdict) -> list[str]:
    """Return the targets with a verdict, the largest difference first, each with both R²."""
    r2 = {row.name: row.r2 for row in record.encoders}
    names = [name for name, one in pair.targets.items() if one.verdict == verdict]
    return [
        f"{title_of(name)} (R² {two_decimals(r2[pair.a][name].r2)} against "
        f"{two_decimals(r2[pair.b][name].r2)})"
        for name in sorted(names, key=lambda name: -abs(pair.targets[name].difference))
    ]


def _in_words(found: Sequence[str]) -> str:
    """Return the first of some phrases as one, and how many more there are."""
    first = list(found[:_NAMED])
    if len(found) > _NAMED:
        return f"{', '.join(first)} and {len(found) - _NAMED} more"
    return " and ".join(one for one in (", ".join(first[:-1]), first[-1]) if one)


def _listed(aspects: Sequence[Aspect], *, more: str) -> str:
    words = []
    for number, aspect in enumerate(aspects):
        known = "undefined" if aspect.r2 is None else two_decimals(aspect.r2)
        unit = "" if number or aspect.r2 is None else "R² "
        words.append(f"{HEARD[aspect.name]} ({unit}{known})")
    if more or len(words) < 2:
        return ", ".join(words) + more
    return f"{', '.join(words[:-1])} and {words[-1]}"
