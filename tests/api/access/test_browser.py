from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from api.access.keys import create_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..conftest import Served

CHROMIUM = shutil.which("chromium")


def test_a_reader_is_asked_for_the_key_once_and_then_reads_on_without_a_script(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is absent")
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - only where a browser is

    _, secret = create_key(tmp_path / "keys.json", name="desk")
    address = serve(keys=tmp_path / "keys.json", require_key="always").url
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        stranger = browser.new_page(java_script_enabled=False)
        # A browser without a reader to ask gives up as one does who knows no key.
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            stranger.goto(f"{address}/?q=kapal")
        reader = browser.new_page(
            java_script_enabled=False, locale="en-GB", http_credentials={"username": "me", "password": secret}
        )
        reader.goto(f"{address}/?q=kapal")
        reader.get_by_role("link", name="Kapal kandas di muara").click()
        reader.wait_for_url("**/articles/kapal%2F1?**")
        marked = reader.locator("mark").inner_text()
        browser.close()

    assert marked.startswith("Sebuah kapal kandas.")
