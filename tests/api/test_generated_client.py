# A program that knows nothing of Cari but its description: a client generated from it calls the live service.

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, datetime
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from api.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from api.live import Live
    from api.settings import Settings

    from .conftest import Served

pytest.importorskip("openapi_python_client")


@pytest.fixture
def server(serve: Callable[..., Served]) -> str:
    return serve().url


@pytest.fixture
def package(tmp_path: Path, live: Live, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The generated package, imported."""
    (tmp_path / "openapi.json").write_text(json.dumps(create_app(live, settings=settings).openapi()), encoding="utf-8")
    (tmp_path / "config.yml").write_text("post_hooks: []\n", encoding="utf-8")
    made = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning",
            "--path", "openapi.json", "--config", "config.yml", "--output-path", "cari_client",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "cari_client"]:
        monkeypatch.delitem(sys.modules, name)
    return import_module("cari_client")


def test_a_generated_client_calls_every_endpoint_and_gets_typed_answers(package: ModuleType, server: str) -> None:
    models, types = import_module("cari_client.models"), import_module("cari_client.types")

    def endpoint(name: str) -> ModuleType:
        return import_module(f"cari_client.api.{name}")

    with package.Client(base_url=server) as client:
        found = endpoint("search.search").sync(client=client, q="kapal", lang=["id"], limit=1, mode=models.Mode.DENSE)
        asked = models.SearchRequest(q="kapal", lang=["id"], limit=1, explain=True, from_=date(2026, 1, 1))
        by_body = endpoint("search.search_by_body").sync(client=client, body=asked)
        refused = endpoint("search.search").sync_detailed(client=client, q="kapal", limit=500)
        batch = endpoint("search.search_batch").sync(
            client=client,
            body=models.BatchRequest(searches=[asked, models.SearchRequest(q="a", limit=0)]),
        )
        article = endpoint("articles.article").sync(client=client, id="kapal/1")
        similar = endpoint("articles.similar").sync(client=client, id="kapal/1", limit=5)
        absent = endpoint("articles.article").sync_detailed(client=client, id="absent/similar")
        index = endpoint("operations.index").sync_detailed(client=client)
        unchanged = endpoint("operations.index").sync_detailed(client=client, if_none_match=index.headers["etag"])
        ready = endpoint("operations.ready").sync(client=client)

    assert isinstance(found, models.SearchAnswer)
    assert [hit.article.published for hit in found.hits] == [date(2026, 1, 8)]
    assert isinstance(found.index.built_at, datetime)
    assert found.facets.language.additional_properties == {"id": 2}
    assert isinstance(found.hits[0].explanation, types.Unset)
    assert isinstance(by_body, models.SearchAnswer)
    assert isinstance(by_body.hits[0].explanation, models.Explanation)
    assert refused.status_code == 422
    assert isinstance(refused.parsed, models.Problem)
    assert [one.field for one in refused.parsed.errors] == ["limit"]
    assert isinstance(batch, models.BatchAnswer)
    assert [type(result) for result in batch.results] == [models.BatchFound, models.BatchRefused]
    assert batch.results[0].answer.hits[0].article.id == "kapal/1"
    assert batch.results[1].problem.status == 422
    assert isinstance(article, models.ArticleAnswer)
    assert article.article.text.startswith("Sebuah kapal kandas.")
    assert isinstance(similar, models.SimilarAnswer)
    assert similar.article.id == "kapal/1"
    assert absent.status_code == 404
    assert absent.parsed.type_ == "/problems/no-such-article"
    assert isinstance(index.parsed, models.IndexAnswer)
    assert unchanged.status_code == 304
    assert isinstance(ready, models.Health)
