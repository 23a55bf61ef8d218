"""The trained layers, what they make of texts, and MaxSim as the engine computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import normalize

from indexer.token_store import FREQUENT_PIECES
from search.late import rarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from states import States

OWN_TOKENS = {"question": 4, "passage": 3}
"""Where a text's own tokens begin, after <s> and its prompt; </s> ends it."""
_LEAST_TOKENS = 4
_MAXSIM_PASSAGES = 64


@dataclass(slots=True)
class Embedded:
    """n texts: `pooled` (n, dim) and `tokens` (n, t, dim), unit rows; `weights` (n, t), 0 for what does not count.

    A question's weights are the rarity of its pieces, of sum 1; a passage's are 1 for every token that is stored.
    """

    pooled: torch.Tensor
    tokens: torch.Tensor
    weights: torch.Tensor

    def take(self, rows: np.ndarray) -> Embedded:
        """Some of the texts."""
        return Embedded(self.pooled[rows], self.tokens[rows], self.weights[rows])

    def projected(self, projection: torch.Tensor) -> Embedded:
        """The same with shorter token vectors, unit rows again."""
        return Embedded(self.pooled, normalize(self.tokens @ projection, dim=-1), self.weights)

    def maxsim(self, passages: Embedded) -> torch.Tensor:
        """MaxSim of these questions with those passages, (questions, passages)."""
        asked = self.weights > 0
        flat, weights = self.tokens[asked], self.weights[asked]
        owner = torch.arange(len(self.weights))[:, None].expand_as(self.weights)[asked]
        kept = passages.weights > 0
        widths = kept.sum(dim=1)
        best = []
        for start in range(0, len(widths), _MAXSIM_PASSAGES):
            part = slice(start, start + _MAXSIM_PASSAGES)
            tokens = torch.nn.utils.rnn.pad_sequence(
                torch.split(passages.tokens[part][kept[part]], widths[part].tolist()), batch_first=True
            )
            # A padded token is a zero: it may win only against cosines below zero, which no real question has.
            cosines = flat @ tokens.reshape(-1, tokens.shape[-1]).T
            best.append(cosines.view(len(flat), *tokens.shape[:2]).amax(dim=2))
        weighted = torch.cat(best, dim=1) * weights[:, None]
        return torch.zeros(len(self.weights), len(widths)).index_add(0, owner, weighted)

    def without_offsets(self, languages: np.ndarray) -> Embedded:
        """Passages less what their language adds, as the engine removes it in a pool of both."""
        named = sorted(set(languages))
        pooled, tokens = self.pooled.clone(), self.tokens.clone()
        of = {lang: np.flatnonzero(languages == lang) for lang in named}
        means = {lang: pooled[rows].mean(dim=0) for lang, rows in of.items()}
        token_means = {
            lang: (
                (tokens[rows] * self.weights[rows, :, None]).sum(dim=1) / self.weights[rows].sum(dim=1, keepdim=True)
            ).mean(dim=0)
            for lang, rows in of.items()
        }
        for lang, rows in of.items():
            pooled[rows] = normalize(pooled[rows] - (means[lang] - sum(means.values()) / len(named)), dim=-1)
            offset = token_means[lang] - sum(token_means.values()) / len(named)
            tokens[rows] = normalize(tokens[rows] - offset, dim=-1)
        return Embedded(pooled, tokens, self.weights)


def principal_directions(texts: Embedded, *, dim: int) -> torch.Tensor:
    """What training the projection begins with: the directions that hold most of the tokens, (model dim, dim)."""
    tokens = texts.tokens[texts.weights > 0]
    _, _, directions = torch.linalg.svd(tokens[torch.randperm(len(tokens))[:20_000]], full_matrices=False)
    return directions[:dim].T.contiguous()


class UpperLayers(torch.nn.Module):
    """The layers above the frozen ones."""

    def __init__(self, model: Any, *, frozen: int) -> None:  # noqa: ANN401
        super().__init__()
        self.layers = model.encoder.layer[frozen:]

    def embed(self, states: States, rows: Sequence[int], *, role: str) -> Embedded:
        """Of the texts of these rows, which all play that role."""
        hidden, mask, ids = states.batch(rows)
        bias = torch.zeros(mask.shape[0], 1, 1, mask.shape[1]).masked_fill(~mask[:, None, None, :], -1e4)
        for layer in self.layers:
            hidden = layer(hidden, bias)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        filled = mask[:, :, None].float()
        pooled = normalize((hidden * filled).sum(dim=1) / filled.sum(dim=1), dim=-1)
        return Embedded(pooled, normalize(hidden, dim=-1), _weights(mask, ids, role=role))

    @torch.inference_mode()
    def embed_all(self, states: States, rows: Sequence[int], *, role: str) -> Embedded:
        """The same for many texts, by length; what it returns is padded to the longest."""
        lengths = states.bounds[1:] - states.bounds[:-1]
        width, dim = int(max(lengths[list(rows)])), states.hidden.shape[1]
        found = Embedded(torch.empty(len(rows), dim), torch.zeros(len(rows), width, dim), torch.zeros(len(rows), width))
        order = sorted(range(len(rows)), key=lambda place: lengths[rows[place]])
        for start in range(0, len(order), 32):
            places = order[start : start + 32]
            part = self.embed(states, [rows[place] for place in places], role=role)
            found.pooled[places] = part.pooled
            found.tokens[places, : part.tokens.shape[1]] = part.tokens
            found.weights[places, : part.weights.shape[1]] = part.weights
        return found


def _weights(mask: torch.Tensor, ids: torch.Tensor, *, role: str) -> torch.Tensor:
    own = mask.clone()
    own[:, : OWN_TOKENS[role]] = False
    own[torch.arange(len(mask)), mask.sum(dim=1) - 1] = False
    if role == "question":
        weights = torch.from_numpy(rarity(ids.numpy())) * own
        return weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
    kept = own & (ids >= FREQUENT_PIECES)
    few = kept.sum(dim=1) < _LEAST_TOKENS
    kept[few] = own[few]
    return kept.float()
