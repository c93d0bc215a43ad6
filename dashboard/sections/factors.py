"""Which slider, layer and learned head follows which factor of music: what `mess factors` found."""

import streamlit as st

from dashboard import readers
from dashboard.figures.evaluation import factor_heatmap
from dashboard.sections.missing import offer, tell_stale
from dashboard.sections.wide import wide
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
    seen = ", ".join(
        f"{row.name}: {' '.join(f for f in record.factors if row.scores[f].seen) or 'none'}"
        for row in record.rows
    )
    wide("factors").plotly_chart(
        factor_heatmap(record),
        key="factors",
        config={"displayModeBar": False},
        alt=f"Accuracy of each similarity by factor. Above chance: {seen}.",
    )
    st.caption(
        f"{record.triplets} triplets of {len(record.pairs)} pairs of works in each column. A dot: "
        "the 95 % interval over pairs holds chance."
    )
