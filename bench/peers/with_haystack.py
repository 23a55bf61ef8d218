"""Haystack: its in-memory store, joined as in its tutorial on hybrid retrieval, less the cross-encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import articles
from engines import HITS
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.utils import ComponentDevice
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

if TYPE_CHECKING:
    from pathlib import Path

_CPU = ComponentDevice.from_str("cpu")


class Haystack:
    """The store is a file only between two processes: it is read whole, and held in memory."""

    modes = ("dense", "hybrid")

    def __init__(self, model: Path) -> None:
        self._store = InMemoryDocumentStore(embedding_similarity_function="cosine", return_embedding=False)
        self._passages = SentenceTransformersDocumentEmbedder(
            model=str(model), prefix="passage: ", device=_CPU, progress_bar=False
        )
        self._questions = SentenceTransformersTextEmbedder(
            model=str(model), prefix="query: ", device=_CPU, progress_bar=False
        )
        self._questions.warm_up()
        self._pipelines: dict[str, Pipeline] = {}

    def index(self, corpus: Path, folder: Path) -> None:
        """Embed, write, save."""
        indexing = Pipeline()
        indexing.add_component("embedder", self._passages)
        indexing.add_component("writer", DocumentWriter(self._store))
        indexing.connect("embedder", "writer")
        documents = [Document(id=article.id, content=article.text) for article in articles.read(corpus)]
        indexing.run({"embedder": {"documents": documents}})
        self._store.save_to_disk(str(folder / "store.json"))

    def open(self, folder: Path) -> None:
        """Read the store; BM25 is counted anew."""
        self._store = InMemoryDocumentStore.load_from_disk(str(folder / "store.json"))
        dense = Pipeline()
        dense.add_component("embedder", self._questions)
        dense.add_component("last", InMemoryEmbeddingRetriever(self._store, top_k=HITS))
        dense.connect("embedder.embedding", "last.query_embedding")
        hybrid = Pipeline()
        # A component belongs to one pipeline; the model behind it is loaded once for both.
        hybrid.add_component("embedder", self._again())
        hybrid.add_component("near", InMemoryEmbeddingRetriever(self._store))
        hybrid.add_component("words", InMemoryBM25Retriever(self._store))
        hybrid.add_component("last", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=HITS))
        hybrid.connect("embedder.embedding", "near.query_embedding")
        hybrid.connect("near", "last")
        hybrid.connect("words", "last")
        self._pipelines = {"dense": dense, "hybrid": hybrid}

    def ask(self, question: str, mode: str) -> list[str]:
        """Hits with their texts."""
        given = {"embedder": {"text": question}}
        if mode == "hybrid":
            given["words"] = {"query": question}
        return [hit.id for hit in self._pipelines[mode].run(given)["last"]["documents"]]

    def embed(self, question: str) -> object:
        """The vector of a question."""
        return self._questions.run(question)

    def _again(self) -> SentenceTransformersTextEmbedder:
        embedder = SentenceTransformersTextEmbedder.from_dict(self._questions.to_dict())
        embedder.warm_up()
        return embedder


engine = Haystack
