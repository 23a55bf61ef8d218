"""The article in a web page: the only file that imports trafilatura."""

from __future__ import annotations

import codecs
import re
from typing import Final

from .decoding import decode, wide_encoding
from .errors import BadRecordError
from .record import Fields

_DECLARED: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_HEAD_BYTES: Final = 4096
# Pages of news have some thousands. trafilatura takes time with their square: minutes for a table of 100 kB.
_MAX_ELEMENTS: Final = 10_000
_ELEMENT: Final = re.compile(rb"<\0?[A-Za-z]")
# Python knows more codecs than pages may use: some raise what text never does, one takes quadratic time. A page
# that could be read this far is not UTF-16, whatever it says.
_PAGE_CODEC: Final = re.compile(r"ascii|utf-8|cp\d+|(?:iso8859|koi8|mac|big5|euc|shift|tis|iso2022)[-_\w]*|gb\w+")


def read_webpage(raw: bytes) -> Fields:
    """The page's main text and metadata; navigation, comments and advertisements are left behind.

    Raises:
        BadRecordError: no article was found in the page, or it has more than 10,000 elements.
    """
    elements = sum(1 for _ in _ELEMENT.finditer(raw))
    if elements > _MAX_ELEMENTS:
        raise BadRecordError(f"a page of {elements:,} elements; expected at most {_MAX_ELEMENTS:,}: save it as text")
    # A tenth of a second and 15 MB, which a service that reads no pages need not spend.
    from trafilatura import bare_extraction  # noqa: PLC0415
    from trafilatura.settings import Document  # noqa: PLC0415

    page = bare_extraction(_page_text(raw), with_metadata=True, include_comments=False)
    if not isinstance(page, Document) or not page.text:
        raise BadRecordError("no article text was found in the page")
    return Fields(
        text=page.text,
        title=page.title,
        url=page.url,
        source=page.sitename or page.hostname,
        author=page.author,
        published=page.date,
    )


def _page_text(raw: bytes) -> str:
    if wide_encoding(raw[:_HEAD_BYTES]) is not None:  # in UTF-8 it would be letters with zeros between them
        return decode(raw)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # A page, unlike a text file, may say what its bytes mean.
    declared = _DECLARED.search(raw[:_HEAD_BYTES])
    if declared:
        try:
            codec = codecs.lookup(declared[1].decode("ascii")).name
        except LookupError:
            return decode(raw)
        if _PAGE_CODEC.fullmatch(codec):
            return raw.decode(codec, "replace")
    return decode(raw)
