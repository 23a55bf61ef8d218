# Questions that people type by mistake, in a hurry, or to see what happens: each is answered or refused, and said so.

from __future__ import annotations

import json
import re
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from api.settings import Settings
from indexer import HashingEncoder, open_current
from search import BadQuery, Mode, Query, Searcher
from search.question import readable
from search.searcher import MAX_QUERY_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer import BuildReport

    from .conftest import Asked

ANSWERED = {
    "one word": "batik",
    "one letter": "a",
    "2,000 short words": "kata " * 2_000,
    "capitals": "SIAPA PRESIDEN KAZAKHSTAN?",
    "typos": "siapa presidn Kazakstan",
    "two languages": "apa itu machine learning?",
    "emoji only": "🌊🚢",
    "emoji of several parts": "👩\u200d🚒🇮🇩",
    "punctuation only": "?!?...",
    "digits only": "2026",
    "a lone combining mark": "\u0301",
    "NUL inside": "batik\x00tulis",
    "control characters inside": "batik\x07\x1b[31m tulis",
    "a lone surrogate inside": "batik \ud800",
    "a zero-width space inside": "bat\u200bik",
    "right-to-left marks": "\u202ebatik\u202c",
    "private use": "\ue000",
    "one very long word": "x" * (MAX_QUERY_CHARACTERS - 1),
    "one word 500 times": "batik " * 500,
    "Arabic": "ما هي الباتيك؟",
    "Chinese": "蜡染是什么？",
    "a markup": "<script>alert('x')</script>",
    "a query language": 'title:"batik" AND (tulis OR NOT cap*)~2',
    "a path": "../../etc/passwd",
}
REFUSED = {
    "empty": "",
    "blank": " \t\n\u00a0\u3000",
    "NUL only": "\x00",
    "control characters only": "\x07\x1b\x7f",
    "a lone surrogate only": "\udfff",
    "zero-width characters only": "\u200b\u200d\ufeff\u00ad",
    "marks of direction only": "\u200f\u202e",
}
TOO_LONG = "sebuah pertanyaan " * 1_000

by_name = pytest.mark.parametrize


