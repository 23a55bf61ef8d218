from __future__ import annotations

from datetime import date

import pytest

from corpus.metadata import (
    find_published,
    find_title,
    given_language,
    given_published,
    host_of,
    web_address,
)

BODY = "Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur mulai bulan depan."


@pytest.mark.parametrize(
    "title", ["Bus Listrik Mulai Beroperasi", "Mengapa bus listrik terlambat?", "“Kami siap” kata sopir"]
)
def test_a_headline_above_an_article_is_its_title(title: str) -> None:
    assert find_title([title, BODY, BODY]) == title


@pytest.mark.parametrize(
    "first",
    [
        "Bus itu datang.",
        "Bus itu datang. Penumpang senang",
        "Langkah pertama:",
        "bus listrik mulai beroperasi",
        "Bus datang",
        "“Kami siap melayani warga”",
        "Editor's note: the figures were corrected",
        f"Judul yang {'sangat ' * 25}panjang",
    ],
)
def test_anything_else_is_not_a_title(first: str) -> None:
    assert find_title([first, BODY, BODY]) is None


def test_a_single_paragraph_or_a_list_of_lines_has_no_title() -> None:
    assert find_title(["Bus Listrik Mulai Beroperasi"]) is None
    assert find_title(["Bus Listrik Mulai Beroperasi", "Satu", "Dua"]) is None


def test_the_reported_day_is_looked_for_in_the_first_paragraphs_only() -> None:
    reported = "Hal itu dikatakannya, Rabu (19/11/2025)."
    assert find_published([BODY, reported], language="id") == date(2025, 11, 19)
    assert find_published([BODY] * 5 + [reported], language="id") is None


def test_a_day_without_a_weekday_may_be_any_day_and_is_not_taken() -> None:
    assert find_published(["Ia lahir pada 5 Desember 1950."], language="id") is None


def test_an_ambiguous_date_in_english_is_not_guessed() -> None:
    assert given_published("8/1/2026", language="en") is None
    assert given_published("8/1/2026", language="id") == date(2026, 1, 8)
    assert given_published("2026-01-08T09:30:00Z", language="en") == date(2026, 1, 8)
    assert given_published("yesterday", language="en") is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("id", "id"),
        ("ID", "id"),
        ("en-US", "en"),
        ("en_GB", "en"),
        ("ind", "id"),
        ("Indonesian", "id"),
        ("eng", "en"),
        ("ms", "ms"),
    ],
)
def test_a_given_language_is_read_in_its_usual_forms(given: str, code: str) -> None:
    assert given_language(given) == code


@pytest.mark.parametrize("given", [None, "", "???", "klingon"])
def test_a_language_that_is_no_code_is_not_taken(given: str | None) -> None:
    assert given_language(given) is None


def test_the_host_names_the_source() -> None:
    assert host_of("https://www.warta.example/a?b") == "warta.example"
    assert host_of(None) is None
    assert web_address(" https://warta.example/a ") == "https://warta.example/a"
    assert web_address("ftp://warta.example/a") is None
