# Whatever the service is sent, byte by byte: it answers or refuses, never fails, and tells nobody a secret.

from __future__ import annotations

import gzip
import io
import json
import logging
import random
import re
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import uvicorn

from api.access.keys import create_key
from api.app import create_app
from api.live import Live
from api.serving import SERVER_OPTIONS, server_options
from api.settings import Settings
from api.telemetry import log_handler
from indexer import HashingEncoder, open_current
from search import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI

ROWS = [
    {"id": "kapal/1", "title": "Kapal kandas", "text": "Sebuah kapal kandas di muara. Air surut sejak pagi."},
    {"id": "a/similar", "title": "A ship", "text": "A ship was stranded at the mouth of the river. The tide fell."},
    {"id": "é #50%?&=;+", "title": "<script>", "text": "Warga menonton kapal dari tepi muara sampai air pasang."},
]
# What may be in no log and no answer, though it is sent: each has this in it.
SECRET = "cari_s3cr3t"  # noqa: S105 - what is looked for
SECRET_BYTES = SECRET.encode()
MAX_HEAD_BYTES = Settings.model_fields["max_head_bytes"].default

ODD_VALUES = (
    *("", " ", "0", "-1", "1e309", "NaN", "٣", "5.0", "9" * 400, "true", "null", "[]", "{}", "id,en", "2026-02-30"),
    *(
        "'\"<script>alert(1)</script>",
        "${7*7}{{7*7}}",
        "%00",
        "%ff%fe",
        "%ed%a0%80",
        "%zz",
        "%",
        "%u0041",
        "\\",
        ";",
        "+",
    ),
    *(
        "%F0%9F%8C%8A",
        "%E2%80%AE",
        "%EF%B7%BA" * 300,
        "a" * 9_000,
        "%C3%A9" * 3_000,
        "%20" * 2_000,
        "a&" * 200,
        "&&&===&",
    ),
)
ODD_SEGMENTS = (
    *(
        "kapal/1",
        "kapal%2F1",
        "a%2Fsimilar",
        "a/similar",
        "%C3%A9%20%2350%25%3F%26%3D%3B%2B",
        "similar",
        "/similar",
        "",
    ),
    *(
        "..",
        "../../../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..%5cwindows",
        "%00",
        "search.js%00",
        "%ff",
    ),
    *(
        "%ed%a0%80",
        "%zz",
        "%",
        "%2",
        "search.js/",
        "/etc/passwd",
        "//",
        "%2F" * 2_000,
        "a" * 5_000,
        "%E2%80%AE",
        "CON",
        "~",
    ),
    *(
        "%0d%0aX-Injected:%20yes",
        "%25252e",
        ".%00.",
        "*",
        "{id}",
        ";a=b",
        "style.css?x",
        "a#b",
        "%C0%AE%C0%AE/",
        "%7F%1B",
    ),
)
ODD_HEADERS: dict[str, tuple[str, ...]] = {
    "Accept": ("*/*", "text/html", "text/html;q=x", ",,,;;q=", "a" * 5_000, "text/html;q=1e309", "é"),
    "Accept-Encoding": (
        "gzip",
        "gzip;q=0",
        "gzip;q=banana",
        "*;q=nan",
        "br, zstd, identity;q=0",
        "g\tz",
        ",",
        "x" * 3_000,
    ),
    "Accept-Language": ("id", "en;q=nan", ";q=", "id;q=-1, en;q=inf", "*", "-", "é-É", "a;" * 2_000),
    "Cookie": ("cari_ui=en", "cari_ui=", "=;=;", "cari_ui=%00; cari_ui=id", "a" * 9_000, 'cari_ui="\\', ";" * 900),
    "If-None-Match": ("*", '"', 'W/"', '"a", W/"b", ,', "W/" * 900, '"' * 5_000, '"\x80\xff"', "*, *"),
    "If-Modified-Since": (
        "never",
        "Mon, 99 Foo 2026 99:99:99 GMT",
        "0",
        "-1",
        "Thu, 01 Jan 0001 00:00:00 GMT",
        "9" * 99,
    ),
    "If-Range": ('"x"', "yesterday", "é"),
    "Range": (
        "bytes=0-",
        "bytes=-1",
        "bytes=9-1",
        "bytes=a-b",
        "bytes=" + "0-1," * 300,
        "lines=1-2",
        "bytes",
        "bytes=-",
        "=",
    ),
    "Content-Type": (
        *("application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data", "", "/", ";"),
        *(
            "application/x-www-form-urlencoded",
            "application/json;" + "a=b;" * 500,
            "APPLICATION/JSON",
            "application/json é",
        ),
    ),
    "Content-Encoding": ("gzip", "identity", "br", "x, y"),
    "X-Request-ID": ("mine-1", "a b", "x" * 500, "../..", "é", "<b>"),
    "X-Forwarded-For": ("127.0.0.1", "::1", "not an address", ",,,", "1.2.3.4" * 99),
    "X-Forwarded-Proto": ("https", "gopher", "é"),
    "Origin": ("https://evil.example", "null", "é", "x" * 999),
    "Access-Control-Request-Method": ("GET", "é", "BREW"),
    "Traceparent": ("00-" + "0" * 32 + "-" + "0" * 16 + "-00", "ff-x-y-z", "é"),
    "Expect": ("100-continue", "the-unexpected"),
    "Upgrade": ("websocket", "h2c"),
    "Transfer-Encoding": ("gzip", "identity", "chunked, chunked"),
    "Host": ("127.0.0.1", "", "a:b:c", "[", "[::1", "evil.example", "é", "x" * 3_000),
    "X-Big": ("y" * 70_000,),
}
BODIES = (
    *(b"", b"{", b"[]", b"null", b'"q"', b"0", b"{}", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"q":"kapal"} {}', b"\x00"),
    *(b'{"q":"kapal"}', b'{"q":"kapal","q":"b"}', b'{"q":{"a":1,"a":2}}', b'{"q":NaN}', b'{"limit":-Infinity,"q":"a"}'),
    *(
        b'{"q":"\\ud800"}',
        b'{"q":"a","\\udfff":1}',
        b'{"q":"\\u0000"}',
        b'{"q":"a","lang":["\\ud800"]}',
        b'{"q":["a"]}',
    ),
    *(b'{"q":"a","limit":1e308}', b'{"q":"a","limit":1e999}', b'{"q":"a","limit":' + b"9" * 4_000 + b"}"),
    *(b'{"q":"a","offset":' + b"9" * 9_000 + b"}", b'{"q":"a","limit":-0.0}', b'{"q":"a","from":12345}'),
    *(b"[" * 10_000, b'{"a":' * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"q":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    *(b'{"searches":[]}', b'{"searches":[{"q":"a"},{"q":"\\ud800"},7,null,{"q":"a","q":"b"},{"q":NaN}]}'),
    *(b'{"searches":[[[]],{"q":"kapal"},{"limit":' + b"9" * 400 + b"}]}", b'{"searches":' + b"[" * 9_000),
    *(gzip.compress(b'{"q":"kapal"}'), gzip.compress(b"0" * 10_000_000), b'{"q":"' + b"a" * 70_000 + b'"}', b"q=kapal"),
)


@dataclass
class Service:
    """A service that asks for a key, what it logged, and how to reach it."""

    app: FastAPI
    address: tuple[str, int]
    key: str
    logged: io.StringIO

    def send(self, *sent: bytes, pause_s: float = 0, timeout_s: float = 20) -> bytes:
        """All that comes back for these bytes until the service closes the connection."""
        received = b""
        with socket.create_connection(self.address, timeout=timeout_s) as connection:
            try:
                for piece in sent:
                    connection.sendall(piece)
                    time.sleep(pause_s)
                while piece := connection.recv(65_536):
                    received += piece
            except (BrokenPipeError, ConnectionResetError):
                pass  # it refused before it had read all
        return received


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, write_rows: Callable[..., Path], build_quietly: Callable[..., Any]
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("requests")
    build_quietly(write_rows(folder / "articles.jsonl", ROWS), index=folder / "index")
    _, key = create_key(folder / "index" / "keys.json", name="fuzz")
    searcher = Searcher(open_current(folder / "index"), encoder=HashingEncoder())
    live = Live(lambda: searcher, read_current=lambda: searcher.info.generation, poll_interval_s=3_600)
    settings = Settings(
        index=folder / "index",
        require_key="always",
        rate="off",
        trusted_proxies=("127.0.0.1",),
        cors_origins=("https://news.example",),
        request_timeout_s=1,
        log_level="debug",
    )
    app = create_app(live, settings=settings)
    logged = io.StringIO()
    handler = log_handler("json", stream=logged)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = uvicorn.Server(uvicorn.Config(app, **(SERVER_OPTIONS | server_options(settings))))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield Service(app, listening.getsockname(), key, logged)
        running.should_exit = True
        thread.join(10)
    root.removeHandler(handler)
    root.setLevel(level)


def addresses(app: FastAPI) -> list[str]:
    """The path of everything that is served: one that is added is asked too."""
    found = {getattr(route, "path", "") for route in app.routes} | {"/static/search.js"}
    for context in app.router.routes:
        found |= {route.path for route in getattr(getattr(context, "original_router", None), "routes", ())}
    return sorted(found)


def target(draw: random.Random, paths: list[str]) -> str:
    path = re.sub(r"{\w+(:\w+)?}", lambda _: draw.choice(ODD_SEGMENTS), draw.choice(paths))
    if draw.random() < 0.2:
        path = f"{path.rstrip('/')}/{draw.choice(ODD_SEGMENTS)}"
    names = (
        "q",
        "limit",
        "offset",
        "lang",
        "source",
        "from",
        "to",
        "mode",
        "group",
        "explain",
        "ui",
        "passage",
        "",
        "é",
    )
    asked = [f"{quote(draw.choice(names))}={draw.choice(ODD_VALUES)}" for _ in range(draw.randint(0, 4))]
    if draw.random() < 0.5:
        asked.append("q=kapal+kandas")
    if draw.random() < 0.3:
        asked.append(f"{draw.choice(('key', 'api_key', 'token', 'X-API-Key', 'authorization'))}={SECRET}")
    if draw.random() < 0.02:
        asked = [f"q={'a' * draw.choice((1_000_000, 3_000_000))}"]
    draw.shuffle(asked)
    return f"{path}?{'&'.join(asked)}" if asked else path


def request(draw: random.Random, *, paths: list[str], key: str) -> tuple[bytes, ...]:
    """A request that is wrong in one way or several, or in none."""
    method = draw.choice(
        (*("GET",) * 8, *("POST",) * 8, "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "get", "BREW", "X" * 99)
    )
    asked = target(draw, paths)
    if method == "POST" and draw.random() < 0.8:
        asked = draw.choice(("/v1/search", "/v1/search/batch"))
    headers = [("Host", "127.0.0.1")]
    headers += [
        (name, draw.choice(ODD_HEADERS[name])) for name in draw.choices(list(ODD_HEADERS), k=draw.randint(0, 5))
    ]
    credentials = draw.choice((key, key, key, f"{SECRET}{draw.random()}", f"{SECRET}é", ""))
    headers.append(
        draw.choice(
            (
                ("Authorization", f"Bearer {credentials}"),
                ("X-API-Key", credentials),
                ("Authorization", f"Basic {credentials}"),
                ("Authorization", f"{SECRET} {SECRET}"),
                ("Cookie", f"session={SECRET}"),
            )
        )
    )
    body = draw.choice(BODIES) if method == "POST" or draw.random() < 0.05 else b""
    framing = draw.choice(("length",) * 6 + ("chunked", "chunked", "both", "wrong", "none")) if body else "none"
    if method == "POST" and draw.random() < 0.7:
        headers.append(("Content-Type", "application/json"))
    if framing in {"length", "both"}:
        headers.append(("Content-Length", str(len(body))))
    if framing == "wrong":
        headers.append(
            ("Content-Length", draw.choice(("-1", "1e3", "٣", "9" * 30, "0x10", "", "5, 6", str(len(body) // 2))))
        )
    if framing in {"chunked", "both"}:
        headers.append(("Transfer-Encoding", "chunked"))
        cut = draw.randint(0, len(body))
        end = draw.choice((b"0\r\n\r\n", b"0\r\nX-Trailer: a\r\n\r\n", b"zz\r\n\r\n"))
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part) + end
    headers.append(("Connection", "close"))
    draw.shuffle(headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    version = draw.choice(("HTTP/1.1",) * 30 + ("HTTP/1.0", "HTTP/2.0", "HTTP/9", ""))
    head = f"{method} {asked} {version}\r\n{lines}\r\n".encode("latin-1", "replace")
    whole = head + body
    cut = draw.randint(0, len(whole))
    return (whole[:cut], whole[cut:]) if draw.random() < 0.1 else (whole,)


def answers(received: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers of one connection, the last one up to its end."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(first.split()[1])
        if status == 100:
            received = rest
            continue
        length = int(headers["content-length"]) if "content-length" in headers else len(rest)
        found.append((status, headers, rest[:length]))
        received = rest[length:]
    return found


def check(service: Service, received: bytes, *, sent: tuple[bytes, ...]) -> int:
    """The status of an answer to any request at all; an assertion fails where it is not as promised."""
    shown = b"".join(sent)[:2_000]
    found = answers(received)
    if not found and len(b"".join(sent)) > MAX_HEAD_BYTES:
        return 0  # refused while it was still being sent, and that cut off what was on its way back
    assert found, shown
    status, headers, body = found[0]
    assert status < 500, (status, shown)
    assert headers.get("x-request-id"), shown
    assert "x-injected" not in headers, shown
    if headers.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    assert SECRET_BYTES not in received + body, shown
    assert service.key.encode() not in received + body, shown
    assert b"Traceback" not in body, shown
    if status >= 400 and not shown.startswith(b"HEAD"):
        kind = headers["content-type"].partition(";")[0]
        assert kind in {"application/problem+json", "text/html"}, (status, kind, shown)
        if kind != "text/html":
            assert json.loads(body)["status"] == status, shown
            assert json.loads(body)["detail"], shown
    return status


def unspoken(service: Service) -> None:
    """Nothing that was logged holds a key, and nothing failed."""
    logged = service.logged.getvalue()
    service.logged.seek(0)
    service.logged.truncate()
    assert SECRET not in logged
    assert service.key not in logged
    for line in filter(None, logged.split("\n")):
        entry = json.loads(line)
        assert "exception" not in entry, entry["exception"]
        assert entry["level"] not in {"error", "critical"}, entry


def test_no_request_fails_and_no_secret_is_told(service: Service, rounds: Callable[..., int]) -> None:
    paths = addresses(service.app)
    assert {"/", "/v1/search", "/articles/{article_id:path}", "/static/search.js", "/metrics"} <= set(paths)
    statuses: dict[int, int] = {}
    for number in range(rounds(small=250, full=12_000)):
        sent = request(random.Random(number), paths=paths, key=service.key)  # noqa: S311 - to repeat a failure
        status = check(service, service.send(*sent), sent=sent)
        statuses[status] = statuses.get(status, 0) + 1

    unspoken(service)
    assert {200, 400, 401, 404, 405, 415, 422} <= set(statuses)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_a_body_that_breaks_off_its_framing_is_refused_once_and_ends_the_request(
    service: Service, *, known: bool, together: bool
) -> None:
    key = service.key if known else "none"
    head = f"POST /v1/search HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n"
    sent = (head.encode() + b"Content-Type: application/json\r\n\r\n", b'5\r\n{"q":\r\nzz\r\n')

    (only,) = answers(service.send(b"".join(sent)) if together else service.send(*sent, pause_s=0.05))

    assert only[0] == (400 if known or together else 401)
    unspoken(service)


def test_a_body_that_breaks_off_after_head_is_refused_without_a_body(service: Service) -> None:
    sent = b"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"

    assert service.send(sent).startswith(b"HTTP/1.1 400 ")
    unspoken(service)


def test_an_address_without_a_path_is_answered_and_logged(service: Service) -> None:
    status = check(
        service, service.send(sent := b"GET ?q=kapal HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), sent=(sent,)
    )

    assert status == 401
    assert '"status": 401' in service.logged.getvalue()
    unspoken(service)


@pytest.mark.parametrize("wanted", ODD_HEADERS["Range"])
def test_a_static_file_comes_whole_whatever_part_is_asked_for(service: Service, wanted: str) -> None:
    head = f"GET /static/mark.svg HTTP/1.1\r\nHost: a\r\nRange: {wanted}\r\nConnection: close\r\n\r\n"

    ((status, headers, body),) = answers(service.send(head.encode()))

    assert (status, len(body)) == (200, int(headers["content-length"]))
    assert body.endswith(b"</svg>\n")


def test_a_page_that_offers_to_try_again_does_not_repeat_a_key_of_the_address(service: Service) -> None:
    asked = (
        f"GET /?q=kapal&lang=id&api_key={SECRET} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    )

    ((status, _, body),) = answers(service.send(asked.encode()))

    assert status == 401
    assert b'href="/?q=kapal&amp;lang=id" data-again' in body
    assert SECRET_BYTES not in body


def test_requests_sent_without_waiting_are_answered_in_their_order(service: Service) -> None:
    wanted = [f"/v1/search?q=kapal&limit={limit}" for limit in (1, 2, 101, 3, 0)] + ["/not/here", "/livez"]
    head = f"Host: a\r\nX-API-Key: {service.key}\r\n"
    sent = "".join(
        f"GET {path} HTTP/1.1\r\n{head}X-Request-ID: r{number}\r\n\r\n" for number, path in enumerate(wanted)
    )
    last = f"GET /readyz HTTP/1.1\r\n{head}Connection: close\r\n\r\n"

    found = answers(service.send((sent + last).encode()))

    assert [status for status, _, _ in found] == [200, 200, 422, 200, 422, 404, 200, 200]
    assert [headers["x-request-id"] for _, headers, _ in found[:-1]] == [f"r{number}" for number in range(len(wanted))]


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_a_packed_body_is_never_unpacked(service: Service, encoding: str) -> None:
    body = gzip.compress(b'{"q":"' + b"a" * 50_000_000)
    head = f"POST /v1/search HTTP/1.1\r\nHost: a\r\nX-API-Key: {service.key}\r\nContent-Encoding: {encoding}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    assert len(body) < 65_536
    status = check(service, service.send(head.encode() + body), sent=(head.encode(),))

    assert status in {400, 415}


def test_a_body_that_comes_a_byte_at_a_time_is_read_until_the_time_is_up(service: Service) -> None:
    body = b'{"q": "kapal", "limit": 1}'
    head = f"POST /v1/search HTTP/1.1\r\nHost: a\r\nX-API-Key: {service.key}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    pieces = [body[at : at + 1] for at in range(len(body))]

    in_time = answers(service.send(head.encode(), *pieces, pause_s=0.002))
    too_late = answers(service.send(head.encode(), *pieces[:3], pause_s=0.1))

    assert [one[0] for one in in_time] == [200]
    assert [one[0] for one in too_late] == [408]
    unspoken(service)
