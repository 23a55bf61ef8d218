"""The addresses that pages link to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from ..v1.selection import MAX_REACH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..v1.selection import Selection


def page_address(values: Mapping[str, Any], *, path: str = "/", **changes: object) -> str:
    """The address of a page: these parameters with some changed, None leaving one out."""
    kept = {name: value for name, value in {**values, **changes}.items() if value not in (None, "", [])}
    return f"{path}?{urlencode(kept, doseq=True)}" if kept else path


def article_path(article_id: str) -> str:
    """Where an article is read, whatever its id is made of."""
    return f"/articles/{quote(article_id, safe='', errors='replace')}"


def similar_address(article_id: str, *, values: Mapping[str, Any]) -> str:
    """Where the articles like one are listed, from the first on, with the same filters."""
    return page_address(values, path=f"{article_path(article_id)}/similar", limit=None, offset=None)


def neighbours(
    values: Mapping[str, Any], *, selected: Selection, total: int, path: str = "/"
) -> tuple[str | None, str | None]:
    """The addresses of the pages before and after this one, None where there is none."""
    before, after = max(selected.offset - selected.limit, 0), selected.offset + selected.limit
    within = after < total and after + selected.limit <= MAX_REACH
    return (
        page_address(values, path=path, offset=before or None) if selected.offset else None,
        page_address(values, path=path, offset=after) if within else None,
    )


def web_address(url: str | None) -> str | None:
    """The address if it leads to the web; a javascript: or data: one is never linked."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None
