"""The layer of the app that asks for a key and counts requests, before anything else looks at them."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from ..errors import Misdirected, RateLimited, Unauthorized
from .rates import Buckets, address_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .keyring import Keyring
    from .keys import Key
    from .rates import Rate

# What says nothing about the articles: probes of what runs the service, the description of the API, and
# what a browser needs to draw the page on which it says that a key is needed. All else is behind the gate,
# also what does not exist: a path that is added later is safe until it is listed here.
_OPEN_PATHS = frozenset({"/livez", "/readyz", "/openapi.json", "/docs"})
_OPEN_FOLDERS = ("/docs/", "/problems/", "/static/")


class Allowance:
    """What a request may still spend; routes that do several things in one request charge for the others."""

    def __init__(self, buckets: Buckets, subject: str, *, rate: Rate | None) -> None:
        self._buckets = buckets
        self._subject = subject
        self._rate = rate

    def charge(self, more: int) -> None:
        """Counts `more` requests beside the one that was counted at the gate. Never refuses."""
        if self._rate is not None and more > 0:
            self._buckets.charge(self._subject, rate=self._rate, tokens=more, now_s=time.monotonic())


class Gate:
    """Lets a request through to the app, as plain ASGI, or refuses it.

    Into `scope["state"]` go `key_name`, None for a request without a key, and `allowance`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keyring: Keyring | None,
        required: bool,
        local_only: bool,
        rate: Rate | None,
        on_error: Callable[[Request, Exception], Response],
    ) -> None:
        """Puts a gate before an app.

        Args:
            app: what is behind it.
            keyring: the keys that are known; None where no file of keys is named.
            required: whether a request needs one of them. Where not, a key still brings its own rate.
            local_only: whether requests come from this machine alone, so that they need no key. A request
                that names another host then did not come from here, whatever its address says: a page of
                another site let its name point to this machine, or a proxy nobody told us of passed it on.
            rate: of addresses, and of keys that have none of their own; None is without limit.
            on_error: makes the response of a refusal.
        """
        self._app = app
        self._keyring = keyring
        self._required = required
        self._local_only = local_only
        self._rate = rate
        self._on_error = on_error
        self._buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; anything that is not HTTP passes through."""
        if scope["type"] != "http" or _is_open(scope):
            await self._app(scope, receive, send)
            return
        try:
            self._admit(scope)
        except (Misdirected, RateLimited, Unauthorized) as error:
            await self._on_error(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive, _privately(send) if self._required else send)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if self._local_only and not _is_local_name(headers.get("host", "")):
            raise Misdirected(
                f"this service answers only its own machine, not for {headers['host'][:200]!r}; "
                "its operator may set CARI_TRUSTED_PROXIES, CARI_REQUIRE_KEY or CARI_HOST"
            )
        secrets = tuple(_secrets(headers))
        key = self._find(secrets)
        client = scope.get("client")
        subject = f"key:{key.name}" if key else address_subject(client[0] if client else None)
        rate = key.rate if key and key.rate else self._rate
        state = scope.setdefault("state", {})
        state["key_name"] = key.name if key else None
        state["allowance"] = Allowance(self._buckets, subject, rate=rate)
        # Counted before the lack of a key is: who tries keys is slowed down like everybody else.
        wait_s = self._buckets.take(subject, rate=rate, now_s=time.monotonic()) if rate else 0
        if wait_s:
            whose = "this key" if key else "this address"
            raise RateLimited(f"{whose} may ask {rate}; come back in {wait_s} s", retry_after_s=wait_s)
        if key is None and self._required:
            raise Unauthorized(
                ("this key is not known, or no longer" if secrets else "this service answers only with a key")
                + "; send it as Authorization: Bearer KEY, or as X-API-Key: KEY"
            )

    def _find(self, secrets: tuple[str, ...]) -> Key | None:
        if self._keyring is None:
            return None
        return next((key for key in map(self._keyring.find, secrets) if key is not None), None)


def _is_open(scope: Scope) -> bool:
    """Whether a request is nobody's secret: a probe, the description, or the question which methods there are."""
    path: str = scope["path"]
    return path in _OPEN_PATHS or path.startswith(_OPEN_FOLDERS) or scope["method"] == "OPTIONS"


def _is_local_name(host: str) -> bool:
    """Whether a Host header is an address or a name without a dot, which no other site can have."""
    name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name.rstrip(".") or name.rstrip(".").endswith(".localhost")
    return True


def _secrets(headers: Headers) -> Iterator[str]:
    """Every key that a request carries. Never from its address, which logs and histories keep."""
    scheme, _, credentials = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        yield credentials.strip()
    elif scheme.lower() == "basic":
        # What a browser sends after it asked its reader: any name, and the key as the password.
        try:
            _, _, password = base64.b64decode(credentials.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            pass
        else:
            yield password
    if "x-api-key" in headers:
        yield headers["x-api-key"].strip()


def _privately(send: Send) -> Send:
    """Keeps answers that needed a key out of shared caches, which know `Authorization` but not `X-API-Key`."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            control = headers.get("cache-control", "no-cache")
            directives = [one.strip() for one in control.split(",") if one.strip().lower() not in {"public", "private"}]
            headers["Cache-Control"] = ", ".join(["private", *directives])
        await send(message)

    return send_private
