"""The address in the browser: what it asks for, and what a page writes into it.

Every page writes its address: the whole of what it shows. A choice makes one entry in the history
of the browser, so one press of "back" undoes it. A slider makes none.
"""

import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from dashboard.address.recording import choose_recording, current_recording
from dashboard.address.search import Parameters
from dashboard.components.location import set_location
from dashboard.library import known_dataset, known_encoder
from mess.errors import UnknownName

_SLIDERS = {"weights", "move"}  # they move in many small steps
_LEFT = "back"  # marks an address in the history that a choice has left
_LANE = "lane"  # the browser's own: what the lanes show (`dashboard/components/lane_address.js`)


def take_selection() -> str | None:
    """Choose what the address names for all pages, before the sidebar is drawn.

    That is the dataset, the encoder and the current recording.

    Returns
    -------
    str or None
        The reason, if there is no such dataset or encoder.
    """
    st.session_state["address_written"] = False
    given = _arrived()
    if given is None or given == st.session_state.get("address_taken"):
        return None
    st.session_state["address_taken"] = given
    asked = {name: values[-1].strip() for name, values in given.items() if values}
    dataset, encoder = asked.get("dataset", ""), asked.get("encoder", "")
    try:
        dataset = known_dataset(dataset) if dataset else st.session_state.get("dataset", "")
        if not dataset:
            return None
        st.session_state["dataset"] = dataset
        if track := asked.get("track", ""):
            choose_recording(dataset, track)
        if encoder:
            st.session_state["encoder"] = known_encoder(dataset, encoder)
            st.session_state["encoder_of"] = dataset
    except UnknownName as error:
        return str(error)
    return None


def new_parameters() -> Parameters | None:
    """Return the parameters of the address, None if the page itself wrote them."""
    given = _arrived()
    if given is not None:
        st.session_state["address"] = given
        st.session_state["address_replaced"] = None
        st.session_state["address_given"] = True
    return given


def write_address(
    dataset: str, encoder: str, parameters: Parameters, *, page: str, place: str = ""
) -> None:
    """Make the browser's address reproduce what a page shows.

    Parameters
    ----------
    dataset, encoder : str
    parameters : dict of str to list of str
        Where they name no track, the current recording is added.
    page : str
        The path of the page.
    place : str
        Of a part of a page that is drawn again alone and writes the address, too.
    """
    track = current_recording(dataset)
    wanted = {"dataset": [dataset], "encoder": [encoder]}
    wanted |= {"track": [track]} if track else {}
    carried = dict(wanted)
    wanted |= parameters
    state = st.session_state
    before = state.get("address")
    given = state.pop("address_given", False)
    if given or state.get("address_page") != page:  # the browser has an entry for it already
        state["address_push"], state["address_replaced"] = False, None
    elif wanted != before:
        state["address_push"] = before is not None and _is_choice(before, wanted)
        state["address_replaced"] = before
    state["address"], state["address_page"], state["address_taken"] = wanted, page, None
    state["address_written"] = True
    set_location(
        link(wanted),
        page=page,
        push=state.get("address_push", False),
        mark=_LEFT,
        carried=link(carried),
        seen=link({name: st.query_params.get_all(name) for name in st.query_params}),
        written=time.time(),
        key=f"address-bar{place}",
    )


def write_plain_address(dataset: str, encoder: str, *, page: str) -> None:
    """Write the address of a page that has written none in this run, as where it shows an offer."""
    if not st.session_state.get("address_written"):
        new_parameters()  # nothing of them is shown
        write_address(dataset, encoder, {}, page=page)


def link(parameters: Parameters) -> str:
    """Return the part of an address from the question mark on."""
    return f"?{urlencode(parameters, doseq=True, safe=':,')}"


def report(problems: Sequence[str]) -> None:
    """Name in one line what an address asks for and does not exist."""
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        st.warning("The link asks for what is not here: " + ", ".join(problems[:3]) + more)


def _arrived() -> Parameters | None:
    """Return the parameters of an address that the page has not written, None if it has.

    After a choice, the browser may still send the address before it, because it has not heard of
    the new one. The same address comes by the button "back", then with a mark: `location.js`
    marks each entry of the history that a choice has left.
    """
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    marked = given.pop(_LEFT, None) is not None
    given.pop(_LANE, None)
    if not given or given == st.session_state.get("address"):
        return None
    if not marked and given == st.session_state.get("address_replaced"):
        return None
    return given


def _is_choice(before: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    """Tell whether two addresses differ in more than sliders."""
    names = (before.keys() | wanted.keys()) - _SLIDERS
    return any(before.get(name) != wanted.get(name) for name in names)
