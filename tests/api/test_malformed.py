# What the real server is sent, byte by byte.

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Served

REST = b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


@pytest.fixture
def exchange(serve: Callable[..., Served]) -> Callable[[bytes], tuple[int, dict[str, str], Any]]:
    """Sends bytes to the service, and gives the status, the headers and the JSON of what it answers."""
    server = ("127.0.0.1", serve().port)

    def send(sent: bytes) -> tuple[int, dict[str, str], Any]:
        with socket.create_connection(server, timeout=20) as connection:
            connection.sendall(sent)
            received = b""
            while piece := connection.recv(65_536):
                received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(first.split()[1]), headers, json.loads(body)

    return send


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\xff" + REST,
        b"GET / FTP/1.1\r\n\r\n",
        b"GET / x" + REST,
    ],
)
def test_what_is_no_request_is_answered_with_a_problem(exchange: Callable[..., Any], sent: bytes) -> None:
    status, headers, problem = exchange(sent)

    assert status == problem["status"] == 400
    assert headers["content-type"] == "application/problem+json"
    assert problem["type"] == "/problems/malformed-request"
    assert problem["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/v1/search?q=" + b"a" * 1_000_000, 422),
        (b"/v1/search?q=%ff%fe", 422),
        (b"/v1/search?q=%ed%a0%80", 422),
        (b"/v1/search?q=%zz", 422),
        (b"/v1/search?q=%00", 422),
        (b"/v1/articles/%00%ff%zz", 404),
        (b"/v1/articles/" + b"%2F" * 10_000, 404),
        (b"/v1/search?" + b"lang=id&" * 50_000, 422),
    ],
)
def test_an_odd_address_is_refused_with_a_reason(exchange: Callable[..., Any], target: bytes, status: int) -> None:
    answered, headers, problem = exchange(b"GET " + target + REST)

    assert answered == problem["status"] == status
    assert headers["content-type"] == "application/problem+json"
    assert problem["detail"]


def test_huge_headers_are_refused_with_a_reason(exchange: Callable[..., Any]) -> None:
    status, _, problem = exchange(
        b"GET /v1/index HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"
    )

    assert status == 431
    assert problem["type"] == "/problems/headers-too-large"
