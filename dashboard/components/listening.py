"""Blind listening in the browser: consent, three sounds, three answers.

The component asks the server itself (`dashboard.server.listening`), so an answer is kept whatever
happens to the page. The browser keeps the random numbers of listener and session: after a reload
the session goes on where it was.
"""

from dashboard.components.browser_code import component


def draw_listening(*, plan: str, about: str, consent: str, key: str) -> None:
    """Draw a listening test.

    Parameters
    ----------
    plan : str
        The id of what is asked.
    about, consent : str
        What a listener reads before, plain text.
    key : str
    """
    component(
        "listening",
        scripts=("elements", "mount_once", "kept", "listening"),
        styles=("listening",),
    )(key=key, data={"plan": plan, "about": about, "consent": consent})
