"""What the frozen lower layers make of every text: computed once, so that training pays for the upper layers only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino as ov
import torch

from indexer.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

PROMPTS = {"question": "query: ", "passage": "passage: "}
MOST_TOKENS = {"question": 48, "passage": 160}
_BATCH_TOKENS = 2_048


@dataclass(frozen=True, slots=True)
class States:
    """Hidden states below the trained layers, text by text.

    `hidden` is (tokens, dim) float16; `ids` (tokens,) int32; `bounds` (texts + 1,) int64.
    """

    hidden: npt.NDArray[np.float16]
    ids: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]

    def batch(self, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Padded to the longest: (n, t, dim) float32, (n, t) bool which are tokens, (n, t) int64 ids."""
        lengths = [int(self.bounds[row + 1] - self.bounds[row]) for row in rows]
        width, dim = max(lengths), self.hidden.shape[1]
        hidden = np.zeros((len(rows), width, dim), np.float32)
        ids = np.zeros((len(rows), width), np.int64)
        mask = np.zeros((len(rows), width), bool)
        for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            part = slice(int(self.bounds[row]), int(self.bounds[row + 1]))
            hidden[place, :length] = self.hidden[part]
            ids[place, :length] = self.ids[part]
            mask[place, :length] = True
        return torch.from_numpy(hidden), torch.from_numpy(mask), torch.from_numpy(ids)


def digest(texts: Sequence[tuple[str, str]]) -> str:
    """A name for what is kept of these texts."""
    return hashlib.sha256(repr((MOST_TOKENS, list(texts))).encode()).hexdigest()[:16]


def read_states(texts: Sequence[tuple[str, str]], *, model: Any, tokenizer: Path, frozen: int, cache: Path) -> States:  # noqa: ANN401
    """States of (role, text) pairs after the first `frozen` layers, from `cache` where it has them."""
    path = cache / f"states-{digest(texts)}-{frozen}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        states = _compute(texts, model=model, tokenizer=tokenizer, frozen=frozen)
        np.savez(path, hidden=states.hidden, ids=states.ids, bounds=states.bounds)
    with np.load(path) as found:
        return States(found["hidden"], found["ids"], found["bounds"])


def _compute(texts: Sequence[tuple[str, str]], *, model: Any, tokenizer: Path, frozen: int) -> States:  # noqa: ANN401
    pieces = PieceTokenizer(tokenizer, max_tokens=512)
    read = [one.ids for one in pieces.read([PROMPTS[role] + text for role, text in texts])]
    ids = [
        row if len(row) <= MOST_TOKENS[role] else [*row[: MOST_TOKENS[role] - 1], row[-1]]
        for (role, _), row in zip(texts, read, strict=True)
    ]
    bounds = np.concatenate([[0], np.cumsum([len(row) for row in ids])]).astype(np.int64)
    hidden = np.empty((bounds[-1], model.config.hidden_size), np.float16)
    run = _lower_layers(model, frozen=frozen)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    batch: list[int] = []
    done = 0
    for row in [*order, None]:
        if batch and (row is None or len(ids[row]) * (len(batch) + 1) > _BATCH_TOKENS):
            width = len(ids[batch[-1]])
            inputs = np.zeros((2, len(batch), width), np.int64)
            for place, member in enumerate(batch):
                inputs[0, place, : len(ids[member])] = ids[member]
                inputs[1, place, : len(ids[member])] = 1
            found = run([inputs[0], inputs[1]])[0]
            for place, member in enumerate(batch):
                hidden[bounds[member] : bounds[member + 1]] = found[place, : len(ids[member])]
            done += len(batch)
            if done // 2_000 != (done - len(batch)) // 2_000:
                print(f"lower layers: {done} of {len(ids)} texts", flush=True)
            batch = []
        if row is not None:
            batch.append(row)
    return States(hidden, np.concatenate([np.array(row, np.int32) for row in ids]), bounds)


def _lower_layers(model: Any, *, frozen: int) -> Any:  # noqa: ANN401
    class Lower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embeddings = model.embeddings
            self.layers = model.encoder.layer[:frozen]

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            hidden = self.embeddings(input_ids=ids)
            bias = (1.0 - mask[:, None, None, :].float()) * -1e4
            for layer in self.layers:
                hidden = layer(hidden, bias)
                hidden = hidden[0] if isinstance(hidden, tuple) else hidden
            return hidden

    ids = torch.full((2, 9), 5, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    with torch.inference_mode():
        graph = ov.convert_model(Lower().eval(), example_input=(ids, mask))
    return ov.Core().compile_model(graph, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
