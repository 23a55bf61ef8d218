"""From the fields of a record to an Article: cleaning, then metadata, then language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .article import Article
from .cleaning import clean
from .errors import BadRecordError
from .language import detect_article_language
from .metadata import day_first_in, find_published, find_title, given_language, given_published, host_of, web_address
from .paragraphs import normalise, one_line, split_paragraphs
from .record import MAX_FIELD_CHARS

if TYPE_CHECKING:
    from .record import Fields


def make_article(fields: Fields, *, article_id: str, digest: str) -> Article:
    """The article that a record holds. What the record states wins over what its text shows.

    Raises:
        BadRecordError: nothing is left after cleaning, or a field other than the text is as long as one.
    """
    for name in ("title", "url", "source", "author", "published", "language"):
        value = getattr(fields, name)
        if isinstance(value, str) and len(value) > MAX_FIELD_CHARS:
            raise BadRecordError(
                f'field "{name}" holds {len(value):,} characters; expected at most {MAX_FIELD_CHARS:,}'
            )
    raw = normalise(fields.text)
    language = given_language(fields.language) or detect_article_language(raw)
    cleaned = clean(split_paragraphs(raw), day_first=day_first_in(language))
    paragraphs = cleaned.paragraphs
    title = one_line(fields.title) if fields.title is not None else find_title(paragraphs) or ""
    # The title is kept once: many pages repeat it above the text.
    if len(paragraphs) > 1 and title and paragraphs[0].casefold() == title.casefold():
        paragraphs = paragraphs[1:]
    text = "\n\n".join(paragraphs)
    if not any(map(str.isalnum, text)):
        raise BadRecordError("nothing but boilerplate: no text is left after cleaning")
    found = cleaned.found
    url = web_address(fields.url)
    return Article(
        id=article_id,
        title=title,
        text=text,
        url=url,
        source=_said(fields.source) or found.source or host_of(url),
        author=_said(fields.author) or found.author or found.editor,
        published=given_published(fields.published, language=language)
        or found.published
        or find_published(paragraphs, language=language),
        language=language,
        digest=digest,
    )


def _said(value: str | None) -> str | None:
    return one_line(value) or None if value is not None else None
