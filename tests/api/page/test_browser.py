from __future__ import annotations

import dataclasses
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from ..conftest import FakeSearcher


def test_a_reader_asks_reads_and_goes_back_without_a_script(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/", java_script_enabled=False, viewport={"width": 360, "height": 740})
    tab.get_by_role("searchbox").fill("kapal kandas?")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=kapal+kandas%3F**")
    tab.get_by_role("link", name="Kapal kandas di muara").click()
    tab.wait_for_url("**/articles/kapal%2F1?**")

    assert tab.locator("mark").inner_text().startswith("Sebuah kapal kandas.")
    tab.get_by_role("link", name="Back to results").click()
    tab.wait_for_url("**/?q=kapal+kandas%3F**")
    assert tab.get_by_role("searchbox").input_value() == "kapal kandas?"


def test_filters_pages_and_more_of_an_article_work_without_a_script(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal&limit=1", java_script_enabled=False, language="id")
    tab.get_by_role("link", name="1 bagian lain dari artikel ini").click()
    tab.wait_for_url("**#matches")
    tab.get_by_role("navigation", name="Untuk pertanyaan Anda").get_by_role("link").nth(1).click()
    tab.wait_for_url("**#passage")
    assert tab.locator("mark").inner_text() == "Warga menonton dari tepi."
    tab.get_by_role("link", name="Kembali ke hasil").click()
    tab.get_by_role("link", name="Berikutnya").click()
    tab.wait_for_url("**&offset=1")
    tab.get_by_role("link", name="Februari 2026").click()
    tab.wait_for_url("**&from=2026-02-01&to=2026-02-28")
    assert tab.locator(".hit-title").all_inner_texts() == ["Pelabuhan dibuka"]


def test_a_question_of_one_megabyte_is_refused_with_a_reason_by_the_real_server(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{address}/v1/search?q={'a' * 1_000_000}", timeout=20)  # noqa: S310 - our own

    with refused.value as response:
        assert response.status == 422
        assert response.headers["content-type"] == "application/problem+json"


def test_an_encoded_percent_sign_in_an_article_id_is_decoded_once(address: str, searcher: FakeSearcher) -> None:
    searcher.articles = (dataclasses.replace(searcher.articles[0], id="a%2Fb"),)

    with urllib.request.urlopen(f"{address}/v1/articles/a%252Fb", timeout=20) as response:  # noqa: S310
        assert response.status == 200
