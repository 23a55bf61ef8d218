"""Why a passage ranks where it does: what each arm says of it, down to the words."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer import Passage, embedded_text, embedded_title
from indexer.terms import analysed_as, terms

from .late import Matches, compared
from .ranking import MAX_DEPTH, Ranker, Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from corpus import Article
    from indexer import Embedding
    from indexer.chunker import Tokenizer

_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class DenseEvidence:
    """The cosine of question and passage, and the passage's place by it; None past what was looked through."""

    cosine: float
    rank: int | None


@dataclass(frozen=True, slots=True)
class SharedWord:
    """A word that the passage has `count` times, title included, and the question too.

    `weight` is its inverse document frequency among passages of that language; `text` is how it stands in the
    passage first.
    """

    text: str
    weight: float
    count: int


@dataclass(frozen=True, slots=True)
class LexicalEvidence:
    """What share of the question's words matches, the place by it (None for no shared word), and which they are."""

    share: float
    rank: int | None
    words: tuple[SharedWord, ...]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A piece of the question and the piece of the passage that is nearest it.

    The late score is the sum of `cosine` x `weight` over the pieces of the question; the weights sum to 1.
    """

    question: str
    passage: str
    cosine: float
    weight: float


@dataclass(frozen=True, slots=True)
class LateEvidence:
    """MaxSim and the pairs it is made of, the heaviest first; `counted` is false where the ranking did not use it."""

    score: float
    counted: bool
    pairs: tuple[TokenPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What each arm says of one passage. All ranks count passages, from 1, among those that pass the filters.

    `language` is the passage's. `dense` and `late` are None where the question was not embedded, `late` also
    without stored token vectors. `lifted` counts the places that
    shared words moved the passage up within its language, negative for down.
    """

    language: str
    dense: DenseEvidence | None
    lexical: LexicalEvidence
    late: LateEvidence | None
    lifted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An article where it ranks, by its best passage; `rank` and `score` are None past what is ranked."""

    rank: int | None
    score: float | None
    article: Article
    passage: Passage
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to explain a question's ranking with.

    `embedding` is None where words alone ranked, `tokenizer` where no model is open. `allowed` is (passages,) bool
    or None for all; `depth` how far down an arm is asked for a passage's rank.
    """

    text: str
    embedding: Embedding | None
    allowed: npt.NDArray[np.bool_] | None
    ranker: Ranker
    tokenizer: Tokenizer | None
    depth: int = MAX_DEPTH

    def explanations(self, ranking: Ranking) -> list[Explanation]:
        """One for each row of a ranking, or of a part of one."""
        ranker, embedding = self.ranker, self.embedding
        shares = ranker.shares(self.text, allowed=self.allowed)
        nearest = None if embedding is None else ranker.nearest(embedding, k=self.depth, allowed=self.allowed)
        by_vectors = {} if nearest is None else _places(nearest)
        by_words = _places(ranker.sharing(shares, k=self.depth))
        matches = self.matches(ranking)
        found = []
        for place, row in enumerate(ranking.rows.tolist()):
            article, passage = self.passage(row)
            text = self.embedded(article, passage)
            counted = not math.isnan(ranking.late[place])
            found.append(
                Explanation(
                    language=article.language,
                    dense=None
                    if embedding is None
                    else DenseEvidence(float(ranking.dense[place]), by_vectors.get(row)),
                    lexical=LexicalEvidence(
                        float(ranking.lexical[place]), by_words.get(row), self._words(text, language=article.language)
                    ),
                    late=None if matches is None else self._late(matches.of(np.array([row])), text, counted=counted),
                    lifted=int(ranking.lifted[place]),
                )
            )
        return found

    def unranked(self, article_rows: Sequence[int], *, embedding: Embedding) -> Ranking:
        """The passages nearest the question of articles that were not ranked, one each; `scores` are NaN."""
        first = self.ranker.generation.store.first_passage
        best = []
        for article in article_rows:
            rows = np.arange(first[article], first[article + 1])
            if len(rows):
                best.append(rows[np.argmax(self.ranker.cosines(rows, embedding))])
        rows = np.array(best, np.int64)
        unjudged = np.full(len(rows), np.nan, np.float32)
        dense = self.ranker.cosines(rows, embedding) if best else unjudged
        lexical = self.ranker.shares(self.text, allowed=None)[rows]
        standing = np.full(len(rows), np.nan)
        return Ranking(rows, unjudged, dense, lexical, unjudged, np.zeros(len(rows), np.int64), standing)

    def matches(self, ranking: Ranking) -> Matches | None:
        """How the question's tokens match those of a ranking's passages, or of a part of one; None if either has none.

        What the ranking compared is not compared again.
        """
        question = None if self.embedding is None else self.embedding.tokens[0]
        if question is None or not len(question.ids):
            return None
        known, rows = ranking.matches, ranking.rows
        return known.of(rows) if known is not None and known.have(rows) else self.ranker.matches(question, rows)

    def embedded(self, article: Article, passage: Passage) -> str:
        """The text that was embedded and indexed for a passage: its title, as far as it counts, and itself."""
        title, settings = article.title, self.ranker.generation.manifest.chunking
        if self.tokenizer is not None:
            title = embedded_title(title, tokenizer=self.tokenizer, settings=settings)
        return embedded_text(title, passage.text)

    def passage(self, row: int) -> tuple[Article, Passage]:
        """The passage of that row, and its article."""
        store = self.ranker.generation.store
        article = store.article(int(store.passage_article[row]))
        return article, store.passage(row, article)

    def _words(self, text: str, *, language: str) -> tuple[SharedWord, ...]:
        weights = self.ranker.generation.lexical.weights(self.text, language=language)
        words = [word for word in terms(text, language=analysed_as(language)) if word.stem in weights]
        counts = Counter(word.stem for word in words)
        first = {word.stem: text[word.start : word.end] for word in reversed(words)}
        shared = [SharedWord(first[stem], round(weights[stem], _DECIMALS), count) for stem, count in counts.items()]
        return tuple(sorted(shared, key=lambda word: (-word.weight, word.text)))

    def _late(self, matches: Matches, text: str, *, counted: bool) -> LateEvidence:
        pairs: list[TokenPair] = []
        if len(matches.to_end) and self.embedding is not None and self.tokenizer is not None:
            question = self.embedding.tokens[0]
            asked = _pieces(self.text, question.to_end[compared(question.ids)], tokenizer=self.tokenizer)
            best = matches.cosines.argmax(axis=1)
            nearest = _pieces(text, matches.to_end[best], tokenizer=self.tokenizer)
            pairs = [
                TokenPair(
                    asked[token],
                    nearest[token],
                    round(float(matches.cosines[token, best[token]]), _DECIMALS),
                    round(float(matches.weights[token]), _DECIMALS),
                )
                for token in range(len(asked))
            ]
        heaviest = sorted(pairs, key=lambda pair: -pair.weight)
        return LateEvidence(float(matches.scores()[0]), counted, tuple(heaviest))


