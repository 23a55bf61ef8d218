"""Cari through its public interface: `build`, and a `Searcher` as the service has it, without HTTP."""

from __future__ import annotations

import os
from pathlib import Path

from indexer import ChunkSettings, HashingEncoder, build, open_current, open_encoder
from search import Mode, Query, Searcher, bound_arithmetic


class Quiet:
    """A `Progress` that nobody watches."""

    def articles(self, done: int) -> None:
        """Nothing."""

    def passages(self, done: int, total: int) -> None:
        """Nothing."""


class Cari:
    """Opens the prepared model of the folder it is given; the hashing encoder where that is called `hashing`."""

    modes = ("dense", "hybrid")

    def __init__(self, model: Path) -> None:
        bound_arithmetic()
        self._encoder = HashingEncoder() if model == Path("hashing") else open_encoder(model.parent)
        self._searcher: Searcher | None = None

    def index(self, corpus: Path, folder: Path) -> None:
        """A fresh index, and so without the embedding cache of an earlier one."""
        build([corpus], index=folder, encoder=self._encoder, settings=ChunkSettings(), progress=Quiet(), keep=0)

    def open(self, folder: Path) -> None:
        """Open the live generation."""
        self._searcher = Searcher(open_current(folder), encoder=self._encoder)

    def ask(self, question: str, mode: str) -> list[str]:
        """A whole page as the search box gets it: one hit a story, snippets, highlights and facets."""
        if self._searcher is None:
            raise RuntimeError("open comes before ask")
        return [hit.article.id for hit in self._searcher.search(Query(text=question, mode=Mode(mode))).hits]

    def embed(self, question: str) -> object:
        """Pooled and token vectors of a question."""
        return self._encoder.embed_queries([question])


engine = Cari
os.environ.setdefault("HF_HUB_OFFLINE", "1")
