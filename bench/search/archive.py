"""Archives of a size: real articles with real passages and words, but vectors that are drawn by words.

Embedding 100,000 passages takes an hour. What a search does with a vector takes the same time whatever it says, so each
word here has a direction of its own, of the model's dimension, and about as many tokens of a passage are kept as of a
real one (90). Questions are embedded by the model itself.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from corpus import read_articles
from indexer import ChunkSettings, Embedding, Encoder, HashingEncoder, ModelCard, TokenVectors, build
from indexer.encoder import unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.chunker import Tokenizer

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
SAMPLE = Path(__file__).resolve().parents[2] / "corpus" / "sample"
SETS = ("realtimeqa-news", "id-news-headline", "tydiqa-id", "miracl-id-mini")

_PASSAGE_CHARACTERS = 560
_T = TypeVar("_T")
_SETTINGS = ChunkSettings(max_tokens=150, max_title_tokens=24)
_DIRECTIONS = 8192
_WORD = re.compile(r"\w+|[^\w\s]")
_SHORT_WORD = 3
_KEPT, _FREQUENT = 5_000, 10


class StandIn:
    """An `Encoder` of passages under a real model's name, many times faster than the model."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self._words = HashingEncoder()
        drawn = np.random.default_rng(0).standard_normal((_DIRECTIONS, card.dim)).astype(np.float32)
        self._directions = unit_rows(drawn)

    @property
    def tokenizer(self) -> Tokenizer:
        """Of words and marks."""
        return self._words.tokenizer

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """As passages."""
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of each text the sum of its words' directions, and those as its tokens."""
        tokens = [self._tokens(text) for text in texts]
        return Embedding(unit_rows(np.array([entry.vectors.sum(axis=0) for entry in tokens])), tokens)

    def _tokens(self, text: str) -> TokenVectors:
        words = list(_WORD.finditer(text.lower()))[: self.card.max_tokens]
        rows = [zlib.crc32(word[0].encode()) % _DIRECTIONS for word in words]
        ids = [_FREQUENT if len(word[0]) < _SHORT_WORD else _KEPT + row for word, row in zip(words, rows, strict=True)]
        starts = np.array([word.start() for word in words], np.int32)
        return TokenVectors(np.array(ids, np.int32), self._directions[rows], starts)


class _Unwatched:
    def articles(self, done: int) -> None: ...

    def passages(self, done: int, total: int) -> None: ...


def build_archive(passages: int, *, folder: Path, card: ModelCard) -> None:
    """Write an index of about so many passages into `folder`; of fewer where there is no more text."""
    folder.mkdir(parents=True, exist_ok=True)
    articles = folder / "articles.jsonl"
    articles.write_text("".join(f"{json.dumps(row)}\n" for row in _rows(passages)), encoding="utf-8")
    encoder: Encoder = StandIn(card)
    build([articles], index=folder, encoder=encoder, settings=_SETTINGS, progress=_Unwatched())
    shutil.rmtree(folder / "cache")


def questions(each: int) -> list[str]:
    """`each` Indonesian and as many English questions, in turn; those of the sample where there are no others."""
    files = [EVAL / name / "queries.jsonl" for name in ("tydiqa-id", "xquad-mt/en-en")]
    if not all(path.is_file() for path in files):
        with (SAMPLE / "questions.tsv").open(encoding="utf-8", newline="") as rows:
            return [row["question"] for row in csv.DictReader(rows, delimiter="\t")][: 2 * each]
    spread = [_spread([record["text"] for record in _records(path)], each) for path in files]
    return [text for pair in zip(*spread, strict=True) for text in pair]


def _rows(passages: int) -> list[dict[str, str]]:
    """Articles of about so many passages in all, spread over each set; those of the sample where there are no sets."""
    sets = [EVAL / name / "corpus.jsonl" for name in SETS]
    if not all(path.is_file() for path in sets):
        sample = islice(read_articles([SAMPLE], quarantine=lambda _: None), passages)
        return [{"id": one.id, "title": one.title, "text": one.text, "language": one.language} for one in sample]
    every = [_records(path) for path in sets]
    characters = sum(len(record["text"]) for records in every for record in records)
    share = min(1.0, passages * _PASSAGE_CHARACTERS / characters)
    return [
        {"id": f"{name}/{record['_id']}", "title": record["title"], "text": record["text"], "source": name}
        | {"published": f"{2015 + place % 10}-{1 + place % 12:02}-01"}
        for name, records in zip(SETS, every, strict=True)
        for place, record in enumerate(_spread(records, max(1, round(share * len(records)))))
    ]


def _records(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _spread(rows: list[_T], count: int) -> list[_T]:
    places = np.linspace(0, len(rows) - 1, min(count, len(rows)))
    return [rows[int(place)] for place in places]
