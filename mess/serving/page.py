"""The page that describes the API: every question with a form to ask it, made from its document.

It has no script and asks for nothing, so nothing is loaded from elsewhere.
"""

from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from mess.serving.description import openapi
from mess.serving.endpoints import PREFIX

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8888; padding: 0.5rem 0 1rem; }
.fields { display: grid; gap: 0.4rem 1.5rem; }
.fields { grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
.field { display: grid; grid-template-columns: 11rem 1fr; gap: 0 0.6rem; align-items: baseline; }
.field small { grid-column: 2; }
.several { display: grid; gap: 0.2rem; }
input, select, button { font: inherit; min-width: 0; }
button { margin-top: 0.6rem; padding: 0.2rem 1.2rem; }
code { overflow-wrap: anywhere; }
"""


@cache
def page() -> str:
    """Return the page as HTML."""
    document = openapi()
    parts = "".join(_question(path, one["get"]) for path, one in document["paths"].items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>MESS for programs</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>MESS for programs</h1><p>{escape(document['info']['summary'])} "
        "All questions are read with GET, and nothing is written. The answers are JSON; a problem "
        f"is <code>{{&quot;error&quot;: …}}</code> with one line. "
        f'<a href="{PREFIX}/openapi.json">OpenAPI document</a>.</p>{parts}</main></body></html>'
    )


def _question(path: str, one: dict[str, Any]) -> str:
    fields = "".join(_fields(path, one["parameters"]))
    return (
        f'<section><h2 id="{escape(one["operationId"])}"><code>GET {escape(PREFIX + path)}</code>'
        f"</h2><p>{escape(one['summary'])}</p>"
        f'<form action="{escape(PREFIX + path)}"><div class="fields">{fields}</div>'
        '<button type="submit">Ask</button></form></section>'
    )


def _fields(path: str, parameters: list[dict[str, Any]]) -> Iterator[str]:
    for one in parameters:
        name, schema = escape(one["name"]), one["schema"]
        known = f"{path.strip('/')}-{name}"
        notes = " ".join(filter(None, [one["description"], _default(schema)]))
        yield (
            f'<div class="field"><label for="{known}"><code>{name}</code>'
            f"{' *' if one['required'] else ''}</label>{_inputs(known, name, one)}"
            f"<small>{escape(notes)}</small></div>"
        )


def _inputs(known: str, name: str, one: dict[str, Any]) -> str:
    """Return the field of a parameter; two of one that may be given several times."""
    schema, needed = one["schema"], " required" if one["required"] else ""
    if schema.get("type") == "array":
        second = needed if schema.get("minItems", 0) > 1 else ""
        more = f'<input name="{name}" aria-label="{name}, another one"{second}>'
        return f'<span class="several"><input id="{known}" name="{name}"{needed}>{more}</span>'
    choices = _choices(schema)
    if choices:
        options = "".join(f"<option>{escape(choice)}</option>" for choice in ("", *choices))
        return f'<select id="{known}" name="{name}"{needed}>{options}</select>'
    return f'<input id="{known}" name="{name}"{needed}>'


def _choices(schema: dict[str, Any]) -> list[str]:
    """Return the values to choose from; none where any value may be typed."""
    if schema.get("type") == "boolean":
        return ["true", "false"]
    for one in (schema, *schema.get("anyOf", ())):
        if "enum" in one:
            return [str(value) for value in one["enum"]]
    return []


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    if default in (None, "", []):
        return ""
    return f"[default: {str(default).lower() if isinstance(default, bool) else default}]"
