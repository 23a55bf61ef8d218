"""Records from CSV files with a header."""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING, Final

from .decoding import decode
from .errors import BadRecordError
from .files import DAMAGE, MAX_RECORD_BYTES, ArticleFile, describe_damage, open_bytes
from .lines import bounded_lines
from .record import ALIASES, FIELD_NAMES, Record, table_record
from .rejection import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

# A comma first; spreadsheets in a locale with decimal commas, such as the Indonesian one, write semicolons.
_DELIMITERS: Final = (",", ";", "\t")
# A row of 16 MiB has as many lines when they are 160 characters long; each line costs memory of its own.
_MAX_ROW_LINES: Final = 100_000


def read_csv(file: ArticleFile) -> Iterator[Record | Rejection]:
    """Each row below the header as a record or a rejection, named by the line that it begins on."""
    # The limit is the csv module's own and counts for the whole process; its default would refuse long articles.
    csv.field_size_limit(MAX_RECORD_BYTES)
    source: _Replayed | None = None
    try:
        with open_bytes(file) as stream:
            source = _Replayed(bounded_lines(stream))
            yield from _rows(source, file.shown)
    except DAMAGE as error:
        number = source.number + 1 if source else 1
        yield Rejection(f"{file.shown}:{number}", f"{describe_damage(error)}; the rows before it were read")


def _rows(source: _Replayed, shown: str) -> Iterator[Record | Rejection]:
    try:
        delimiter, header = _header(source)
    except BadRecordError as error:
        yield Rejection(f"{shown}:1", str(error))
        return
    rows = 0
    while True:
        source.forget()
        # One reader a row: csv.reader gives no way back to a known state after a row that it cannot parse.
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        try:
            row = next(reader, None)
        except (csv.Error, BadRecordError) as error:
            place = f"{shown}:{source.first}"
            last = source.number
            lost = "" if source.rewind_to_second() else f"; everything up to line {last} was left out with it"
            yield Rejection(place, f"not a readable CSV row: {error}{lost}")
            rows += 1
            continue
        if row is None:
            break
        place = f"{shown}:{source.first}"
        if not any(row):
            continue
        rows += 1
        if len(row) > len(header):
            yield Rejection(place, f"{len(row)} columns where the header has {len(header)}; quote fields with commas")
            continue
        # An empty cell says nothing, unlike an empty string in JSON: CSV has no other way to leave a field out.
        cells = {name: cell for name, cell in zip(header, row, strict=False) if name in FIELD_NAMES and cell}
        try:
            yield table_record(cells, place=place)
        except BadRecordError as error:
            yield Rejection(place, str(error))
    if not rows:
        yield Rejection(shown, "no rows below the header")


def _header(source: Iterator[str]) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns.

    Raises:
        BadRecordError: no line at all, or none of the columns holds text.
    """
    line = next(source, None)
    if line is None:
        raise BadRecordError("the file is empty")
    for delimiter in _DELIMITERS:
        try:
            names = [name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        if any(name in names for name in ALIASES["text"]):
            return delimiter, names
    wanted = ", ".join(ALIASES["text"])
    raise BadRecordError(f"no text column; expected a header line with one of: {wanted}")


class _Replayed:
    """Lines as text that can be read again from the second line of the current row.

    A row with an unclosed quote swallows what follows it; reading on from its second line loses that row only.
    """

    def __init__(self, lines: Iterator[tuple[int, bytes | None]]) -> None:
        self._lines = lines
        self._ahead: deque[tuple[int, bytes | None]] = deque()
        self._row: list[tuple[int, bytes | None]] = []
        self._row_bytes = 0
        self._new_lines = 0
        self._replayed_lines = 0
        self.number = 0

    @property
    def first(self) -> int:
        """The number of the line that the current row begins on."""
        return self._row[0][0] if self._row else self.number

    def forget(self) -> None:
        """A new row begins, below any blank lines: a reader for each of those would take minutes for a file of them."""
        self._row.clear()
        self._row_bytes = 0
        while (numbered := self._take()) is not None:
            if numbered[1] is None or not numbered[1].isspace():
                self._ahead.appendleft(numbered)
                break

    def rewind_to_second(self) -> bool:
        """Hand out all lines of the current row again, except its first; False when that was done too often.

        A stray quote costs a second reading of the lines up to the next quote. A file in which every line costs
        one of all the lines below it was made to.
        """
        again = len(self._row) - 1
        if self._replayed_lines + again > _MAX_ROW_LINES + 2 * self._new_lines:
            return False
        self._replayed_lines += again
        self._ahead.extendleft(reversed(self._row[1:]))
        return True

    def __iter__(self) -> _Replayed:
        return self

    def __next__(self) -> str:
        numbered = self._take()
        if numbered is None:
            raise StopIteration
        number, line = numbered
        self._row.append((number, line))
        if line is None:
            raise BadRecordError(f"line longer than {MAX_RECORD_BYTES:,} bytes")
        self._row_bytes += len(line)
        if self._row_bytes > MAX_RECORD_BYTES:
            raise BadRecordError(f"row longer than {MAX_RECORD_BYTES:,} bytes; is a quote left open?")
        if len(self._row) > _MAX_ROW_LINES:
            raise BadRecordError(f"row of more than {_MAX_ROW_LINES:,} lines; is a quote left open?")
        return decode(line)

    def _take(self) -> tuple[int, bytes | None] | None:
        if self._ahead:
            numbered: tuple[int, bytes | None] | None = self._ahead.popleft()
        else:
            numbered = next(self._lines, None)
            self._new_lines += 1
        if numbered is not None:
            self.number = numbered[0]
        return numbered
