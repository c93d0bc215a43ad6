"""The server listens first; the code of pages and routes is imported meanwhile.

Importing takes about as long as a browser needs to load Streamlit's scripts. Both go on at once.
Only one thread imports, and all else waits for it: two threads that import at the same time may see
half of a module.
"""

import gc
import threading
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from dashboard.server.promptness import send_at_once

_PAGE = "dashboard.entrypoint.page"
_FIRST = "dashboard.first_view.heatmap"
MODULES = {  # addresses, and the module whose ROUTES answer them
    "/first-view": _FIRST,
    "/sounds/{path:path}": "dashboard.server.sounds",
    "/lanes": "dashboard.server.lanes",
    "/doses/{path:path}": "dashboard.server.doses",
    "/listening/{path:path}": "dashboard.server.listening",
    "/maps/{path:path}": "dashboard.server.maps",
    "/names": "dashboard.server.names",
    "/jobs/{path:path}": "dashboard.jobs.routes",
    "/report": "dashboard.server.reports",
    "/api/{path:path}": "mess.serving.api",
}
_importing: list[threading.Thread] = []
_has_first = threading.Event()


@asynccontextmanager
async def started(app: Any) -> AsyncIterator[None]:
    """Run with the server: it is already bound, and has accepted nothing yet."""
    send_at_once()
    thread = threading.Thread(target=_import_all, name="imports", daemon=True)
    _importing[:] = [thread]
    thread.start()
    yield


def code(module: str) -> ModuleType:
    """Return a module, once the thread that imports is through.

    Raises
    ------
    ImportError
        If it cannot be imported.
    """
    for thread in _importing:
        if module == _FIRST:  # it imports nothing while it answers, so it need not wait for all
            _has_first.wait()
        else:
            thread.join()
    return import_module(module)


def _import_all() -> None:
    from mess.storage.garbage import without_collection

    try:
        with without_collection():
            import_module(_FIRST)
            _has_first.set()
            for module in (_PAGE, *MODULES.values()):
                import_module(module)
    except Exception:
        return  # `code` meets it again, and tells it to who asks
    finally:
        _has_first.set()
        gc.freeze()  # what is imported stays


class _Answers:
    """What answers with the routes of a module, which is imported by then."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._router: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._router is None:
            self._router = Router((await to_thread(code, self._module)).ROUTES)
        await self._router(scope, receive, send)


ROUTES = [Route(path, _Answers(module)) for path, module in MODULES.items()]
