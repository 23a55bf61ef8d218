from __future__ import annotations

import numpy as np
import pytest

from indexer import Passage
from search import Mode
from search.calibration import probability
from search.fusion import fused
from search.highlight import matching_words


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_without_shared_words_the_arms_are_summed_as_written() -> None:
    found = fused(dense=floats(0.84), late=floats(0.8), lexical=floats(0), languages=np.array(["id"]))

    # .8 + .75 * .84 = 1.43
    assert found.tolist() == [pytest.approx(1.43)]


def test_shared_words_exchange_places_within_a_language() -> None:
    found = fused(
        dense=floats(0.8, 0.8), late=floats(0.80, 0.79), lexical=floats(0, 0.5), languages=np.array(["id", "id"])
    )

    # .79 + .1 * .5 = .84 is more than .80: the second takes the first's place.
    assert found.tolist() == pytest.approx([1.39, 1.40])


def test_shared_words_never_move_a_passage_of_the_other_language() -> None:
    dense, late = floats(0.8, 0.8, 0.8), floats(0.80, 0.79, 0.70)
    languages = np.array(["en", "id", "id"])

    without = fused(dense=dense, late=late, lexical=floats(0, 0, 0), languages=languages)
    with_words = fused(dense=dense, late=late, lexical=floats(0, 0.2, 0.9), languages=languages)

    assert with_words[0] == without[0] == max(with_words)


def test_equal_evidence_gets_equal_scores() -> None:
    found = fused(
        dense=floats(0.84, 0.84, 0.5),
        late=floats(0.8, 0.8000002, 0.9),
        lexical=floats(0.1, 0.1, 0),
        languages=np.array(["en"] * 3),
    )

    assert found[0] == found[1]


@pytest.mark.parametrize("arm", Mode)
def test_a_probability_rises_with_its_score_and_stays_between_0_and_1(arm: Mode) -> None:
    found = probability(np.linspace(-1, 1.75, 200, dtype=np.float32), of=arm)

    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_probability_is_the_logistic_function() -> None:
    # 1 / (1 + exp(-(32.9 * 1.5 - 49.0))) = 1 / (1 + exp(-.35)) = .5866
    assert probability(floats(1.5), of=Mode.HYBRID)[0] == pytest.approx(0.5866, abs=1e-3)


def test_shared_words_are_marked_where_they_stand_and_common_ones_are_not() -> None:
    text = "Harga sepeda di pasar naik, kata pedagang 🦀 sepeda itu."
    passage = Passage("a#0", "a", text, 0, len(text))

    marks = matching_words(passage, {"sepeda": 3.0, "di": 0.2, "harga": 2.0}, language="id")

    assert [text[m.start : m.end] for m in marks] == ["Harga", "sepeda", "sepeda"]
    assert {m.kind for m in marks} == {"term"}
