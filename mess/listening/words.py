"""The plain words in which listeners are asked about an aspect."""

from dataclasses import dataclass

from mess.as_text import as_words
from mess.targets import ALL_TARGETS


@dataclass(frozen=True)
class Question:
    """What a listener is asked.

    Attributes
    ----------
    word : str
        What A and B are compared in.
    meaning : str
        One or two sentences for people without a training in music.
    """

    word: str
    meaning: str


QUESTIONS = {
    "brightness": Question(
        "brightness", "A bright sound is clear and sharp. A dark sound is dull and soft."
    ),
    "texture": Question(
        "texture", "How smooth or how crisp the sound is: round and even, or hissing and grainy."
    ),
    "warmth": Question(
        "warmth", "A warm sound is full and round. A cold sound is thin and hard-edged."
    ),
    "tempo": Question("tempo", "How fast the music goes: how quickly you would tap your foot."),
    "rhythmic_energy": Question(
        "rhythmic energy", "How busy it is: few notes with calm between them, or many quick notes."
    ),
    "dynamics": Question(
        "dynamics",
        "How much loud and soft differ within the excerpt. "
        "How loud it is on the whole does not count.",
    ),
    "crescendo": Question(
        "swelling and fading",
        "Whether the music gets louder or softer in its course, and how strongly.",
    ),
    "harmonic_richness": Question(
        "harmonic richness", "How many different notes sound: one plain chord, or many notes."
    ),
    "articulation": Question(
        "articulation", "How notes begin: hard and sudden, as if struck, or soft and gradual."
    ),
    "phrasing": Question("phrasing", "How regularly the music falls into phrases."),
}


def question_about(aspect: str) -> Question:
    """Return how listeners are asked about an aspect; a target of a plug-in has its own sentence.

    >>> question_about("brightness").word
    'brightness'
    """
    if aspect in QUESTIONS:
        return QUESTIONS[aspect]
    target = ALL_TARGETS.get(aspect)
    return Question(as_words(aspect), target.description if target else "")
