"""What of a passage to mark: the sentence nearest the question, in either language, and the words they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer import split_sentences
from indexer.terms import analysed_as, terms, terms_among

from .hit import Highlight

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from indexer import Passage

    from .late import Matches

# A word in more than a third of the passages, log(1 + 2/1) = 1.1, tells none of them apart.
_LEAST_WEIGHT = 1.1


def best_sentences(passages: Sequence[Passage], matches: Matches) -> list[tuple[Highlight, ...]]:
    """The best sentence of each passage; nothing where a passage is one sentence or either has no tokens.

    Args:
        passages: What to mark.
        matches: The question's matches with their stored tokens.
    """
    sentences = [split_sentences(passage.text) for passage in passages]
    edges = np.cumsum([0, *map(len, sentences)])
    # All passages are laid on one line, two code points apart, so that one search finds the sentence of every token.
    bases = np.cumsum([0, *(len(passage.text) + 2 for passage in passages)])
    ends = np.array([base + end for base, spans in zip(bases, sentences, strict=False) for _, end in spans], np.int64)
    counts = np.diff(matches.bounds)
    # A piece begins with the space before its word, so it is placed by where it ends up: one further on.
    at = np.repeat(bases[1:] - 1, counts) - matches.to_end
    sentence_of = np.searchsorted(ends, at, side="right")
    tokens = np.flatnonzero((at >= np.repeat(bases[:-1], counts)) & (sentence_of < np.repeat(edges[1:], counts)))
    if not len(tokens) or not len(matches.weights):
        return [()] * len(passages)
    first = np.flatnonzero(np.diff(sentence_of[tokens], prepend=-1))
    best = matches.weights @ np.maximum.reduceat(matches.cosines[:, tokens], first, axis=1)
    found = sentence_of[tokens[first]]
    marks: list[tuple[Highlight, ...]] = []
    cuts = np.searchsorted(found, edges)
    for place, (passage, spans) in enumerate(zip(passages, sentences, strict=True)):
        part = slice(cuts[place], cuts[place + 1])
        judged = [spans[sentence] for sentence in found[part] - edges[place]]
        if len(spans) < 2 or not judged:  # noqa: PLR2004 - one sentence needs no mark
            marks.append(())
            continue
        start, end = judged[int(np.argmax(np.where(_asking(passage, judged), -np.inf, best[part])))]
        marks.append((Highlight(start, end, "sentence"),))
    return marks


def best_sentence_by_words(passage: Passage, weights: dict[str, float], *, language: str) -> tuple[Highlight, ...]:
    """The sentence that shares the most weight of words with the question, where there are no token vectors.

    Of equals the first. Nothing where the passage is one sentence or shares no word that counts.

    Args:
        passage: What to mark.
        weights: The question's terms with their inverse document frequency.
        language: Of the passage.
    """
    sentences = split_sentences(passage.text)
    words = matching_words(passage, weights, language=language)
    if len(sentences) < 2 or not words:  # noqa: PLR2004 - one sentence needs no mark
        return ()
    shared = [
        {word.stem for word in terms(passage.text[start:end], language=analysed_as(language))}
        for start, end in sentences
    ]
    counting = {stem: weight for stem, weight in weights.items() if weight >= _LEAST_WEIGHT}
    totals = np.array([sum(weight for stem, weight in counting.items() if stem in stems) for stems in shared])
    totals[_asking(passage, sentences)] = 0
    start, end = sentences[int(np.argmax(totals))]
    return (Highlight(start, end, "sentence"),) if totals.max() > 0 else ()


def _asking(passage: Passage, sentences: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Which sentences ask, (n,) bool, none where all do: a question is most like a question, but does not answer it."""
    asking = np.array([passage.text[start:end].rstrip("\"'”’)» ").endswith("?") for start, end in sentences], bool)
    return np.zeros_like(asking) if asking.all() else asking


def matching_words(passage: Passage, weights: dict[str, float], *, language: str) -> tuple[Highlight, ...]:
    """The words of a passage that are the question's too, but for those that every passage has.

    Args:
        passage: What to mark.
        weights: The question's terms with their inverse document frequency.
        language: Of the passage.
    """
    marked = {stem for stem, weight in weights.items() if weight >= _LEAST_WEIGHT}
    words = terms_among(marked, passage.text, language=analysed_as(language)) if marked else []
    return tuple(Highlight(word.start, word.end, "term") for word in words)
