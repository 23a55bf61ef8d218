# What the keys do where the script runs.

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

FIRST, LAST = "Kapal kandas di muara", "Pelabuhan dibuka"


def focused(tab: Page) -> str:
    return tab.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def test_a_slash_goes_to_the_question_and_selects_it(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal")
    tab.keyboard.press("/")

    assert focused(tab) == "q"
    tab.keyboard.type("laut/darat")
    assert tab.get_by_role("searchbox").input_value() == "laut/darat"


@pytest.mark.parametrize("path", ["/?q=kapal", "/articles/kapal%2F1?q=kapal"])
def test_escape_clears_the_question_from_anywhere(path: str, open_tab: Callable[..., Page]) -> None:
    tab = open_tab(path)
    tab.keyboard.press("Escape")

    assert tab.get_by_role("searchbox").input_value() == ""
    assert focused(tab) == "q"


@pytest.mark.parametrize(("down", "up"), [("ArrowDown", "ArrowUp"), ("j", "k")])
def test_keys_walk_the_hits_and_back_to_the_question(down: str, up: str, open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal")

    tab.keyboard.press(down)
    assert focused(tab) == FIRST
    assert tab.locator(".hit-title a").first.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    tab.keyboard.press(down)
    tab.keyboard.press(down)
    tab.keyboard.press(down)
    assert focused(tab) == LAST
    for _ in range(3):
        tab.keyboard.press(up)
    assert focused(tab) == "q"


def test_the_arrow_down_leads_from_the_question_to_the_first_hit_and_enter_opens_it(
    open_tab: Callable[..., Page],
) -> None:
    tab = open_tab("/?q=kapal")
    tab.keyboard.press("/")
    tab.keyboard.press("ArrowDown")
    assert focused(tab) == FIRST

    tab.keyboard.press("Enter")

    tab.wait_for_url("**/articles/kapal%2F1?**")


def test_a_letter_in_the_question_is_a_letter(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/")
    tab.keyboard.type("jika/kapal")

    assert tab.get_by_role("searchbox").input_value() == "jika/kapal"


def test_arrows_in_a_date_change_the_date(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal&from=2026-01-01")
    tab.get_by_label("From").focus()
    tab.keyboard.press("ArrowUp")

    assert focused(tab) == "from"


def test_keys_with_a_modifier_are_left_to_the_browser(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal")
    tab.keyboard.press("Control+ArrowDown")

    assert focused(tab) != FIRST


def test_the_examples_of_a_first_visit_can_be_walked_and_asked(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/", language="id")
    assert focused(tab) == "q"
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")

    tab.wait_for_url("**/?q=Mengapa+kapal+kandas%3F")
    tab.get_by_role("heading", name="3 artikel untuk").wait_for()
