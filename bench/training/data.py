"""What the model is trained and judged on: groups of parallel passages and the questions that they answer."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
STORIES = Path(__file__).with_name("stories.jsonl.gz")
JUDGE = "belebele-other"
"""Never trained on."""
_TYDI_QUESTIONS = 1_500
_XQUAD_INDONESIAN = 500


@dataclass(frozen=True, slots=True)
class Group:
    """One content: its passage in one language or two, and its questions.

    `passages` and `questions` hold (language, text). `topic` names groups that are near each other, and so
    hard to tell apart; `source` is the set.
    """

    source: str
    topic: str
    passages: tuple[tuple[str, str], ...]
    questions: tuple[tuple[str, str], ...]


def read_groups(source: str) -> list[Group]:
    """All groups of a set."""
    return _READERS[source]()


def _stories() -> list[Group]:
    groups = []
    with gzip.open(STORIES, "rt", encoding="utf-8") as lines:
        for line in lines:
            story = json.loads(line)
            passages = tuple((lang, f"{story[f'title_{lang}']}\n{story[f'text_{lang}']}".strip()) for lang in LANGUAGES)
            questions = tuple((lang, question[lang]) for question in story["questions"] for lang in LANGUAGES)
            groups.append(Group("stories", story["family"], passages, questions))
    return groups


def _belebele() -> list[Group]:
    sides = {lang: _read(f"{JUDGE}/{lang}-{lang}") for lang in LANGUAGES}
    return _parallel(JUDGE, sides)


def _xquad() -> list[Group]:
    """SQuAD paragraphs in both languages with their questions; then such as are in one language only."""
    english, indonesian = _read("xquad-mt/en-en"), _read("xquad-mt/id-id")
    across = {**_read("xquad-mt/en-id").relevant, **_read("xquad-mt/id-en").relevant}
    pair = {}
    for question, passage in across.items():
        if question.startswith("en-"):
            other = across.get("id-" + question[3:])
            if other is not None:
                pair[other] = passage  # English passage -> Indonesian passage
    groups = []
    questions_of: dict[str, list[tuple[str, str]]] = {}
    texts = {**english.questions, **indonesian.questions}
    for side in (english, indonesian):
        for question, passage in side.relevant.items():
            questions_of.setdefault(passage, []).append((question[:2], texts[question]))
    for passage in dict.fromkeys(english.relevant.values()):
        other = pair.get(passage)
        passages = [("en", english.passages[passage])]
        questions = questions_of[passage]
        if other is not None:
            passages.append(("id", indonesian.passages[other]))
            questions = questions + questions_of.get(other, [])
        groups.append(Group("xquad-mt", english.titles[passage], tuple(passages), tuple(questions)))
    alone = [p for p in dict.fromkeys(indonesian.relevant.values()) if p not in set(pair.values())]
    for passage in alone[:_XQUAD_INDONESIAN]:
        text = ("id", indonesian.passages[passage])
        groups.append(Group("xquad-id", passage, (text,), tuple(questions_of[passage])))
    return groups


def _one_language(source: str, *, most: int | None = None) -> list[Group]:
    side = _read(source)
    questions_of: dict[str, list[tuple[str, str]]] = {}
    for question, passage in list(side.relevant.items())[:most]:
        questions_of.setdefault(passage, []).append(("id", side.questions[question]))
    return [
        Group(source, passage, (("id", side.passages[passage]),), tuple(questions))
        for passage, questions in questions_of.items()
    ]


def _sentences(source: str) -> list[Group]:
    """Translated sentences: each is a question to its translation."""
    side = _read(f"{source}/en-id")
    return [
        Group(
            source,
            passage,
            (("id", side.passages[passage]), ("en", side.questions[question])),
            (("en", side.questions[question]), ("id", side.passages[passage])),
        )
        for question, passage in side.relevant.items()
    ]


@dataclass(frozen=True, slots=True)
class _Side:
    passages: dict[str, str]
    titles: dict[str, str]
    questions: dict[str, str]
    relevant: dict[str, str]


def _read(folder: str) -> _Side:
    at = EVAL / folder
    corpus = _records(at / "corpus.jsonl")
    questions = _records(at / "queries.jsonl")
    with (at / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.reader(lines, delimiter="\t") if row[0] != "query-id" and int(row[2]) > 0]
    return _Side(
        {record["_id"]: f"{record['title']}\n{record['text']}".strip() for record in corpus},
        {record["_id"]: record["title"] for record in corpus},
        {record["_id"]: record["text"] for record in questions},
        {question: passage for question, passage, _ in reversed(rows)},
    )


def _parallel(source: str, sides: dict[str, _Side]) -> list[Group]:
    content: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {}
    for lang, side in sides.items():
        for question, passage in side.relevant.items():
            passages, questions = content.setdefault(_stem(passage), ({}, []))
            passages[lang] = side.passages[passage]
            questions.append((lang, side.questions[question]))
    return [
        Group(source, stem, tuple(passages.items()), tuple(questions))
        for stem, (passages, questions) in content.items()
    ]


def _stem(name: str) -> str:
    return name.removeprefix("id-").removeprefix("en-")


def _records(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


LANGUAGES = ("id", "en")
_READERS = {
    "stories": _stories,
    JUDGE: _belebele,
    "xquad-mt": _xquad,
    "facqa": lambda: _one_language("facqa"),
    "tydiqa-id": lambda: _one_language("tydiqa-id", most=_TYDI_QUESTIONS),
    "miracl-id-mini": lambda: _one_language("miracl-id-mini"),
    "tatoeba": lambda: _sentences("tatoeba"),
    "tico19": lambda: _sentences("tico19"),
}
SETS = tuple(_READERS)
