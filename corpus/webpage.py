"""The article in a web page: the only file that imports trafilatura."""

from __future__ import annotations

import codecs
import re
from typing import Final

from trafilatura import bare_extraction
from trafilatura.settings import Document

from .decoding import decode
from .errors import BadRecordError
from .record import Fields

_DECLARED: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_HEAD_BYTES: Final = 4096


def read_webpage(raw: bytes) -> Fields:
    """The page's main text and metadata; navigation, comments and advertisements are left behind.

    Raises:
        BadRecordError: no article was found in the page.
    """
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
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # A page, unlike a text file, may say what its bytes mean.
    declared = _DECLARED.search(raw[:_HEAD_BYTES])
    if declared:
        try:
            return raw.decode(codecs.lookup(declared[1].decode("ascii")).name, "replace")
        except LookupError:
            pass
    return decode(raw)
