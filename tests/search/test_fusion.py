from __future__ import annotations

import numpy as np
import pytest

from indexer import Passage
from search import Mode, calibration
from search.calibration import NO_BACKGROUND, Background, background_of, probability
from search.fusion import fused
from search.highlight import matching_words


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_without_shared_words_the_arms_are_summed_as_written() -> None:
    found = fused(dense=floats(0.84), late=floats(0.8), lexical=floats(0), languages=np.array(["id"]))

    # .8 + .25 * .84 = 1.01
    assert found.tolist() == [pytest.approx(1.01)]


def test_shared_words_exchange_places_within_a_language() -> None:
    found = fused(
        dense=floats(0.8, 0.8), late=floats(0.80, 0.79), lexical=floats(0, 0.5), languages=np.array(["id", "id"])
    )

    # .79 + .1 * .5 = .84 is more than .80: the second takes the first's place.
    assert found.tolist() == pytest.approx([0.99, 1.00])


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
    found = probability(np.linspace(-1, 1.75, 200, dtype=np.float32), of=arm, background=Background(0.8, 0.03))

    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_probability_is_the_logistic_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calibration._FITTED, Mode.HYBRID, (10.0, 0.5, -17.0))

    # 1 / (1 + exp(-(10 * 1.5 + .5 * (1.5 - 1.2) / .05 - 17))) = 1 / (1 + exp(-1)) = .7311
    found = probability(floats(1.5), of=Mode.HYBRID, background=Background(1.2, 0.05))

    assert found[0] == pytest.approx(0.7311, abs=1e-4)


def test_a_background_is_the_mean_and_the_spread_of_scores() -> None:
    # The mean of .5, .7 and .9 is .7; the mean of their squared distances .08 / 3, its root .1633.
    found = background_of(floats(0.5, 0.7, 0.9))

    assert (found.mean, found.spread) == (pytest.approx(0.7), pytest.approx(0.1633, abs=1e-4))
    assert background_of(floats(0.5, 0.5)).spread > 0
    assert background_of(floats()) == NO_BACKGROUND


def test_a_question_that_is_near_to_everything_must_come_nearer_to_its_answer() -> None:
    for mode in (Mode.HYBRID, Mode.DENSE):
        near, far = (probability(floats(0.85), of=mode, background=Background(mean, 0.03)) for mean in (0.84, 0.75))

        assert near < far


def test_shared_words_are_marked_where_they_stand_and_common_ones_are_not() -> None:
    text = "Harga sepeda di pasar naik, kata pedagang 🦀 sepeda itu."
    passage = Passage("a#0", "a", text, 0, len(text))

    marks = matching_words(passage, {"sepeda": 3.0, "di": 0.2, "harga": 2.0}, language="id")

    assert [text[m.start : m.end] for m in marks] == ["Harga", "sepeda", "sepeda"]
    assert {m.kind for m in marks} == {"term"}
