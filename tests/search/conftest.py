# A searcher over a few articles, without a model.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from indexer import BuildReport, Encoder, HashingEncoder, open_current
from search import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def make_searcher(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> Callable[..., Searcher]:
    """Builds an index of these records in a fresh folder and opens it."""
    made: list[Path] = []

    def make(*rows: dict[str, Any], encoder: Encoder | None = None) -> Searcher:
        index = tmp_path / f"index{len(made)}"
        made.append(index)
        encoder = encoder or HashingEncoder()
        build_quietly(write_rows(tmp_path / "articles.jsonl", rows), index=index, encoder=encoder)
        return Searcher(open_current(index), encoder=encoder)

    return make
