"""What growth is measured on: real articles, vectors and questions of ../shared/eval, or else of the sample."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus import read_articles
from indexer import DEFAULT_MODEL, Embedding, HashingEncoder, hashing_encoder, open_current, open_encoder, prepare_model
from indexer.encoder import unit_rows
from search.eval_command import index_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from indexer import Encoder, ModelCard, Rows

REPOSITORY = Path(__file__).resolve().parents[2]
EVAL = REPOSITORY.parent / "shared" / "eval"
SAMPLE = REPOSITORY / "corpus" / "sample"
EMBEDDED = ("tydiqa-id", "facqa", "miracl-id-mini", "xquad-mt/id-id", "tico19/en-id", "tico19/id-en")
"""Sets whose passages are embedded by the model, once."""
ASKED = ("tydiqa-id", "facqa", "xquad-mt/en-id", "xquad-mt/id-id")
WRITTEN = (*EMBEDDED, "realtimeqa-news", "id-news-headline", "news-bitext/id-en")
"""Sets whose articles are the text of an index."""

_FAR = 0.45
_BLOCK_ROWS = 8_192


@dataclass(frozen=True)
class Material:
    """`vectors` are (n, dim) float32 unit rows of distinct real passages; `asked` is made of `questions`."""

    vectors: Rows
    questions: list[str]
    asked: Embedding


def of_the_sets(*, model_cache: Path, questions: int) -> Material:
    """Embeds what is not yet: minutes, once."""
    encoder = open_encoder(prepare_model(DEFAULT_MODEL, cache=model_cache))
    vectors = []
    for name in EMBEDDED:
        index = index_of(EVAL / name / "corpus.jsonl", encoder=encoder, model_cache=model_cache)
        found = open_current(index).vectors
        vectors.append(found.vectors(np.arange(len(found))))
    each = -(-questions // len(ASKED))
    texts = [text for name in ASKED for text in _spread([row["text"] for row in _rows(name, "queries.jsonl")], each)]
    return Material(_distinct(np.concatenate(vectors)), texts, encoder.embed_queries(texts))


def of_the_sample() -> Material:
    """The same of the articles that ship, without a model: for short runs, whose figures mean nothing."""
    encoder: Encoder = HashingEncoder()
    articles = list(read_articles([SAMPLE], quarantine=lambda _: None))
    paragraphs = [part for article in articles for part in article.text.split("\n\n") if part.strip()]
    questions = [part.split(". ")[0] for part in paragraphs[::8]]
    return Material(_distinct(encoder.embed_passages(paragraphs).vectors), questions, encoder.embed_queries(questions))


def resampled(vectors: Rows, count: int) -> Iterator[Rows]:
    """`count` rows, in blocks: the real ones, each once, and then copies with noise.

    A copy is a real passage moved by .45 times the difference between two others, drawn at random: about .89 from
    where it was, and as far in every direction as passages differ in it.
    """
    random = np.random.default_rng(11)
    real = vectors[random.permutation(len(vectors))[:count]]
    yield from (real[start : start + _BLOCK_ROWS] for start in range(0, len(real), _BLOCK_ROWS))
    for start in range(len(real), count, _BLOCK_ROWS):
        one, plus, minus = (random.integers(0, len(vectors), min(_BLOCK_ROWS, count - start)) for _ in range(3))
        yield unit_rows(vectors[one] + np.float32(_FAR) * (vectors[plus] - vectors[minus]))


class StandIn:
    """An `Encoder` that knows a material's questions, and gives passages its vectors, one after the other.

    Words are its tokens, and the token vectors of a passage are random: what late interaction takes does not depend
    on what they say.
    """

    def __init__(self, material: Material) -> None:
        self._words = HashingEncoder(name="stand-in")
        self._material = material
        self._rows = resampled(material.vectors, 1 << 30)
        self._left = material.vectors[:0]
        dim = material.vectors.shape[1]
        self._directions = unit_rows(np.random.default_rng(5).standard_normal((4_096, dim)).astype(np.float32))
        self.card: ModelCard = replace(self._words.card, dim=dim)
        # A word's own direction is not used here, and making it takes longer than all the rest.
        vars(hashing_encoder)["_direction"] = cache(vars(hashing_encoder)["_direction"])

    @property
    def tokenizer(self) -> Any:  # noqa: ANN401 - whatever it is
        """Of words and marks."""
        return self._words.tokenizer

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """What the model made of these questions."""
        places = [self._material.questions.index(text) for text in texts]
        asked = self._material.asked
        return Embedding(asked.vectors[places], [asked.tokens[place] for place in places])

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """The next vectors there are."""
        while len(self._left) < len(texts):
            self._left = np.concatenate([self._left, next(self._rows)])
        vectors, self._left = np.split(self._left, [len(texts)])
        tokens = [
            replace(one, vectors=self._directions[one.ids % len(self._directions)])
            for one in self._words.embed_passages(texts).tokens
        ]
        return Embedding(vectors, tokens)


def write_articles(characters: int | None, *, path: Path, small: bool) -> None:
    """So much real text as JSON lines, spread over all sets; all there is for None."""
    if small:
        rows = [
            {"id": one.id, "title": one.title, "text": one.text, "lang": one.language}
            for one in read_articles([SAMPLE], quarantine=lambda _: None)
        ]
    else:
        rows = [
            row | {"id": f"{name}/{row['_id']}", "source": name}
            for name in WRITTEN
            for row in _rows(name, "corpus.jsonl")
        ]
    total = sum(len(row["text"]) for row in rows)
    share = 1.0 if characters is None else min(1.0, characters / total)
    kept = _spread(rows, max(1, round(share * len(rows))))
    with path.open("w", encoding="utf-8") as stream:
        for place, row in enumerate(kept):
            published = {"published": f"{2015 + place % 10}-{1 + place % 12:02}-01"}
            stream.write(json.dumps({key: value for key, value in row.items() if key != "_id"} | published) + "\n")


def _distinct(vectors: Rows) -> Rows:
    _, first = np.unique(np.round(vectors, 3), axis=0, return_index=True)
    return vectors[np.sort(first)]


def _rows(name: str, file: str) -> list[dict[str, str]]:
    lines = (EVAL / name / file).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _spread(rows: list[Any], count: int) -> list[Any]:
    places: npt.NDArray[np.float64] = np.linspace(0, len(rows) - 1, min(count, len(rows)))
    return [rows[int(place)] for place in places]
