"""What is typed finds the tracks that hold every word of it, whatever its case and accents."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mess.search.names import Names, normalise_text

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
        ("prael", []),
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
