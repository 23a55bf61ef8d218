from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.dates import find_date, find_reported_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kamis (8/1/2026)", date(2026, 1, 8)),
        ("(19/11/2025)", date(2025, 11, 19)),
        ("2026.01.05", date(2026, 1, 5)),
        ("2026/01/05", date(2026, 1, 5)),
        ("2024-03-25T10:00:00+07:00", date(2024, 3, 25)),
        ("25 Maret 2024", date(2024, 3, 25)),
        ("25 Agt 2024", date(2024, 8, 25)),
        ("8 January 2026", date(2026, 1, 8)),
        ("Jan 5, 2026", date(2026, 1, 5)),
        ("Sept. 5, 2026", date(2026, 9, 5)),
        ("January 5th, 2026", date(2026, 1, 5)),
        ("Mon, 25 Mar 2024 10:00:00 GMT", date(2024, 3, 25)),
        ("1 Nopember 2025", date(2025, 11, 1)),
    ],
)
def test_indonesian_and_english_dates_are_read(text: str, expected: date) -> None:
    assert find_date(text) == expected


@pytest.mark.parametrize(
    "text",
    ["31 Februari 2024", "32/1/2024", "25 Desember 1642", "2101-01-01", "1.200.2024", "192.168.10.2024", "besok", ""],
)
def test_an_impossible_date_is_no_date(text: str) -> None:
    assert find_date(text) is None


def test_the_order_of_day_and_month_is_not_guessed_where_it_is_unsure() -> None:
    assert find_date("8/1/2026", day_first=True) == date(2026, 1, 8)
    assert find_date("8/1/2026", day_first=False) == date(2026, 8, 1)
    assert find_date("8/1/2026", day_first=None) is None
    assert find_date("8/25/2026", day_first=None) == date(2026, 8, 25)
    assert find_date("5/5/2026", day_first=None) == date(2026, 5, 5)


def test_a_reported_date_has_its_weekday() -> None:
    assert find_reported_date("katanya, Rabu (19/11/2025), di Jakarta") == date(2025, 11, 19)
    assert find_reported_date("said on Thursday, January 8, 2026.") == date(2026, 1, 8)
    assert find_reported_date("lahir pada 5 Desember 2025") is None


def test_a_weekday_that_does_not_fit_makes_the_date_doubtful() -> None:
    assert find_reported_date("katanya, Senin (19/11/2025)") is None


@given(st.text())
def test_any_text_can_be_searched_for_dates(text: str) -> None:
    found = find_date(text)
    assert found is None or 1900 <= found.year <= 2100


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_every_iso_date_is_read_back(day: date) -> None:
    assert find_date(f"x {day.isoformat()}, y") == day
