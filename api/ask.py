"""What may be asked, and reading it from an address or a body.

Both ways end in the same strict `SearchRequest`: the address parser only turns its strings into the JSON
types that a body would carry, so GET and POST accept and refuse exactly the same things.
"""

from __future__ import annotations

import difflib
import json
import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Self
from urllib.parse import parse_qsl

from fastapi import Request  # noqa: TC002 - the framework reads it at run time
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from search import Filters, Group, Mode, Query

from .errors import FieldError, InvalidJson, InvalidParameter, WrongContentType

if TYPE_CHECKING:
    from collections.abc import Mapping


MAX_REACH = 1_000
MAX_QUESTION_CHARS = 10_000
_MAX_PAIRS = 100
_REPEATABLE = frozenset({"lang", "source"})
_WHOLE_NUMBERS = frozenset({"limit", "offset"})
_TRUTH = {"true": True, "false": False}


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    return text


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _iso_date(value: object) -> object:
    """Pydantic alone would also read "1700000000" as a date; a date here is only ever YYYY-MM-DD."""
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("no_such_day", "names a day that does not exist") from error
    raise PydanticCustomError("iso_date", "must be a date written YYYY-MM-DD")


Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_CHARS),
    AfterValidator(_no_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}),
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Source = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_nul)]
_Languages = Annotated[list[Language], Field(max_length=20)]
_Sources = Annotated[list[Source], Field(max_length=50)]
Languages = Annotated[_Languages, BeforeValidator(_as_list, json_schema_input_type=_Languages | Language)]
Sources = Annotated[_Sources, BeforeValidator(_as_list, json_schema_input_type=_Sources | Source)]
Day = Annotated[date | None, BeforeValidator(_iso_date)]


class SearchRequest(BaseModel):
    """A question, which articles may answer it, and which part of the ranking to return."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"q": "kapan pasar induk dibuka kembali?", "lang": ["id"], "limit": 5}]},
    )

    q: Question = Field(
        description="The question, in Indonesian or English. Blanks around it are dropped.",
        examples=["why did the port close?"],
    )
    limit: int = Field(10, ge=1, le=100, description="Hits on a page.")
    offset: int = Field(0, ge=0, le=MAX_REACH, description=f"Hits before this page; with limit at most {MAX_REACH}.")
    lang: Languages = Field(
        default_factory=list,
        description="Languages of articles that may answer, as ISO 639 codes. In an address, repeat it: "
        "lang=id&lang=en.",
    )
    source: Sources = Field(
        default_factory=list,
        description="Sources of articles that may answer, exactly as they are written in facets. In an "
        "address, repeat it; a comma is part of a name.",
    )
    published_from: Day = Field(None, alias="from", description="First day of publication, YYYY-MM-DD.")
    published_to: Day = Field(None, alias="to", description="Last day of publication, YYYY-MM-DD.")
    mode: Annotated[Mode, Field(strict=False)] = Field(Mode.HYBRID, description="Which evidence is used to rank.")
    group: Annotated[Group, Field(strict=False)] = Field(
        Group.ARTICLE, description="One hit per article, or every passage for itself."
    )
    explain: bool = Field(default=False, description="Accepted; has no effect yet.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.offset + self.limit > MAX_REACH:
            raise PydanticCustomError(
                "reach",
                "offset + limit must be at most {most}, not {reach}",
                {"most": MAX_REACH, "reach": self.offset + self.limit, "field": "offset"},
            )
        if self.published_from and self.published_to and self.published_from > self.published_to:
            raise PydanticCustomError("date_order", "must not be before from", {"field": "to"})
        return self

    def to_query(self) -> Query:
        """The question as `search` takes it."""
        return Query(
            text=self.q,
            limit=self.limit,
            offset=self.offset,
            mode=self.mode,
            group=self.group,
            filters=Filters(
                languages=frozenset(self.lang),
                sources=frozenset(self.source),
                published_from=self.published_from,
                published_to=self.published_to,
            ),
        )


NAMES = tuple(field.alias or name for name, field in SearchRequest.model_fields.items())


def validate(values: Mapping[str, Any] | object) -> SearchRequest:
    """Builds the request from JSON types.

    Raises:
        InvalidParameter: names every field that is wrong, and why.
    """
    try:
        return SearchRequest.model_validate(values)
    except ValidationError as error:
        errors = tuple(_field_error(dict(one)) for one in error.errors(include_url=False))
    count = "1 parameter is" if len(errors) == 1 else f"{len(errors)} parameters are"
    raise InvalidParameter(f"{count} not valid; see errors", errors=errors)


def read_address(query_string: bytes, *, lenient: bool = False) -> dict[str, Any]:
    """Turns the query part of an address into the JSON types of a body.

    Args:
        query_string: as it was sent, percent-encoded.
        lenient: for addresses that people edit and forms write: blank values and unknown names are
            dropped and of a repeated name the last one counts.

    Raises:
        InvalidParameter: not UTF-8, too many parameters, or one that is given twice.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PAIRS
        )
    except ValueError as error:
        raise InvalidParameter(
            f"the address must be percent-encoded UTF-8 with at most {_MAX_PAIRS} parameters"
        ) from error
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if lenient and (name not in NAMES or not value.strip()):
            continue
        given.setdefault(name, []).append(value)
    repeated = tuple(
        FieldError(name, f"given {len(values)} times; give it once")
        for name, values in given.items()
        if len(values) > 1 and name in NAMES and name not in _REPEATABLE
    )
    if repeated and not lenient:
        raise InvalidParameter("a parameter is repeated; see errors", errors=repeated)
    return {name: values if name in _REPEATABLE else _as_json(name, values[-1]) for name, values in given.items()}


async def asked_by_address(request: Request) -> SearchRequest:
    """The question of a GET."""
    return validate(read_address(request.scope["query_string"]))


async def asked_by_body(request: Request) -> SearchRequest:
    """The question of a POST.

    Raises:
        WrongContentType: the body is not declared as application/json.
        InvalidJson: it is not one JSON value in UTF-8.
        InvalidParameter: it is, but not a valid question, or the address carries parameters too.
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
        values = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise InvalidJson("the JSON is nested too deeply; expected one flat object") from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InvalidJson(f"expected one JSON object in UTF-8: {error}") from error
    return validate(values)


def _as_json(name: str, value: str) -> object:
    if name in _WHOLE_NUMBERS and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    return _TRUTH.get(value, value) if name == "explain" else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise InvalidParameter(
                "a parameter is repeated; see errors", errors=(FieldError(_shown(name), "given twice"),)
            )
        values[name] = value
    return values


def _no_constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not a JSON value")


def _field_error(error: dict[str, Any]) -> FieldError:
    field = error.get("ctx", {}).get("field") or str(next(iter(error["loc"]), "body"))
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(field, NAMES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are: {', '.join(NAMES)}"
        return FieldError(_shown(field), f"unknown parameter; {hint}")
    value = error["input"]
    shown = f" (got {_shown(repr(value))})" if isinstance(value, str | int | float | None) else ""
    hint = "; repeat the parameter for several" if field.startswith("lang") and "," in str(value) else ""
    return FieldError(_shown(field), f"{error['msg']}{shown}{hint}", kind=error["type"])


def _shown(text: str, *, most: int = 80) -> str:
    """What was sent, safe to send back: lone surrogates escaped, and not at its full length."""
    safe = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"