def placed(
    ranking: Ranking, *, first: int, articles: Sequence[int], evidence: Evidence, embedding: Embedding
) -> tuple[Placed, ...]:
    """The first articles of a ranking, then others wherever they rank, each by its best passage.

    Args:
        ranking: Of passages, whole.
        first: How many articles from the top.
        articles: Article rows to show in any case.
        evidence: Of the question.
        embedding: Of the question.
    """
    article_of = evidence.ranker.generation.store.passage_article
    _, best = np.unique(article_of[ranking.rows], return_index=True)
    ranking = ranking.take(np.sort(best))
    found = article_of[ranking.rows]
    shown = np.flatnonzero((np.arange(len(found)) < first) | np.isin(found, articles))
    missing = evidence.unranked([row for row in articles if row not in found], embedding=embedding)
    whole = ranking.take(shown).then(missing)
    ranks = [*(shown + 1).tolist(), *[None] * len(missing.rows)]
    placed_rows = zip(ranks, whole.rows, whole.scores, evidence.explanations(whole), strict=True)
    return tuple(
        Placed(
            rank=rank,
            score=None if rank is None else float(score),
            article=article,
            passage=passage,
            explanation=explanation,
        )
        for rank, row, score, explanation in placed_rows
        for article, passage in [evidence.passage(int(row))]
    )


def _places(rows: npt.NDArray[np.int64]) -> dict[int, int]:
    return {row: place for place, row in enumerate(rows.tolist(), start=1)}


def _pieces(text: str, to_end: npt.NDArray[np.integer], *, tokenizer: Tokenizer) -> list[str]:
    """What the tokens of a text stand for that begin so far from its end; of one code point, all for the same."""
    edges = np.append(np.unique(tokenizer.token_starts(text)), len(text))
    # The first may begin with the space of a prompt, before the text.
    starts = np.maximum(len(text) - to_end.astype(np.int64), edges[0])
    ends = edges[np.searchsorted(edges[:-1], starts, side="right")]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
