"""The words of passages, counted: all that the lexical index needs of them, kept so that no text is read twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .terms import analysed_as, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Words = dict[str, int]
"""How often each stem is in a passage, in the order of its words."""


@dataclass(frozen=True, slots=True)
class WordCounts:
    """The words of n passages: passage p has `stems[ids[at]]` `counts[at]` times, for `at` in bounds[p]:bounds[p + 1].

    `stems` stand in the order in which they first occur; `bounds` is (n + 1,) int64, `ids` and `counts` (m,) int32.
    """

    stems: list[str]
    bounds: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """How many passages."""
        return len(self.bounds) - 1

    def words(self, passage: int) -> Words:
        """Those of one passage."""
        at = slice(int(self.bounds[passage]), int(self.bounds[passage + 1]))
        stems = (self.stems[place] for place in self.ids[at].tolist())
        return dict(zip(stems, self.counts[at].tolist(), strict=True))


def words_of(text: str, *, language: str) -> Words:
    """The words of one passage.

    Args:
        text: What is embedded of it.
        language: That of its article.
    """
    return Counter(term.stem for term in terms(text, language=analysed_as(language)))


def count_words(passages: Iterable[Mapping[str, int]]) -> WordCounts:
    """Join the words of passages, in order."""
    places: dict[str, int] = {}
    lengths = [0]
    ids: list[int] = []
    counts: list[int] = []
    for words in passages:
        ids += [places.setdefault(stem, len(places)) for stem in words]
        counts += words.values()
        lengths.append(len(words))
    return WordCounts(
        list(places), np.cumsum(lengths, dtype=np.int64), np.array(ids, np.int32), np.array(counts, np.int32)
    )
