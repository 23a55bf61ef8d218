"""Articles and passages of a generation on disk, as Arrow files mapped into memory."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import Article

from .errors import IndexDamaged
from .passage import Passage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy.typing as npt

ARTICLES_FILE = "articles.arrow"
PASSAGES_FILE = "passages.arrow"

_ARTICLES = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("text", pa.large_string()),
        ("url", pa.string()),
        ("source", pa.string()),
        ("author", pa.string()),
        ("published", pa.date32()),
        ("language", pa.string()),
        ("digest", pa.string()),
        ("first_passage", pa.int64()),
    ]
)
_PASSAGES = pa.schema([("article", pa.int32()), ("start", pa.int32()), ("end", pa.int32())])
_FIELDS = tuple(field.name for field in fields(Article))
_BATCH_ARTICLES = 256


class StoreWriter:
    """Writes articles with their passages, in order, holding one batch in memory. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._articles_file = pa.OSFile(str(folder / ARTICLES_FILE), "wb")
        self._passages_file = pa.OSFile(str(folder / PASSAGES_FILE), "wb")
        self._articles = pa.ipc.new_file(self._articles_file, _ARTICLES)
        self._passages = pa.ipc.new_file(self._passages_file, _PASSAGES)
        self._rows: list[dict[str, object]] = []
        self._spans: list[tuple[int, int, int]] = []
        self.n_articles = 0
        self.n_passages = 0

    def add(self, article: Article, passages: list[Passage]) -> None:
        """Append one article and all its passages."""
        self.add_spans(article, [(passage.start, passage.end) for passage in passages])

    def add_spans(self, article: Article, spans: Sequence[tuple[int, int]]) -> None:
        """Append one article and where each of its passages begins and ends."""
        row: dict[str, object] = {name: getattr(article, name) for name in _FIELDS}
        self._rows.append(row | {"first_passage": self.n_passages})
        self._spans.extend((self.n_articles, start, end) for start, end in spans)
        self.n_articles += 1
        self.n_passages += len(spans)
        if len(self._rows) >= _BATCH_ARTICLES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._articles.write_batch(pa.RecordBatch.from_pylist(self._rows, schema=_ARTICLES))
            columns = np.asarray(self._spans, np.int32).reshape(-1, 3).T
            arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
            self._passages.write_batch(pa.RecordBatch.from_arrays(arrays, schema=_PASSAGES))
        self._rows.clear()
        self._spans.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._articles.close()
                self._passages.close()
        finally:
            self._articles_file.close()
            self._passages_file.close()


class Store:
    """Reads what `StoreWriter` wrote. Rows are numbered from 0 in writing order; thread-safe.

    The public arrays: `passage_article` (p,) int32, the article row of each passage; `first_passage`
    (a + 1,) int64, where each article's passages begin; `published` (a,) datetime64[D], NaT where unknown.
    """

    def __init__(self, folder: Path) -> None:
        self._articles = _open(folder / ARTICLES_FILE, _ARTICLES)
        passages = _open(folder / PASSAGES_FILE, _PASSAGES)
        self.passage_article: npt.NDArray[np.int32] = passages["article"].to_numpy()
        self._start: npt.NDArray[np.int32] = passages["start"].to_numpy()
        self._end: npt.NDArray[np.int32] = passages["end"].to_numpy()
        self._fields = {name: self._articles[name] for name in _FIELDS}
        first = self._articles["first_passage"].to_numpy()
        self.first_passage: npt.NDArray[np.int64] = np.append(first, len(self._start))
        self.published: npt.NDArray[np.datetime64] = self._articles["published"].to_numpy()

    @property
    def n_articles(self) -> int:
        """How many articles it holds."""
        return int(self._articles.num_rows)

    @property
    def n_passages(self) -> int:
        """How many passages it holds."""
        return len(self._start)

    def article(self, row: int) -> Article:
        """The article of that row."""
        return Article(**{name: column[row].as_py() for name, column in self._fields.items()})

    def article_id(self, row: int) -> str:
        """The id of the article of that row."""
        return str(self._articles["id"][row].as_py())

    def id_rank(self) -> npt.NDArray[np.int64]:
        """(a,) int64: the place of each article among all, by id."""
        rank = np.empty(self.n_articles, np.int64)
        rank[pc.sort_indices(self._articles["id"].combine_chunks()).to_numpy()] = np.arange(self.n_articles)
        return rank

    def article_row(self, article_id: str) -> int | None:
        """The row of the article of that id, or None."""
        try:
            row = int(pc.index(self._articles["id"], pa.scalar(article_id)).as_py())
        except UnicodeEncodeError:  # a half of a surrogate pair, which no id has
            return None
        return None if row < 0 else row

    def passage(self, row: int, article: Article) -> Passage:
        """The passage of that row, which stands in `article`."""
        start, end = int(self._start[row]), int(self._end[row])
        number = row - int(self.first_passage[self.passage_article[row]])
        return Passage(f"{article.id}#{number}", article.id, article.text[start:end], start, end)

    def passages(self, article_row: int, article: Article) -> list[Passage]:
        """All passages of that article, in its order."""
        rows = range(int(self.first_passage[article_row]), int(self.first_passage[article_row + 1]))
        return [self.passage(row, article) for row in rows]

    def spans(self, article_row: int) -> list[tuple[int, int]]:
        """Where each passage of that article begins and ends in its text."""
        rows = slice(int(self.first_passage[article_row]), int(self.first_passage[article_row + 1]))
        return list(zip(self._start[rows].tolist(), self._end[rows].tolist(), strict=True))

    def column(self, name: str) -> tuple[npt.NDArray[np.int32], list[str | None]]:
        """A text column of the articles as codes and the values they stand for.

        Returns:
            (a,) int32 codes, and the distinct values by code (None where the article has none).
        """
        encoded = self._articles[name].combine_chunks().dictionary_encode(null_encoding="encode")
        return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()

    def languages(self) -> list[str]:
        """The language of each article, in order."""
        codes, values = self.column("language")
        return [values[code] or "und" for code in codes]

    def passage_languages(self) -> npt.NDArray[np.str_]:
        """(p,) the language of each passage, in order."""
        return np.array(self.languages())[self.passage_article]

    def digests(self) -> Iterator[tuple[str, str]]:
        """Each article's id and digest, in order."""
        return zip(self._articles["id"].to_pylist(), self._articles["digest"].to_pylist(), strict=True)


def _open(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowException) as error:
        raise IndexDamaged(f"{path} does not open ({error}); run: cari verify") from error
    if table.schema != schema:
        raise IndexDamaged(f"{path} has other columns than this version writes; build the index again")
    return table
