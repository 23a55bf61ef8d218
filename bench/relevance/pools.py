"""Evaluation sets held in memory: embeddings of questions and passages, in every direction and both pools."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from corpus import detect_query_language
from indexer import DEFAULT_MODEL, Embedding, Encoder, open_encoder, prepare_model
from search import bound_arithmetic

if TYPE_CHECKING:
    import numpy.typing as npt

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"


@dataclass(frozen=True, slots=True)
class Pool:
    """Questions of one language over passages of one or both; `relevant` is (questions, passages) bool."""

    name: str
    questions: Embedding
    passages: Embedding
    languages: npt.NDArray[np.str_]
    relevant: npt.NDArray[np.bool_]
    question_texts: list[str]
    passage_texts: list[str]


def open_embedded() -> Encoder:
    """The embedded model, prepared in the user's cache folder."""
    bound_arithmetic()
    return open_encoder(prepare_model(DEFAULT_MODEL, cache=platformdirs.user_cache_path("cari")))


def eval_folder(name: str) -> Path:
    """A folder of ../shared/eval; ends the script, saying so, where it is absent."""
    folder = EVAL / name
    if not folder.is_dir():
        sys.exit(f"skipped: ../shared/eval/{name} is absent")
    return folder


def read_pool(name: str, *, encoder: Encoder, most_questions: int = 400, most_passages: int = 1200) -> Pool:
    """Embed a set in BEIR layout: its first questions, their answers, and passages up to a number."""
    folder = eval_folder(name)
    relevant_ids: dict[str, set[str]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, passage, grade = line.split("\t")
        if int(grade) > 0:
            relevant_ids.setdefault(question, set()).add(passage)
    questions = [record for record in _records(folder / "queries.jsonl") if record["_id"] in relevant_ids]
    questions = questions[:: max(1, len(questions) // most_questions)][:most_questions]
    wanted = set().union(*(relevant_ids[record["_id"]] for record in questions))
    corpus = _records(folder / "corpus.jsonl")
    rest = [record for record in corpus if record["_id"] not in wanted]
    spare = max(0, most_passages - len(wanted))
    passages = [record for record in corpus if record["_id"] in wanted] + rest[:spare]
    asked = [record["text"] for record in questions]
    offered = [f"{record['title']}\n{record['text']}".strip() for record in passages]
    return Pool(
        name,
        encoder.embed_queries(asked),
        encoder.embed_passages(offered),
        np.array([record.get("lang") or detect_query_language(record["text"]).language for record in passages]),
        np.array([[p["_id"] in relevant_ids[q["_id"]] for p in passages] for q in questions]),
        asked,
        offered,
    )


def ndcg10(scores: npt.NDArray[np.float32], relevant: npt.NDArray[np.bool_]) -> float:
    """Mean nDCG@10 with binary gains; ties by passage order.

    The one relevant passage at rank 2 gives 1 / log2(3) = .631.
    """
    discounts = 1 / np.log2(np.arange(2, 12))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    gains = np.take_along_axis(relevant, order, axis=1)
    ideal = np.array([discounts[: min(int(n), 10)].sum() for n in relevant.sum(axis=1)])
    return float(((gains * discounts[: gains.shape[1]]).sum(axis=1) / ideal).mean())


def _records(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
