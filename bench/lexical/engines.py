"""Three ways to BM25 over the same terms: the index as Cari uses it, bm25s scoring by itself, and tantivy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import bm25s
import numpy as np
import tantivy

from indexer.lexical import LexicalIndex, write_lexical
from indexer.terms import terms
from indexer.word_counts import count_words, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from passages import Window

LANGUAGES = ("id", "en")
BUCKETS = 1_000
Best = list[tuple[int, float]]
"""Rows and scores, best first, of each language in turn."""


class Engine(Protocol):
    """Finds the best passages of each language. `below` lets only passages in buckets below it through."""

    def best(self, question: str, k: int, *, below: int | None = None) -> Best:
        """The k best of each language."""


def buckets(count: int) -> npt.NDArray[np.int64]:
    """What filters go by: for each passage a number below BUCKETS, drawn once and for all."""
    return np.random.default_rng(0).integers(0, BUCKETS, count)


def languages_of(passages: Sequence[Window]) -> npt.NDArray[np.str_]:
    """(passages,) the language of each."""
    return np.array([passage.language for passage in passages])


def top(scores: npt.NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    """The k best above 0, score descending, then row; ties with the last one are settled by row too."""
    found = np.flatnonzero(scores)
    if len(found) > k:
        found = found[scores[found] >= np.partition(scores[found], -k)[-k]]
    order = found[np.lexsort((found, -scores[found]))][:k]
    return list(zip(order.tolist(), scores[order].tolist(), strict=True))


def build_bm25s(passages: Sequence[Window], folder: Path) -> None:
    """As `cari build` does it."""
    words = count_words(words_of(p.text, language=p.language) for p in passages)
    write_lexical([words], languages=languages_of(passages), folder=folder)


class Cari:
    """`indexer.lexical` and the choice of the best that `search.ranking` makes."""

    def __init__(self, folder: Path, languages: npt.NDArray[np.str_]) -> None:
        self._index = LexicalIndex(folder, languages=languages)
        self._of = {name: languages == name for name in LANGUAGES}
        self._buckets = buckets(len(languages))

    def best(self, question: str, k: int, *, below: int | None = None) -> Best:
        """The k best of each language, by share."""
        shares = self._index.shares(question)
        if below is not None:
            shares = np.where(self._buckets < below, shares, 0)
        return [hit for mask in self._of.values() for hit in top(np.where(mask, shares, 0), k)]


class Library:
    """The same files, scored by bm25s itself."""

    def __init__(self, folder: Path, languages: npt.NDArray[np.str_]) -> None:
        self._parts = {}
        self._buckets = buckets(len(languages))
        for name in LANGUAGES:
            rows = np.flatnonzero(languages == name)
            if len(rows):
                files = {f"{kind}_name": f"lexical.{name}.{kind}.npy" for kind in ("data", "indices", "indptr")}
                files |= {"vocab_name": f"lexical.{name}.vocabulary.json", "params_name": f"lexical.{name}.json"}
                self._parts[name] = bm25s.BM25.load(folder, **files, mmap=True, show_progress=False), rows

    def best(self, question: str, k: int, *, below: int | None = None) -> Best:
        """The k best of each language, by BM25."""
        found: Best = []
        for name, (index, rows) in self._parts.items():
            known = [stem for stem in stems(question, name) if stem in index.vocab_dict]
            if known:
                scores = index.get_scores(known)
                if below is not None:
                    scores = np.where(self._buckets[rows] < below, scores, 0)
                found += [(int(rows[place]), score) for place, score in top(scores, k)]
        return found


def build_tantivy(passages: Sequence[Window], folder: Path) -> None:
    """One index a language, of the same terms; no positions, which BM25 does not need; one segment each."""
    bucket = buckets(len(passages))
    for name in LANGUAGES:
        (folder / name).mkdir()
        index = tantivy.Index(_schema(), path=str(folder / name))
        writer = index.writer(heap_size=256_000_000, num_threads=1)
        for row, passage in enumerate(passages):
            if passage.language == name:
                words = " ".join(term.stem for term in terms(passage.text, language=name))
                writer.add_document(tantivy.Document(words=words, row=row, bucket=int(bucket[row])))
        writer.commit()
        writer.wait_merging_threads()


class Tantivy:
    """One index a language, opened from disk."""

    def __init__(self, folder: Path, languages: npt.NDArray[np.str_]) -> None:
        self._schema = _schema()
        self._searchers = {name: tantivy.Index.open(str(folder / name)).searcher() for name in np.unique(languages)}

    def best(self, question: str, k: int, *, below: int | None = None) -> Best:
        """The k best of each language, by BM25; its constant factor k1 + 1 is taken out."""
        found: Best = []
        for name, searcher in self._searchers.items():
            words = stems(question, name)
            if not words:
                continue
            should = tantivy.Occur.Should
            query = tantivy.Query.boolean_query(
                [(should, tantivy.Query.term_query(self._schema, "words", word, "freq")) for word in words]
            )
            if below is not None:
                whole = tantivy.FieldType.Integer
                passing = tantivy.Query.range_query(self._schema, "bucket", whole, 0, below, include_upper=False)
                must = tantivy.Occur.Must
                query = tantivy.Query.boolean_query(
                    [(must, query), (must, tantivy.Query.const_score_query(passing, 0.0))]
                )
            hits = searcher.search(query, k, count=False).hits
            rows = searcher.fast_field_values("row", [address for _, address in hits])
            found += [(int(row), score / 2.2) for (score, _), row in zip(hits, rows, strict=True)]
        return found


def stems(text: str, language: str) -> list[str]:
    """The distinct terms of a question, in order."""
    return list(dict.fromkeys(term.stem for term in terms(text, language=language)))


def _schema() -> tantivy.Schema:
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    schema.add_integer_field("row", fast=True)
    schema.add_integer_field("bucket", fast=True)
    return schema.build()


BUILDERS: dict[str, Callable[[Sequence[Window], Path], None]] = {"cari": build_bm25s, "tantivy": build_tantivy}
OPENERS: dict[str, Callable[[Path, npt.NDArray[np.str_]], Engine]] = {
    "cari": Cari,
    "bm25s": Library,
    "tantivy": Tantivy,
}
