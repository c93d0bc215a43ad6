"""The button Glossary in the header above every page: the words of the pages, found by typing."""

import streamlit as st

from dashboard.components.browser_code import component
from mess.as_text import as_words
from mess.glossary import WORDS
from mess.search.aspects import ASPECTS, HEARD
from mess.targets import ALL_TARGETS, title_of, title_with_unit

_STYLE = """<style>
.st-key-glossary { position: fixed; top: 0.8rem; right: 3.6rem; width: auto; z-index: 1000000; }
</style>"""


def glossary() -> None:
    """Draw the button; it opens the words over the page, which stays as it is."""
    st.html(_STYLE)
    draw = component(
        "glossary", scripts=("elements", "mount_once", "glossary"), styles=("glossary",)
    )
    with st.container(key="glossary"):
        draw(key="glossary-button", data={"parts": entries()})


def entries() -> list[dict[str, object]]:
    """Return the parts of the glossary, each with its title and rows of (word, meaning, more)."""
    words = [
        (word.name, word.meaning, f"More in docs/method.md: {word.section}" if word.section else "")
        for word in WORDS
    ]
    aspects = [
        (as_words(name), f"{HEARD[name].capitalize()}.", f"Measured as {_listed(targets)}.")
        for name, targets in ASPECTS.items()
    ]
    targets = [
        (title_with_unit(name), target.description, f"In commands: {name}")
        for name, target in ALL_TARGETS.items()
    ]
    return [
        {"title": "Words", "rows": words},
        {"title": "Aspects: what sliders are named by", "rows": aspects},
        {"title": "Targets: what is measured", "rows": targets},
    ]


def _listed(targets: tuple[str, ...]) -> str:
    return " and ".join(map(title_of, targets))
