"""Late interaction: each token of the question finds its best match among a passage's tokens.

The score of a passage is the mean, over the question's tokens, of the best cosine with any token of the
passage (MaxSim; Khattab & Zaharia 2020, "ColBERT"), with three changes, each measured in `bench/relevance`:
a question token counts by how rare its piece is; a passage's tokens lose their language's offset; frequent
pieces are not stored. The token vectors are the retrieval model's own: no second model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.token_store import products

if TYPE_CHECKING:
    from indexer import Offsets, TokenVectors
    from indexer.token_store import TokenStore

_HALF_WEIGHT_RANK = 50.0
_MAX_QUERY_TOKENS = 64
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Matches:
    """How well each token of a question matches each stored token of some passages.

    `rows` is (passages,) int64, which they are; `cosines` (question tokens, passage tokens) float32; `weights`
    (question tokens,) float32, of sum 1; `bounds` (passages + 1,) int64, where each passage's tokens begin; `to_end`
    (passage tokens,) uint16, how many code points there are from where a token begins to the end of its passage.
    """

    rows: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    bounds: npt.NDArray[np.int64]
    to_end: npt.NDArray[np.uint16]

    def scores(self) -> npt.NDArray[np.float32]:
        """MaxSim of each passage, (passages,) float32, at most 1; -1 where a passage has no tokens.

        Rounded to five decimals, so that how a processor orders a sum cannot order results.
        """
        scores = np.full(len(self.bounds) - 1, -1.0, np.float32)
        filled = np.flatnonzero(np.diff(self.bounds))
        if len(filled) and len(self.weights):
            best = np.maximum.reduceat(self.cosines, self.bounds[filled], axis=1)
            scores[filled] = self.weights @ best
        return np.round(scores, _DECIMALS)

    def have(self, rows: npt.NDArray[np.int64]) -> bool:
        """Whether all of these passages are among them."""
        return bool(np.isin(rows, self.rows).all())

    def of(self, rows: npt.NDArray[np.int64]) -> Matches:
        """The part of some of the passages, in this order."""
        places = [int(np.flatnonzero(self.rows == row)[0]) for row in rows]
        parts = [np.arange(self.bounds[place], self.bounds[place + 1]) for place in places]
        tokens = np.concatenate(parts) if parts else np.empty(0, np.int64)
        bounds = np.cumsum([0, *map(len, parts)])
        return Matches(rows, self.cosines[:, tokens], self.weights, bounds, self.to_end[tokens])


def match(
    question: TokenVectors,
    rows: npt.NDArray[np.int64],
    *,
    store: TokenStore,
    languages: npt.NDArray[np.str_],
    offsets: Offsets,
) -> Matches:
    """Compare a question with the passages of these rows.

    Args:
        question: Its tokens.
        rows: (p,) passage rows.
        store: Their token vectors.
        languages: (p,) the language of each passage.
        offsets: What to remove of each language's token vectors.
    """
    heaviest = compared(question.ids)
    weights, vectors = rarity(question.ids[heaviest]), question.vectors[heaviest]
    packed, bounds = store.tokens(rows)
    # The offsets are compared with the tokens beside the question: one pass over the tokens serves both.
    named, language_of = np.unique(languages, return_inverse=True)
    unmoved = np.zeros(vectors.shape[1], np.float32)
    moved = np.array([offsets.get(str(language), unmoved) for language in named], np.float32)
    both = products(np.concatenate([vectors, moved.reshape(len(named), len(unmoved))]), packed)
    cosines, along = both[: len(vectors)], both[len(vectors) :]
    of = np.repeat(language_of, np.diff(bounds))
    if len(of):
        # The cosine with (x - o) / |x - o| for a unit x, without forming that vector.
        length2 = 1 - 2 * along[of, np.arange(len(of))] + (moved * moved).sum(axis=1)[of]
        cosines -= (vectors @ moved.T)[:, of]
        cosines /= np.sqrt(np.maximum(length2, 1e-6))
    total = weights.sum()
    return Matches(rows, cosines, weights / total if total > 0 else weights, bounds, packed["to_end"])


def compared(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """Which tokens of a question take part, by place, ascending: the 64 rarest."""
    return np.sort(np.argsort(-rarity(ids), kind="stable")[:_MAX_QUERY_TOKENS])


def rarity(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """The weight of a token by its piece: log(1 + id / 50).

    Vocabularies run from frequent to rare, and a word's frequency falls as one over its rank (Zipf's law), so
    the logarithm of the rank is an inverse document frequency that needs no documents: piece 50 weighs .69,
    piece 5,000 weighs 4.62.
    """
    weights: npt.NDArray[np.float32] = np.log1p(ids / _HALF_WEIGHT_RANK).astype(np.float32)
    return weights
