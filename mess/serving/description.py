"""The OpenAPI document of the API, made from the types of its parameters and answers.

Nothing is stated here that those types do not state (OpenAPI 3.1, whose schemas are JSON Schema).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from mess.serving.answers import Problem
from mess.serving.clips import MIME
from mess.serving.endpoints import ENDPOINTS, PREFIX, Endpoint

Json = dict[str, Any]
PROBLEMS = {
    "400": "A parameter is missing, of another type, or out of its limits.",
    "403": "Another site or an untrusted name asks.",
    "404": "There is no such dataset, encoder, track or aspect, or nothing was made of it yet.",
    "405": "The method would write.",
    "409": "What the answer needs is damaged or stale.",
}
_SCHEMAS = "#/components/schemas/{name}"


@cache
def openapi() -> Json:
    """Return the OpenAPI document."""
    answers = [one.answer for one in ENDPOINTS if one.answer is not None]
    references, schemas = msgspec.json.schema_components([*answers, Problem], ref_template=_SCHEMAS)
    of_answer = dict(zip(answers, references, strict=False))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MESS",
            "version": "1",
            "summary": "Which layer of an audio model encodes what, and recordings alike in it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "paths": {
            one.path: {"get": _operation(one, _answer(one, of_answer), references[-1])}
            for one in ENDPOINTS
        },
        "components": {"schemas": {name: _short(one) for name, one in schemas.items()}},
    }


def _answer(endpoint: Endpoint, known: Mapping[type, Json]) -> Json | None:
    return None if endpoint.answer is None else known[endpoint.answer]


def _operation(endpoint: Endpoint, answer: Json | None, problem: Json) -> Json:
    found = {"application/json": {"schema": answer}} if answer else {MIME: {}}
    return {
        "operationId": endpoint.path.strip("/"),
        "summary": (endpoint.ask.__doc__ or "").strip(),
        "parameters": parameters_of(endpoint),
        "responses": {
            "200": {"description": "The answer.", "content": found},
            **{
                status: {
                    "description": why,
                    "content": {"application/json": {"schema": problem}},
                }
                for status, why in PROBLEMS.items()
                if status != "403"
            },
            "403": {"description": PROBLEMS["403"], "content": {"text/plain": {}}},
        },
    }


def parameters_of(endpoint: Endpoint) -> list[Json]:
    """Return the parameters of an endpoint as OpenAPI describes them."""
    _, schemas = msgspec.json.schema_components([endpoint.asked], ref_template=_SCHEMAS)
    schema = schemas[endpoint.asked.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": own.get("description", ""),
            "schema": {key: value for key, value in own.items() if key != "description"},
        }
        for name, own in schema.get("properties", {}).items()
    ]


def _short(schema: Any) -> Any:
    """Return a schema whose descriptions end after their first paragraphs, before any section."""
    if isinstance(schema, dict):
        return {
            key: _paragraphs(one) if key == "description" else _short(one)
            for key, one in schema.items()
        }
    return [_short(one) for one in schema] if isinstance(schema, list) else schema


def _paragraphs(text: Any) -> Any:
    if not isinstance(text, str):  # a field with this name
        return _short(text)
    return " ".join(_until_section(text.splitlines())).strip()


def _until_section(lines: Sequence[str]) -> Iterable[str]:
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if set(after.strip()) == {"-"}:
            return
        yield line.strip()
