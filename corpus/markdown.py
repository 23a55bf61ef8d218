"""Markdown with front matter to a record's fields and plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml
from frontmatter.default_handlers import YAMLHandler
from markdown_it import MarkdownIt

from .errors import BadRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markdown_it.token import Token

_FRONT_MATTER: Final = YAMLHandler()
_MAX_HEAD_CHARS: Final = 20_000
_MAX_HEAD_LEVELS: Final = 20
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PARSER: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def split_front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """The front matter's fields (none without front matter) and the Markdown below it.

    Raises:
        BadRecordError: the front matter is not valid YAML, or longer or more intricate than front matter is.
    """
    if not _FRONT_MATTER.detect(text):
        return {}, text
    try:
        head, body = _FRONT_MATTER.split(text)
    except ValueError:  # a rule at the top and no second one: nothing but Markdown
        return {}, text
    if len(head) > _MAX_HEAD_CHARS:
        raise BadRecordError(f"front matter of {len(head):,} characters; expected at most {_MAX_HEAD_CHARS:,}")
    try:
        _check_plain(head)
        fields = _FRONT_MATTER.load(head)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise BadRecordError(f"front matter is not valid YAML: {reason}") from error
    if not isinstance(fields, dict):  # two rules around ordinary text
        return {}, text
    return {str(name).casefold(): value for name, value in fields.items()}, body


def _check_plain(head: str) -> None:
    """Raises BadRecordError for what YAML's loader takes minutes over: aliases of aliases, lists in lists in lists."""
    levels = 0
    for event in yaml.parse(head, Loader=_LOADER):
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if levels > _MAX_HEAD_LEVELS or isinstance(event, yaml.AliasEvent):
            raise BadRecordError(
                f"front matter with YAML aliases (*name) or over {_MAX_HEAD_LEVELS} levels; simplify it"
            )


def plain_text(markdown: str) -> tuple[str | None, str]:
    """The heading of level 1 that opens the Markdown (None without one), and all below it as paragraphs."""
    tokens = _PARSER.parse(markdown)
    title = None
    # The opening tokens of "# Title" are heading_open, inline, heading_close.
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":  # noqa: PLR2004
        title = "".join(_inline(tokens[1])).strip() or None
        tokens = tokens[3:] if title else tokens
    return title, "\n\n".join(_blocks(tokens))


def _blocks(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(_inline(token))
        elif token.type in ("fence", "code_block"):
            yield token.content.strip()


def _inline(token: Token) -> Iterator[str]:
    """The words that a reader sees: link texts without their targets, no images, no HTML tags."""
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            yield child.content
        elif child.type in ("softbreak", "hardbreak"):
            yield " "
