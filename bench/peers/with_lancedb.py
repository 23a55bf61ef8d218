"""LanceDB: a table on this machine, compared whole (its advice below 100,000 rows), and its full-text index beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import articles
import lancedb
from engines import HITS
from lancedb.embeddings import get_registry, register
from lancedb.embeddings.sentence_transformers import SentenceTransformerEmbeddings
from lancedb.index import FTS
from lancedb.pydantic import LanceModel, Vector
from lancedb.rerankers import RRFReranker

if TYPE_CHECKING:
    from pathlib import Path


@register("e5")
class E5(SentenceTransformerEmbeddings):
    """LanceDB's own embedding function, with prompts put before: it has no setting for them."""

    def compute_source_embeddings(self, texts: Any, *_: Any, **__: Any) -> list[Any]:  # noqa: ANN401
        """Vectors of passages."""
        return self.generate_embeddings([f"passage: {text}" for text in self.sanitize_input(texts)])

    def compute_query_embeddings(self, query: str, *_: Any, **__: Any) -> list[Any]:  # noqa: ANN401
        """The vector of a question."""
        return self.generate_embeddings([f"query: {query}"])


class LanceDB:
    """English stemming and stop words are the full-text index's defaults; it has none for Indonesian."""

    modes = ("dense", "hybrid")

    def __init__(self, model: Path) -> None:
        self._embedding = get_registry().get("e5").create(name=str(model), device="cpu", trust_remote_code=False)
        self._embedding.get_embedding_model()
        self._table: Any = None

    def index(self, corpus: Path, folder: Path) -> None:
        """Add the rows, then make the full-text index."""
        embedding = self._embedding

        class Row(LanceModel):  # type: ignore[misc]
            id: str
            text: str = embedding.SourceField()
            vector: Vector(embedding.ndims()) = embedding.VectorField()  # type: ignore[valid-type]

        table = lancedb.connect(folder / "lance").create_table("articles", schema=Row)
        table.add([{"id": article.id, "text": article.text} for article in articles.read(corpus)])
        table.create_index("text", config=FTS())

    def open(self, folder: Path) -> None:
        """Open the table."""
        self._table = lancedb.connect(folder / "lance").open_table("articles")

    def ask(self, question: str, mode: str) -> list[str]:
        """Rows with their texts."""
        # With the question as text, the table would load the model once more for itself.
        vector = self.embed(question)
        if mode == "hybrid":
            asked = self._table.search(query_type="hybrid").vector(vector).text(question).rerank(RRFReranker())
        else:
            asked = self._table.search(vector)
        return [row["id"] for row in asked.distance_type("cosine").limit(HITS).to_list()]

    def embed(self, question: str) -> object:
        """The vector of a question."""
        return self._embedding.compute_query_embeddings(question)[0]


engine = LanceDB
