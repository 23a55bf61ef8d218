"""The model's own tokenizer, as the chunker and the graph need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tokenizers

from .errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

_PROBE = "ada"


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a text is made of to the model: without special tokens, and not cut.

    `ids` is (t,) int32; `spans` (t, 2) int32, where each piece begins and ends in code points of the text.
    """

    ids: npt.NDArray[np.int32]
    spans: npt.NDArray[np.int32]

    @classmethod
    def of(cls, encoding: tokenizers.Encoding) -> Pieces:
        """Those of a result of the library."""
        spans = np.array(encoding.offsets, np.int32).reshape(-1, 2)
        return cls(np.array(encoding.ids, np.int32), spans)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model reads of a text, special tokens among it.

    `ids` has one entry a token, and so has `to_end` (t,) int32, which counts the code points from where each begins to
    the end of the text (a special token begins anywhere). `cut` says that the text goes on.
    """

    ids: list[int]
    to_end: npt.NDArray[np.int32]
    cut: bool


class PieceTokenizer:
    """Wraps one `tokenizer.json`. Thread-safe: the library's tokenizer is not changed after loading."""

    def __init__(self, path: Path, *, max_tokens: int) -> None:
        try:
            self._library = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ModelError(f"{path} is not a tokenizer ({error}); prepare the model again") from error
        self._library.no_truncation()
        self._library.no_padding()
        probe = self._library.encode(_PROBE)
        own = [place for place, special in enumerate(probe.special_tokens_mask) if not special]
        self._before, self._after = probe.ids[: own[0]], probe.ids[own[-1] + 1 :]
        self._max_own = max_tokens - len(self._before) - len(self._after)

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """What each text is to the model; no special tokens, nothing cut."""
        return [Pieces.of(encoding) for encoding in self._library.encode_batch(list(texts), add_special_tokens=False)]

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        """Where each token of `text` begins.

        Returns:
            (n,) int32, ascending code-point offsets; no special tokens.
        """
        (pieces,) = self.pieces([text])
        return pieces.spans[:, 0]

    def count(self, text: str) -> int:
        """Tokens of `text` with the special ones that the model adds."""
        return len(self._before) + len(self.token_starts(text)) + len(self._after)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What the model reads of each text: special tokens added, cut to its limit."""
        return [self._read(pieces, len(text)) for pieces, text in zip(self.pieces(texts), texts, strict=True)]

    def _read(self, pieces: Pieces, length: int) -> Reading:
        ids = pieces.ids[: self._max_own].tolist()
        to_end = np.zeros(len(self._before) + len(ids) + len(self._after), np.int32)
        to_end[len(self._before) :][: len(ids)] = length - pieces.spans[: len(ids), 0]
        return Reading([*self._before, *ids, *self._after], to_end, len(pieces.ids) > len(ids))

    def own_tokens(self, prompt: str) -> slice:
        """Which of `ids(prompt + text)` are the text's own: all but the prompt's and the special ones."""
        (pieces,) = self.pieces([prompt + _PROBE])
        of_prompt = int(np.count_nonzero(pieces.spans[:, 1] <= len(prompt.rstrip())))
        return slice(len(self._before) + of_prompt, -len(self._after) or None)
