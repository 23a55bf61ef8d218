from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import StorySettings
from indexer.wording import minima, same_story, wording_of

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = StorySettings()
VOCABULARY = [f"{first}{second}{third}" for first in "bkdmps" for second in "aiueo" for third in "ngrt"]


def written(seed: int, *, words: int = 60, paragraphs: int = 5, numbers: bool = True) -> str:
    """A text of its own: paragraphs of random words, a number in each sentence."""
    draw = random.Random(seed)  # noqa: S311 - a test's text is no secret
    parts = []
    for _ in range(paragraphs):
        chosen = [draw.choice(VOCABULARY) for _ in range(words)]
        if numbers:
            chosen[:: words // 4] = [f"{draw.randrange(10, 99_999)}" for _ in chosen[:: words // 4]]
        parts.append(" ".join(chosen).capitalize() + ".")
    return "\n\n".join(parts)


def same(one: str, other: str, *, titles: tuple[str, str] = ("", "")) -> bool:
    first, second = (
        wording_of(title, text, settings=SETTINGS) for title, text in zip(titles, (one, other), strict=True)
    )
    verdict = same_story(first, second, settings=SETTINGS)
    assert verdict == same_story(second, first, settings=SETTINGS)
    return verdict


def one_word_in_ten_changed(text: str) -> str:
    words = text.split(" ")
    words[5::10] = ["lain" + word for word in VOCABULARY[: len(words[5::10])]]
    return " ".join(words)


def other_numbers(text: str) -> str:
    draw = random.Random(99)  # noqa: S311
    return re.sub(r"\d+", lambda _: str(draw.randrange(10, 99_999)), text)


@pytest.mark.parametrize(
    "edit",
    [
        str.upper,
        lambda text: text.replace("\n\n", " "),
        lambda text: text.rsplit("\n\n", 1)[0],
        lambda text: text.split("\n\n", 1)[1],
        lambda text: text + "\n\n" + written(7, paragraphs=1),
        lambda text: written(7, paragraphs=1) + "\n\n" + text,
        lambda text: f"JAKARTA, KOMPAS.com - Senin (23/11/2026) pukul 14.30 WIB. {text}",
        one_word_in_ten_changed,
    ],
    ids=["case", "layout", "last cut", "first cut", "one added", "one before", "dateline", "a tenth changed"],
)
def test_an_edited_text_is_the_same_story(edit: Callable[[str], str]) -> None:
    assert same(written(1), edit(written(1)), titles=("Satu judul", "Judul yang lain"))


def test_the_same_words_with_other_numbers_are_another_story() -> None:
    assert not same(written(1), other_numbers(written(1)))


def test_a_daily_report_is_not_that_of_the_day_before() -> None:
    report = (
        "Nilai tukar rupiah terhadap dolar Amerika Serikat dibuka menguat {up} poin pada perdagangan {day} November "
        "2026 di pasar spot Jakarta. Rupiah berada di level {now} per dolar, dibanding penutupan sebelumnya {before}. "
        "Analis memperkirakan rupiah hari ini bergerak di kisaran {low} sampai {high} per dolar menunggu data inflasi."
    )
    monday = report.format(up=25, day=23, now="16.250", before="16.275", low="16.200", high="16.300")
    tuesday = report.format(up=41, day=24, now="16.209", before="16.250", low="16.150", high="16.280")

    assert not same(monday, tuesday)
    assert same(monday, f"JAKARTA - {monday}")


def test_two_reports_with_the_same_long_background_are_two_stories() -> None:
    background = written(3, paragraphs=6)

    assert not same(f"{written(1, paragraphs=2)}\n\n{background}", f"{written(2, paragraphs=2)}\n\n{background}")


def test_a_flash_within_a_roundup_is_not_the_roundup() -> None:
    assert not same(written(1, paragraphs=1), "\n\n".join(written(seed, paragraphs=1) for seed in (1, 2, 3, 4, 5)))


def test_texts_of_a_few_words_must_be_equal_with_their_titles() -> None:
    text = "Jalan tol baru itu dibuka pagi ini dan langsung ramai oleh warga kota."

    assert same(text, text.upper())
    assert not same(text, f"{text} Benar.")
    assert not same(text, text, titles=("Tol dibuka", "Tol ramai"))


def test_texts_without_a_word_are_told_apart_by_their_titles() -> None:
    assert same("…", "?!")
    assert not same("…", "…", titles=("Foto banjir", "Foto gempa"))


def test_thousands_are_written_with_a_point_or_a_comma() -> None:
    assert same(written(1) + " 1.250.000", written(1) + " 1,250,000")


def test_minima_estimate_the_resemblance_of_two_sets() -> None:
    numbers = np.arange(9_000, dtype=np.uint32) * np.uint32(2_654_435_761)
    one, other = np.unique(numbers[:6_000]), np.unique(numbers[3_000:])

    # 3,000 of 9,000 are common; an estimate from 126 places errs by .042 (standard deviation).
    agreeing = (minima(one, settings=SETTINGS) == minima(other, settings=SETTINGS)).mean()
    assert agreeing == pytest.approx(1 / 3, abs=0.13)


def test_minima_are_the_same_on_every_machine() -> None:
    found = minima(np.array([1, 2, 3], np.uint32), settings=SETTINGS)

    assert (found.dtype, found.shape) == (np.uint32, (126,))
    assert found[:3].tolist() == MINIMA


MINIMA = [1947061197, 1156080708, 2416703898]
