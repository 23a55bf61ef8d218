# The service against its own description: requests that fit it and requests that do not, made by Schemathesis.

from __future__ import annotations

import os
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import settings as effort
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from api.app import create_app
from api.kinds import kinds
from api.live import Live
from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corpus import Article
    from search import Query

    from .conftest import FakeSearcher

# `make fuzz` asks for more of them, and for others every time.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "280"))
MIN_CASES = int(os.environ.get("FUZZ_CASES", "2000"))
MAX_REACH = 1_000
TYPES = {f"/problems/{kind.name}" for kind in kinds()}


class Nothing:
    """Stands for an index while tests are collected: the description is read then, and needs none."""

    info = SimpleNamespace(generation="none")

    def search(self, _query: Query) -> SimpleNamespace:
        return SimpleNamespace(degraded=None)

    def drawn(self, **_: int) -> list[Article]:
        return []


in_use: list[Any] = [Nothing()]
live = Live(lambda: in_use[-1], read_current=lambda: in_use[-1].info.generation, poll_interval_s=3_600)
app = create_app(live, settings=Settings())
config = schemathesis.Config.from_dict(
    {
        "generation": {
            "max-examples": EXAMPLES,
            "deterministic": "FUZZ_EXAMPLES" not in os.environ,
            "database": "none",
        },
        # Beside the usual ones 413: a question may be too long for any body.
        "checks": {"negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 415, 422]}},
        # A batch costs as much as its searches, and is made of what the search beside it is asked anyway.
        "operations": [{"include-path": "/v1/search/batch", "generation": {"max-examples": EXAMPLES // 8}}],
    }
)
description = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
tried: Counter[tuple[str, str, int]] = Counter()
article_ids: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _index(make_searcher: type[FakeSearcher]) -> Iterator[None]:
    searcher = make_searcher()
    in_use.append(searcher)
    assert live.check()
    article_ids.extend(article.id for article in searcher.articles)
    yield
    in_use.pop()
    live.check()


def unanswerable(case: schemathesis.Case) -> bool:
    """Whether a request breaks a rule that the schema of one parameter cannot say; the descriptions say it."""
    asked = case.body if isinstance(case.body, dict) else case.query
    first, last = asked.get("from"), asked.get("to")
    reach = int(asked.get("offset", 0)) + int(asked.get("limit", 10))
    return reach > MAX_REACH or bool(first and last and first > last)


def problems_are_of_a_known_kind(_: object, response: schemathesis.Response, __: object) -> None:
    if response.status_code >= 400:
        assert response.json()["type"] in TYPES


@description.parametrize()
@effort(deadline=None)
@pytest.mark.timeout(3_000)
def test_requests_are_answered_as_described(case: schemathesis.Case) -> None:
    fits = case.meta.generation.mode.is_positive
    number = sum(tried.values())
    if fits and "id" in case.path_parameters and number % 2:
        case.path_parameters["id"] = article_ids[number // 2 % len(article_ids)]
    excluded = []
    if case.operation.path == "/v1/search/batch":
        # A search that is not valid is refused in its place of a batch that is answered.
        excluded.append(negative_data_rejection)
    elif fits and unanswerable(case):
        excluded.append(positive_data_acceptance)

    response = case.call_and_validate(excluded_checks=excluded, additional_checks=[problems_are_of_a_known_kind])

    tried[case.operation.label, "fits" if fits else "does not", response.status_code] += 1


def test_enough_requests_were_tried(capsys: pytest.CaptureFixture[str]) -> None:
    operations = {operation for operation, _, _ in tried}
    if len(operations) < description.statistic.operations.total:
        pytest.skip("only some of the endpoints were asked")
    cases = sum(tried.values())
    with capsys.disabled():
        print(f"\n{cases:,} requests to {len(operations)} endpoints fit the description:")  # noqa: T201 - the figure
        for (operation, fits, status), count in sorted(tried.items()):
            print(f"  {count:6,} {operation} {fits} fit: {status}")  # noqa: T201
    assert cases >= MIN_CASES
