"""The heatmap of the first view of Layer discovery, over HTTP.

    /first-view?dataset=…&encoder=…&level=…&value=…&grey=…&tab=…      the parameters of the page

The answer is {"table": …} as `dashboard.components.heatmap` draws it; null where the page shows no
heatmap.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dashboard import library
from dashboard.components.heatmap import table_data
from dashboard.readers.data import store
from dashboard.sections.cell_choice import LEVELS
from dashboard.sections.heat_rows import can_grey, target_caption, target_heat, values_of
from mess.errors import MessError
from mess.serving import shelf


def first_heatmap(request: Request) -> JSONResponse:
    """Answer with the heatmap that the page will show."""
    try:
        return JSONResponse({"table": _table(request.query_params)})
    except MessError:  # the page itself says it, and what to do
        return JSONResponse({"table": None})


def _table(asked: Mapping[str, str]) -> dict[str, Any] | None:
    level = next((one for one in LEVELS if one == asked.get("level", "track")), None)
    if level is None or asked.get("tab", "Heatmap") != "Heatmap":
        return None
    dataset = library.known_dataset(asked.get("dataset") or library.first_dataset())
    encoder = asked.get("encoder") or library.first_encoder(dataset)
    record = shelf.discovery(store(), dataset, library.known_encoder(dataset, encoder), level=level)
    value = next((one for one in values_of(record) if one == asked.get("value", "r2")), None)
    if value is None:
        return None
    grey = can_grey(record, value) and asked.get("grey", "yes") == "yes"
    table = target_heat(record, value=value, grey=grey)
    return table_data(table, caption=target_caption(value))


ROUTES = [Route("/first-view", first_heatmap)]
