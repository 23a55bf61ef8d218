"""What of a passage to mark: the sentence whose words best match the question's, in either language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer import split_sentences

from .hit import Highlight

if TYPE_CHECKING:
    import numpy.typing as npt

    from indexer import Passage

    from .late import Matches


def best_sentence(
    passage: Passage, matches: Matches, *, token_starts: npt.NDArray[np.int32], title_length: int
) -> tuple[Highlight, ...]:
    """The best sentence of a passage; nothing where the passage is one sentence or has no stored tokens.

    Args:
        passage: What to mark.
        matches: The question's matches with this passage's stored tokens.
        token_starts: (t,) int32, where each token of the passage's embedded text begins.
        title_length: Code points that stand before the passage in its embedded text.
    """
    sentences = split_sentences(passage.text)
    if len(sentences) < 2 or not len(matches.places):  # noqa: PLR2004 - one sentence needs no mark
        return ()
    # A text cut at the model's limit has fewer stored places than tokens, never more.
    starts = token_starts[np.minimum(matches.places, len(token_starts) - 1)] - title_length
    ends = np.array([end for _, end in sentences])
    # A piece begins with the space before its word, so it is placed by where it ends up: one further on.
    sentence_of = np.searchsorted(ends, starts + 1, side="right")
    order = np.flatnonzero((starts >= -1) & (sentence_of < len(sentences)))
    if not len(order):
        return ()
    first = np.flatnonzero(np.diff(sentence_of[order], prepend=-1))
    best = matches.weights @ np.maximum.reduceat(matches.cosines[:, order], first, axis=1)
    start, end = sentences[int(sentence_of[order][first[int(np.argmax(best))]])]
    return (Highlight(start, end, "sentence"),)
