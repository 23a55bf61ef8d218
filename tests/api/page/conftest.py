# A browser, the service it talks to, and what is asked of every page.

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from ..conftest import Served

CHROMIUM = shutil.which("chromium")
_PATIENCE_MS = 15_000


@pytest.fixture
def address(serve: Callable[..., Served]) -> str:
    return serve().url


# subtle: of the module, not of the session: while Playwright runs, so does an event loop in this thread, and tests
# elsewhere start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is absent")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where a browser is

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield launched
        launched.close()


@pytest.fixture
def open_tab(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens a path in a tab of its own; what the browser complains of there fails the test."""
    contexts = []
    complaints: list[str] = []
    asked: list[str] = []

    def open_at(path: str = "/", *, language: str = "en", expected: str = "", **how: object) -> Page:
        options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **how}
        context = browser.new_context(locale={"en": "en-GB", "id": "id-ID"}[language], **options)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "console",
            lambda message: (
                None if expected and expected in message.text else complaints.append(f"{tab.url}: {message.text}")
            ),
        )
        tab.goto(address + path)
        return tab

    yield open_at
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(url.startswith(address) for url in asked)


@pytest.fixture(scope="session")
def violations() -> Callable[..., list[str]]:
    """What axe-core finds wrong with a page, in light or in dark colours."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only where a browser is

    axe = Axe()

    def found(tab: Page, *, colours: str) -> list[str]:
        tab.emulate_media(color_scheme=colours)
        results = axe.run(tab)
        return [results.generate_report()] if results.violations_count else []

    return found
