# One request, asked both ways: whatever it is, the address and the body are judged and answered alike.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from starlette.testclient import TestClient


# What an address can carry: a text each, or a list of them. The first of a pair is right, more often than not.
texts = st.text(st.characters(codec="utf-8"), max_size=12)
days = st.one_of(st.dates().map(str), st.sampled_from(["2026-02-30", "20260101", "1700000000", "yesterday", ""]))
numbers = st.one_of(
    st.integers(-2, 1_010), st.sampled_from([10**14, 5.0, 2.5, "five", "", "1e2", "٣", "0x1"])
)  # fmt: skip
requests = st.fixed_dictionaries(
    {},
    optional={
        "q": st.one_of(st.just("kapal"), texts),
        "limit": numbers,
        "offset": numbers,
        "lang": st.lists(st.sampled_from(["id", "en", "zoq", "ID", "", "id,en"]), min_size=1, max_size=3),
        "source": st.lists(st.one_of(st.just("Harian Muara"), texts), min_size=1, max_size=3),
        "from": days,
        "to": days,
        "mode": st.sampled_from(["hybrid", "dense", "lexical", "magic", ""]),
        "group": st.sampled_from(["article", "none", "source"]),
        "explain": st.sampled_from([True, False, "yes", "True"]),
        "limt": st.just(3),
    },
)


Tell = Callable[[dict[str, Any]], tuple[Any, ...]]


@pytest.fixture
def told(client: TestClient) -> Tell:
    def ask(request: dict[str, Any]) -> tuple[Any, ...]:
        pairs = {name: str(value).lower() if isinstance(value, bool) else value for name, value in request.items()}
        by_address = client.get(f"/v1/search?{urlencode(pairs, doseq=True)}")
        by_body = client.post("/v1/search", json=request)
        assert by_address.status_code == by_body.status_code, (by_address.text, by_body.text)
        own = {"request_id", "took_ms"}
        return tuple(
            {name: value for name, value in response.json().items() if name not in own}
            for response in (by_address, by_body)
        )

    return ask


@given(request=requests)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_request_has_the_same_answer_or_the_same_refusal(told: Tell, request: dict[str, Any]) -> None:
    by_address, by_body = told(request)
    if "errors" not in by_address:
        assert by_address == by_body
        return
    fields = [[one["field"] for one in problem["errors"]] for problem in (by_address, by_body)]
    assert sorted(fields[0]) == sorted(fields[1])
    assert by_address["type"] == by_body["type"]
