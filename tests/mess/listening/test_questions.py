"""Listeners are asked in words that they know."""

from mess.listening.words import QUESTIONS, question_about
from mess.search.aspects import ASPECTS
from mess.targets import ALL_TARGETS


def test_every_aspect_has_words_for_people_without_a_training_in_music() -> None:
    assert set(QUESTIONS) == set(ASPECTS)
    for one in QUESTIONS.values():
        assert "_" not in one.word and one.meaning.endswith(".")
        assert not any(name in one.meaning for name in ("spectral", "rolloff", "centroid", "Hz"))


def test_what_is_an_aspect_of_its_own_is_asked_in_the_words_of_its_target() -> None:
    asked = question_about("velocity_mean")
    assert asked.word == "velocity mean"
    assert asked.meaning == ALL_TARGETS["velocity_mean"].description
    assert question_about("of no package").meaning == ""
