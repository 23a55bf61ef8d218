from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_a_long_answer_is_compressed_for_who_takes_it(client: TestClient) -> None:
    plain = client.get("/v1/search?q=kapal", headers={"Accept-Encoding": "identity"})
    packed = client.get("/v1/search?q=kapal", headers={"Accept-Encoding": "br, gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.json()["hits"] == plain.json()["hits"]
    assert "Accept-Encoding" in plain.headers["vary"]
    assert "Accept-Encoding" in packed.headers["vary"]
    assert plain.headers["etag"] == packed.headers["etag"]


@pytest.mark.parametrize("address", ["/livez", "/v1/search?q="])
def test_a_short_answer_is_not(client: TestClient, address: str) -> None:
    assert "content-encoding" not in client.get(address, headers={"Accept-Encoding": "gzip"}).headers


def test_an_unchanged_answer_has_nothing_to_compress(client: TestClient) -> None:
    headers = {"Accept-Encoding": "gzip"}
    tag = client.get("/v1/search?q=kapal", headers=headers).headers["etag"]
    response = client.get("/v1/search?q=kapal", headers=headers | {"If-None-Match": tag})

    assert response.status_code == 304
    assert "content-encoding" not in response.headers


def test_the_packed_bytes_are_the_answer(client: TestClient) -> None:
    with client.stream("GET", "/v1/articles/tiga/similar", headers={"Accept-Encoding": "gzip"}) as response:
        packed = b"".join(response.iter_raw())

    assert json.loads(gzip.decompress(packed))["article"]["id"] == "tiga"
