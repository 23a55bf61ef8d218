"""Which groups meet in a training step: such as are hard to tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from data import Group

# Groups a step, so that steps cost about alike; and how often a set is drawn.
_GROUPS = {
    "stories": 16,
    "xquad-mt": 20,
    "facqa": 40,
    "tydiqa-id": 32,
    "miracl-id-mini": 32,
    "tatoeba": 96,
    "tico19": 64,
}
_SHARE = {"stories": 10, "xquad-mt": 6, "facqa": 3, "tydiqa-id": 3, "miracl-id-mini": 1, "tatoeba": 1, "tico19": 1}
_QUESTIONS = 6
_RUN = 4
DUPLICATE = 0.96
"""Cosine above which another passage is taken to be the same content, so neither right nor wrong."""

Near = npt.NDArray[np.float32]
"""(groups, groups) the cosine of a group's questions with another's passages; its own are 1."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of one step. `right` and `wrong` are (questions, passages) bool; what is neither does not count."""

    source: str
    questions: list[str]
    passages: list[str]
    right: torch.Tensor
    wrong: torch.Tensor


def batches(
    groups: dict[str, list[Group]], near: dict[str, Near], *, steps: int, rng: random.Random
) -> Iterator[Batch]:
    """A step's groups are of one set, in runs of four that are hard to tell apart.

    Args:
        groups: By set.
        near: By set, how near groups are before training: what hard negatives are mined with.
        steps: How many batches.
        rng: Decides what meets.
    """
    names = sorted(groups)
    order = rng.choices(names, weights=[_SHARE[name] for name in names], k=steps)
    queues: dict[str, list[int]] = {name: [] for name in names}
    for name in order:
        if len(queues[name]) < _GROUPS[name]:
            queues[name] = _in_runs(near[name], rng=rng)
        drawn, queues[name] = queues[name][: _GROUPS[name]], queues[name][_GROUPS[name] :]
        yield _batch(name, drawn, groups[name], near[name], rng=rng)


def _in_runs(near: Near, *, rng: random.Random) -> list[int]:
    """Every group once: one drawn, then the three of those left whose passages come nearest to its questions."""
    left = np.ones(len(near), bool)
    seeds = list(range(len(near)))
    rng.shuffle(seeds)
    runs = []
    for seed in seeds:
        if left[seed]:
            left[seed] = False
            nearest = np.argsort(np.where(left & (near[seed] < DUPLICATE), -near[seed], np.inf))[: _RUN - 1]
            nearest = nearest[left[nearest]]
            left[nearest] = False
            runs.append([seed, *(int(place) for place in nearest)])
    rng.shuffle(runs)
    return [place for run in runs for place in run]


def _batch(source: str, drawn: list[int], groups: list[Group], near: Near, *, rng: random.Random) -> Batch:
    questions: list[tuple[str, str, int]] = []
    passages: list[tuple[str, int]] = []
    for place in drawn:
        group = groups[place]
        some = list(dict.fromkeys(group.questions))
        rng.shuffle(some)
        questions += [(lang, text, place) for lang, text in some[:_QUESTIONS]]
        passages += [(text, place) for _, text in group.passages]
    asked = np.array([place for _, _, place in questions])
    offered = np.array([place for _, place in passages])
    same = asked[:, None] == offered[None, :]
    # A sentence is not the answer to itself, nor wrong.
    identical = np.array([[question == passage for passage, _ in passages] for _, question, _ in questions])
    twin = dict(passages)
    duplicate = np.array([[twin[passage] == place for passage, _ in passages] for _, _, place in questions])
    return Batch(
        source,
        [text for _, text, _ in questions],
        [text for text, _ in passages],
        torch.from_numpy(same & ~identical),
        torch.from_numpy(~same & ~identical & ~duplicate & (near[np.ix_(asked, offered)] < DUPLICATE)),
    )
