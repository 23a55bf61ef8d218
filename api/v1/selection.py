"""What may be chosen of any list of articles: which of them, and which page."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from search import Filters

MAX_REACH = 1_000


def no_nul(text: str) -> str:
    """The text, unless it holds a NUL character."""
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


def _whole(value: object) -> object:
    """To JSON Schema, and to languages with one kind of number, 5.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(no_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]+$"}),
]
_Languages = Annotated[list[Language], Field(max_length=20)]
_Sources = Annotated[list[Source], Field(max_length=50)]
Languages = Annotated[_Languages, BeforeValidator(_as_list, json_schema_input_type=_Languages | Language)]
Sources = Annotated[_Sources, BeforeValidator(_as_list, json_schema_input_type=_Sources | Source)]
Day = Annotated[date | None, BeforeValidator(_iso_date)]


class Selection(BaseModel):
    """Which articles may be found, and which part of the ranking to return."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    limit: Whole = Field(10, ge=1, le=100, description="Hits on a page.")
    offset: Whole = Field(0, ge=0, le=MAX_REACH, description=f"Hits before this page; with limit at most {MAX_REACH}.")
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

    def filters(self) -> Filters:
        """The choice of articles as `search` takes it."""
        return Filters(
            languages=frozenset(self.lang),
            sources=frozenset(self.source),
            published_from=self.published_from,
            published_to=self.published_to,
        )

    def normal(self) -> str:
        """The same text for whatever asks for the same answer: defaults filled in, sets without an order."""
        values = self.model_dump(mode="json", by_alias=True)
        return json.dumps(values | {name: sorted(set(values[name])) for name in ("lang", "source")}, sort_keys=True)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """What the parameters are called in an address or a body."""
        return names_of(cls)


def names_of(model: type[BaseModel]) -> tuple[str, ...]:
    """What the fields of a request are called in an address or a body."""
    return tuple(field.alias or name for name, field in model.model_fields.items())
