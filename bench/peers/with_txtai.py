"""txtai: dense vectors by sentence-transformers in FAISS, texts in SQLite (`content`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import articles
from engines import HITS
from txtai import Embeddings

if TYPE_CHECKING:
    from pathlib import Path


class Txtai:
    """The prompts are those of the model's folder: this way of loading it tells questions and passages apart."""

    modes: tuple[str, ...] = ("dense",)
    settings: dict[str, Any] = {}  # noqa: RUF012 - read only

    def __init__(self, model: Path) -> None:
        # A cache that keeps `load` from reading the model again.
        self._models: dict[str, Any] = {}
        self._embeddings = Embeddings(
            path=str(model),
            method="sentence-transformers",
            content=True,
            gpu=False,
            models=self._models,
            **self.settings,
        )

    def index(self, corpus: Path, folder: Path) -> None:
        """Index and save."""
        self._embeddings.index((article.id, article.text, None) for article in articles.read(corpus))
        self._embeddings.save(str(folder / "index"))

    def open(self, folder: Path) -> None:
        """Load what was saved."""
        self._embeddings = Embeddings(models=self._models)
        self._embeddings.load(str(folder / "index"))

    def ask(self, question: str, _mode: str) -> list[str]:
        """Hits with their texts."""
        return [hit["id"] for hit in self._embeddings.search(question, HITS)]

    def embed(self, question: str) -> object:
        """The vector of a question."""
        return self._embeddings.transform(question, category="query")


engine = Txtai
