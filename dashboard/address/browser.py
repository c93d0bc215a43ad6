"""The address in the browser: what it asks for, and what a page writes into it."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import streamlit as st

from dashboard.address.search import Parameters
from dashboard.components.location import set_location
from dashboard.library import known_dataset, known_encoder
from mess.errors import UnknownName


def take_selection() -> str | None:
    """Choose the dataset and the encoder that the address names, before the sidebar is drawn.

    Returns
    -------
    str or None
        The reason, if there is no such dataset or encoder.
    """
    asked = (_asked("dataset"), _asked("encoder"))
    if not any(asked) or asked == st.session_state.get("address_of"):
        return None
    st.session_state["address_of"] = asked
    dataset, encoder = asked
    try:
        dataset = known_dataset(dataset) if dataset else st.session_state.get("dataset", "")
        if not dataset:
            return None
        st.session_state["dataset"] = dataset
        if encoder:
            st.session_state["encoder"] = known_encoder(dataset, encoder)
            st.session_state["encoder_of"] = dataset
    except UnknownName as error:
        return str(error)
    return None


def new_parameters() -> Parameters | None:
    """Return the parameters of the address, None if the page itself wrote them."""
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    if not given or given == st.session_state.get("address"):
        return None
    if given == st.session_state.get("address_replaced"):
        return None  # the browser sent it before it received the last change of the page
    st.session_state["address"] = given
    st.session_state["address_given"] = True
    return given


def write_address(dataset: str, encoder: str, parameters: Parameters, *, page: str) -> None:
    """Make the browser's address reproduce what a page shows.

    The button "back" leads to the query before, and not to every move of a slider.
    """
    wanted = {"dataset": [dataset], "encoder": [encoder], **parameters}
    before = st.session_state.get("address")
    given = st.session_state.pop("address_given", False)
    if wanted != before:
        push = not given and before is not None and before.get("track") != wanted.get("track")
        st.session_state["address_replaced"] = None if push else before
        st.session_state["address_push"] = push
    st.session_state["address_of"] = (dataset, encoder)
    st.session_state["address"] = wanted
    set_location(
        link(wanted), page=page, push=st.session_state.get("address_push", False), key="address-bar"
    )


def link(parameters: Parameters) -> str:
    """Return the part of an address from the question mark on."""
    return f"?{urlencode(parameters, doseq=True, safe=':,')}"


def report(problems: Sequence[str], *, show: Callable[[str], object] = st.warning) -> None:
    """Name in one line what an address asks for and does not exist."""
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        show("The link asks for what is not here: " + ", ".join(problems[:3]) + more)


def _asked(name: str) -> str:
    return (st.query_params.get(name) or "").strip()
