"""What the model made of the questions that were asked last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from indexer import Embedding

REMEMBERED_QUESTIONS = 1_000
_MAX_BYTES = 16 * 1024 * 1024


class QuestionMemory:
    """Embeddings of one model by the exact text that it read; thread-safe. The one used longest ago goes first.

    The next page of a ranking, or the same question under other filters, then asks no model. Texts are kept in
    memory and nowhere else; nothing tells them, `repr` neither.

    Args:
        questions: How many are kept at most; 0 for none.
        max_bytes: How much their vectors may take together. 20 tokens take 32 kB, with 384 dimensions.
    """

    def __init__(self, *, questions: int = REMEMBERED_QUESTIONS, max_bytes: int = _MAX_BYTES) -> None:
        self._questions = questions
        self._max_bytes = max_bytes
        self._turn = threading.Lock()
        self._kept: OrderedDict[str, Embedding] = OrderedDict()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """What the kept vectors take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, text: str) -> Embedding | None:
        """What was kept of this text, which then counts as used now."""
        with self._turn:
            found = self._kept.get(text)
            if found is not None:
                self._kept.move_to_end(text)
            return found

    def keep(self, text: str, embedding: Embedding) -> None:
        """Keeps an embedding; from now on nobody may write into its arrays."""
        if _bytes_of(embedding) > self._max_bytes:
            return
        for array in _arrays(embedding):
            array.setflags(write=False)
        with self._turn:
            self._drop(text)
            self._kept[text] = embedding
            self._bytes += _bytes_of(embedding)
            while len(self._kept) > self._questions or self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, text: str) -> None:
        known = self._kept.pop(text, None)
        if known is not None:
            self._bytes -= _bytes_of(known)


def _arrays(embedding: Embedding) -> list[npt.NDArray[np.generic]]:
    return [
        embedding.vectors,
        *(part for tokens in embedding.tokens for part in (tokens.ids, tokens.vectors, tokens.to_end)),
    ]


def _bytes_of(embedding: Embedding) -> int:
    return sum(array.nbytes for array in _arrays(embedding))
