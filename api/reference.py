"""The API's description: /openapi.json, /docs, and the page behind each problem `type`.

Swagger UI's files come from the wheel of `fastapi-offline`, so /docs asks no other host for anything.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

from . import errors
from .problem import MEDIA_TYPE
from .v1.ask import SearchRequest
from .v1.selection import Selection

if TYPE_CHECKING:
    from fastapi import FastAPI

router = APIRouter(include_in_schema=False)

# Swagger UI writes style attributes while it draws; its scripts need no such exception.
_DOCS_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SWAGGER_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_SCHEMAS = "#/components/schemas/"
_PROBLEMS = {
    kind.name: kind
    for kind in (
        errors.ApiError,
        errors.InvalidJson,
        errors.NoSuchArticle,
        errors.BodyTooLarge,
        errors.WrongContentType,
        errors.InvalidParameter,
    )
}


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Swagger UI over this service's own description."""
    page: str = request.app.state.templates.get_template("docs.html").render(title=request.app.title)
    return HTMLResponse(page, headers={"Content-Security-Policy": _DOCS_POLICY})


@router.get("/docs/{name}")
def swagger_file(name: str) -> Response:
    """One of Swagger UI's own files."""
    if name not in _SWAGGER_FILES:
        raise HTTPException(404)
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(content, media_type=_SWAGGER_FILES[name], headers={"Cache-Control": "public, max-age=86400"})


@router.get("/problems/{name}")
async def problem(name: str) -> PlainTextResponse:
    """What a problem `type` means, for people."""
    kind = _PROBLEMS.get(name)
    if kind is None:
        raise HTTPException(404)
    return PlainTextResponse(f"{kind.title} (HTTP {kind.status})\n\nEach occurrence says more in its detail.\n")


def allowed_methods(app: FastAPI, *, path: str) -> list[str]:
    """Every method that a path answers; the framework's own 405 names those of one route only."""
    found: set[str] = set()
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, Route) and route.path_regex.match(path):
            found |= route.methods or set()
    return sorted(found)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    The framework writes most of it. What it cannot see is added: the parameters of searches, which are
    read by `ask` so that all are judged alike, and the media type of problems.
    """
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        openapi_version="3.1.0",
    )
    asked = _schema(SearchRequest)
    schemas = document["components"]["schemas"]
    schemas.update(asked.pop("$defs", {}))
    schemas["SearchRequest"] = asked
    search = document["paths"]["/v1/search"]
    search["get"]["parameters"] = _parameters(asked)
    document["paths"]["/v1/articles/{id}/similar"]["get"]["parameters"] += _parameters(_schema(Selection))
    search["post"]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}SearchRequest"}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            _mark_problems(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    app.openapi_schema = document
    return document


def _schema(model: type[Selection]) -> dict[str, Any]:
    """The JSON schema of what may be asked, its required properties first."""
    schema = model.model_json_schema(ref_template=_SCHEMAS + "{model}")
    required = schema.get("required", [])
    schema["properties"] = dict(sorted(schema["properties"].items(), key=lambda item: item[0] not in required))
    return schema


def _parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [_parameter(name, one, required=name in required) for name, one in schema["properties"].items()]


def _parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    shown = {key: value for key, value in schema.items() if key not in {"description", "title", "default"}}
    # An address has neither null nor lists: a parameter is absent, or repeated.
    choices = [choice for choice in shown.get("anyOf", ()) if choice != {"type": "null"}]
    if choices:
        shown = dict(choices[0])
    if schema.get("default") is not None:
        shown["default"] = schema["default"]
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": schema.get("description", ""),
        "schema": shown,
    }


def _mark_problems(responses: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):  # the framework's guess, for a path that is any text
        del responses["422"]
    for status, response in responses.items():
        if status >= "400":
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
