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
            self._whole = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ModelError(f"{path} is not a tokenizer ({error}); prepare the model again") from error
        self._whole.no_truncation()
        self._whole.no_padding()
        self._max_own = max_tokens - int(self._whole.num_special_tokens_to_add(is_pair=False))

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        """Where each token of `text` begins.

        Returns:
            (n,) int32, ascending code-point offsets; no special tokens.
        """
        encoding = self._whole.encode(text, add_special_tokens=False)
        return np.fromiter((start for start, _ in encoding.offsets), np.int32, len(encoding.offsets))

    def count(self, text: str) -> int:
        """Tokens of `text` with the special ones that the model adds."""
        return len(self._whole.encode(text).ids)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What the model reads of each text: special tokens added, cut to its limit."""
        return [
            self._read(encoding, len(text))
            for encoding, text in zip(
                self._whole.encode_batch(list(texts), add_special_tokens=False), texts, strict=True
            )
        ]

    def _read(self, encoding: tokenizers.Encoding, length: int) -> Reading:
        cut = len(encoding.ids) > self._max_own
        # Cut by hand: a second tokenizer that cuts would hold the vocabulary again, 280 MB for the default model.
        encoding.truncate(self._max_own)
        whole = self._whole.post_process(encoding)
        starts = np.fromiter((start for start, _ in whole.offsets), np.int32, len(whole.offsets))
        return Reading(whole.ids, length - starts, cut)

    def own_tokens(self, prompt: str) -> slice:
        """Which of `ids(prompt + text)` are the text's own: all but the prompt's and the special ones."""
        encoding = self._whole.encode(prompt + _PROBE)
        special, spans = encoding.special_tokens_mask, encoding.offsets
        own = [i for i, (_, end) in enumerate(spans) if end > len(prompt.rstrip()) and not special[i]]
        return slice(own[0], own[-1] + 1 - len(spans) or None)
