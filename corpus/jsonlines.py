"""Records from files with one JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .decoding import decode
from .errors import BadRecordError
from .files import DAMAGE, MAX_RECORD_BYTES, ArticleFile, describe_damage, open_bytes
from .lines import bounded_lines
from .record import Record, table_record
from .rejection import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def read_jsonlines(file: ArticleFile) -> Iterator[Record | Rejection]:
    """Each line as a record or a rejection; blank lines are passed over."""
    number = 0
    found = False
    try:
        with open_bytes(file) as stream:
            for number, line in bounded_lines(stream):
                place = f"{file.shown}:{number}"
                if line is None:
                    yield Rejection(place, f"line longer than {MAX_RECORD_BYTES:,} bytes; split it into articles")
                elif line.strip():
                    if not found and line.lstrip().startswith(b"["):
                        yield Rejection(place, "a JSON array; expected one object a line (jq -c '.[]' converts)")
                        return
                    yield _record(line, place)
                    found = True
    except DAMAGE as error:
        yield Rejection(f"{file.shown}:{number + 1}", f"{describe_damage(error)}; the lines before it were read")
        return
    if not found:
        yield Rejection(file.shown, "no record: the file is empty" if not number else "no record, only blank lines")


def _record(line: bytes, place: str) -> Record | Rejection:
    try:
        return table_record(_parse(decode(line)), place=place)
    except BadRecordError as error:
        return Rejection(place, str(error))


def _parse(line: str) -> Mapping[str, object]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadRecordError(f"not valid JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or nesting without end
        raise BadRecordError(f"not usable JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadRecordError(f'a JSON {type(row).__name__}; expected an object with a "text" field')
    return row
