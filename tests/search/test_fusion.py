from __future__ import annotations

import numpy as np
import pytest

from indexer import Passage
from search import Mode, calibration
from search.calibration import probability, standing
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
def test_a_probability_rises_with_its_standing_and_stays_between_0_and_1(arm: Mode) -> None:
    found = probability(np.linspace(-9, 9, 200), of=arm)

    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def one_language(n: int) -> np.ndarray:
    return np.full(n, "id")


def test_the_probability_is_the_logistic_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calibration._FITTED, Mode.HYBRID, (6.0, -8.0))

    # 1 / (1 + exp(-(6 * 1.5 - 8))) = 1 / (1 + exp(-1)) = .7311
    assert probability(np.array([1.5]), of=Mode.HYBRID)[0] == pytest.approx(0.7311, abs=1e-4)


def test_a_standing_is_the_score_and_four_times_its_lead() -> None:
    found = standing(
        floats(0.8, 0.9, 0.6), background=lambda: 0.5, stories=np.array([4, 2, 9]), languages=one_language(3)
    )

    assert found[1] == pytest.approx(0.9 + 4 * (0.9 - (0.8 + 0.6 + 8 * 0.5) / 10))
    assert found[0] == pytest.approx(0.8 + 4 * (0.8 - (0.9 + 0.6 + 8 * 0.5) / 10))


def test_passages_of_one_story_are_no_rivals() -> None:
    # Rivals of the first story: .7 alone, and nine times the background.
    found = standing(
        floats(0.9, 0.88, 0.7), background=lambda: 0.5, stories=np.array([1, 1, 2]), languages=one_language(3)
    )

    assert found[:2] == pytest.approx([0.9 + 4 * (0.9 - 5.2 / 10), 0.88 + 4 * (0.88 - 5.2 / 10)])
    assert found[2] == pytest.approx(0.7 + 4 * (0.7 - 5.4 / 10))


def test_a_lead_is_over_the_ten_best_other_stories() -> None:
    scores = np.linspace(1.0, 0.3, 14, dtype=np.float32)
    found = standing(scores, background=lambda: 0.0, stories=np.arange(14), languages=one_language(14))

    for row in range(14):
        others = np.sort(np.delete(scores, row))[::-1][:10]
        assert found[row] == pytest.approx(scores[row] + 4 * (scores[row] - others.mean()), abs=1e-5)


def test_the_background_is_asked_only_where_fewer_than_eleven_stories_stand() -> None:
    asked: list[int] = []

    def background() -> float:
        asked.append(1)
        return 0.5

    scores = np.linspace(1.0, 0.3, 12, dtype=np.float32)
    standing(scores, background=background, stories=np.arange(12) % 11, languages=one_language(12))
    assert asked == []

    found = standing(scores, background=background, stories=np.arange(12) % 10, languages=one_language(12))
    assert asked == [1]
    # Of ten stories, each but the best has nine rivals and the background.
    assert found[0] == pytest.approx(1 + 4 * (1 - (scores[1:10].sum() + 0.5) / 10), abs=1e-5)


def test_nothing_has_no_standing() -> None:
    found = standing(floats(), background=lambda: 0.0, stories=np.array([], np.int64), languages=one_language(0))

    assert found.shape == (0,)


def test_translations_are_no_rivals_where_the_language_has_ten() -> None:
    own = np.linspace(0.9, 0.3, 12, dtype=np.float32)
    scores, languages = np.concatenate([own, own + 0.05]), np.repeat(["id", "en"], 12)

    found = standing(scores, background=lambda: 0.0, stories=np.arange(24), languages=languages)
    alone = standing(own, background=lambda: 0.0, stories=np.arange(12), languages=one_language(12))

    assert found[:12] == pytest.approx(alone)


def test_the_other_language_stands_in_for_rivals_that_are_missing() -> None:
    found = standing(
        floats(0.9, 0.6, 0.8), background=lambda: 0.5, stories=np.arange(3), languages=np.array(["id", "id", "en"])
    )

    assert found[0] == pytest.approx(0.9 + 4 * (0.9 - (0.6 + 0.8 + 8 * 0.5) / 10))
    assert found[2] == pytest.approx(0.8 + 4 * (0.8 - (0.9 + 0.6 + 8 * 0.5) / 10))


def test_shared_words_are_marked_where_they_stand_and_common_ones_are_not() -> None:
    text = "Harga sepeda di pasar naik, kata pedagang 🦀 sepeda itu."
    passage = Passage("a#0", "a", text, 0, len(text))

    marks = matching_words(passage, {"sepeda": 3.0, "di": 0.2, "harga": 2.0}, language="id")

    assert [text[m.start : m.end] for m in marks] == ["Harga", "sepeda", "sepeda"]
    assert {m.kind for m in marks} == {"term"}
