"""Basket: the recordings that were kept on other pages, with tags and notes."""

import streamlit as st

from dashboard import readers
from dashboard.address.controls import open_controls
from dashboard.components.text import plain
from dashboard.sections.basket import draw_basket, draw_import
from dashboard.sections.missing import offer
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError, MessError


def main() -> None:
    """Draw the page."""
    dataset, encoder = selected()
    st.title(TITLES["basket"])
    try:
        tracks = readers.tracks(dataset, encoder)
        basket = readers.store().baskets.read(dataset)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Make it now")
        return
    except MessError as error:
        st.error(plain(readers.told(error)))
        return
    controls = open_controls("/basket", dataset, encoder, names=("part", "edit"))
    if basket.items:
        draw_basket(basket, tracks, dataset=dataset, encoder=encoder)
    else:
        st.info(
            "Nothing of this dataset is kept yet. Each result on the pages Recommend and Passages "
            "has a button “Keep”; what you like or unlike there is kept, too."
        )
    draw_import(tracks, dataset=dataset)
    controls.write()
