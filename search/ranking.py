"""From a question to passages in order: three arms find candidates, and are fused."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from .calibration import probability
from .fusion import fused
from .late import Matches, match
from .query import Mode

if TYPE_CHECKING:
    import numpy.typing as npt

    from indexer import Embedding, Generation, TokenVectors

    Rows64 = npt.NDArray[np.int64]
    Scores = npt.NDArray[np.float32]
    Mask = npt.NDArray[np.bool_]

MAX_DEPTH = 1_000
"""How many passages are ranked for a query at most, and so how far paging reaches."""
_DENSE_JUDGED = 200
_LEXICAL_JUDGED = 50


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passage rows, best first, with what each arm said of them.

    All are (n,). `scores` is the probability of relevance; `late` is NaN where late interaction did not judge.
    """

    rows: Rows64
    scores: Scores
    dense: Scores
    lexical: Scores
    late: Scores

    def take(self, order: npt.NDArray[np.intp]) -> Ranking:
        """The same of some of its places, in another order."""
        return replace(self, **{field.name: getattr(self, field.name)[order] for field in fields(self)})


class Ranker:
    """Ranks the passages of one generation; thread-safe."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._id_rank = generation.store.id_rank()

    def rank(self, text: str, embedding: Embedding, *, mode: Mode, allowed: Mask | None) -> Ranking:
        """The passages that may answer, best first.

        Args:
            text: The question.
            embedding: Of the question alone.
            mode: Which arms decide.
            allowed: (passages,) bool, which passages passed the filters, or None for all.
        """
        shares = self._generation.lexical.shares(text)
        if allowed is not None:
            shares = np.where(allowed, shares, 0)
        if mode is Mode.LEXICAL:
            rows = self._best_by_words(shares, MAX_DEPTH)
            return self._ordered(rows, embedding, shares, score=probability(shares[rows], of=mode))
        rows, dense = self._generation.vectors.search(embedding.vectors, k=MAX_DEPTH, allowed=allowed)[0]
        rows = rows[self._best_first(rows, dense)]
        if mode is Mode.DENSE or not len(embedding.tokens[0].ids):
            return self._ordered(rows, embedding, shares)
        return self._hybrid(rows, embedding, shares)

    def matches(self, question: TokenVectors, rows: Rows64) -> Matches:
        """How the question's tokens match those of these passages."""
        generation = self._generation
        return match(
            question,
            rows,
            store=generation.tokens,
            languages=generation.languages[rows],
            offsets=generation.token_offsets,
        )

    def _hybrid(self, nearest: Rows64, embedding: Embedding, shares: Scores) -> Ranking:
        """Late interaction judges the nearest passages and those that share most words; the rest follow."""
        near = nearest[:_DENSE_JUDGED]
        by_words = self._best_by_words(shares, _LEXICAL_JUDGED)
        judged = np.concatenate([near, np.setdiff1d(by_words, near)])
        rest = nearest[_DENSE_JUDGED:]
        rest = rest[~np.isin(rest, judged)][: MAX_DEPTH - len(judged)]
        dense, late = self._cosines(judged, embedding), self.matches(embedding.tokens[0], judged).scores()
        evidence = fused(dense=dense, late=late, lexical=shares[judged], languages=self._generation.languages[judged])
        order = self._best_first(judged, evidence)
        scores = probability(evidence, of=Mode.HYBRID)
        top = Ranking(judged, scores, dense, shares[judged], late).take(order)
        below = self._ordered(rest, embedding, shares)
        # What only the dense vectors judged stays below, in its order.
        scale = scores.min(initial=1.0) / below.scores.max(initial=np.finfo(np.float32).tiny)
        below = replace(below, scores=below.scores * np.float32(scale))
        parts = (np.concatenate([getattr(top, f.name), getattr(below, f.name)]) for f in fields(Ranking))
        return Ranking(*parts)

    def _ordered(self, rows: Rows64, embedding: Embedding, shares: Scores, *, score: Scores | None = None) -> Ranking:
        """Rows by one arm's score, that of the dense vectors unless given."""
        dense = self._cosines(rows, embedding)
        scores = probability(dense, of=Mode.DENSE) if score is None else score
        unjudged = np.full(len(rows), np.nan, np.float32)
        order = self._best_first(rows, dense if score is None else score)
        return Ranking(rows, scores, dense, shares[rows], unjudged).take(order)

    def _cosines(self, rows: Rows64, embedding: Embedding) -> Scores:
        vectors = self._generation.vectors.vectors(rows)
        cosines: Scores = np.round(vectors @ embedding.vectors[0], 6).astype(np.float32)
        return cosines

    def _best_by_words(self, shares: Scores, k: int) -> Rows64:
        """The k passages that share most words with the question, of those that share any."""
        sharing = np.flatnonzero(shares)
        if len(sharing) > k:
            # Ties with the last one stay in, for the order below to settle.
            sharing = sharing[shares[sharing] >= np.partition(shares[sharing], -k)[-k]]
        return sharing[self._best_first(sharing, shares[sharing])[:k]]

    def _best_first(self, rows: Rows64, scores: Scores) -> npt.NDArray[np.intp]:
        """The order of results everywhere: score descending, then passage id (its article's, then its place)."""
        article_rank = self._id_rank[self._generation.store.passage_article[rows]]
        return np.lexsort((rows, article_rank, -scores))
