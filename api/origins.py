"""How an operator names another site. Apart from what answers it, which needs a web framework."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_ORIGIN = re.compile(r"https?://[^/?#\s@,]+")


def _origin(text: str) -> str:
    """A browser compares origins letter by letter: what can never match is a mistake of the operator."""
    if text != "*" and not (_ORIGIN.fullmatch(text) and text == text.lower()):
        raise PydanticCustomError(
            "origin", "must be * or an origin such as https://news.example or http://localhost:3000, without a path"
        )
    return text


Origin = Annotated[str, AfterValidator(_origin)]
"""`*`, or scheme, host and port as a browser writes them."""
