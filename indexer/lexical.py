"""BM25 over the words of passages, one index a language. The only file that knows bm25s.

Scores of two languages' indexes mean different things, and so do those of two questions. What leaves this file
is a share: of the weight of the question's words in a language, how much a passage matches. BM25 is Lucene's
(Kamphuis et al. 2020, "Which BM25 Do You Mean?") with k1 = 1.2 and b = .75: a word with inverse document
frequency i adds i * f / (f + k1 * (1 - b + b * length / mean length)) to a passage that has it f times, at most i.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bm25s
import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged
from .terms import ANALYSED, analysed_as, asked_terms, terms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_K1 = 1.2
_B = 0.75


class LexicalIndex:
    """The indexes of a generation, mapped into memory. Thread-safe.

    Args:
        folder: What `write_lexical` wrote into.
        languages: (passages,) the language of each passage.
    """

    def __init__(self, folder: Path, *, languages: npt.NDArray[np.str_]) -> None:
        analysed = _analysed(languages)
        self._n_passages = len(languages)
        self._parts: dict[str, tuple[bm25s.BM25, npt.NDArray[np.int64]]] = {}
        try:
            for name in ANALYSED:
                rows = np.flatnonzero(analysed == name)
                if len(rows):
                    index = bm25s.BM25.load(folder, **_names(name), mmap=True, show_progress=False)
                    self._parts[name] = index, rows
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"the lexical index in {folder} does not open ({error}); run: cari verify") from error

    def shares(self, text: str) -> npt.NDArray[np.float32]:
        """What share of the question each passage matches, (passages,) float32, 0 to 1."""
        shares = np.zeros(self._n_passages, np.float32)
        for name, (index, rows) in self._parts.items():
            weights = self._weights(text, name)
            known = [stem for stem in weights if stem in index.vocab_dict]
            if known:
                shares[rows] = index.get_scores(known) / sum(weights.values())
        return shares

    def weights(self, text: str, *, language: str) -> dict[str, float]:
        """The inverse document frequency, among passages of this language, of each term that a question is about."""
        return self._weights(text, analysed_as(language))

    def _weights(self, text: str, name: str) -> dict[str, float]:
        if name not in self._parts:
            return {}
        index, rows = self._parts[name]
        starts, total = index.scores["indptr"], len(rows)
        weights: dict[str, float] = {}
        for term in asked_terms(text, language=name):
            place = index.vocab_dict.get(term.stem)
            having = 0 if place is None else int(starts[place + 1] - starts[place])
            weights[term.stem] = float(np.log(1 + (total - having + 0.5) / (having + 0.5)))
        return weights


def write_lexical(texts: Iterable[str], *, languages: npt.NDArray[np.str_], folder: Path) -> None:
    """Index the passages.

    Args:
        texts: What is embedded of each passage, in order.
        languages: (passages,) the language of each.
        folder: Where the files go.
    """
    vocabularies: dict[str, dict[str, int]] = {name: {} for name in ANALYSED}
    ids: dict[str, list[list[int]]] = {name: [] for name in ANALYSED}
    for text, name in zip(texts, _analysed(languages), strict=True):
        vocabulary = vocabularies[name]
        ids[name].append([vocabulary.setdefault(t.stem, len(vocabulary)) for t in terms(text, language=name)])
    for name, passages in ids.items():
        if passages:
            # The engine divides by the mean length: where no passage has a word, each has one that none asks for.
            entry = (passages, vocabularies[name]) if vocabularies[name] else ([[0]] * len(passages), {"": 0})
            index = bm25s.BM25(k1=_K1, b=_B, method="lucene")
            index.index(entry, create_empty_token=False, show_progress=False)
            index.save(folder, **_names(name), show_progress=False)


def _analysed(languages: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    named, codes = np.unique(languages, return_inverse=True)
    return np.array([analysed_as(str(language)) for language in named], str)[codes]


def _names(name: str) -> dict[str, str]:
    return {
        "data_name": f"lexical.{name}.data.npy",
        "indices_name": f"lexical.{name}.indices.npy",
        "indptr_name": f"lexical.{name}.indptr.npy",
        "vocab_name": f"lexical.{name}.vocabulary.json",
        "params_name": f"lexical.{name}.json",
        "nnoc_name": f"lexical.{name}.absent.npy",
    }
