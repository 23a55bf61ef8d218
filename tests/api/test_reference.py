from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_the_description_is_openapi_3_1_and_names_every_endpoint(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert {path: sorted(operations) for path, operations in document["paths"].items()} == {
        "/v1/search": ["get", "post"],
        "/v1/articles/{id}": ["get"],
        "/v1/articles/{id}/similar": ["get"],
        "/v1/index": ["get"],
        "/livez": ["get"],
        "/readyz": ["get"],
    }


def test_get_and_post_are_described_with_the_same_parameters(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    search = document["paths"]["/v1/search"]

    named = [parameter["name"] for parameter in search["get"]["parameters"]]
    assert named == ["q", "limit", "offset", "lang", "source", "from", "to", "mode", "group", "explain"]
    assert list(document["components"]["schemas"]["SearchRequest"]["properties"]) == named
    assert all(parameter["description"] for parameter in search["get"]["parameters"])


def test_the_explanation_of_a_hit_is_described_with_an_example(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    assert "explanation" not in schemas["Hit"]["required"]
    assert set(schemas["Explanation"]["examples"][0]) == set(schemas["Explanation"]["required"])
    assert schemas["Explanation"]["properties"]["lifted"]["description"]


def test_every_error_is_described_as_a_problem(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                expected = "application/json" if status < "400" else "application/problem+json"
                assert list(response["content"]) == [expected]


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
    ["invalid-parameter", "invalid-json", "no-such-article", "body-too-large", "wrong-content-type", "internal-error"],
)
def test_a_problem_type_can_be_read_about(client: TestClient, name: str) -> None:
    assert "HTTP" in client.get(f"/problems/{name}").text
