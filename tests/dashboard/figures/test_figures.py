"""What the figures say, read from the Plotly objects."""

from dashboard.components.text import plain


def test_markdown_and_html_in_names_stay_text() -> None:
    assert plain("a_b") == r"a\_b"
    assert "<script>" not in plain("<script>alert(1)</script>")
