"""The glossary: the words of the pages, each in one or two plain sentences.

``python -m mess.glossary`` prints docs/glossary.md. The dashboard shows the same words on every
page, and those of targets and aspects, which `mess.targets` and `mess.search` describe.
"""

from dataclasses import dataclass

_DISCOVERY = "Discovery: which layer encodes what"
_TARGETS = "Targets"
_RANKING = "Ranking: sliders that do what they say"
_HEADS = "Learned heads"
_EVALUATION = "Evaluation: do sliders do what they say?"
_FACTORS = "Factor table: what does a similarity follow?"
_LISTENING = "Listening: do people agree?"


@dataclass(frozen=True)
class Word:
    """A word and what it means.

    Attributes
    ----------
    name : str
    meaning : str
        One or two plain sentences.
    section : str
        The section of docs/method.md that says more; "" for none.
    """

    name: str
    meaning: str
    section: str = ""


WORDS: tuple[Word, ...] = tuple(
    sorted(
        (
            Word(
                "A/B",
                "Two sounds that play the same moment, equally loud. One key changes between them.",
            ),
            Word(
                "accuracy 1, accuracy 2",
                "The share of recordings whose tempo is right within 4 %; for accuracy 2 its half, "
                "third, double or triple is right, too.",
                _TARGETS,
            ),
            Word(
                "aspect",
                "A listener's word, such as brightness. One or more targets stand for it, and it "
                "has a slider.",
                _RANKING,
            ),
            Word(
                "baseline",
                "What is predicted without the encoder, such as from plain features of the sound. "
                "A layer should do better.",
                _DISCOVERY,
            ),
            Word("basket", "The recordings that you keep across pages, with tags and a note."),
            Word(
                "best-layer set",
                "The best layer of a target (◆) and every layer within one standard error of it "
                "(●). Which of them is best may be luck.",
                _DISCOVERY,
            ),
            Word(
                "beyond",
                "How much R² rises when a layer is added to a baseline. It is what the layer "
                "tells that the baseline does not.",
                _DISCOVERY,
            ),
            Word(
                "confound",
                "Something that goes along with a target, such as the instrument. A probe may read "
                "it instead of the target.",
                _DISCOVERY,
            ),
            Word(
                "copy",
                "A file that holds the same recording as another one. Copies are found by their "
                "sound, whatever their names are.",
            ),
            Word(
                "cosine",
                "How far two vectors point the same way: 1 the same way, 0 unrelated, −1 the "
                "opposite way.",
                _RANKING,
            ),
            Word(
                "course",
                "How a curve goes within some seconds, however high it lies.",
                _TARGETS,
            ),
            Word("curve", "A target over time: one value for each half second.", _TARGETS),
            Word(
                "discovery",
                "All probes of a dataset and an encoder: each layer is asked for each target.",
                _DISCOVERY,
            ),
            Word(
                "dose",
                "A known change of a recording, in steps, such as 3 dB louder. It shows whether a "
                "prediction follows when only one thing changes.",
                _DISCOVERY,
            ),
            Word(
                "encoder",
                "A model that turns audio into numbers, layer by layer, such as Whisper or MERT.",
            ),
            Word(
                "erase",
                "To take from a layer all that a linear probe can read of one target. What other "
                "targets lose with it was read along the same direction.",
                _DISCOVERY,
            ),
            Word(
                "factor",
                "One thing that two recordings share while all else differs, such as the melody or "
                "the instrument.",
                _FACTORS,
            ),
            Word(
                "faithful",
                "A slider is faithful if what it ranks high is indeed alike: the correlation of "
                "ranks and true differences, 1 at best, 0 by chance.",
                _EVALUATION,
            ),
            Word(
                "family-wise p",
                "How often the best cell of shuffled works scores as high as this cell. Up to 0.05 "
                "the cell counts as significant.",
                _DISCOVERY,
            ),
            Word(
                "fold by work",
                "The works are divided into parts. A probe learns from all parts but one, and is "
                "tested on that one, so it never saw the work that it is tested on.",
                _DISCOVERY,
            ),
            Word(
                "index",
                "The file that a search asks. It keeps where each recording stands in each target.",
            ),
            Word(
                "interval",
                "The range in which a number would mostly lie for other works like these (95 %). "
                "It is wide where works are few.",
                _DISCOVERY,
            ),
            Word(
                "ladder",
                "Recordings from the least to the most of an aspect, played in a row. It makes the "
                "aspect audible.",
            ),
            Word(
                "lane",
                "The curves below a player: what was measured, and what a layer predicts.",
                _TARGETS,
            ),
            Word(
                "layer",
                "One step of an encoder. Each layer describes the same sound in other numbers; "
                "layer 0 is the first.",
            ),
            Word(
                "leakage",
                "How far a slider moves targets that it does not name.",
                _EVALUATION,
            ),
            Word(
                "learned head",
                "A small network that others trained on top of an encoder, to tell one factor of "
                "music. It becomes a slider.",
                _HEADS,
            ),
            Word(
                "nested R²",
                "R² where each training part chooses its own layer. So the choice of the best of "
                "many layers is no advantage.",
                _DISCOVERY,
            ),
            Word("passage", "Some seconds of a recording, which a search finds on their own."),
            Word(
                "path",
                "Recordings that lead in even steps from one recording to another.",
            ),
            Word(
                "probe",
                "A simple linear model (ridge regression) that predicts one target from one layer. "
                "If it succeeds, the layer holds the target.",
                _DISCOVERY,
            ),
            Word(
                "proxy",
                "A number that stands for what we mean. The spectral centroid is a proxy for "
                "brightness, and is not brightness itself.",
                "What the numbers do not show",
            ),
            Word(
                "R²",
                "How well a probe predicts works that it never saw: 1 is perfect, 0 is no better "
                "than always saying the mean, below 0 is worse.",
                _DISCOVERY,
            ),
            Word(
                "random weights",
                "The same network before any training. What it reaches as well, training did not "
                "add.",
                _DISCOVERY,
            ),
            Word(
                "reading",
                "How a target is taken from a layer: from the mean over time, from mean and "
                "extremes, or through time.",
                _TARGETS,
            ),
            Word(
                "reliable",
                "A target is reliable if both halves of a recording give nearly the same number, "
                "and if MP3 or another level does not change it.",
                _TARGETS,
            ),
            Word(
                "segment",
                "A window of 5 s of a recording.",
            ),
            Word(
                "selectivity",
                "How much better a probe is on the true targets than on shuffled ones. A probe "
                "that fits anything is not selective.",
                _DISCOVERY,
            ),
            Word(
                "shuffled",
                "Whole works have exchanged their targets. What a probe still scores then is "
                "chance.",
                _DISCOVERY,
            ),
            Word(
                "side effect",
                "A change of the music moves a prediction although it hardly moves the target.",
                _DISCOVERY,
            ),
            Word(
                "slope",
                "How far a prediction moves when the target moves by 1: 1 follows, 0 is blind.",
                _DISCOVERY,
            ),
            Word(
                "Spearman",
                "A correlation of ranks: 1 is the same order, 0 no relation, −1 the opposite "
                "order.",
            ),
            Word(
                "stale",
                "Made from files or by a version that have changed since. A button makes it again.",
            ),
            Word(
                "target",
                "A number that is measured on a recording or read from its MIDI, such as the "
                "tempo. Probes predict it.",
                _TARGETS,
            ),
            Word(
                "track",
                "A recording.",
            ),
            Word(
                "trustworthiness",
                "How far neighbours on a map are neighbours in the layer, too: 1 at best.",
            ),
            Word(
                "untangle",
                "To ask what a reading is made of: erase a target, count bits, hold confounds "
                "apart.",
                _DISCOVERY,
            ),
            Word(
                "validated",
                "An aspect is validated if a layer tells it significantly and with an R² of 0.3 or "
                "more on works that it never saw. Only then it has a slider.",
                _RANKING,
            ),
            Word(
                "weighted R²",
                "R² of a mixture of all layers, which each training part chooses.",
                _DISCOVERY,
            ),
            Word(
                "work",
                "The composition that a recording is a recording of. Several recordings may be of "
                "one work.",
                _DISCOVERY,
            ),
            Word(
                "blind listener",
                "A person who says which of two excerpts is closer to a third one, and does not "
                "know what a model says of them.",
                _LISTENING,
            ),
        ),
        key=lambda word: word.name.casefold(),
    )
)


def as_markdown() -> str:
    """Return the page of the documentation.

    >>> "**probe**: A simple linear model" in as_markdown()
    True
    """
    lines = [
        "# Glossary",
        "",
        "The words of the pages. The button *Glossary* on every page shows them, with all aspects "
        "and",
        "targets. `python -m mess.glossary` prints this page.",
        "",
    ]
    for word in WORDS:
        more = f" ([method](method.md#{anchor(word.section)}))" if word.section else ""
        lines += [f"**{word.name}**: {word.meaning}{more}", ""]
    return "\n".join(lines)


def anchor(heading: str) -> str:
    """Return the anchor of a heading in the documentation.

    >>> anchor("Discovery: which layer encodes what")
    'discovery-which-layer-encodes-what'
    """
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -_")
    return "-".join(kept.split())


if __name__ == "__main__":
    print(as_markdown(), end="")
