"""How well the model ranks a set of groups, in every direction that its languages allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data import Group
    from upper import Embedded

_DENSE_WEIGHTS = (0.25, 0.5, 0.75)


def directions(groups: list[Group]) -> list[str]:
    """Those with questions and passages, pools of both languages last."""
    passages = {lang for group in groups for lang, _ in group.passages}
    questions = {lang for group in groups for lang, _ in group.questions}
    single = [f"{q}-{p}" for q in ("id", "en") if q in questions for p in ("id", "en") if p in passages]
    return single + ([f"{q}-mixed" for q in sorted(questions, reverse=True)] if len(passages) > 1 else [])


def judge(groups: list[Group], questions: Embedded, passages: Embedded) -> dict[str, tuple[float, ...]]:
    """By direction, nDCG@10 of the pooled vectors, of MaxSim, and of MaxSim with .25, .5 and .75 of the former.

    Args:
        groups: All passages are the pool.
        questions: Of all groups, in order.
        passages: Likewise.
    """
    q_lang, q_group = _labels([group.questions for group in groups])
    p_lang, p_group = _labels([group.passages for group in groups])
    scores = {"single": _scores(questions, passages), "mixed": _scores(questions, passages.without_offsets(p_lang))}
    found = {}
    for direction in directions(groups):
        asked, pool = direction.split("-")
        rows = np.flatnonzero(q_lang == asked)
        columns = np.flatnonzero(p_lang == pool) if pool != "mixed" else np.arange(len(p_lang))
        rows = rows[np.isin(q_group[rows], p_group[columns])]
        relevant = q_group[rows][:, None] == p_group[columns][None, :]
        arms = scores["mixed" if pool == "mixed" else "single"]
        found[direction] = tuple(round(ndcg10(arm[np.ix_(rows, columns)], relevant), 4) for arm in arms)
    return found


def _scores(questions: Embedded, passages: Embedded) -> list[np.ndarray]:
    dense = (questions.pooled @ passages.pooled.T).numpy()
    late = questions.maxsim(passages).numpy()
    return [dense, late, *(late + weight * dense for weight in _DENSE_WEIGHTS)]


def ndcg10(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Mean nDCG@10 with binary gains; rank 2 of one relevant passage gives .631."""
    discounts = 1 / np.log2(np.arange(2, 12))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    gains = np.take_along_axis(relevant, order, axis=1)
    ideal = np.array([discounts[: min(int(n), 10)].sum() for n in relevant.sum(axis=1)])
    return float(((gains * discounts[: gains.shape[1]]).sum(axis=1) / ideal).mean())


def _labels(texts: list[tuple[tuple[str, str], ...]]) -> tuple[np.ndarray, np.ndarray]:
    languages = np.array([lang for some in texts for lang, _ in some])
    return languages, np.repeat(np.arange(len(texts)), [len(some) for some in texts])
