"""What may be asked, and reading it from an address or a body.

Both ways end in the same strict `SearchRequest`: the address parser only turns its strings into the JSON
types that a body would carry, so GET and POST accept and refuse exactly the same things.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request  # noqa: TC002 - the framework reads it at run time
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticKnownError

from search import Group, Mode, Query

from ..errors import FieldError, InvalidJson, InvalidParameter, WrongContentType
from .selection import Selection, names_of, no_nul

if TYPE_CHECKING:
    from collections.abc import Mapping


MAX_QUESTION_CHARS = 10_000
_MAX_PAIRS = 100
_REPEATABLE = frozenset({"lang", "source"})
_WHOLE_NUMBERS = frozenset({"limit", "offset"})
_TRUTH = {"true": True, "false": False}
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


def _not_too_long(value: object) -> object:
    """Before blanks are dropped: the limit that is described is of what is sent."""
    if isinstance(value, str) and len(value) > MAX_QUESTION_CHARS:
        raise PydanticKnownError("string_too_long", {"max_length": MAX_QUESTION_CHARS})
    return value


Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_CHARS),
    BeforeValidator(_not_too_long),
    AfterValidator(no_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}),
]


class SearchRequest(Selection):
    """A question, which articles may answer it, and which part of the ranking to return."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"q": "kapan pasar induk dibuka kembali?", "lang": ["id"], "limit": 5}]},
    )

    q: Question = Field(
        description="The question, in Indonesian or English. Blanks around it are dropped.",
        examples=["why did the port close?"],
    )
    mode: Annotated[Mode, Field(strict=False)] = Field(Mode.HYBRID, description="Which evidence is used to rank.")
    group: Annotated[Group, Field(strict=False)] = Field(
        Group.ARTICLE, description="One hit for all articles of a story, or every passage for itself."
    )
    explain: bool = Field(default=False, description="Say with each hit what every kind of evidence made of it.")

    def to_query(self) -> Query:
        """The question as `search` takes it."""
        return Query(
            text=self.q,
            limit=self.limit,
            offset=self.offset,
            mode=self.mode,
            group=self.group,
            filters=self.filters(),
            explain=self.explain,
        )


Asked = TypeVar("Asked", bound=BaseModel)


def validate(values: Mapping[str, Any] | object, *, model: type[Asked]) -> Asked:
    """Builds a request from JSON types.

    Raises:
        InvalidParameter: names every field that is wrong, and why.
    """
    if isinstance(values, Repeated):
        raise InvalidParameter(
            "a parameter is repeated; see errors", errors=(FieldError(_shown(values.name), "given twice"),)
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        errors = tuple(_field_error(dict(one), names=names_of(model)) for one in error.errors(include_url=False))
    count = "1 parameter is" if len(errors) == 1 else f"{len(errors)} parameters are"
    raise InvalidParameter(f"{count} not valid; see errors", errors=errors)


def read_address(query_string: bytes, *, model: type[Selection], lenient: bool = False) -> dict[str, Any]:
    """Turns the query part of an address into the JSON types of a body.

    Args:
        query_string: as it was sent, percent-encoded.
        model: whose parameters may be given.
        lenient: for addresses that people edit and forms write: blank values and unknown names are
            dropped and of a repeated name the last one counts.

    Raises:
        InvalidParameter: not percent-encoded UTF-8, too many parameters, or one that is given twice.
    """
    broken = None if lenient else _BROKEN_ESCAPE.search(query_string)
    if broken:
        found = broken.group().decode("latin-1")
        raise InvalidParameter(f"{_shown(found)} is no percent-encoding; write a percent sign as %25")
    try:
        pairs = parse_qsl(
            query_string.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PAIRS
        )
    except ValueError as error:
        raise InvalidParameter(
            f"the address must be percent-encoded UTF-8 with at most {_MAX_PAIRS} parameters"
        ) from error
    names = model.names()
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if lenient and (name not in names or not value.strip()):
            continue
        given.setdefault(name, []).append(value)
    repeated = tuple(
        FieldError(name, f"given {len(values)} times; give it once")
        for name, values in given.items()
        if len(values) > 1 and name in names and name not in _REPEATABLE
    )
    if repeated and not lenient:
        raise InvalidParameter("a parameter is repeated; see errors", errors=repeated)
    return {name: values if name in _REPEATABLE else _as_json(name, values[-1]) for name, values in given.items()}


async def asked_by_address(request: Request) -> SearchRequest:
    """The question of a GET."""
    return validate(read_address(request.scope["query_string"], model=SearchRequest), model=SearchRequest)


async def selected_by_address(request: Request) -> Selection:
    """The choice of articles of a GET that asks no question."""
    return validate(read_address(request.scope["query_string"], model=Selection), model=Selection)


async def asked_by_body(request: Request) -> SearchRequest:
    """The question of a POST.

    Raises:
        WrongContentType: the body is not declared as application/json.
        InvalidJson: it is not one JSON value in UTF-8.
        InvalidParameter: it is, but not a valid question, or the address carries parameters too.
    """
    return validate(await read_body(request), model=SearchRequest)


async def read_body(request: Request) -> object:
    """The JSON value of a POST; an object that has a name twice is a `Repeated`.

    Raises:
        WrongContentType: the body is not declared as application/json.
        InvalidJson: it is not one JSON value in UTF-8.
        InvalidParameter: the address carries parameters too.
    """
    if request.scope["query_string"]:
        raise InvalidParameter("a POST is read from its body alone; move the address's parameters there")
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise WrongContentType(
            f"expected Content-Type: application/json, got {content_type[:80]!r}; send the question as JSON"
        )
    body = await request.body()
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise InvalidJson("the JSON is nested too deeply; a request is one flat object, or a list of them") from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InvalidJson(f"expected one JSON object in UTF-8: {error}") from error


def _as_json(name: str, value: str) -> object:
    if name in _WHOLE_NUMBERS and re.fullmatch(r"-?[0-9]{1,15}(?:\.0{1,15})?", value):
        return int(value.partition(".")[0])
    return _TRUTH.get(value, value) if name == "explain" else value


@dataclass(frozen=True, slots=True)
class Repeated:
    """Stands for a JSON object that has this name twice, so that one item of several can be refused for it."""

    name: str


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Repeated:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            return Repeated(name)
        values[name] = value
    return values


def _no_constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not a JSON value")


def _field_error(error: dict[str, Any], *, names: tuple[str, ...]) -> FieldError:
    field = error.get("ctx", {}).get("field") or str(next(iter(error["loc"]), "body"))
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(field, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are: {', '.join(names)}"
        return FieldError(_shown(field), f"unknown parameter; {hint}")
    value = error["input"]
    shown = f" (got {_shown(repr(value))})" if isinstance(value, str | int | float | None) else ""
    hint = "; repeat the parameter for several" if field.startswith("lang") and "," in str(value) else ""
    return FieldError(_shown(field), f"{error['msg']}{shown}{hint}", kind=error["type"])


def _shown(text: str, *, most: int = 80) -> str:
    """What was sent, safe to send back: lone surrogates escaped, and not at its full length."""
    safe = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"
