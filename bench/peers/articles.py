"""Articles as the peers get them. Needs the standard library only: it runs in their environments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Article:
    """An id, and the text with its title on a line before, as Cari embeds them."""

    id: str
    text: str


def read(corpus: Path) -> list[Article]:
    """The articles of a JSON-lines file in BEIR layout."""
    records = (json.loads(line) for line in corpus.read_text(encoding="utf-8").split("\n") if line.strip())
    return [Article(record["_id"], f"{record['title']}\n{record['text']}".strip()) for record in records]
