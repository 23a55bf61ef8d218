# Clients that leave and clients that dawdle, against the real server: only it knows of connections.

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from search import Answer, Query

    from .conftest import FakeSearcher, Served

ASK = b"GET /v1/search?q=a HTTP/1.1\r\nHost: test\r\n\r\n"


def wait_for(what: Callable[[], bool], *, most_s: float = 30) -> None:
    until = time.monotonic() + most_s
    while not what():
        assert time.monotonic() < until, f"waited {most_s} s"
        time.sleep(0.01)


@contextmanager
def connect(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        yield connection


def hold(searcher: FakeSearcher) -> threading.Event:
    go, search = threading.Event(), searcher.search

    def slow(query: Query) -> Answer:
        assert go.wait(60)
        return search(query)

    searcher.search = slow
    return go


def read_all(connection: socket.socket) -> bytes:
    read = b""
    while part := connection.recv(65_536):
        read += part
    return read


def test_a_client_that_goes_away_while_it_waits_frees_its_place(
    serve: Callable[..., Served], searcher: FakeSearcher
) -> None:
    go = hold(searcher)
    asked = len(searcher.queries)
    served = serve(max_threads=1, max_queue=2)
    port, desk = served.port, served.app.state.desk
    with connect(port) as working:
        working.sendall(ASK)
        wait_for(lambda: desk.running == 1)
        for _ in range(3):
            with connect(port) as one, connect(port) as other:
                one.sendall(ASK)
                body = b'{"q": "a"}'
                other.sendall(
                    b"POST /v1/search HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                )
                wait_for(lambda: desk.depth == 2)
            wait_for(lambda: desk.depth == 0)
        go.set()
        assert working.recv(100).startswith(b"HTTP/1.1 200")
    wait_for(lambda: desk.running == 0)
    assert len(searcher.queries) == asked + 1


def test_a_connection_answers_one_request_after_the_other(serve: Callable[..., Served]) -> None:
    port = serve().port
    with connect(port) as connection:
        connection.sendall(ASK + ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read_all(connection).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", ASK[:-2]])
def test_a_head_that_does_not_arrive_is_not_waited_for(serve: Callable[..., Served], sent: bytes) -> None:
    port = serve(request_timeout_s=1).port
    began = time.monotonic()
    with connect(port) as connection:
        connection.sendall(sent)  # and no more: the connection must end all the same
        assert read_all(connection) == b""
    assert time.monotonic() - began > 0.9


def test_a_head_that_trickles_in_is_not_waited_for_either(serve: Callable[..., Served]) -> None:
    port = serve(request_timeout_s=1).port
    with connect(port) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        sent = 0
        with suppress(OSError):  # broken pipe or reset, as the system likes
            while sent < 200:
                connection.sendall(b"G")
                sent += 1
                time.sleep(0.1)
    assert 1 < sent < 200


def test_a_body_that_nobody_reads_cannot_trickle_in_for_ever(serve: Callable[..., Served]) -> None:
    port = serve(request_timeout_s=1).port
    with connect(port) as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 10000\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404")
        sent = 0
        with suppress(OSError):
            while sent < 200:
                connection.sendall(b"a")
                sent += 1
                time.sleep(0.1)
    assert 1 < sent < 200


def test_a_body_that_does_not_arrive_is_a_408(serve: Callable[..., Served]) -> None:
    port = serve(request_timeout_s=1).port
    with connect(port) as connection:
        connection.sendall(
            b"POST /v1/search HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"
        )
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"/problems/request-timeout" in answer
    assert b"connection: close" in answer.lower()


def test_a_search_may_take_longer_than_a_request_may_take_to_arrive(
    serve: Callable[..., Served], searcher: FakeSearcher
) -> None:
    go = hold(searcher)
    port = serve(request_timeout_s=1).port
    with connect(port) as connection:
        connection.sendall(ASK)
        time.sleep(1.3)
        go.set()
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("trusted", "statuses"), [((), [200, 429]), (("127.0.0.1",), [200, 200])])
def test_a_forwarded_address_counts_only_from_a_proxy_that_is_named(
    serve: Callable[..., Served], trusted: tuple[str, ...], statuses: list[int]
) -> None:
    port = serve(rate="1/m", trusted_proxies=trusted, require_key="never").port
    found = []
    for client in ("198.51.100.1", "198.51.100.2"):
        with connect(port) as connection:
            connection.sendall(ASK.replace(b"Host: test", f"Host: test\r\nX-Forwarded-For: {client}".encode()))
            found.append(int(connection.recv(100).split()[1]))

    assert found == statuses


def test_a_head_over_the_limit_is_refused(serve: Callable[..., Served]) -> None:
    port = serve(max_head_bytes=8_192).port
    with connect(port) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: test\r\nX: " + b"a" * 10_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 4")


def test_a_connection_too_many_is_closed_and_the_others_are_answered(serve: Callable[..., Served]) -> None:
    port = serve(max_connections=2).port

    def asked(connection: HTTPConnection) -> int:
        connection.request("GET", "/v1/search?q=a")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def refused() -> bool:
        with connect(port) as one, suppress(ConnectionResetError):
            return one.recv(100) == b""
        return True

    first, second = (HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(2))
    assert [asked(first), asked(second)] == [200, 200]
    assert [refused() for _ in range(3)] == [True] * 3
    assert asked(first) == 200

    second.close()
    third = HTTPConnection("127.0.0.1", port, timeout=30)

    def answered() -> bool:
        with suppress(OSError, HTTPException):
            return asked(third) == 200
        third.close()
        return False

    wait_for(answered)
    first.close()
    third.close()


def test_the_end_of_an_answer_does_not_wait_for_the_client_to_confirm_its_beginning(
    serve: Callable[..., Served],
) -> None:
    # As workers get it: a socket of which nobody said that it carries TCP.
    took_s = []
    connection = HTTPConnection("127.0.0.1", serve().port, timeout=30)
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/v1/index")
        connection.getresponse().read()
        took_s.append(time.perf_counter() - began)
    connection.close()

    assert min(took_s) < 0.03  # a client confirms after 40 ms what it has no answer to


def test_while_every_thread_searches_and_others_wait_the_service_says_that_it_lives(
    serve: Callable[..., Served], searcher: FakeSearcher
) -> None:
    go = hold(searcher)
    served = serve(max_threads=2, max_queue=10)
    connections = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(6)]
    for connection in connections:
        connection.sendall(ASK)
    desk = served.app.state.desk
    wait_for(lambda: (desk.running, desk.depth) == (2, 4))

    asking = HTTPConnection("127.0.0.1", served.port, timeout=5)
    for _ in range(20):
        asking.request("GET", "/livez")
        assert asking.getresponse().read() == b'{"status":"alive"}'
    asking.close()
    assert (desk.running, desk.depth) == (2, 4)
    go.set()
    for connection in connections:
        assert b" 200 OK" in connection.recv(65_536)
        connection.close()
