from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from corpus import Article

    from ..conftest import FakeSearcher

BROWSER = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture(autouse=True)
def _articles(searcher: FakeSearcher, make_article: Callable[..., Article]) -> None:
    """An article, and another whose id is that of the first with an ending that is also an address."""
    searcher.articles = tuple(make_article(id=name, title=f"The article {name}") for name in ("a", "a/similar", "x/y"))


@pytest.mark.parametrize(
    ("path", "opened"),
    [
        ("a", "a"),
        ("a%2Fsimilar", "a/similar"),
        ("a%2fsimilar", "a/similar"),
        ("x/y", "x/y"),
        ("x%2Fy", "x/y"),
    ],
)
def test_an_article_is_opened(client: TestClient, path: str, opened: str) -> None:
    assert client.get(f"/v1/articles/{path}").json()["article"].get("text")
    assert client.get(f"/v1/articles/{path}").json()["article"]["id"] == opened
    assert f"The article {opened}" in client.get(f"/articles/{path}", headers=BROWSER).text


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("a/similar", "a"),
        ("a/%73imilar", "a"),
        ("a%2Fsimilar/similar", "a/similar"),
        ("a/similar/similar", "a/similar"),
        ("x/y/similar", "x/y"),
        ("x%2Fy/similar", "x/y"),
    ],
)
def test_what_is_like_an_article_is_listed(client: TestClient, path: str, asked: str) -> None:
    answer = client.get(f"/v1/articles/{path}").json()

    assert answer["article"]["id"] == asked
    assert answer["total"] == 2
    assert "Articles like" in client.get(f"/articles/{path}", headers=BROWSER).text


def test_a_page_links_to_the_article_and_not_to_what_is_like_another(client: TestClient) -> None:
    html = client.get("/?q=kapal", headers=BROWSER).text

    assert 'href="/articles/a%2Fsimilar?' in html
