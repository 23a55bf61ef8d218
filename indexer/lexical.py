"""BM25 over the words of passages, one index a language. The only file that knows bm25s.

Scores of two languages' indexes mean different things, and so do those of two questions. What leaves this file
is a share: of the weight of the question's words in a language, how much a passage matches. BM25 is Lucene's
(Kamphuis et al. 2020, "Which BM25 Do You Mean?") with k1 = 1.2 and b = .75: a word with inverse document
frequency i adds i * f / (f + k1 * (1 - b + b * length / mean length)) to a passage that has it f times, at most i.
"""

from __future__ import annotations

from collections import defaultdict
from math import log
from typing import TYPE_CHECKING, Any

import bm25s
import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged
from .terms import ANALYSED, analysed_as, asked_terms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .word_counts import WordCounts

_K1 = 1.2
_B = 0.75
_SMALL = 2**16


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
                    # A map's own kind of array costs more to slice than what is in a slice.
                    for part in ("data", "indices", "indptr"):
                        index.scores[part] = index.scores[part].view(np.ndarray)
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


def write_lexical(parts: Iterable[WordCounts], *, languages: npt.NDArray[np.str_], folder: Path) -> None:
    """Index the passages.

    Args:
        parts: The words of all passages, in order, some passages at a time.
        languages: (passages,) the language of each.
        folder: Where the files go.
    """
    analysed = _analysed(languages)
    postings = {name: _Postings() for name in ANALYSED}
    first = 0
    for part in parts:
        of = analysed[first : first + len(part)]
        first += len(part)
        for name, gathered in postings.items():
            chosen = of == name
            if chosen.any():
                gathered.add(part, chosen=chosen)
    for name, gathered in postings.items():
        if gathered.n_passages:
            index = bm25s.BM25(k1=_K1, b=_B, method="lucene")
            if gathered.vocabulary:
                index.scores, index.vocab_dict = gathered.scores(), dict(gathered.vocabulary)
                index.nonoccurrence_array = None  # of other variants than Lucene's
            else:
                # The engine divides by the mean length: where no passage has a word, each has one that none asks for.
                index.index(([[0]] * gathered.n_passages, {"": 0}), create_empty_token=False, show_progress=False)
            index.save(folder, **_names(name), show_progress=False)


class _Postings:
    """Which passages of one language have which terms, gathered part by part, and scored as the engine would.

    The engine itself takes a list of numbers a passage, and counts and scores each in Python: minutes where this
    takes a second. That the files are the same to the last bit is tested.
    """

    def __init__(self) -> None:
        self.vocabulary: defaultdict[str, int] = defaultdict()
        self.vocabulary.default_factory = self.vocabulary.__len__  # whatever is looked up first gets the next number
        self.n_passages = 0
        self._lengths: list[npt.NDArray[np.float64]] = []
        # Of each part: its terms' places in the vocabulary, and by term then passage: term, passage, count.
        self._parts: list[tuple[npt.NDArray[np.signedinteger[Any]], ...]] = []

    def add(self, part: WordCounts, *, chosen: npt.NDArray[np.bool_]) -> None:
        """Add those passages of a part."""
        sizes = np.diff(part.bounds)
        taken = np.repeat(chosen, sizes)
        ids, counts, sizes = part.ids[taken], part.counts[taken], sizes[chosen]
        rows = np.repeat(np.arange(len(sizes)), sizes)
        self._lengths.append(np.bincount(rows, weights=counts, minlength=len(sizes)).astype(np.float64))
        # Terms of other passages have no place here; the others are numbered as they first occur.
        places = np.zeros(len(part.stems), np.int32)
        there = np.bincount(ids, minlength=len(part.stems)) > 0
        if chosen.all():
            places[:] = list(map(self.vocabulary.__getitem__, part.stems))
        else:
            used = _by_first_use(ids)
            places[used] = [self.vocabulary[part.stems[place]] for place in used.tolist()]
        # Small numbers are sorted by their digits, which is faster by far.
        order = np.argsort(ids.astype(np.uint16) if len(part.stems) <= _SMALL else ids, kind="stable")
        rows = (rows + self.n_passages).astype(np.int32)
        self._parts.append(
            (places[there], np.cumsum(there, dtype=np.int32)[ids[order]] - 1, rows[order], counts[order])
        )
        self.n_passages += len(sizes)

    def scores(self) -> dict[str, object]:
        """The engine's matrix: of each term the passages that have it, ascending, and its score in each."""
        having = np.zeros(len(self.vocabulary), np.int64)
        for places, terms_, _, _ in self._parts:
            having[places] += np.bincount(terms_, minlength=len(places))
        bounds = np.concatenate([[0], np.cumsum(having)])
        lengths = np.concatenate(self._lengths)
        norms = _K1 * ((1 - _B) + _B * lengths / lengths.mean())
        # Of the frequencies there are few, and numpy's logarithm may differ from the engine's in the last digit.
        distinct, which = np.unique(having, return_inverse=True)
        weights = np.array([log(1 + (self.n_passages - n + 0.5) / (n + 0.5)) for n in distinct.tolist()], np.float32)[
            which
        ]
        data, indices = np.empty(bounds[-1], np.float32), np.empty(bounds[-1], np.int32)
        heads = bounds[:-1].copy()
        for places, terms_, rows, counts in self._parts:
            sizes = np.bincount(terms_, minlength=len(places))
            starts = np.cumsum(sizes) - sizes
            targets = (heads[places] - starts)[terms_] + np.arange(len(terms_))
            heads[places] += sizes
            frequencies = counts.astype(np.float32)
            data[targets] = weights[places][terms_] * (frequencies / (norms[rows] + frequencies))
            indices[targets] = rows
        return {"data": data, "indices": indices, "indptr": bounds, "num_docs": self.n_passages}


def _by_first_use(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The distinct numbers in the order in which they first occur: 5, 3, 5, 4 gives 5, 3, 4."""
    distinct, first = np.unique(ids, return_index=True)
    by_first: npt.NDArray[np.int32] = distinct[np.argsort(first)]
    return by_first


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
