"""Which slider, layer and learned head follows which factor of music: what `mess factors` found."""

import streamlit as st

from dashboard import readers
from dashboard.components.heatmap import draw_heatmap
from dashboard.figures.evaluation import UNSURE, factor_heat
from dashboard.sections.missing import offer, tell_stale
from mess.errors import ArtifactError


def show_factors(dataset: str, encoder: str) -> None:
    """Show the factor table, or offer to make it."""
    st.header("Which factor does each similarity follow?")
    command = ["factors", "--dataset", dataset, "--encoder", encoder]
    st.markdown(
        "Pairs of scores are rendered so that two recordings share one factor and nothing else. "
        "How often is the one that shares it nearer than one that does not? 0.5 is chance: a "
        "similarity is blind to the factor, or what else differs outweighs it."
    )
    try:
        record = readers.factors(dataset, encoder)
    except ArtifactError as error:
        offer(error, dataset=dataset, command=command, button="Draw the factor table")
        return
    why = readers.stale("factors", dataset, encoder, record.origin)
    tell_stale("This table", why, dataset=dataset, command=command, button="Draw it again")
    draw_heatmap(
        factor_heat(record),
        caption=f"{record.triplets} triplets of {len(record.pairs)} pairs of works in each column. "
        f"{UNSURE} the 95 % interval over pairs holds chance.",
        key="factors",
    )
