"""HTTP/1.1 over one socket, for clients that share their cores with the service they measure."""

from __future__ import annotations

import asyncio
from typing import Self

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Connection:
    """One connection that is kept, asked one thing at a time; as `async with Connection(port)`."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, target: str) -> tuple[int, bytes]:
        """The status and the body of a path with its query, percent-encoded."""
        self._writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode("ascii"))
        head = (await self._reader.readuntil(_HEAD_END)).lower()
        begin = head.index(_LENGTH) + len(_LENGTH)
        body = await self._reader.readexactly(int(head[begin : head.index(b"\r\n", begin)]))
        return int(head[9:12]), body
