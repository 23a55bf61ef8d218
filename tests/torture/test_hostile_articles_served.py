# From files made to harm to what the API and the page say of them: as data, never as markup, links or addresses.

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from api.settings import Settings
from indexer import HashingEncoder, current_generation, open_current
from search import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer import BuildReport

SCRIPT = "<script>alert(1)</script>"
BREAKOUT = "\"'><img src=x onerror=alert(1)>{{7*7}}"
TEXT = f"Kapal kandas di muara sejak pagi. {SCRIPT} {BREAKOUT} &lt;b&gt; ]]> Warga menonton dari tepi."
IDS = [
    "../../etc/passwd",
    "a/../b",
    "a/similar",
    "50%/..",
    "<script>",
    "a?q=#b",
    "javascript:alert(1)",
    "a b\u00a0c",
]
URLS = [
    "javascript:alert(1)",
    " JaVa\tScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example/x",
    'https://good.example/"><script>alert(1)</script>',
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, build_quietly: Callable[..., BuildReport]) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "a.jsonl"
    rows = [
        {
            "id": name,
            "title": f"Kapal {number} {SCRIPT}{BREAKOUT}\u202e",
            "text": f"{TEXT} Nomor {number}.",
            "source": f"{SCRIPT}{number}",
            "author": BREAKOUT,
            "url": url,
        }
        for number, (name, url) in enumerate(zip(IDS, URLS, strict=True))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    index = folder / "index"
    report = build_quietly(path, index=index)
    assert (report.articles, report.quarantined) == (len(IDS), [])
    live = Live(
        lambda: Searcher(open_current(index), encoder=HashingEncoder()), read_current=lambda: current_generation(index)
    )
    with TestClient(create_app(live, settings=Settings())) as client:
        yield client


class Tags(HTMLParser):
    """The elements and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.sources: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" and not dict(attrs).get("src")
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "action", "formaction")]
        self.sources += [value or "" for name, value in attrs if name == "src"]


def tags_of(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def assert_harmless(page: str) -> None:
    tags = tags_of(page)
    assert tags.handlers == []
    assert "x" not in tags.sources
    for address in tags.addresses:
        assert address.startswith(("/", "?", "#", "https://good.example/")), address
        assert not address.startswith("//")
    assert "alert(1)</script>" not in page
    assert ">49<" not in page
    assert "\u202e" not in page


def test_titles_and_texts_are_printed_on_the_page_and_never_run(client: TestClient) -> None:
    page = client.get("/", params={"q": "kapal kandas di muara"})
    assert page.status_code == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert_harmless(page.text)


@pytest.mark.parametrize("name", IDS)
def test_an_article_of_any_id_has_its_page_and_its_answer(client: TestClient, name: str) -> None:
    address = quote(name, safe="")
    answer = client.get(f"/v1/articles/{address}")
    page = client.get(f"/articles/{address}")
    assert (answer.status_code, answer.json()["article"]["id"]) == (200, name)
    assert page.status_code == 200
    assert_harmless(page.text)
    assert client.get(f"/v1/articles/{address}/similar").status_code == 200


def test_the_answers_carry_the_words_as_they_are_and_only_web_addresses(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "kapal kandas", "limit": 100, "group": "none"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    hits = answer.json()["hits"]
    assert {hit["article"]["id"] for hit in hits} == set(IDS)
    assert {hit["article"]["url"] for hit in hits} <= {None, URLS[-1]}
    assert all(SCRIPT in hit["article"]["title"] for hit in hits)
    for hit in hits:
        text = hit["passage"]["text"]
        assert all(0 <= mark["start"] < mark["end"] <= len(text) for mark in hit["highlights"])


@pytest.mark.parametrize(
    "path", ["/v1/articles/..%2f..%2fetc%2fshadow", "/articles/..%2f..%2fREADME.md", "/static/..%2fapp.py"]
)
def test_no_address_leads_to_a_file(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
