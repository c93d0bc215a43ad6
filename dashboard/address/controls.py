"""The controls of a page in its address: each is one parameter, left out where it is as usual.

A page opens its controls, names each one before its widget is drawn, and writes them when all are
drawn. What an address asks for is set then. What a person chose stays as long as the window is
open, also while the widget is not drawn: Streamlit forgets it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from dashboard.address.browser import new_parameters, report, write_address
from dashboard.address.search import Parameters, short

T = TypeVar("T")
_NOT_DRAWN = object()
_OPEN = "controls"


@dataclass
class Controls:
    """The controls of a page for one dataset and encoder; see `open_controls`.

    Attributes
    ----------
    page : str
        Its path.
    dataset, encoder : str
    names : sequence of str
        Every parameter of the page; others in an address are left out.
    given : Parameters or None
        What an address asks for that the page has not written; None after the page was drawn.
    """

    page: str
    dataset: str
    encoder: str
    names: Sequence[str]
    given: Parameters | None = None
    _drawing: bool = True
    _named: dict[str, tuple[str, object, Callable[[Any], list[str]]]] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)

    def choose(
        self, name: str, options: Sequence[T], *, key: str, usual: T, text: Callable[[T], str] = str
    ) -> None:
        """Name a control that takes one of some options; call it before its widget is drawn.

        Parameters
        ----------
        name : str
            In the address.
        options : sequence
        key : str
            Of the widget; it must have no value of its own.
        usual : object
            The option that an address need not name.
        text : callable
            How an address names an option.
        """
        by_text = {text(one): one for one in options}

        def read(texts: Sequence[str]) -> T:
            return by_text[texts[-1]]

        if key in st.session_state and st.session_state[key] not in options:
            del st.session_state[key]
        self.name(name, key=key, usual=usual, read=read, write=lambda one: [text(one)])

    def choose_some(
        self, name: str, options: Sequence[str], *, key: str, usual: Sequence[str] = ()
    ) -> None:
        """Name a control that takes any number of some options; see `choose`."""

        def read(texts: Sequence[str]) -> list[str]:
            if not set(texts) <= {*options, ""}:
                raise ValueError
            return [one for one in texts if one]

        drawn = st.session_state.get(key)
        if drawn is not None and not set(drawn) <= set(options):
            st.session_state[key] = [one for one in drawn if one in options]
        self.name(
            name, key=key, usual=list(usual), read=read, write=lambda some: list(some) or [""]
        )

    def switch(self, name: str, *, key: str, usual: bool = False) -> None:
        """Name a control that is on or off; see `choose`."""
        self.choose(name, (False, True), key=key, usual=usual, text=("no", "yes").__getitem__)

    def value(self, name: str) -> list[str]:
        """Return the values of a parameter that no widget holds."""
        return list(self._kept().get(name, []))

    def keep(self, name: str, values: Sequence[str]) -> None:
        """Set the values of a parameter that no widget holds; none takes it out."""
        kept = self._kept()
        kept.pop(name, None)
        if values:
            kept[name] = list(values)

    def write(self, *, place: str = "") -> None:
        """Write the address.

        Call it where all controls are drawn. A part of a page that is drawn again alone calls it
        with its own ``place``; while the whole page is drawn, that does nothing.
        """
        if place and self._drawing:
            return
        kept = self._kept()
        for name, (key, usual, text) in self._named.items():
            now = st.session_state.get(key, _NOT_DRAWN)
            if now is _NOT_DRAWN:
                continue
            texts = [] if now is None or now == usual else text(now)
            kept.pop(name, None)
            if texts:
                kept[name] = texts
        if not place:  # also in a run of its part alone: that one may begin by itself
            report(self._problems)
        self.given, self._drawing = None, False
        ordered = {name: kept[name] for name in self.names if name in kept}
        write_address(self.dataset, self.encoder, ordered, page=self.page, place=place)

    def name(
        self,
        name: str,
        *,
        key: str,
        usual: object,
        read: Callable[[Sequence[str]], object],
        write: Callable[[Any], list[str]],
    ) -> None:
        """Name a control of another kind; see `choose`.

        Parameters
        ----------
        name, key, usual
            As of `choose`.
        read : callable
            From the texts of an address to a value; ValueError, KeyError where they name none.
        write : callable
            From a value to the texts.
        """
        if self.page and name not in self.names:
            raise KeyError(f"{name} is no parameter of {self.page}")
        kept = self._kept()
        if self.given is not None or key not in st.session_state:
            st.session_state[key] = usual
            if name in kept:
                try:
                    st.session_state[key] = read(kept[name])
                except (KeyError, ValueError, IndexError):
                    asked = ", ".join(kept.pop(name))
                    if self.given is not None:
                        self._problems.append(f"{name} {short(asked)}")
        self._named[name] = key, usual, write

    def _kept(self) -> Parameters:
        pages: dict[tuple[str, str, str], Parameters] = st.session_state.setdefault(
            "controls-kept", {}
        )
        return pages.setdefault((self.page, self.dataset, self.encoder), {})


def open_controls(page: str, dataset: str, encoder: str, *, names: Sequence[str]) -> Controls:
    """Return the controls of a page; call it once when a page is drawn, before its widgets.

    Parameters
    ----------
    page : str
        Its path.
    dataset, encoder : str
    names : sequence of str
        See `Controls`.
    """
    found = Controls(page, dataset, encoder, names, given=new_parameters())
    if found.given is not None:
        kept = found._kept()
        kept.clear()
        kept.update(_known(found.given, names))
    st.session_state[_OPEN] = found
    return found


def here() -> Controls:
    """Return the controls of the page that is drawn; those of no page, where none is open."""
    found: Controls | None = st.session_state.get(_OPEN)
    return found or Controls("", "", "", ())


def _known(given: Mapping[str, list[str]], names: Sequence[str]) -> Parameters:
    return {name: values for name, values in given.items() if name in names and values}
