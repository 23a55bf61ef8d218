"""The `cari` command with hashed words of 384 dimensions in the model's place: what is measured is all but encoding.

python bench/build/hashing.py build PATH... --index DIR
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from api.command import main
from indexer import Embedding, HashingEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIM = 384
_FREQUENT = 5
_ONE_IN = 3


class Stored(HashingEncoder):
    """As many tokens worth storing as a model has: a third of all are of frequent pieces."""

    def __init__(self) -> None:
        super().__init__(dim=_DIM)

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of passages, in order."""
        made = super().embed_passages(texts)
        tokens = [replace(one, ids=np.where(one.ids % _ONE_IN, one.ids, _FREQUENT)) for one in made.tokens]
        return Embedding(made.vectors, tokens)


def put_in_place() -> None:
    """Let the command know no other model."""
    indexing = import_module("indexer.command")
    vars(indexing)["prepare_model"] = lambda *_, **__: Path()
    vars(indexing)["open_encoder"] = lambda *_, **__: Stored()


if __name__ == "__main__":
    put_in_place()
    main()
