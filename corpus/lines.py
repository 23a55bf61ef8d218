"""The lines of a file of any size, each read with a bound."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from .decoding import wide_encoding
from .files import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_PEEK_BYTES: Final = 4096


def bounded_lines(
    stream: io.BufferedIOBase, *, max_bytes: int = MAX_RECORD_BYTES
) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines, from 1, with their line ends; None stands for a line longer than `max_bytes`.

    Lines of UTF-16 and UTF-32 files come re-encoded as UTF-8; all others as they are. No more than `max_bytes`
    of a line is ever held.

    Raises:
        OSError, EOFError, zlib.error: the stream is damaged; every line before the damage was yielded.
    """
    start = _read_start(stream)
    wide = wide_encoding(start)
    joined = io.BufferedReader(_Joined(start, stream))
    if wide is not None:
        yield from _wide_lines(io.TextIOWrapper(joined, wide, "replace", newline="\n"), max_bytes)
        return
    number = 0
    while line := joined.readline(max_bytes + 1):
        number += 1
        if len(line) <= max_bytes:
            yield number, line
            continue
        while not line.endswith(b"\n") and (line := joined.readline(max_bytes)):
            pass
        yield number, None


def _wide_lines(reader: io.TextIOWrapper, max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    number = 0
    while line := reader.readline(max_bytes + 1):
        number += 1
        if len(line) > max_bytes:
            while not line.endswith("\n") and (line := reader.readline(max_bytes)):
                pass
            yield number, None
            continue
        encoded = line.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
        yield number, encoded if len(encoded) <= max_bytes else None


def _read_start(stream: io.BufferedIOBase) -> bytes:
    """The first bytes of the stream, enough to tell the encoding by."""
    start = b""
    while len(start) < _PEEK_BYTES and (piece := stream.read1(_PEEK_BYTES - len(start))):
        start += piece
    return start


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of their stream, which closes with neither."""

    def __init__(self, start: bytes, rest: io.BufferedIOBase) -> None:
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # subtle: read1, because read on a truncated .gz would raise before handing over what it had unpacked
        piece = self._start[: len(buffer)] if self._start else self._rest.read1(len(buffer))
        self._start = self._start[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)
