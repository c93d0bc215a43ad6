"""Reports over HTTP: what `mess report` wrote into the data root, opened by a link.

    /report?dataset=…&encoder=…&level=…&part=page|methods

A report is a document, not a page of the dashboard: it runs no script and asks for nothing.
"""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import library, readers
from dashboard.readers import store
from mess.errors import MessError
from mess.storage.reports import report_names

_ALONE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_PARTS = ("page", "methods")


def report_links(dataset: str, encoder: str, level: str) -> dict[str, str]:
    """Return the addresses of a report's files that exist, by "page" and "methods"."""
    folder = store().reports.folder(dataset)
    asked = {"dataset": dataset, "encoder": encoder, "level": level}
    return {
        part: f"/report?{urlencode(asked | {'part': part})}"
        for part, name in zip(_PARTS, report_names(dataset, encoder, level), strict=True)
        if (folder / name).is_file()
    }


def report(request: Request) -> Response:
    """Answer with one file of a report."""
    asked = request.query_params
    level, part = asked.get("level", "track"), asked.get("part", "page")
    try:
        dataset = library.known_dataset(asked.get("dataset", ""))
        encoder = library.known_encoder(dataset, asked.get("encoder", ""))
        if level not in ("track", "segment") or part not in _PARTS:
            raise MessError("a report has the level track or segment, and the parts page, methods")
        name = report_names(dataset, encoder, level)[_PARTS.index(part)]
        content = (store().reports.folder(dataset) / name).read_bytes()
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    except OSError:
        return PlainTextResponse("this report was not written yet", status_code=404)
    kind = "text/html" if part == "page" else "text/markdown"
    return Response(
        content,
        media_type=kind,
        headers={
            "Content-Security-Policy": _ALONE,
            "Cache-Control": "no-store",
            "Content-Disposition": f'inline; filename="{name}"',
        },
    )


ROUTES = [Route("/report", report)]
