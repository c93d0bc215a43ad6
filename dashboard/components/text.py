"""Names from files and metadata as text that Streamlit does not read as Markdown."""

import re

from mess.status.inventory import readable

__all__ = ["plain", "readable"]
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~$:&-])")


def plain(text: str) -> str:
    """Return ``text`` with every sign that Markdown would read escaped.

    >>> plain("a_b *c* [d](e)")
    'a\\\\_b \\\\*c\\\\* \\\\[d\\\\]\\\\(e\\\\)'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(readable(text).split()))
