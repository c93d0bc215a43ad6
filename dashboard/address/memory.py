"""The search of a page, kept while the browser's window is open: one for each encoder."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

S = TypeVar("S")


@dataclass(frozen=True)
class SearchMemory(Generic[S]):
    """The searches of one page in the session of one window.

    Attributes
    ----------
    page : str
        The page's name; it begins the keys in the session.
    """

    page: str

    def find(self, dataset: str, encoder: str) -> S | None:
        """Return the search that was last made with an encoder, None where there was none."""
        return self._kept().get((dataset, encoder))

    def is_open(self, dataset: str, encoder: str) -> bool:
        """Tell whether the page shows this dataset and encoder already."""
        return st.session_state.get(f"{self.page}-searched") == (dataset, encoder)

    def open(self, dataset: str, encoder: str, search: S) -> None:
        """Show a dataset and an encoder, and keep the search with them."""
        self._kept()[dataset, encoder] = search
        st.session_state[f"{self.page}-searched"] = (dataset, encoder)

    def now(self) -> S:
        """Return the search that the page shows."""
        return self._kept()[st.session_state[f"{self.page}-searched"]]

    def change(self, search: S) -> None:
        """Keep another search in place of the one that the page shows."""
        self._kept()[st.session_state[f"{self.page}-searched"]] = search

    def _kept(self) -> dict[tuple[str, str], S]:
        kept: dict[tuple[str, str], S] = st.session_state.setdefault(f"{self.page}-searches", {})
        return kept
