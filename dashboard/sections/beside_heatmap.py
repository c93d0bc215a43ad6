"""What tells about the chosen cell of a heatmap: beside it, and below it on a phone."""

from typing import Any

import streamlit as st

# The chosen cell stays beside the heatmap while this is scrolled; without room for both, it
# lies below. On a phone it has lists to choose by: each line there is one cell of its row.
_STYLE = """<style>
[class*="st-key-detail-"] h2 { scroll-margin: 0.75rem 0 1rem; }
@media (min-width: 641px) { [class*="st-key-narrow-"] { display: none; } }
@media (min-width: 1101px) {
  [data-testid=stColumn]:has([class*="st-key-detail-"]) {
    position: sticky; top: calc(4rem + var(--mess-jobs, 0px)); align-self: flex-start;
    max-height: calc(100vh - 4.5rem - var(--mess-jobs, 0px)); overflow-y: auto;
  }
}
@media (max-width: 1100px) {
  :has(> [data-testid=stColumn] > * > * > [class*="st-key-detail-"]) { flex-wrap: wrap; }
  :has(> [data-testid=stColumn] > * > * > [class*="st-key-detail-"]) > [data-testid=stColumn] {
    flex: 1 1 100%; min-width: 100%;
  }
}
@media (max-width: 640px) { /* room to come to the top, also while its figures are loading */
  [class*="st-key-detail-"] { min-height: 100vh; }
}
</style>"""


def beside_heatmap(name: str, *, shares: tuple[int, int] = (3, 2)) -> tuple[Any, Any, str]:
    """Return the place of a heatmap, the place of what tells about its cell, and the key of that.

    Parameters
    ----------
    name : str
        Of the heatmap.
    shares : (int, int)
        How wide the two places are.
    """
    st.html(_STYLE)
    left, right = st.columns(shares, gap="medium")
    key = f"detail-{name}"
    return left, right.container(key=key), key


def on_narrow(name: str) -> Any:
    """Return a container that only a narrow screen shows."""
    return st.container(key=f"narrow-{name}")
