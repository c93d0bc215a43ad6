"""Listen and judge: blind triplets, answered by ear."""

import streamlit as st

from dashboard import library, readers
from dashboard.address.browser import write_address
from dashboard.components.listening import draw_listening
from dashboard.components.text import plain
from dashboard.jobs import queue as jobs
from dashboard.sidebar import selected, start
from dashboard.titles import TITLES
from mess.errors import MessError
from mess.listening.sessions import CONSENT, SIZE

_MINUTES = "five to six"  # 24 times three excerpts of 5 s, which need not be heard to their end


def main() -> None:
    """Draw the page."""
    st.title(TITLES["listen"])
    dataset, encoder = selected()
    write_address(dataset, encoder, {}, page="/listen")
    try:
        plan = readers.newest_plan(dataset, encoder)
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    if plan is None:
        _offer_plan(dataset, encoder)
        return
    draw_listening(
        plan=plan.id,
        about=(
            f"You hear {SIZE} times three short excerpts: X, A and B. Say whether A or B is closer "
            "to X in one quality, such as brightness. There is no right answer to know: trust your "
            f"ears, and wear headphones if you can. It takes {_MINUTES} minutes."
        ),
        consent=CONSENT,
        key="listening",
    )


def _offer_plan(dataset: str, encoder: str) -> None:
    """Say that nothing is planned, and offer to plan it."""
    command = ["judge", "--dataset", dataset, "--encoder", encoder, "--", "plan"]
    if any(job.command[:5] == command[:5] for job in jobs.active_jobs(readers.store())):
        st.info("The test is being planned: the line above shows how far it is.")
        return
    others = [
        name
        for name in library.encoders(dataset)
        if name != encoder and readers.newest_plan(dataset, name) is not None
    ]
    planned = f" There is one by {', '.join(others)}: choose it in the sidebar." if others else ""
    st.info(
        plain(
            f"No listening test is planned for {dataset} by {encoder}.{planned} A test chooses "
            "triplets of excerpts about which the methods of search disagree, so that people can "
            "say which is right. It takes a minute and needs passages (mess index)."
        )
    )
    shown = ["judge", "plan", "--dataset", dataset, "--encoder", encoder]
    st.code("mess " + " ".join(shown), language=None)
    if st.button("Plan a test", type="primary"):
        start(dataset, command)
