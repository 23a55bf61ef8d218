"""An article becomes passages: whole sentences, within what the model can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .division import divide
from .passage import Passage

if TYPE_CHECKING:
    import numpy.typing as npt

    from corpus import Article

    from .sentences import Span

_LEAST_TOKENS = 32
_MARGIN = 2
"""A passage alone may have a token more at either edge than the same piece inside its article."""
_LEAST_ROOM = 24
"""Tokens a passage must be left: one code point (U+FDFA) normalises to 18 characters, and the margin."""
_LONGEST_TOKEN = 64
"""Code points. A run of characters that the model does not know is one token to it, however long."""
_SLICE = 200_000
"""Code points tokenised at once, which bounds memory."""


class Tokenizer(Protocol):
    """Counts tokens as the model does, without prompt and special tokens."""

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        """Where each token of `text` begins.

        Returns:
            (n,) int32, ascending code-point offsets; tokens that share an offset repeat it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSettings:
    """How articles are divided. A change makes other passages, so the manifest records all of it.

    `max_tokens` is of everything the model reads of a passage: prompt, special tokens, title and text.
    `overlap_sentences` of a passage begin the next one when a quarter of the room holds them, where a
    paragraph is divided; where a line or paragraph ends, too, with `overlap_across_paragraphs`. A title of
    more than `max_title_tokens` is cut at a word; 0 embeds no title.

    Raises:
        ValueError: a value out of its range, or too little left for the passage itself.
    """

    max_tokens: int = 192
    overlap_sentences: int = 1
    overlap_across_paragraphs: bool = False
    max_title_tokens: int = 48

    def __post_init__(self) -> None:
        if self.max_tokens < _LEAST_TOKENS:
            raise ValueError(f"max_tokens is {self.max_tokens}; expected at least {_LEAST_TOKENS}")
        if self.overlap_sentences < 0:
            raise ValueError(f"overlap_sentences is {self.overlap_sentences}; expected 0 or more")
        if self.max_title_tokens < 0:
            raise ValueError(f"max_title_tokens is {self.max_title_tokens}; expected 0 or more")
        passage_room(self, overhead_tokens=0)


def passage_room(settings: ChunkSettings, *, overhead_tokens: int) -> int:
    """Tokens left for a passage under the longest title.

    Raises:
        ValueError: fewer than 24.
    """
    room = settings.max_tokens - settings.max_title_tokens - overhead_tokens
    if room < _LEAST_ROOM:
        raise ValueError(
            f"max_tokens={settings.max_tokens} leaves {room} tokens for a passage beside max_title_tokens="
            f"{settings.max_title_tokens} and {overhead_tokens} of prompt; expected at least {_LEAST_ROOM}: "
            "raise max_tokens or lower max_title_tokens"
        )
    return room


def embedded_title(title: str, *, tokenizer: Tokenizer, settings: ChunkSettings) -> str:
    """The part of `title` that is embedded: one line of at most `max_title_tokens`, cut at a word."""
    whole = " ".join(title.split())
    starts = tokenizer.token_starts(whole)
    if len(starts) <= settings.max_title_tokens:
        return whole
    # A head may have a token more alone than inside the whole, so each is counted by itself.
    for allowed in range(settings.max_title_tokens, 0, -1):
        limit = int(starts[allowed])
        head = whole[:limit]
        if not whole[limit].isspace():
            head = head.rpartition(" ")[0] or head
        if len(tokenizer.token_starts(head)) <= settings.max_title_tokens:
            return head
    return ""


def embedded_text(title: str, passage_text: str) -> str:
    """Exactly what is embedded for a passage, but for the model's own prompt.

    `title` is what `embedded_title` gave. It is left out when blank or when the passage begins with it.
    """
    title = title.strip()
    begins = passage_text.startswith(title) and not passage_text[len(title) : len(title) + 1].isalnum()
    return passage_text if not title or begins else f"{title}\n{passage_text}"


def chunk(article: Article, *, tokenizer: Tokenizer, settings: ChunkSettings, overhead_tokens: int) -> list[Passage]:
    """Divide an article into passages.

    Every character of `article.text` that is not whitespace lies in at least one passage, starts strictly
    increase and no passage is blank; a text of only whitespace has none. The tokens of
    `embedded_text(embedded_title(article.title, ...), passage.text)` and `overhead_tokens` together are
    never more than `settings.max_tokens`.

    Args:
        article: What is divided.
        tokenizer: The model's.
        settings: The budget and the overlap.
        overhead_tokens: What the model adds to each passage: special tokens and its prompt.

    Raises:
        ValueError: the overhead and the longest title leave too little for a passage.
    """
    passage_room(settings, overhead_tokens=overhead_tokens)
    title = embedded_title(article.title, tokenizer=tokenizer, settings=settings)
    limit = settings.max_tokens - overhead_tokens
    room = limit - len(tokenizer.token_starts(title)) - _MARGIN
    text = article.text

    def divided(start: int, end: int, *, further: bool) -> list[Span]:
        """The parts of a span, the last first."""
        token_starts = _token_starts(text[start:end], tokenizer)
        parts = divide(
            text[start:end],
            token_starts,
            room=max(1, min(room, len(token_starts) - 1)) if further else room,
            overlap_sentences=settings.overlap_sentences,
            overlap_across_paragraphs=settings.overlap_across_paragraphs,
        )
        return [(start + left, start + right) for left, right in reversed(parts)]

    spans: list[Span] = []
    pending = divided(0, len(text), further=False)
    while pending:
        start, end = pending.pop()
        if spans and start <= spans[-1][0]:  # its overlap reaches into a span that was divided further
            start = end - len(text[spans[-1][1] : end].lstrip())
        # Verified as it will be embedded. One that is over, rare thanks to the margin, is divided by the
        # counts of its own tokenisation: always into smaller ones, at last into single code points.
        tokens = len(tokenizer.token_starts(embedded_text(title, text[start:end])))
        if tokens > limit and end - start > 1:
            pending += divided(start, end, further=True)
        else:
            spans.append((start, end))
    return [
        Passage(f"{article.id}#{place}", article.id, text[start:end], start, end)
        for place, (start, end) in enumerate(spans)
    ]


def _token_starts(text: str, tokenizer: Tokenizer) -> npt.NDArray[np.int32]:
    """As the tokenizer's own, but a token of more than 64 code points counts as one for each 64 of them."""
    starts = _sliced_token_starts(text, tokenizer)
    edges = np.concatenate((starts, np.array([len(text)], np.int32)))
    long = np.flatnonzero(np.diff(edges) > _LONGEST_TOKEN)
    if not len(long):
        return starts
    within = [
        np.arange(int(edges[at]) + _LONGEST_TOKEN, int(edges[at + 1]), _LONGEST_TOKEN, dtype=np.int32) for at in long
    ]
    return np.sort(np.concatenate((starts, *within)))


def _sliced_token_starts(text: str, tokenizer: Tokenizer) -> npt.NDArray[np.int32]:
    """A long text's in slices, which bounds memory, that end at a space where there is one."""
    if len(text) <= _SLICE:
        return tokenizer.token_starts(text)
    slices = []
    start = 0
    while start < len(text):
        end = start + _SLICE
        if end < len(text):
            space = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end))
            end = space if space > 0 else end
        slices.append(tokenizer.token_starts(text[start:end]) + np.int32(start))
        start = end
    return np.concatenate(slices)
