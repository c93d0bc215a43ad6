"""What the figures say, read from the Plotly objects."""

from dashboard.components.figures import aspect_colours, score_shares
from dashboard.components.text import plain


def test_shares_are_stacked_in_the_aspects_own_colours() -> None:
    colours = aspect_colours(["tempo", "dynamics", "brightness"])
    figure = score_shares({"brightness": 0.4, "tempo": -0.1}, colours=colours)
    assert [bar.x[0] for bar in figure.data] == [0.4, -0.1]
    assert [bar.marker.color for bar in figure.data] == [colours["brightness"], colours["tempo"]]


def test_markdown_and_html_in_names_stay_text() -> None:
    assert plain("a_b") == r"a\_b"
    assert "<script>" not in plain("<script>alert(1)</script>")
