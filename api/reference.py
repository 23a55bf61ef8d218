"""The API's description: /openapi.json, /docs, and the page behind each problem `type`.

Swagger UI's files come from the wheel of `fastapi-offline`, so /docs asks no other host for anything.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from . import responses
from .kinds import kinds
from .v1 import examples
from .v1.ask import SearchRequest
from .v1.batch import BatchRequest
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
_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, as `Authorization: Bearer KEY`."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}
_WITHOUT_KEY = frozenset({"/livez", "/readyz"})
_SCHEMAS = "#/components/schemas/"


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
    kind = next((one for one in kinds() if one.name == name), None)
    if kind is None:
        raise HTTPException(404)
    return PlainTextResponse(
        f"{kind.title} (HTTP {kind.status})\n\n{kind.meaning} Each occurrence says more in its detail.\n"
    )


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    The framework writes most of it. What it cannot see is added: the parameters of searches, which are
    read by `ask` so that all are judged alike, and what all responses share.
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
    schemas["BatchRequest"] = batch = BatchRequest.model_json_schema(ref_template=_SCHEMAS + "{model}")
    del batch["$defs"]
    batch["properties"]["searches"]["items"] = {"$ref": f"{_SCHEMAS}SearchRequest"}
    search = document["paths"]["/v1/search"]
    search["get"]["parameters"] = _parameters(asked)
    document["paths"]["/v1/articles/{id}/similar"]["get"]["parameters"] += _parameters(_schema(Selection))
    search["post"]["requestBody"] = _body("SearchRequest")
    document["paths"]["/v1/search/batch"]["post"]["requestBody"] = _body("BatchRequest")
    responses.complete(document)
    for model, example in examples.OF_MODELS.items():  # here, for the framework drops what is null in an example
        schemas[model]["examples"] = [example]
    _mark_security(document, required=app.state.settings.key_required)
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


def _mark_security(document: dict[str, Any], *, required: bool) -> None:
    """Says how a key is sent, and where this service asks for one."""
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    if not required:
        return
    document["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    for path in _WITHOUT_KEY & document["paths"].keys():
        for operation in document["paths"][path].values():
            operation["security"] = []


def _body(model: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{model}"}}}}
