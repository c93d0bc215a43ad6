"""The browser's address, which follows what the page shows."""

from dashboard.components.browser_code import component


def set_location(search: str, *, page: str, push: bool, key: str) -> None:
    """Set what follows the path in the browser's address.

    Parameters
    ----------
    search : str
        From the question mark on.
    page : str
        The path; a browser that has left it meanwhile is left alone.
    push : bool
        Whether the button "back" leads to the address before.
    key : str
    """
    component("location", scripts=("location",))(
        key=key, data={"search": search, "page": page, "push": push}, height=1
    )
