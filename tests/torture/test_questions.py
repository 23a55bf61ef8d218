# Questions made to cost much, or to shift what is marked: each is answered in a bounded time, with exact offsets.

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from indexer import HashingEncoder, open_current, split_sentences
from indexer.terms import analysed_as, terms
from search import Answer, BadQuery, Group, Mode, Query, Searcher
from search.question import readable
from search.searcher import MAX_QUERY_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Of one processor, for the longest question there may be, whatever it is made of. Measured: at most .3 s.
BOUND_S = 1.5
MOST = MAX_QUERY_CHARACTERS

# Each repeated up to the longest question.
PIECES = {
    "one word": "x",
    "a word many times": "kapal ",
    "words that all differ by a digit": "k1 k2 k3 ",
    "combining marks": "\u0301",
    "a letter under many marks": "e\u0301\u0316\u0323",
    "families of emoji": "👩\u200d👩\u200d👧\u200d👦",
    "flags": "🇮🇩",
    "skin tones": "👍🏽",
    "marks of direction": "\u202e\u202dkapal\u202c ",
    "quotes": "\"'“”‘’",
    "operators": 'AND OR NOT "(" + - ~2 * ? : ^ ',
    "backslashes": "\\\\",
    "markup": "<b>",
    "stop words of Indonesian": "apa yang di dan itu ini ",
    "stop words of English": "what is the of and to ",
    "digits": "0123456789",
    "numbers with points": "1.234,5:6 ",
    "points": ".",
    "hyphens inside a word": "kapal-",
    "apostrophes inside a word": "o'",
    "what grows by compatibility": "\ufdfa",
    "ligatures": "ﬁﬄ ",
    "full width": "ｋａｐａｌ ",
    "what grows by case": "ŉİßΐ ",
    "Hangul in parts": "\u1112\u1161\u11ab",
    "decomposed": "é".encode().decode() + "e\u0301 ",
    "zero-width characters": "k\u200ba\u200dp\u2060a\ufeffl ",
    "tabs and line breaks": "kapal\t\r\n\v\f\u2028",
    "controls": "a\x00\x1b[31m\x7f",
    "halves of pairs": "a\ud800\udfff ",
    "private use": "\ue000\U0010fffd",
    "Arabic": "ما هي الباتيك؟ ",
    "Chinese": "蜡染是什么",
    "Thai without blanks": "ผ้าบาติกคืออะไร",
    "many scripts": "kа́pаl船قارب ",
    "capitals": "KAPAL KANDAS ",
    "addresses": "https://example.org/kapal?kandas=1&muara ",
    "paths": "../../../etc/passwd%00 ",
}
TEXTS = (
    "Sebuah kapal kandas di muara. “Air” surut sejak pagi; nelayan e\u0301le\u0301gan menunggu. Apakah rusak?",
    "ﬁlm tentang kapal: 👩\u200d👩\u200d👧 menonton 🇮🇩. KAPAL. Kapal\u00ad kecil, ka\u200bpal besar, ｋａｐａｌ lebar.",
    "The ship was stranded at noon.\u2028The crew of 1.234 waited; a \u202eship\u202c sank. İstanbul's ﬄeet sailed on.",
    "\ufdfa ditulis di lambung kapal. Warga membaca \ufdfa itu dari tepi muara. 蜡染是什么？ Kapal pun pergi.",
)


@pytest.fixture(scope="module")
def searcher(
    tmp_path_factory: pytest.TempPathFactory, write_rows: Callable[..., Path], build_quietly: Callable[..., Any]
) -> Searcher:
    folder = tmp_path_factory.mktemp("questions")
    rows = [{"id": f"a{n}", "title": f"Kapal {n}", "text": f"{TEXTS[n % 4]} Nomor {n}."} for n in range(80)]
    build_quietly(write_rows(folder / "articles.jsonl", rows), index=folder / "index")
    return Searcher(open_current(folder / "index"), encoder=HashingEncoder())


def exact(answer: Answer, question: str) -> None:
    """What is marked is a sentence of the passage, or a word that the question has too, and nothing beside it."""
    for hit in answer.hits:
        text, language = hit.passage.text, analysed_as(hit.article.language)
        assert hit.article.text[hit.passage.start : hit.passage.end] == text
        sentences = split_sentences(text)
        asked = {word.stem for word in terms(readable(question), language=language)}
        words = {(word.start, word.end): word.stem for word in terms(text, language=language)}
        for mark in hit.highlights:
            if mark.kind == "sentence":
                assert (mark.start, mark.end) in sentences
            else:
                assert words[mark.start, mark.end] in asked


def ask(searcher: Searcher, question: str, *, mode: Mode, group: Group = Group.ARTICLE) -> float:
    """Seconds of a processor that the answer, or the refusal, took."""
    began = time.process_time()
    try:
        answer = searcher.search(Query(text=question, mode=mode, group=group, limit=20))
    except BadQuery as refusal:
        assert "the question is empty" in str(refusal) or "characters; expected at most" in str(refusal)  # noqa: PT017
        return time.process_time() - began
    took = time.process_time() - began
    assert all(0 <= hit.score <= 1 for hit in answer.hits)
    exact(answer, question)
    return took


def test_the_longest_question_of_any_kind_is_answered_within_the_bound(
    searcher: Searcher, rounds: Callable[..., int]
) -> None:
    every = rounds(small=6, full=1)
    took = {}
    for name, piece in list(PIECES.items())[::every]:
        question = (piece * (MOST // len(piece) + 1))[:MOST]
        for mode in list(Mode)[: rounds(small=1, full=3)]:
            took[f"{name}, {mode.value}"] = ask(searcher, question, mode=mode)

    slowest = max(took, key=took.__getitem__)
    print(f"slowest of {len(took)}: {slowest}: {took[slowest]:.2f} s")  # noqa: T201 - the figure
    assert took[slowest] < BOUND_S, slowest


def test_questions_mixed_of_all_of_it_are_answered_with_exact_marks(
    searcher: Searcher, rounds: Callable[..., int]
) -> None:
    for number in range(rounds(small=20, full=2_000)):
        draw = random.Random(number)  # noqa: S311 - to repeat a failure
        pieces = draw.choices([*PIECES.values(), *" ".join(TEXTS).split(" ")], k=draw.randint(1, 30))
        question = draw.choice(["", " ", "\u200b"]).join(pieces)[:MOST]

        took = ask(searcher, question, mode=draw.choice(list(Mode)), group=draw.choice(list(Group)))

        assert took < BOUND_S, (number, took)


def test_time_grows_no_faster_than_the_question(searcher: Searcher) -> None:
    # A long question costs what its words cost: twice as many never four times as much.
    question = "kapal kandas muara nelayan perahu " * 300

    whole, half = (
        min(ask(searcher, question[:size], mode=Mode.HYBRID) for _ in range(3)) for size in (MOST, MOST // 2)
    )

    assert whole < max(3 * half, 0.05)
