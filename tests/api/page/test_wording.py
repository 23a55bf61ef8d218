from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from api.page import failing, open_templates
from api.page.wording import WORDS, choose_interface, long_date, number

if TYPE_CHECKING:
    from api.page.wording import Interface


def test_both_interfaces_have_the_same_words_with_the_same_gaps() -> None:
    gaps = {
        interface: {key: sorted(re.findall(r"{\w+}", text)) for key, text in words.items()}
        for interface, words in WORDS.items()
    }

    assert gaps["id"] == gaps["en"]


def test_every_kind_of_error_is_worded() -> None:
    kinds = {"error", "busy", *failing._KINDS.values()}

    assert kinds | {f"{kind}_hint" for kind in kinds} <= set(WORDS["en"])


def test_every_word_that_a_template_names_exists() -> None:
    templates = open_templates()
    used = set()
    for name in templates.list_templates():
        source, _, _ = templates.loader.get_source(templates, name)
        used |= set(re.findall(r"\bt\.(\w+)", source))

    assert used <= set(WORDS["en"])
    assert not used & set(dir(dict))


@pytest.mark.parametrize(
    ("asked", "remembered", "accept", "chosen"),
    [
        ("id", "en", "en", "id"),
        (None, "id", "en", "id"),
        ("fr", None, "id-ID,id;q=0.9,en;q=0.8", "id"),
        (None, None, "en-GB,en;q=0.9,id;q=0.5", "en"),
        (None, None, "id;q=0.2,en;q=0.7", "en"),
        (None, None, "id;q=0,fr", "en"),
        (None, None, "id;q=nan", "en"),
        (None, None, "", "en"),
        (None, "<b>", ";;;,=,q", "en"),
    ],
)
def test_the_interface_follows_address_then_cookie_then_browser(
    asked: str | None, remembered: str | None, accept: str, chosen: Interface
) -> None:
    assert choose_interface(asked=asked, remembered=remembered, accept_language=accept) == chosen


def test_dates_and_numbers_are_written_in_the_interface_language() -> None:
    assert long_date(date(2026, 8, 17), interface="id") == "17 Agustus 2026"
    assert long_date(date(2026, 8, 17), interface="en") == "17 August 2026"
    assert number(1_234_567, interface="id") == "1.234.567"
    assert number(1_234_567, interface="en") == "1,234,567"
