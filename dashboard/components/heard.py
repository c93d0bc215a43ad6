"""What listeners said about a slider, beside it; nothing where nobody listened."""

from mess.as_text import interval, two_decimals
from mess.listening.agreement import Agreement, ListeningResult
from mess.records.evaluation import Method
from mess.records.listening import Judge
from mess.search.terms import Terms

_WORDS: dict[Judge, str] = {
    "through_time": "probes read through time",
    "mean": "probes of means",
    "measured": "what was measured",
    "layer": "the whole layer",
}
_MOSTLY = 0.5  # of a prediction that is read through time


def judged_like(terms: Terms, aspect: str, method: Method, result: ListeningResult) -> Judge:
    """Return the method that listeners were asked about and that is nearest to a slider's.

    What the layers predict of a recording mixes readings; the larger part decides.
    """
    if method == "direct":
        return "measured"
    if method == "layer":
        return "layer"
    shares = []
    if terms.indexed is not None and aspect in terms.aspects:
        for target in terms.aspects[aspect].steered:
            for column in terms.indexed.find(target, "probe"):
                shares.append(terms.indexed.columns[column].through_time or 0.0)
    if shares and sum(shares) / len(shares) >= _MOSTLY and result.of_aspect(aspect, "through_time"):
        return "through_time"
    return "mean"


def agreement_about(
    terms: Terms, aspect: str, method: Method, result: ListeningResult | None
) -> Agreement | None:
    """Return the agreement of listeners with the method of a slider; None without answers."""
    if result is None:
        return None
    return result.of_aspect(aspect, judged_like(terms, aspect, method, result))


def describe_agreement(one: Agreement, result: ListeningResult) -> str:
    """Say how far listeners agreed, in one or two sentences."""
    between = result.between_about(one.aspect)
    certain = f" {interval(one.low, one.high)}" if one.low is not None else ""
    text = (
        f"Blind listeners agreed with {_WORDS[one.method]} in {two_decimals(one.share)}{certain} "
        f"of {one.answers} answers (0.5 by chance), about excerpts of 5 s on which methods disagree"
    )
    if between is not None and between.share is not None:
        text += f"; with each other in {two_decimals(between.share)}"
    return f"{text}."
