"""Two corpora that can be told apart in any answer: the sample, with a mark in every sentence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from corpus import read_articles
from indexer import split_sentences

SAMPLE = Path(__file__).parents[2] / "corpus" / "sample"
MARKS = ("alfatanda", "betatanda")


def write_corpus(mark: str, *, folder: Path) -> Path:
    """The sample articles with the mark in id, source and every sentence, as JSON lines; returns the file."""
    path = folder / f"{mark}.jsonl"
    with path.open("w", encoding="utf-8") as lines:
        for article in read_articles([SAMPLE], quarantine=lambda _: None):
            marked = "\n\n".join(
                " ".join(f"{mark} {part[start:end].strip()}" for start, end in split_sentences(part))
                for part in article.text.split("\n\n")
            )
            row = {"id": f"{mark}/{article.id}", "title": article.title, "text": marked, "source": mark}
            lines.write(json.dumps(row | {"language": article.language}) + "\n")
    return path


def questions() -> list[str]:
    """What is asked: questions that the sample answers, in both languages."""
    with (SAMPLE / "questions.tsv").open(encoding="utf-8", newline="") as rows:
        return [row["question"] for row in csv.DictReader(rows, delimiter="\t")]


def marks_in(answer: dict[str, object]) -> frozenset[str]:
    """The marks that an answer carries, wherever: its passages, articles and facets; "?" for a part without."""
    parts: list[str] = []
    hits: list[dict[str, dict[str, str]]] = answer["hits"]  # type: ignore[assignment]
    for hit in hits:
        parts += [hit["passage"]["text"], hit["article"]["id"], hit["article"]["source"]]
    facets: dict[str, dict[str, int]] = answer["facets"]  # type: ignore[assignment]
    parts += list(facets["source"])
    return frozenset(next((mark for mark in MARKS if mark in part), "?") for part in parts)
