"""Semantra: a command that embeds text files and serves a page. Its own Flask routes are asked, without the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import articles
from engines import HITS
from flask import Flask
from semantra.models import TransformerModel
from semantra.semantra import main

_PROMPTS = {"doc_token_pre": "passage: ", "query_token_pre": "query: "}


class Semantra:
    """A file an article, its own windows of 128 tokens, exact comparison (`--no-annoy`, for the best answers)."""

    modes = ("dense",)

    def __init__(self, model: Path) -> None:
        self._model = str(model)
        self._client: Any = None
        self._ids: list[str] = []
        self._embedder: TransformerModel | None = None

    def index(self, corpus: Path, folder: Path) -> None:
        """Write the files, and run the command over them."""
        texts = folder / "texts"
        texts.mkdir()
        read = articles.read(corpus)
        for number, article in enumerate(read):
            (texts / f"{number:06}.txt").write_text(article.text, encoding="utf-8")
        (folder / "ids.json").write_text(json.dumps([article.id for article in read]), encoding="utf-8")
        self._run(folder, no_server=True)

    def open(self, folder: Path) -> None:
        """Run the command again: it finds its files, and makes the application that would serve them."""
        self._ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        applications: list[Flask] = []
        Flask.run = lambda application, **_: applications.append(application)  # type: ignore[method-assign,assignment]
        self._run(folder, no_server=False)
        self._client = applications[0].test_client()

    def ask(self, question: str, _mode: str) -> list[str]:
        """The whole answer of the page's own request, which holds every file's best windows."""
        asked = {"queries": [{"query": question, "weight": 1}], "preferences": []}
        answer = self._client.post("/api/query", json=asked)
        if answer.status_code != 200:  # noqa: PLR2004
            raise RuntimeError(f"/api/query answered {answer.status}")
        return [self._ids[int(Path(name).stem)] for name, _ in answer.json["results"][:HITS]]

    def embed(self, question: str) -> object:
        """The vector of a question, by a second copy of the model: the command keeps its own to itself."""
        if self._embedder is None:
            self._embedder = TransformerModel(self._model, **_PROMPTS)
        return self._embedder.embed_query(question)

    def _run(self, folder: Path, *, no_server: bool) -> None:
        main.callback(
            filename=[str(path) for path in sorted((folder / "texts").iterdir())],
            semantra_dir=str(folder / "semantra"),
            transformer_model=self._model,
            **_PROMPTS,
            annoy=False,
            silent=True,
            no_server=no_server,
        )


engine = Semantra
