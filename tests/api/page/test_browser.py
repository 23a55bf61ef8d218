from __future__ import annotations

import dataclasses
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
import uvicorn

from api.app import create_app
from api.serving import SERVER_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.live import Live
    from api.settings import Settings

    from ..conftest import FakeSearcher

CHROMIUM = shutil.which("chromium")


@pytest.fixture
def address(live: Live, settings: Settings) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(live, settings=settings), log_config=None, **SERVER_OPTIONS))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def test_a_reader_asks_reads_and_goes_back_without_a_script(address: str) -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is absent")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where a browser is

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        view = browser.new_context(java_script_enabled=False, locale="en-GB", viewport={"width": 360, "height": 740})
        tab = view.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(address)
        tab.get_by_role("searchbox").fill("kapal kandas?")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/?q=kapal+kandas%3F**")
        tab.get_by_role("link", name="Kapal kandas di muara").click()
        tab.wait_for_url("**/articles/kapal%2F1?**")
        marked = tab.locator("mark").inner_text()
        tab.get_by_role("link", name="Back to results").click()
        tab.wait_for_url("**/?q=kapal+kandas%3F**")
        kept = tab.get_by_role("searchbox").input_value()
        width = tab.locator("main").bounding_box()["width"]
        browser.close()

    assert marked.startswith("Sebuah kapal kandas.")
    assert kept == "kapal kandas?"
    assert width <= 360
    assert complaints == []
    assert all(url.startswith(address) for url in asked)


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
