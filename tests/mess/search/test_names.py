"""What is typed finds the tracks that hold every word of it, whatever its case and accents."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mess.search.names import Names, normalise_text, slips

TEXTS = [
    "Frédéric Chopin: Prélude Op. 28 No. 4 Chopin_Op028-04",
    "Antonín Dvořák: Slavonic Dance Op.46/8",
    "Johann Sebastian Bach: Präludium C-dur BWV846_p1",
    "C. P. E. Bach: Solfeggietto",
]
IDS = ["chopin", "dvorak", "bach", "cpe"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("chopin", ["chopin"]),
        ("CHOPIN 28", ["chopin"]),
        ("4 op 28 frederic", ["chopin"]),
        ("dvořak", ["dvorak"]),
        ("op.46", ["dvorak"]),
        ("prael", ["bach", "chopin"]),  # one slip from "pral…" and from "prel…"
        ("chpoin", ["chopin"]),
        ("Dvorka", ["dvorak"]),
        ("bahc prelud", []),
        ("johan sebastain", ["bach"]),
        ("slavnoic dnace", ["dvorak"]),
        ("xhopin", []),  # the first letter counts as right
        ("bch", []),  # three letters may be anything
        ("bach", ["bach", "cpe"]),
        ("bach c", ["bach", "cpe"]),
        ("ludium", ["bach"]),
        ("846", ["bach"]),
        ("bach chopin", []),
        ("", IDS),
        (" -- ", IDS),
        ("\n", IDS),
    ],
)
def test_typed_words_find_tracks(typed: str, found: list[str]) -> None:
    assert Names(IDS, TEXTS).find(typed) == found


def test_names_that_begin_with_a_word_come_first() -> None:
    names = Names(["inside", "begins"], ["Nocturne in E", "An urne"])
    assert names.find("urne") == ["begins", "inside"]
    assert names.find("urne", limit=1) == ["begins"]


names_of_tracks = st.lists(st.text(max_size=30), max_size=20)


@given(texts=names_of_tracks, typed=st.text(max_size=12), limit=st.integers(1, 25))
def test_the_index_finds_what_looking_at_every_name_finds(
    texts: list[str], typed: str, limit: int
) -> None:
    ids = [str(number) for number in range(len(texts))]
    words = normalise_text(typed).split()
    holding = [
        one
        for one, text in zip(ids, texts, strict=True)
        if all(word in normalise_text(text) for word in words)
    ]
    found = Names(ids, texts).find(typed, limit=limit)
    everything = " ".join(normalise_text(text) for text in texts)
    if all(word in everything or len(word) < 4 for word in words):  # nothing is mistyped
        assert len(found) == min(limit, len(holding))
        assert set(found) <= set(holding)
    assert len(set(found)) == len(found)


@given(st.text(alphabet=string.ascii_letters + "äöüéèñçřőÅØß", min_size=1, max_size=12))
def test_folding_forgets_case_and_accents(word: str) -> None:
    normalised = normalise_text(word)
    assert normalise_text(word.upper()) == normalise_text(word.upper().lower())
    assert normalise_text(unicodedata.normalize("NFD", word)) == normalised
    assert normalise_text(normalised) == normalised
    assert Names(["it"], [f"A {word} B"]).find(word) == ["it"]


words = st.text(alphabet=string.ascii_lowercase, min_size=5, max_size=9)


@given(word=words, data=st.data())
def test_a_word_with_one_slip_is_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 2))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    slip = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    assert slips(slip, word, most=2) <= 1
    assert Names(["other", "it"], ["0 1", f"A {word} B"]).find(slip) == ["it"]


def test_what_was_typed_rightly_is_not_taken_for_another_word() -> None:
    names = Names(["a", "b"], ["Brahms: Walzer", "Brahmsiana"])
    assert names.find("brahms walzer") == ["a"]
    assert names.find("brahms") == ["a", "b"]
