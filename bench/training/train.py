"""Fine-tunes the top layers of the embedded model so that both languages share one space.

python bench/training/train.py --sets stories xquad-mt ... --out adapted.safetensors     (see README.md here)
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from batches import DUPLICATE, Batch, batches
from data import JUDGE, SETS, Group, read_groups
from differences import read_differences, write_differences
from judge import judge
from states import digest, read_states
from torch.nn.functional import normalize, softplus
from transformers import AutoModel
from upper import UpperLayers, principal_directions

if TYPE_CHECKING:
    from upper import Embedded

FROZEN = 8
PROJECTION_RATE = 5e-4
_WARM_UP = 20


def texts_of(groups: list[Group]) -> list[tuple[str, str]]:
    """Each (role, text) of the groups once, in order."""
    questions = [("question", text) for group in groups for _, text in group.questions]
    passages = [("passage", text) for group in groups for _, text in group.passages]
    return list(dict.fromkeys(questions + passages))


def _means(vectors: torch.Tensor, counts: list[int]) -> np.ndarray:
    parts = [part.mean(dim=0) for part in torch.split(vectors, counts)]
    return normalize(torch.stack(parts), dim=-1).numpy()


class Set:
    """A set's groups, and the states of its texts."""

    def __init__(self, name: str, *, model: object, tokenizer: Path, cache: Path) -> None:
        self.name = name
        self.groups = read_groups(name)
        texts = texts_of(self.groups)
        self.at = {text: row for row, text in enumerate(texts)}
        self._near = cache / f"near-{digest(texts)}.npy"
        self.states = read_states(texts, model=model, tokenizer=tokenizer, frozen=FROZEN, cache=cache)

    def near(self, layers: UpperLayers) -> np.ndarray:
        """(groups, groups) how near the questions of each group are to the passages of another; 1 for equal ones."""
        if self._near.is_file():
            return np.load(self._near)
        questions, passages = self.embed(layers)
        asked = _means(questions.pooled, [len(group.questions) for group in self.groups])
        offered = _means(passages.pooled, [len(group.passages) for group in self.groups])
        near = asked @ offered.T
        near[offered @ offered.T > DUPLICATE] = 1.0
        np.save(self._near, near)
        return near

    def rows(self, texts: list[str], *, role: str) -> list[int]:
        """Where the states of these texts are."""
        return [self.at[role, text] for text in texts]

    def embed(self, layers: UpperLayers) -> tuple[Embedded, Embedded]:
        """All questions and all passages."""
        questions = [text for group in self.groups for _, text in group.questions]
        passages = [text for group in self.groups for _, text in group.passages]
        return (
            layers.embed_all(self.states, self.rows(questions, role="question"), role="question"),
            layers.embed_all(self.states, self.rows(passages, role="passage"), role="passage"),
        )


def contrast(scores: torch.Tensor, batch: Batch, *, temperature: float) -> torch.Tensor:
    """Mean over questions of -log softmax of each answer against all that is not one.

    Answers do not compete with each other; what may be an unmarked answer does not compete at all.
    """
    scores = scores / temperature
    against = torch.logsumexp(scores.masked_fill(~batch.wrong, -1e4), dim=1, keepdim=True)
    losses = softplus(against - scores) * batch.right
    return (losses.sum(dim=1) / batch.right.sum(dim=1).clamp(min=1)).mean()


