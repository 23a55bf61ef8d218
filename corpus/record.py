"""What a file says about one article, checked, before anything is cleaned or guessed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from .errors import BadRecordError
from .files import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLEANING_VERSION: Final = 2
"""Raised whenever cleaning, metadata or language detection would make another article of the same record."""

MAX_ID_CHARS: Final = 512
MAX_FIELD_CHARS: Final = 10_000
"""Of any field but the text: what is longer is text in the wrong field, and every answer would carry it."""

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "_id"),
    "title": ("title",),
    "text": ("text", "body", "content"),
    "url": ("url",),
    "source": ("source",),
    "author": ("author",),
    "published": ("published", "date"),
    "language": ("language", "lang"),
}
FIELD_NAMES: Final = frozenset(name for names in ALIASES.values() for name in names)
_UNSAFE_ID: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of a record. None means that the record does not say; a title of "" is said to be empty."""

    text: str
    title: str | None = None
    url: str | None = None
    source: str | None = None
    author: str | None = None
    published: str | date | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One raw record.

    `given_id` is the id that the record states; `file_id` the one that a file of a single article derives from
    its path. `fingerprint` is the SHA-256 (hex) of the raw content without the id. `load` does the costly rest
    of the parsing and may raise BadRecordError.
    """

    place: str
    given_id: str | None
    file_id: str | None
    url: str | None
    fingerprint: str
    load: Callable[[], Fields]


def article_digest(article_id: str, fingerprint: str) -> str:
    """The digest of the article that this record becomes: SHA-256, hex."""
    return sha256_hex(f"{CLEANING_VERSION}\n{fingerprint}\n{article_id}".encode())


def sha256_hex(raw: bytes) -> str:
    """SHA-256 of `raw`, hex."""
    return hashlib.sha256(raw).hexdigest()


def check_id(value: str) -> str:
    """The id itself, when every later step can carry it.

    Raises:
        BadRecordError: empty, longer than MAX_ID_CHARS, or with characters that cannot be printed or encoded.
    """
    if not is_usable_id(value):
        raise BadRecordError(
            f"id {value[:40]!a} is not usable; expected 1 to {MAX_ID_CHARS} characters without control characters"
        )
    return value


def is_usable_id(value: str) -> bool:
    """Whether `value` may be an article's id."""
    return bool(value.strip()) and len(value) <= MAX_ID_CHARS and not _UNSAFE_ID.search(value)


def table_record(row: Mapping[str, object], *, place: str) -> Record:
    """The record in one row of a jsonl, csv or parquet file.

    Raises:
        BadRecordError: no text, or a field of the wrong type.
    """
    given_id, fields = read_fields(row)
    return Record(
        place=place,
        given_id=given_id,
        file_id=None,
        url=fields.url,
        fingerprint=fields_fingerprint(fields),
        load=lambda: fields,
    )


def read_fields(row: Mapping[str, object], *, text: str | None = None) -> tuple[str | None, Fields]:
    """The id (None when absent) and the fields of a row; `text` stands in for the row's own.

    Raises:
        BadRecordError: no text, or a field of the wrong type.
    """
    body = text if text is not None else _string(row, "text")
    if body is None or not body.strip():
        raise BadRecordError('no "text" field (or "body" or "content"), or it is empty')
    # A character is at least one byte: the cheap test spares the encoding of nearly every record.
    if len(body) * 4 > MAX_RECORD_BYTES and len(body.encode("utf-8", "surrogatepass")) > MAX_RECORD_BYTES:
        raise BadRecordError(f"text longer than {MAX_RECORD_BYTES:,} bytes; split it into articles")
    return _given_id(row), Fields(
        text=body,
        title=_string(row, "title"),
        url=_string(row, "url"),
        source=_string(row, "source"),
        author=_string(row, "author"),
        published=_published(row),
        language=_string(row, "language"),
    )


def fields_fingerprint(fields: Fields) -> str:
    """SHA-256 (hex) over the fields in a fixed order; lone surrogates are escaped, so any text has one."""
    values = (
        fields.text,
        fields.title,
        fields.url,
        fields.source,
        fields.author,
        None if fields.published is None else str(fields.published),
        fields.language,
    )
    return sha256_hex(json.dumps(values).encode("ascii"))


def _first(row: Mapping[str, object], field: str) -> tuple[str, object]:
    """The first alias that says something, and what it says."""
    for name in ALIASES[field]:
        value = row.get(name)
        if value is not None:
            return name, value
    return field, None


def _string(row: Mapping[str, object], field: str) -> str | None:
    name, value = _first(row, field)
    if value is None or isinstance(value, str):
        return value
    raise BadRecordError(f'field "{name}" holds {_shown(value)}; expected text')


def _given_id(row: Mapping[str, object]) -> str | None:
    name, value = _first(row, "id")
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return check_id(str(value))
    if isinstance(value, str):
        return check_id(value)
    raise BadRecordError(f'field "{name}" holds {_shown(value)}; expected text or a whole number')


def _published(row: Mapping[str, object]) -> str | date | None:
    name, value = _first(row, "published")
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, (str, date)):
        return value
    raise BadRecordError(f'field "{name}" holds {_shown(value)}; expected a date such as "2026-01-08"')


def _shown(value: object) -> str:
    kind = type(value).__name__
    shown = ascii(value) if isinstance(value, (bool, int, float)) else ""
    return f"{kind} {shown[:40]}".strip()
