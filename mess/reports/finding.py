"""The finding: in one sentence, what a model hears in these recordings and what it does not.

A model hears an aspect if the aspect is validated (`mess.search.aspects`).
"""

from collections.abc import Mapping, Sequence

from mess.as_text import two_decimals
from mess.search.aspects import HEARD, Aspect

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


def finding(encoder: str, aspects: Mapping[str, Aspect]) -> str:
    """Return the sentence.

    Parameters
    ----------
    encoder : str
    aspects : mapping of str to Aspect
        Those of a recommender.

    Examples
    --------
    >>> from mess import LayerBasedRecommender
    >>> aspects = LayerBasedRecommender("demo", "spectral").aspects
    >>> finding("spectral", aspects)
    'spectral hears how ...'
    """
    heard, unheard = rank_heard(aspects)
    if not heard:
        return f"{encoder} hears none of the ten aspects in these recordings."
    more = f" and {len(heard) - _NAMED} more of the ten aspects" if len(heard) > _NAMED else ""
    text = f"{encoder} hears {_listed(heard[:_NAMED], more=more)}"
    if unheard:
        text += f"; it does not hear {_listed(unheard[:_NAMED], more='')}"
    return text + "."


def _listed(aspects: Sequence[Aspect], *, more: str) -> str:
    words = []
    for number, aspect in enumerate(aspects):
        known = "undefined" if aspect.r2 is None else two_decimals(aspect.r2)
        unit = "" if number or aspect.r2 is None else "R² "
        words.append(f"{HEARD[aspect.name]} ({unit}{known})")
    if more or len(words) < 2:
        return ", ".join(words) + more
    return f"{', '.join(words[:-1])} and {words[-1]}"
