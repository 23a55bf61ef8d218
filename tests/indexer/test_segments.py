from __future__ import annotations

import hashlib
import random
from itertools import pairwise

import numpy as np
import pytest

from indexer import segments
from indexer.segments import segment_bounds

CORPUS = [(hashlib.sha256(str(number).encode()).hexdigest(), number % 23 + 1) for number in range(5_000)]


def runs(articles: list[tuple[str, int]]) -> list[tuple[tuple[str, int], ...]]:
    bounds = segment_bounds(articles).tolist()
    return [tuple(articles[first:end]) for first, end in pairwise(bounds)]


def test_segments_hold_every_article_once_in_order() -> None:
    assert [article for run in runs(CORPUS) for article in run] == CORPUS
    assert all(runs(CORPUS))


def test_segments_have_about_a_thousand_passages_and_never_more_than_two() -> None:
    passages = [sum(n for _, n in run) for run in runs(CORPUS)]

    assert 500 < np.mean(passages) < 1_500
    assert max(passages) <= 2_048


def test_an_article_longer_than_a_segment_has_one_for_itself() -> None:
    assert segment_bounds([("f" * 64, 10), ("f" * 64, 5_000), ("f" * 64, 10)]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("articles", [[], [("f" * 64, 0)], [("0" * 64, 1)]])
def test_the_last_bound_is_the_number_of_articles(articles: list[tuple[str, int]]) -> None:
    bounds = segment_bounds(articles).tolist()

    assert (bounds[0], bounds[-1]) == (0, len(articles))


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_one_article_leaves_nearly_all_segments_as_they_were(change: str) -> None:
    before = set(runs(CORPUS))
    chance = random.Random(0)  # noqa: S311 - to be repeated
    lost = []
    for number in range(50):
        place = chance.randrange(len(CORPUS))
        fresh = [(hashlib.sha256(f"new {number}".encode()).hexdigest(), 7)]
        kept = place + (change != "added")
        articles = CORPUS[:place] + (fresh if change != "removed" else []) + CORPUS[kept:]
        lost.append(len(before - set(runs(articles))))

    # Where a run without a natural end was cut at its greatest length, what follows in it moves.
    assert np.median(lost) <= 1
    assert max(lost) <= 6


def test_how_many_passages_a_segment_has_is_for_digests_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_MEAN_PASSAGES", 4)

    # 1 / 4 of a passage's chance: digests below 4000...; two passages, below 8000...
    assert segment_bounds([("3fffffff", 1), ("40000000", 1), ("7fffffff", 2), ("ffffffff", 1)]).tolist() == [0, 1, 3, 4]
