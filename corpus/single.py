"""Records from files that hold one article each: plain text, Markdown and web pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .decoding import decode
from .errors import BadRecordError
from .files import MAX_MARKUP_BYTES, MAX_RECORD_BYTES, ArticleFile, read_whole
from .markdown import plain_text, split_front_matter
from .record import Fields, Record, is_usable_id, read_fields, sha256_hex
from .rejection import Rejection
from .webpage import read_webpage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read_single(file: ArticleFile) -> Iterator[Record | Rejection]:
    """The one record of a file, or why there is none."""
    try:
        max_bytes = MAX_RECORD_BYTES if file.kind == "text" else MAX_MARKUP_BYTES
        yield _RECORD_OF[file.kind](file, read_whole(file, max_bytes=max_bytes))
    except BadRecordError as error:
        yield Rejection(file.shown, str(error))


def _text_record(file: ArticleFile, raw: bytes) -> Record:
    return _record(file, raw, load=lambda: read_fields({}, text=decode(raw))[1])


def _webpage_record(file: ArticleFile, raw: bytes) -> Record:
    return _record(file, raw, load=lambda: read_webpage(raw))


def _markdown_record(file: ArticleFile, raw: bytes) -> Record:
    """A heading of level 1 at the top is the title, unless the front matter gives one."""
    head, body = split_front_matter(decode(raw))
    given_id, fields = read_fields(head, text=body)

    def load() -> Fields:
        title, text = plain_text(body)
        # A title that stands in the text too is dropped there when the article is made.
        return replace(fields, text=text, title=fields.title if fields.title is not None else title)

    return _record(file, raw, load=load, given_id=given_id)


def _record(file: ArticleFile, raw: bytes, *, load: Callable[[], Fields], given_id: str | None = None) -> Record:
    name = file.relative
    return Record(
        place=file.shown,
        given_id=given_id,
        file_id=name if is_usable_id(name) else f"~{sha256_hex(name.encode())[:16]}",
        url=None,
        fingerprint=sha256_hex(raw),
        load=load,
    )


_RECORD_OF = {"text": _text_record, "webpage": _webpage_record, "markdown": _markdown_record}
