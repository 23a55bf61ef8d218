"""Chroma: a persistent collection on this machine. Hybrid search is a service of its makers, and not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import articles
import chromadb
from chromadb.config import Settings
from chromadb.utils.batch_utils import create_batches
from engines import HITS
from sentence_transformers import SentenceTransformer

if TYPE_CHECKING:
    from pathlib import Path

    from chromadb.api import BaseAPI
    from chromadb.api.types import Documents, Embeddings


class E5(chromadb.EmbeddingFunction):  # type: ignore[type-arg]
    """The collection's own embedding function has no prompts; this is its documented way to add them."""

    def __init__(self, model: str) -> None:
        self._folder = model
        self._model = SentenceTransformer(model, device="cpu")

    def __call__(self, input: Documents) -> Embeddings:  # noqa: A002 - the name is Chroma's
        """Vectors of passages."""
        return cast("Embeddings", list(self._model.encode_document(list(input))))

    def embed_query(self, input: Documents) -> Embeddings:  # noqa: A002
        """Vectors of questions."""
        return cast("Embeddings", list(self._model.encode_query(list(input))))

    @staticmethod
    def name() -> str:
        """What the collection remembers of it."""
        return "e5"

    def get_config(self) -> dict[str, Any]:
        """What it is made of."""
        return {"model": self._folder}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> E5:
        """Make it again."""
        return E5(config["model"])


class Chroma:
    """HNSW over cosines, with Chroma's settings for it."""

    modes = ("dense",)

    def __init__(self, model: Path) -> None:
        self._embedding = E5(str(model))
        self._collection: chromadb.Collection | None = None

    def index(self, corpus: Path, folder: Path) -> None:
        """Add in the batches that the client takes."""
        client = self._client(folder)
        collection = client.create_collection(
            "articles", embedding_function=self._embedding, configuration={"hnsw": {"space": "cosine"}}
        )
        read = articles.read(corpus)
        ids, texts = [article.id for article in read], [article.text for article in read]
        for batch_ids, _, _, batch_texts in create_batches(cast("BaseAPI", client), ids=ids, documents=texts):
            collection.add(ids=batch_ids, documents=batch_texts)

    def open(self, folder: Path) -> None:
        """Name the collection; its index is read at the first question."""
        self._collection = self._client(folder).get_collection("articles", embedding_function=self._embedding)

    def ask(self, question: str, _mode: str) -> list[str]:
        """Hits with their texts and distances."""
        if self._collection is None:
            raise RuntimeError("open comes before ask")
        return self._collection.query(query_texts=[question], n_results=HITS)["ids"][0]

    def embed(self, question: str) -> object:
        """The vector of a question."""
        return self._embedding.embed_query([question])

    @staticmethod
    def _client(folder: Path) -> Any:  # noqa: ANN401 - what the library declares
        return chromadb.PersistentClient(str(folder / "chroma"), settings=Settings(anonymized_telemetry=False))


engine = Chroma