def drop_a_letter(text: str) -> str:
    """Each word of six letters or more loses its middle one: "presiden" becomes "presden"."""
    return re.sub(r"[^\W\d_]{6,}", lambda word: word[0][: len(word[0]) // 2] + word[0][len(word[0]) // 2 + 1 :], text)


def swap_letters(text: str) -> str:
    """Each word of six letters or more has its two middle ones changed round: "presiden" becomes "prseiden"."""

    def swapped(word: re.Match[str]) -> str:
        half = len(word[0]) // 2
        return f"{word[0][: half - 1]}{word[0][half]}{word[0][half - 1]}{word[0][half + 1 :]}"

    return re.sub(r"[^\W\d_]{6,}", swapped, text)


# The least share of the sample questions, changed so, that still have their article in the first three.
FLOORS: dict[str, tuple[Callable[[str], str], float]] = {
    "upper case": (str.upper, 0.975),
    "lower case": (str.lower, 0.975),
    "each word with a capital": (str.title, 0.925),
    "no question mark": (lambda text: text.rstrip("?"), 0.975),
    "a letter dropped from each long word": (drop_a_letter, 0.85),
    "two letters swapped in each long word": (swap_letters, 0.85),
}


@pytest.fixture(scope="module")
def small_index(
    tmp_path_factory: pytest.TempPathFactory,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
) -> Path:
    """An index of one article, without a model."""
    folder = tmp_path_factory.mktemp("small")
    row = {"id": "batik", "title": "Batik", "text": "Batik tulis dibuat dengan malam. Kain dicelup.", "language": "id"}
    build_quietly(write_rows(folder / "articles.jsonl", [row]), index=folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def client(small_index: Path) -> Iterator[TestClient]:
    searcher = Searcher(open_current(small_index), encoder=HashingEncoder())
    live = Live(lambda: searcher, read_current=lambda: searcher.info.generation, poll_interval_s=60)
    with TestClient(create_app(live, settings=Settings()), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def command_index(small_index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, which the command finds as if its model were prepared."""
    opening = import_module("search.opening")
    monkeypatch.setattr(opening, "find_prepared", lambda *_, **__: small_index)
    monkeypatch.setattr(opening, "open_encoder", lambda *_, **__: HashingEncoder())
    return small_index


@pytest.mark.model
@by_name("mode", Mode)
@by_name("name", ANSWERED)
def test_an_odd_question_is_answered(sample: Searcher, name: str, mode: Mode) -> None:
    answer = sample.search(Query(text=ANSWERED[name], mode=mode, limit=100))

    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    for hit in answer.hits:
        assert all(0 <= mark.start < mark.end <= len(hit.passage.text) for mark in hit.highlights)
    if mode is not Mode.LEXICAL:  # where a passage must share a word
        assert answer.total == sample.info.articles


@by_name("name", REFUSED)
def test_a_question_without_anything_to_read_is_refused(make_searcher: Callable[..., Searcher], name: str) -> None:
    searcher = make_searcher({"id": "a", "title": "", "text": "Jalan tol dibuka."})

    with pytest.raises(BadQuery, match="the question is empty; ask something, such as"):
        searcher.search(Query(text=REFUSED[name]))


@pytest.mark.model
def test_what_a_question_says_in_spite_of_its_form_is_found(sample: Searcher) -> None:
    for name in (
        "one word",
        "NUL inside",
        "control characters inside",
        "a lone surrogate inside",
        "right-to-left marks",
    ):
        assert "batik" in sample.search(Query(text=ANSWERED[name])).hits[0].article.id, name
    plain = sample.search(Query(text="batik"))
    for name in ("a zero-width space inside", "right-to-left marks"):
        assert sample.search(Query(text=ANSWERED[name])) == plain, name


@pytest.mark.model
@by_name("variation", FLOORS)
def test_most_sample_questions_bear_a_careless_hand(
    sample: Searcher, sample_questions: list[Asked], variation: str
) -> None:
    change, floor = FLOORS[variation]

    missed = [
        changed
        for asked in sample_questions
        if asked.article not in sample.ids(sample.rank(Query(text=(changed := change(asked.text)))))[:3]
    ]

    assert 1 - len(missed) / len(sample_questions) >= floor, missed


@pytest.mark.model
def test_a_question_of_2000_words_is_cut_and_says_so_and_costs_what_the_model_can_read(sample: Searcher) -> None:
    words = "kota " * 2_000
    readable_by_the_model = "kota " * 500

    def cost(text: str) -> tuple[bool, float]:
        began = time.process_time()
        truncated = sample.search(Query(text=text)).truncated
        return truncated, time.process_time() - began

    (cut, took), (whole, least) = (min(cost(text) for _ in range(3)) for text in (words, readable_by_the_model))
    assert (cut, whole) == (True, False)
    assert took < 3 * least


def test_a_question_past_10000_characters_is_refused_with_its_length(make_searcher: Callable[..., Searcher]) -> None:
    searcher = make_searcher({"id": "a", "title": "", "text": "Jalan tol dibuka."})

    with pytest.raises(BadQuery, match=r"has 17999 characters; expected at most 10000"):
        searcher.search(Query(text=TOO_LONG))


@by_name(
    ("typed", "read"),
    [
        ("SIAPA PRESIDEN KAZAKHSTAN?", "siapa presiden kazakhstan?"),
        ("APA ITU KTT G20", "apa itu ktt g20"),
        ("UNESCO", "UNESCO"),
        ("G20 2026", "G20 2026"),
        ("Apa itu UNESCO?", "Apa itu UNESCO?"),
        ("bat\u200bik", "batik"),
        ("e\u200b\u0301", "é"),
        ("a\x00b\ud800", "a b"),
        ("蜡染", "蜡染"),
    ],
)
def test_what_is_read_of_a_question(typed: str, read: str) -> None:
    assert readable(typed) == read
    assert readable(read) == read


@by_name("name", [*ANSWERED, *REFUSED])
def test_the_service_answers_or_refuses_and_never_fails(client: TestClient, name: str) -> None:
    text = ANSWERED.get(name, REFUSED.get(name))

    # As ASCII, so that a lone surrogate reaches the service too.
    answer = client.post("/v1/search", content=json.dumps({"q": text}), headers={"content-type": "application/json"})

    if name in REFUSED or "\x00" in text or "\ud800" in text:  # which no client writes on purpose
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    else:
        assert answer.status_code == 200, answer.text
        assert answer.json()["query"]["truncated"] == (name == "2,000 short words")


@by_name("name", [*ANSWERED, *REFUSED])
def test_the_page_answers_or_refuses_and_never_fails(client: TestClient, name: str) -> None:
    text = ANSWERED.get(name, REFUSED.get(name))

    answer = client.get("/", params={"q": text.encode("utf-8", "surrogatepass")})

    assert answer.status_code < 500
    assert answer.headers["content-type"].startswith("text/html")


@by_name("name", ANSWERED)
def test_the_command_answers(command_index: Path, cari: Callable[..., Any], name: str) -> None:
    done = cari("search", "--index", command_index, "--json", "--", ANSWERED[name])

    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out)["hits"][0]["article"]["id"] == "batik"


@by_name("name", REFUSED)
def test_the_command_refuses_in_one_line(command_index: Path, cari: Callable[..., Any], name: str) -> None:
    done = cari("search", "--index", command_index, "--", REFUSED[name])

    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "the question is empty; ask something" in done.err


def test_the_command_refuses_a_text_that_is_no_question_in_one_line(
    command_index: Path, cari: Callable[..., Any]
) -> None:
    done = cari("search", "--index", command_index, "--", TOO_LONG)

    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "expected at most 10000" in done.err
