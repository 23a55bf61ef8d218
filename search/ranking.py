"""From a question to passages in order: three arms find candidates, and are fused."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer import Embedding, unit_rows

from .calibration import probability, standing
from .fusion import fused, meaning
from .late import Matches, match
from .query import Mode
from .timings import Stage, timed

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from indexer import Generation, Rows, TokenVectors

    Rows64 = npt.NDArray[np.int64]
    Scores = npt.NDArray[np.float32]
    Mask = npt.NDArray[np.bool_]

MAX_DEPTH = 1_000
"""How many passages are ranked for a query at most, and so how far paging reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How many passages all arms judge: those nearest a question, and those that share most words with it.

    More of either find nothing more: `bench/relevance/depth.txt`. `cohort` passages, the same ones for every question,
    tell what it scores with anything at all, where that has to be known.
    """

    nearest: int = 64
    sharing: int = 32
    cohort: int = 64


DEPTH = Depth()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passage rows, best first, with what each arm said of them.

    All are (n,). `scores` is the probability of relevance, never above that of a passage before it; `dense` and `late`
    are NaN where that arm did not judge; `lifted` counts the places that shared words moved a passage up, negative for
    down; `standing` is what the probability was made of. `matches` is no column: what late interaction compared of the
    question with some of these passages, if it did.
    """

    rows: Rows64
    scores: Scores
    dense: Scores
    lexical: Scores
    late: Scores
    lifted: Rows64
    standing: npt.NDArray[np.float64]
    matches: Matches | None = None

    def take(self, order: npt.NDArray[np.intp]) -> Ranking:
        """The same of some of its places, in another order."""
        return replace(self, **{name: getattr(self, name)[order] for name in _COLUMNS})

    def then(self, other: Ranking) -> Ranking:
        """These places and those of another ranking below them."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _COLUMNS
        }
        return replace(self, **joined)


_COLUMNS = tuple(field.name for field in fields(Ranking) if field.name != "matches")


class Ranker:
    """Ranks the passages of one generation; thread-safe."""

    def __init__(self, generation: Generation, *, depth: Depth = DEPTH) -> None:
        self.generation = generation
        self._depth = depth
        self._id_rank = generation.store.id_rank()
        # By article id, so that the order in which articles were read cannot show.
        by_id = np.argsort(self._id_rank[generation.store.passage_article], kind="stable")
        self._cohort = by_id[np.linspace(0, len(by_id) - 1, min(depth.cohort, len(by_id))).astype(np.int64)]

    def rank(
        self, text: str, embedding: Embedding | None, *, mode: Mode, allowed: Mask | None, late: bool = True
    ) -> Ranking:
        """The passages that may answer, best first.

        Args:
            text: The question.
            embedding: Of the question alone; None ranks by words, whatever the mode.
            mode: Which arms decide.
            allowed: (passages,) bool, which passages passed the filters, or None for all.
            late: Whether late interaction takes part in the hybrid mode, where the generation has its tokens.
        """
        shares = self.shares(text, allowed=allowed)
        if mode is Mode.LEXICAL or embedding is None:
            return self._by_words(shares, embedding)
        rows = self.nearest(embedding, k=MAX_DEPTH, allowed=allowed)
        if mode is Mode.DENSE:
            return self._ordered(rows, embedding, shares)
        return self._hybrid(rows, embedding, shares, late=late)

    @timed(Stage.LEXICAL)
    def shares(self, text: str, *, allowed: Mask | None) -> Scores:
        """What share of the question's words each passage has, (passages,) float32; 0 where not allowed."""
        shares = self.generation.lexical.shares(text)
        return shares if allowed is None else np.where(allowed, shares, np.float32(0))

    @timed(Stage.DENSE)
    def nearest(self, embedding: Embedding, *, k: int, allowed: Mask | None) -> Rows64:
        """The k allowed passages whose vectors are nearest the question's, best first."""
        rows, cosines = self.generation.vectors.search(embedding.vectors, k=k, allowed=allowed)[0]
        return rows[self._best_first(rows, cosines)]

    def sharing(self, shares: Scores, *, k: int) -> Rows64:
        """The k passages that share most words with the question, best first, of those that share any."""
        rows = np.flatnonzero(shares)
        if len(rows) > k:
            # Ties with the last one stay in, for the order below to settle.
            rows = rows[shares[rows] >= np.partition(shares[rows], -k)[-k]]
        return rows[self._best_first(rows, shares[rows])[:k]]

    @timed(Stage.DENSE)
    def cosines(self, rows: Rows64, embedding: Embedding) -> Scores:
        """The cosine of the question's vector with each of these passages', (len(rows),) float32."""
        vectors = self.generation.vectors.vectors(rows)
        cosines: Scores = np.round(vectors @ embedding.vectors[0], 6).astype(np.float32)
        return cosines

    def like(self, vectors: Rows, *, first: Rows64, allowed: Mask) -> Ranking:
        """The passages nearest to the mean of some stored vectors, best first. No question is embedded.

        Stored vectors have lost their language's offset, so that both languages are near.

        Args:
            vectors: (v, dim) float32, unit rows.
            first: Passage rows that stand above all others, in the order of their cosines.
            allowed: (passages,) bool, which others may be found.
        """
        generation = self.generation
        question = Embedding(unit_rows(vectors.mean(axis=0, keepdims=True)), [])
        rows, _ = generation.vectors.search(question.vectors, k=MAX_DEPTH, allowed=allowed)[0]
        unjudged = np.full(generation.store.n_passages, np.nan, np.float32)
        below, top = (self._ordered(some, question, unjudged) for some in (rows, first))
        return replace(top, scores=np.maximum(top.scores, below.scores.max(initial=0))).then(below)

    @timed(Stage.LATE)
    def matches(self, question: TokenVectors, rows: Rows64) -> Matches | None:
        """How the question's tokens match those of these passages; None where no tokens were stored."""
        generation = self.generation
        if generation.tokens is None:
            return None
        return match(
            question,
            rows,
            store=generation.tokens,
            languages=generation.languages[rows],
            offsets=generation.token_offsets,
        )

    def _by_words(self, shares: Scores, embedding: Embedding | None) -> Ranking:
        """The passages that share any word; their cosines are told where there is an embedding to compare with."""
        rows = self.sharing(shares, k=MAX_DEPTH)
        dense = None if embedding is None else self.cosines(rows, embedding)
        return self._placed(
            rows, shares[rows], of=Mode.LEXICAL, background=lambda: 0.0, dense=dense, lexical=shares[rows]
        )

    def _hybrid(self, nearest: Rows64, embedding: Embedding, shares: Scores, *, late: bool) -> Ranking:
        """All arms judge the nearest passages and those that share most words; the rest follow.

        Without late interaction the dense vectors decide, and shared words still reorder within a language.
        """
        near, rest = np.split(nearest, [self._depth.nearest])
        by_words = self.sharing(shares, k=self._depth.sharing)
        judged = np.concatenate([near, np.setdiff1d(by_words, near)])
        rest = rest[~np.isin(rest, judged)][: MAX_DEPTH - len(judged)]
        matches = self._late(judged, embedding) if late else None
        dense, maxsim = self.cosines(judged, embedding), None if matches is None else matches.scores()
        comparable, lexical = meaning(dense=dense, late=maxsim), shares[judged]
        evidence = fused(dense=dense, late=maxsim, lexical=lexical, languages=self.generation.languages[judged])
        by_meaning, by_all = (np.argsort(self._best_first(judged, score)) for score in (comparable, evidence))
        top = self._placed(
            judged,
            evidence,
            of=Mode.DENSE if maxsim is None else Mode.HYBRID,
            background=lambda: self._meaning_of_anything(embedding, late=matches is not None),
            dense=dense,
            lexical=lexical,
            late=maxsim,
            lifted=by_meaning - by_all,
        )
        below = self._ordered(rest, embedding, shares)
        # What only the dense vectors judged stays below, in its order.
        least = top.scores.min(initial=1.0)
        scale = least / below.scores.max(initial=np.finfo(np.float32).tiny)
        below = replace(below, scores=np.minimum(below.scores * np.float32(scale), least))
        return replace(top.then(below), matches=matches)

    def _late(self, rows: Rows64, embedding: Embedding) -> Matches | None:
        question = embedding.tokens[0]
        return self.matches(question, rows) if len(question.ids) else None

    def _meaning_of_anything(self, embedding: Embedding, *, late: bool) -> float:
        """What a question scores with anything at all: a mean."""
        matches = self._late(self._cohort, embedding) if late else None
        dense, maxsim = self.cosines(self._cohort, embedding), None if matches is None else matches.scores()
        return float(meaning(dense=dense, late=maxsim).mean())

    def _ordered(self, rows: Rows64, embedding: Embedding, shares: Scores) -> Ranking:
        """Rows by the cosine of their vectors."""
        dense = self.cosines(rows, embedding)
        return self._placed(
            rows,
            dense,
            of=Mode.DENSE,
            background=lambda: float(self.cosines(self._cohort, embedding).mean()),
            dense=dense,
            lexical=shares[rows],
        )

    def _placed(
        self,
        rows: Rows64,
        score: Scores,
        *,
        of: Mode,
        background: Callable[[], float],
        dense: Scores | None,
        lexical: Scores,
        late: Scores | None = None,
        lifted: Rows64 | None = None,
    ) -> Ranking:
        """Rows in the order of a score, with the probability that it gives them."""
        found = standing(
            score, background=background, stories=self._stories(rows), languages=self.generation.languages[rows]
        )
        unjudged = np.full(len(rows), np.nan, np.float32)
        dense, late = (unjudged if one is None else one for one in (dense, late))
        lifted = np.zeros(len(rows), np.int64) if lifted is None else lifted
        ranking = Ranking(rows, probability(found, of=of), dense, lexical, late, lifted, found)
        ranking = ranking.take(self._best_first(rows, score))
        # A second passage of the best story has fewer rivals than one of another story that stands above it.
        return replace(ranking, scores=np.minimum.accumulate(ranking.scores))

    def _stories(self, rows: Rows64) -> npt.NDArray[np.integer]:
        generation = self.generation
        return generation.stories.of[generation.store.passage_article[rows]]

    def _best_first(self, rows: Rows64, scores: Scores) -> npt.NDArray[np.intp]:
        """The order of results everywhere: score descending, then passage id (its article's, then its place)."""
        article_rank = self._id_rank[self.generation.store.passage_article[rows]]
        return np.lexsort((rows, article_rank, -scores))
