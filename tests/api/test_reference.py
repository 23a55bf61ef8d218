from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from api.problem import Problem
from api.v1 import examples
from api.v1.answer import ArticleAnswer, IndexAnswer, SearchAnswer, SimilarAnswer
from api.v1.batch import BatchAnswer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.testclient import TestClient


def test_the_description_is_openapi_3_1_and_names_every_endpoint(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert {path: sorted(operations) for path, operations in document["paths"].items()} == {
        "/v1/search": ["get", "post"],
        "/v1/search/batch": ["post"],
        "/v1/articles/{id}": ["get"],
        "/v1/articles/{id}/similar": ["get"],
        "/v1/index": ["get"],
        "/livez": ["get"],
        "/readyz": ["get"],
        "/metrics": ["get"],
    }


def test_get_and_post_are_described_with_the_same_parameters(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    search = document["paths"]["/v1/search"]

    named = [parameter["name"] for parameter in search["get"]["parameters"] if parameter["in"] == "query"]
    assert named == ["q", "limit", "offset", "lang", "source", "from", "to", "mode", "group", "explain"]
    assert list(document["components"]["schemas"]["SearchRequest"]["properties"]) == named
    assert all(parameter["description"] for parameter in search["get"]["parameters"])


def test_the_explanation_of_a_hit_is_described_with_an_example(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    assert "explanation" not in schemas["Hit"]["required"]
    assert set(schemas["Explanation"]["examples"][0]) == set(schemas["Explanation"]["required"])
    assert schemas["Explanation"]["properties"]["lifted"]["description"]


def responses_of(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    """Every described response, after its operation and status."""
    paths = client.get("/openapi.json").json()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    return [
        (operation["operationId"], status, response)
        for operation in operations
        for status, response in operation["responses"].items()
    ]


def test_every_error_is_described_as_a_problem(client: TestClient) -> None:
    for operation, status, response in responses_of(client):
        answered = "text/plain" if operation == "metrics" else "application/json"
        expected = {"2": [answered], "3": []}.get(status[0], ["application/problem+json"])
        assert list(response.get("content", ())) == expected, operation


def test_every_error_has_an_example_of_every_kind(client: TestClient) -> None:
    for operation, status, response in responses_of(client):
        if status >= "400":
            examples = response["content"]["application/problem+json"]["examples"]
            assert examples, (operation, status)
            for name, example in examples.items():
                problem = Problem.model_validate(example["value"])
                assert (problem.type, problem.status) == (f"/problems/{name}", int(status))
                assert f"`{name}`" in response["description"]


def test_the_headers_of_responses_are_described(client: TestClient) -> None:
    described = {(operation, status): set(response["headers"]) for operation, status, response in responses_of(client)}

    assert all("X-Request-ID" in names for names in described.values())
    assert {operation for operation, _ in described if "ETag" in described[operation, "200"]} == {
        "search", "article", "similar", "index",
    }  # fmt: skip
    assert all("ETag" in names for (_, status), names in described.items() if status == "304")
    assert all("Retry-After" in names for (_, status), names in described.items() if status in {"429", "503"})


def test_what_may_go_wrong_is_described_for_every_endpoint_of_the_contract(client: TestClient) -> None:
    described: dict[str, set[str]] = {}
    for operation, status, _ in responses_of(client):
        described.setdefault(operation, set()).add(status)
    anywhere = {"200", "401", "421", "429", "500", "503"}
    of_body = anywhere | {"400", "408", "413", "415", "422"}

    assert described == {
        "search": anywhere | {"304", "422"},
        "searchByBody": of_body,
        "searchBatch": of_body,
        "article": anywhere | {"304", "404"},
        "similar": anywhere | {"304", "404", "422"},
        "index": anywhere | {"304"},
        "live": {"200", "500", "503"},
        "metrics": {"200"},
        "ready": {"200", "500", "503"},
    }


@pytest.mark.parametrize(
    "model", [SearchAnswer, SimilarAnswer, ArticleAnswer, IndexAnswer, BatchAnswer], ids=lambda model: model.__name__
)
def test_examples_of_answers_are_answers(client: TestClient, model: type[BaseModel]) -> None:
    (example,) = client.get("/openapi.json").json()["components"]["schemas"][model.__name__]["examples"]

    assert model.model_validate(example).model_dump(mode="json", exclude_unset=True) == example


def test_the_offsets_of_the_examples_are_right() -> None:
    for passage in examples.ARTICLE["passages"]:
        assert examples.ARTICLE["article"]["text"][passage["start"] : passage["end"]] == passage["text"]


def test_every_reference_of_the_description_leads_somewhere(client: TestClient) -> None:
    response = client.get("/openapi.json")

    named = set(re.findall(r'"#/components/schemas/(\w+)"', response.text))
    assert named <= set(response.json()["components"]["schemas"])


def test_the_docs_ask_no_other_host(client: TestClient) -> None:
    html = client.get("/docs").text

    loaded = re.findall(r'(?:href|src)="([^"]+)"', html)
    assert len(loaded) == 4
    assert all(one.startswith("/") and not one.startswith("//") for one in loaded)
    assert [client.get(one).status_code for one in loaded] == [200, 200, 200, 200]


@pytest.mark.parametrize(
    "name",
    [
        "body-too-large", "headers-too-large", "internal-error", "invalid-json", "invalid-parameter",
        "malformed-request", "method-not-allowed", "no-such-article", "not-found", "overloaded", "rate-limited",
        "request-timeout", "unauthorized", "wrong-content-type",
    ],
)  # fmt: skip
def test_a_problem_type_can_be_read_about(client: TestClient, name: str) -> None:
    assert "HTTP" in client.get(f"/problems/{name}").text