def main() -> None:
    """Train, write, judge."""
    given = _arguments()
    torch.manual_seed(given.seed)
    model = AutoModel.from_pretrained(given.model / "source", attn_implementation="sdpa").eval()
    lower = AutoModel.from_pretrained(given.model / "source", attn_implementation="eager").eval()
    sets = {
        name: Set(name, model=lower, tokenizer=given.model / "tokenizer.json", cache=given.cache)
        for name in dict.fromkeys([*given.sets, *given.judge])
    }
    layers = UpperLayers(model, frozen=FROZEN)
    before = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    if given.start is not None:
        with torch.no_grad():
            for name, difference in read_differences(given.start).items():
                model.state_dict()[name].add_(difference)
    projection = train({name: sets[name] for name in given.sets}, layers, given)
    metadata = {"seed": str(given.seed), "sets": " ".join(given.sets), "steps": str(given.steps)}
    differences = {name: (tensor - before[name]).float() for name, tensor in model.state_dict().items()}
    write_differences(differences, path=given.out, metadata=metadata)
    print(f"wrote {given.out}: {given.out.stat().st_size / 1e6:.1f} MB")
    for name in given.judge:
        questions, passages = sets[name].embed(layers)
        told = {"set": name, "trained on": name in given.sets}
        print(json.dumps(told | judge(sets[name].groups, questions, passages)), flush=True)
        if projection is not None:
            short = (some.projected(projection.detach()) for some in (questions, passages))
            print(json.dumps(told | {"tokens": given.token_dim} | judge(sets[name].groups, *short)), flush=True)


def train(sets: dict[str, Set], layers: UpperLayers, given: argparse.Namespace) -> torch.nn.Parameter | None:
    """Train the layers in place; returns the projection of token vectors where one was asked for."""
    parameters = list(layers.parameters())
    groups = [{"params": parameters, "lr": given.rate, "weight_decay": 0.01}]
    projection = None
    if given.token_dim and sets:
        offered = next(iter(sets.values())).embed(layers)[1]
        projection = torch.nn.Parameter(principal_directions(offered, dim=given.token_dim))
        groups.append({"params": [projection], "lr": PROJECTION_RATE, "weight_decay": 0.0})
        parameters = [*parameters, projection]
    optimizer = torch.optim.AdamW(groups)
    rates = [group["lr"] for group in optimizer.param_groups]
    plan = batches(
        {name: some.groups for name, some in sets.items()},
        {name: some.near(layers) for name, some in sets.items()},
        steps=given.steps,
        rng=random.Random(given.seed),  # noqa: S311 - the order of training is no secret
    )
    started = time.monotonic()
    seen: dict[str, list[float]] = {}
    for step, batch in enumerate(plan):
        pace = min(1.0, (step + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / given.steps))
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * pace
        loss = _loss(batch, sets[batch.source], layers, projection=projection, temperature=given.temperature)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        seen.setdefault(batch.source, []).append(float(loss.detach()))
        if (step + 1) % 25 == 0:
            recent = " ".join(f"{name} {np.mean(values[-10:]):.2f}" for name, values in sorted(seen.items()))
            print(f"step {step + 1} {time.monotonic() - started:.0f} s: {recent}", flush=True)
    return projection


def _loss(
    batch: Batch, some: Set, layers: UpperLayers, *, projection: torch.Tensor | None, temperature: float
) -> torch.Tensor:
    """Of the pooled vectors, and of MaxSim; with a projection, half of the latter is of the shorter tokens."""
    questions = layers.embed(some.states, some.rows(batch.questions, role="question"), role="question")
    passages = layers.embed(some.states, some.rows(batch.passages, role="passage"), role="passage")
    dense = contrast(questions.pooled @ passages.pooled.T, batch, temperature=temperature)
    late = contrast(questions.maxsim(passages), batch, temperature=temperature)
    if projection is not None:
        scores = questions.projected(projection).maxsim(passages.projected(projection))
        late = (late + contrast(scores, batch, temperature=temperature)) / 2
    return dense + late


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a folder that cari model prepare made")
    parser.add_argument("--cache", type=Path, required=True, help="where states of the lower layers are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=[], choices=[name for name in SETS if name != JUDGE])
    parser.add_argument("--judge", nargs="*", default=[], choices=SETS)
    parser.add_argument("--start", type=Path, help="differences of an earlier run to go on from")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--token-dim", type=int, default=0, help="also train a projection of token vectors; 0: none")
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--temperature", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
