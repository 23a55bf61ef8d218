"""From what a page shows to the response that carries it, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from .wording import WORDS, choose_interface, language_name, long_date, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from .wording import Interface

_COOKIE = "cari_ui"
_COOKIE_AGE_S = 365 * 24 * 3_600


def open_templates() -> Environment:
    """The templates of this package; everything they print is escaped."""
    return Environment(
        loader=PackageLoader("api.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def interface_of(request: Request) -> Interface:
    """The language that the reader of this response reads the interface in."""
    return choose_interface(
        asked=request.query_params.get("ui"),
        remembered=request.cookies.get(_COOKIE),
        accept_language=request.headers.get("accept-language", ""),
    )


def other(interface: Interface) -> Interface:
    """The language to switch to."""
    return "en" if interface == "id" else "id"


def render(
    request: Request,
    template: str,
    shown: dict[str, Any],
    *,
    other_href: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Prints a template around what is shown.

    Args:
        request: what is being answered.
        template: the template's file name.
        shown: what it prints, by the names it uses.
        other_href: the address of this page with the interface in the other language.
        status: of the response.
        headers: of the response, beside those that every page has.
    """
    interface = interface_of(request)
    templates: Environment = request.app.state.templates
    html = templates.get_template(template).render(
        **shown,
        t=WORDS[interface],
        interface=interface,
        other=other(interface),
        other_href=other_href,
        date=lambda day: long_date(day, interface=interface),
        number=lambda value: number(value, interface=interface),
        language_name=lambda code: language_name(code, interface=interface),
    )
    response = HTMLResponse(html, status_code=status, headers={"Vary": "Accept-Language, Cookie", **(headers or {})})
    if request.query_params.get("ui") == interface:
        response.set_cookie(_COOKIE, interface, max_age=_COOKIE_AGE_S, httponly=True, samesite="lax")
    return response
