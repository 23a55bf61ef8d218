from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from corpus import Article, read_articles

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    if not SEEDS.exists():
        pytest.skip("../shared/seeds is absent")
    rejections: list[object] = []
    found = list(read_articles([SEEDS], quarantine=rejections.append))
    assert rejections == []
    return found


def test_the_five_articles_are_read_and_nothing_beside_them(articles: list[Article]) -> None:
    assert [article.id[:3] for article in articles] == ["000", "001", "002", "003", "004"]
    assert {article.language for article in articles} == {"id"}


def test_their_dates_are_found_in_five_styles(articles: list[Article]) -> None:
    assert [article.published for article in articles] == [
        date(2026, 1, 8),
        date(2026, 1, 20),
        date(2025, 11, 19),
        date(2024, 3, 25),
        date(2026, 1, 5),
    ]


def test_their_bylines_and_datelines_are_metadata(articles: list[Article]) -> None:
    assert (articles[2].source, articles[2].author) == ("KONTAN.CO.ID", "Barratut Taqiyyah Rafie")
    assert articles[4].author == "Margareth Theresia"


def test_only_a_headline_becomes_a_title(articles: list[Article]) -> None:
    assert [bool(article.title) for article in articles] == [False, False, False, True, False]
    assert articles[3].title.startswith("Indonesia dan China Perkuat")


@pytest.mark.parametrize(
    "boilerplate",
    [
        "Baca Juga",
        "Tonton:",
        "mureks.co.id",
        "date 2026",
        "Penulis:",
        "Editor:",
        "konten yang terkait",
        "@korea.kr",
        "KONTAN.CO.ID -",
    ],
)
def test_no_boilerplate_is_left(articles: list[Article], boilerplate: str) -> None:
    assert not any(boilerplate in article.text for article in articles)


def test_each_paragraph_stands_once(articles: list[Article]) -> None:
    for article in articles:
        paragraphs = article.text.split("\n\n")
        assert len(set(paragraphs)) == len(paragraphs)


def test_no_sentence_is_lost(articles: list[Article]) -> None:
    for article in articles:
        raw = (SEEDS / article.id).read_text(encoding="utf-8")
        kept = f"{article.title} {article.text}".split()
        lost = len(set(raw.split()) - set(kept))
        assert lost <= 40
        assert len(set(kept) - set(raw.split())) <= 1
