"""No engine: articles ranked by how many different words of the question they hold. What any engine must beat."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import articles
from engines import HITS

if TYPE_CHECKING:
    from pathlib import Path


class Overlap:
    """Counts words that are shared; ties by id."""

    modes = ("words",)

    def __init__(self, _model: Path) -> None:
        self._words: dict[str, frozenset[str]] = {}

    def index(self, corpus: Path, folder: Path) -> None:
        """Write the words of each article."""
        words = {article.id: sorted(self.embed(article.text)) for article in articles.read(corpus)}
        (folder / "words.json").write_text(json.dumps(words), encoding="utf-8")

    def open(self, folder: Path) -> None:
        """Read them."""
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self._words = {key: frozenset(value) for key, value in words.items()}

    def ask(self, question: str, _mode: str) -> list[str]:
        """The articles that share most words."""
        asked = self.embed(question)
        return sorted(self._words, key=lambda key: (-len(asked & self._words[key]), key))[:HITS]

    def embed(self, question: str) -> frozenset[str]:
        """The words of a question."""
        return frozenset(re.findall(r"\w+", question.lower()))


engine = Overlap
