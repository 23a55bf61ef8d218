"""Records from parquet files: the only file here that imports pyarrow."""

from __future__ import annotations

import shutil
import tempfile
from typing import IO, TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from .errors import BadRecordError
from .files import DAMAGE, MAX_RECORD_BYTES, ArticleFile, describe_damage, open_bytes
from .record import ALIASES, FIELD_NAMES, Record, table_record
from .rejection import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

# One at a time: a few bytes in the file may stand for a row of any size, and a batch would hold many of them.
_BATCH_ROWS: Final = 1
_UNREADABLE: Final = (pa.ArrowException, ValueError, OverflowError, NotImplementedError, *DAMAGE)


def read_parquet(file: ArticleFile) -> Iterator[Record | Rejection]:
    """Each row as a record or a rejection, named by its number from 1; only columns with a known name are read."""
    row = 0
    try:
        with open_bytes(file) as packed, tempfile.TemporaryFile() as unpacked:
            # Parquet is read from its end: a gzipped one goes through a file of its own.
            stream: IO[bytes] = unpacked if file.packed else packed  # type: ignore[assignment]
            if file.packed:
                shutil.copyfileobj(packed, unpacked)
            table = pq.ParquetFile(stream, pre_buffer=False)
            columns = [name for name in table.schema_arrow.names if name in FIELD_NAMES]
            if not any(name in columns for name in ALIASES["text"]):
                wanted = ", ".join(ALIASES["text"])
                yield Rejection(file.shown, f"no text column; expected one of: {wanted}")
                return
            if len(set(columns)) < len(columns):
                yield Rejection(file.shown, f"two columns of one name among {', '.join(columns)}; rename one")
                return
            for batch in table.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False):
                row += 1
                yield _record(batch, f"{file.shown}:{row}")
    except _UNREADABLE as error:
        reason = (
            describe_damage(error)
            if isinstance(error, DAMAGE)
            else f"not readable as parquet: {' '.join(str(error).split())}"
        )
        yield Rejection(file.shown if row == 0 else f"{file.shown}:{row + 1}", reason)
        return
    if row == 0:
        yield Rejection(file.shown, "the file has no rows")


def _record(batch: pa.RecordBatch, place: str) -> Record | Rejection:
    if batch.nbytes > MAX_RECORD_BYTES:
        return Rejection(place, f"row longer than {MAX_RECORD_BYTES:,} bytes; split it into articles")
    try:
        values = {name: batch.column(name)[0].as_py() for name in batch.schema.names}
        return table_record(values, place=place)
    except BadRecordError as error:
        return Rejection(place, str(error))
    except _UNREADABLE as error:  # a timestamp beyond year 9999, or bytes that are not UTF-8
        return Rejection(place, f"a value that cannot be read: {' '.join(str(error).split())}")
