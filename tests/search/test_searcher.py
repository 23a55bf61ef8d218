from __future__ import annotations

import os
import threading
import time
import unicodedata
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer import EncoderFailed, HashingEncoder, IndexMismatch, ModelError, open_current
from indexer.encoder import Embedding, TokenVectors
from search import Answer, BadQuery, Filters, Group, Mode, Query, Searcher, calibration, grouping, open_searcher
from search import searcher as searching
from search.searcher import MAX_DEPTH, MAX_QUERY_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import BuildReport

    Make = Callable[..., Searcher]

FILLER = (
    "yang dibahas oleh warga kota pesisir itu bersama pemerintah setempat pada rapat terbuka hari ini di balai desa"
)


def paragraph(topic: str, number: int, *, key: str) -> str:
    # The words of each paragraph stand in an order of their own, or all articles would be one story.
    filler = " ".join(sorted(FILLER.split(), key=lambda word: zlib.crc32(f"{key} {number} {word}".encode())))
    return f"Bagian {number} tentang {topic} {filler}. Soal {topic} itu rapat {number} berjalan sampai sore."


def long_article(key: str, topic: str, *, parts: int = 4, **fields: str) -> dict[str, Any]:
    text = "\n\n".join(paragraph(topic, number, key=key) for number in range(parts))
    return {"id": key, "title": "", "text": text, "lang": "id", **fields}


SHIPS = (
    long_article("kapal", "kapal feri", source="Muara", date="2026-01-31"),
    long_article("bus", "bus listrik", source="Muara", date="2026-02-01"),
    long_article("padi", "panen padi", source="Ladang", date="2026-02-28", lang="en"),
    {"id": "tol", "title": "", "text": "Jalan tol baru dibuka.", "lang": "ms"},
)


class Indifferent(HashingEncoder):
    """Finds every text equally near to every question."""

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        vectors = np.zeros((len(texts), self.card.dim), np.float32)
        vectors[:, 0] = 1
        return Embedding(
            vectors, [TokenVectors(np.zeros(1, np.int32), row[None], np.ones(1, np.int32)) for row in vectors]
        )


class Unasked(HashingEncoder):
    """Embeds, but tokenises nothing by itself."""

    @property
    def tokenizer(self) -> HashingEncoder:
        raise EncoderFailed("asked for the tokenizer")


def passage_ids(answer: Answer) -> list[str]:
    return [hit.passage.id for hit in answer.hits]


def article_ids(answer: Answer) -> list[str]:
    return [hit.article.id for hit in answer.hits]


def test_as_many_searches_rank_at_a_time_as_there_are_cores(
    make_searcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = make_searcher(*SHIPS)
    lock, asked = threading.Lock(), searcher._ranker.rank
    at_once: list[int] = [0]

    def rank(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - handed on
        with lock:
            at_once.append(at_once[-1] + 1)
        time.sleep(0.02)
        try:
            return asked(*arguments, **named)
        finally:
            with lock:
                at_once.append(at_once[-1] - 1)

    monkeypatch.setattr(searcher._ranker, "rank", rank)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: searcher.search(Query(text="kapal feri")), range(32)))

    assert all(answer.hits == answers[0].hits for answer in answers)
    assert max(at_once) <= len(os.sched_getaffinity(0))


def test_the_passage_that_shares_the_questions_words_is_first(make_searcher: Make) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="Bagian 2 tentang bus listrik"))

    hit = answer.hits[0]
    assert (hit.rank, hit.article.id, hit.passage.id) == (1, "bus", "bus#2")
    assert hit.passage.text == hit.article.text[hit.passage.start : hit.passage.end]
    assert 0 <= hit.score <= 1
    assert hit.scores.dense is not None
    assert hit.scores.lexical is not None
    assert 0 < hit.scores.lexical < 1
    assert hit.similar_count == 0
    assert (answer.degraded, answer.truncated) == (None, False)
    assert answer.language == "id"


def test_ranks_count_from_one_and_scores_never_rise(make_searcher: Make) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="kapal", group=Group.NONE, limit=100))

    assert [hit.rank for hit in answer.hits] == list(range(1, 14))
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)


def test_one_hit_an_article_unless_every_passage_is_asked_for(make_searcher: Make) -> None:
    searcher = make_searcher(*SHIPS)
    grouped = searcher.search(Query(text="rapat kapal feri", limit=100))
    ungrouped = searcher.search(Query(text="rapat kapal feri", limit=100, group=Group.NONE))

    assert (grouped.total, ungrouped.total) == (4, 13)
    assert len(set(article_ids(grouped))) == 4
    # An article stands where its best passage does.
    assert article_ids(grouped) == list(dict.fromkeys(article_ids(ungrouped)))
    best = {hit.article.id: hit.passage.id for hit in reversed(ungrouped.hits)}
    assert passage_ids(grouped) == [best[key] for key in article_ids(grouped)]


@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
def test_pages_put_together_are_the_whole_ranking(make_searcher: Make, group: Group, size: int) -> None:
    rows = [long_article(f"{number}", "kapal feri", parts=2) for number in range(12)]
    searcher = make_searcher(*rows)
    whole = searcher.search(Query(text="kapal feri", limit=100, group=group))

    pages = [
        searcher.search(Query(text="kapal feri", limit=size, offset=offset, group=group))
        for offset in range(0, whole.total, size)
    ]

    assert tuple(hit for page in pages for hit in page.hits) == whole.hits
    assert {page.total for page in pages} == {whole.total} == {len(whole.hits)}


def test_equal_scores_are_ordered_by_article_id_as_text_then_by_place_as_number(make_searcher: Make) -> None:
    keys = ("b", "a10", "a2", "é", "Z")
    searcher = make_searcher(*(long_article(key, "kapal", parts=12) for key in keys), encoder=Indifferent())

    answer = searcher.search(Query(text="kapal", group=Group.NONE, limit=100))

    assert len({hit.score for hit in answer.hits}) == 1
    assert passage_ids(answer) == [f"{key}#{place}" for key in sorted(keys) for place in range(12)]
    assert article_ids(searcher.search(Query(text="kapal"))) == ["Z", "a10", "a2", "b", "é"]


def test_a_page_past_the_end_is_empty_and_still_counts(make_searcher: Make) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="kapal", offset=4))

    assert (answer.hits, answer.total) == ((), 4)
    assert answer.facets["language"] == {"id": 2, "en": 1, "ms": 1}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(languages=frozenset({"id"})), {"kapal", "bus"}),
        (Filters(sources=frozenset({"Ladang"})), {"padi"}),
        (Filters(published_from=date(2026, 2, 1), published_to=date(2026, 2, 28)), {"bus", "padi"}),
        (Filters(published_to=date(2026, 12, 31)), {"kapal", "bus", "padi"}),
    ],
)
def test_only_articles_that_pass_the_filters_answer(make_searcher: Make, filters: Filters, expected: set[str]) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="jalan tol", filters=filters, limit=100))

    assert set(article_ids(answer)) == expected
    assert answer.total == len(expected) == sum(answer.facets["month"].values())


def test_filters_that_let_nothing_through_give_an_empty_answer(make_searcher: Make) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="kapal", filters=Filters(languages=frozenset({"fr"}))))

    assert (answer.hits, answer.total) == ((), 0)
    assert answer.facets == {"language": {}, "source": {}, "month": {}}


def test_filters_decide_before_the_ranking_is_cut(make_searcher: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.searcher.MAX_DEPTH", 3)
    searcher = make_searcher(*SHIPS)

    answer = searcher.search(Query(text="kapal feri", limit=3, filters=Filters(languages=frozenset({"ms"}))))

    assert article_ids(answer) == ["tol"]


def test_the_best_sentence_is_marked_by_its_offsets(make_searcher: Make) -> None:
    text = "Air 🌊 surut sejak pagi. Sebuah kapal besar kandas di muara. Warga menonton dari tepi."
    hit = make_searcher({"id": "a", "title": "", "text": text}).search(Query(text="kapal kandas")).hits[0]

    (mark,) = hit.highlights
    assert mark.kind == "sentence"
    assert hit.passage.text[mark.start : mark.end] == "Sebuah kapal besar kandas di muara."


def test_a_passage_of_one_sentence_is_not_marked(make_searcher: Make) -> None:
    assert make_searcher(SHIPS[3]).search(Query(text="tol")).hits[0].highlights == ()


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0"])
def test_an_empty_question_is_refused(make_searcher: Make, text: str) -> None:
    with pytest.raises(BadQuery, match="the question is empty; ask something"):
        make_searcher(SHIPS[3]).search(Query(text=text))


def test_a_question_may_be_long_but_not_endless(make_searcher: Make) -> None:
    searcher = make_searcher(SHIPS[3])

    assert searcher.search(Query(text="k" * MAX_QUERY_CHARACTERS)).total == 1
    with pytest.raises(BadQuery, match=f"has {MAX_QUERY_CHARACTERS + 1} characters; expected at most"):
        searcher.search(Query(text="k" * (MAX_QUERY_CHARACTERS + 1)))


def test_a_search_marks_the_best_sentences_without_tokenising_any_passage_again(
    make_searcher: Make, tmp_path: Path
) -> None:
    usual = make_searcher(*SHIPS)
    query = Query(text="Bagian 2 tentang bus listrik", limit=30, group=Group.NONE)

    unasked = Searcher(open_current(tmp_path / "index0"), encoder=Unasked()).search(query)

    expected = usual.search(query)
    assert [hit.highlights for hit in unasked.hits] == [hit.highlights for hit in expected.hits]
    assert {mark.kind for hit in unasked.hits for mark in hit.highlights} == {"sentence", "term"}


def test_a_question_past_what_the_model_reads_is_answered_and_reported_as_truncated(make_searcher: Make) -> None:
    encoder = HashingEncoder(max_tokens=128)
    searcher = make_searcher(SHIPS[3], encoder=encoder)

    # One token of every passage and question is the model's own.
    assert not searcher.search(Query(text="kata " * 127)).truncated
    assert searcher.search(Query(text="kata " * 128)).truncated


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (-1, 0), (10, -1), (MAX_DEPTH + 1, 0), (1, MAX_DEPTH)])
def test_a_page_out_of_range_is_refused_with_the_values(make_searcher: Make, limit: int, offset: int) -> None:
    with pytest.raises(BadQuery, match=f"limit {limit} and offset {offset} are out of range"):
        make_searcher(SHIPS[3]).search(Query(text="tol", limit=limit, offset=offset))


def test_the_deepest_page_is_reached(make_searcher: Make) -> None:
    searcher = make_searcher(SHIPS[3])

    assert searcher.search(Query(text="tol", limit=MAX_DEPTH)).total == 1
    assert searcher.search(Query(text="tol", limit=1, offset=MAX_DEPTH - 1)).hits == ()


def test_lexical_search_finds_only_passages_that_share_a_word(make_searcher: Make) -> None:
    searcher = make_searcher(
        {"id": "a", "title": "", "text": "Jalan tol dibuka. Ramai sekali.", "language": "id"},
        {"id": "b", "title": "", "text": "Kapal feri berlayar pagi ini.", "language": "id"},
    )

    answer = searcher.search(Query(text="tol", mode=Mode.LEXICAL))

    assert article_ids(answer) == ["a"]
    assert answer.total == 1
    assert answer.hits[0].scores.lexical
    assert [answer.hits[0].passage.text[m.start : m.end] for m in answer.hits[0].highlights if m.kind == "term"] == []


def test_a_lexical_search_without_a_known_word_is_an_empty_page(make_searcher: Make) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="zzzz", mode=Mode.LEXICAL))

    assert (answer.hits, answer.total) == ((), 0)


@pytest.mark.parametrize("mode", Mode)
def test_filters_hold_in_every_mode(make_searcher: Make, mode: Mode) -> None:
    searcher = make_searcher(
        {"id": "a", "title": "", "text": "Jalan tol dibuka hari ini.", "language": "id", "source": "X"},
        {"id": "b", "title": "", "text": "Jalan tol ditutup hari ini.", "language": "id", "source": "Y"},
    )

    answer = searcher.search(Query(text="jalan tol", mode=mode, filters=Filters(sources=frozenset({"Y"}))))

    assert article_ids(answer) == ["b"]


def test_composed_and_decomposed_questions_are_the_same(make_searcher: Make) -> None:
    searcher = make_searcher({"id": "a", "title": "", "text": "Kafe Éclair dibuka. Banyak yang datang."}, *SHIPS)

    plain, split = (
        searcher.search(Query(text=f"  {unicodedata.normalize(form, 'Kafe Éclair')}\n")) for form in ("NFC", "NFD")
    )

    assert plain == split


def test_an_article_and_its_passages_are_found_by_id(make_searcher: Make) -> None:
    searcher = make_searcher(*SHIPS)

    article = searcher.article("padi")
    assert article is not None
    passages = searcher.passages_of("padi")
    assert [passage.id for passage in passages] == ["padi#0", "padi#1", "padi#2", "padi#3"]
    assert all(passage.text == article.text[passage.start : passage.end] for passage in passages)
    assert (searcher.article("absent"), searcher.passages_of("absent")) == (None, [])


def test_the_info_tells_what_is_searched(make_searcher: Make) -> None:
    info = make_searcher(*SHIPS).info

    assert (info.articles, info.passages, info.model) == (4, 13, "hashing")
    assert info.languages == {"en": 1, "id": 2, "ms": 1}
    assert info.generation.startswith(f"{info.built_at:%Y%m%dT%H%M%SZ}-")


def test_an_index_of_another_model_is_refused_with_both_names(make_searcher: Make, tmp_path: Path) -> None:
    make_searcher(*SHIPS)

    with pytest.raises(IndexMismatch, match=r"made with the model hashing \(\w{12}\), not another \(\w{12}\)"):
        Searcher(open_current(tmp_path / "index0"), encoder=HashingEncoder(name="another"))


def test_an_index_whose_model_is_not_to_be_had_is_refused(make_searcher: Make, tmp_path: Path) -> None:
    make_searcher(*SHIPS)

    with pytest.raises(ModelError, match='no model "hashing"'):
        open_searcher(tmp_path / "index0", model_cache=tmp_path / "models")


def test_a_searcher_answers_from_its_generation_after_another_build(
    make_searcher: Make, tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    searcher = make_searcher(*SHIPS)
    before = searcher.search(Query(text="kapal feri"))

    build_quietly(write_rows(tmp_path / "b.jsonl", [SHIPS[3]]), index=tmp_path / "index0", keep=0)

    assert searcher.search(Query(text="kapal feri")) == before


def test_a_question_is_answerable_when_the_best_hit_probably_answers(
    make_searcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = make_searcher(*SHIPS)
    # Far from 0 and 1, so that the least step above a score is one.
    monkeypatch.setitem(calibration._FITTED, Mode.DENSE, (0.5, 0.0))
    asked = Query(text="kapal feri", mode=Mode.DENSE)
    best = searcher.search(asked).hits[0].score

    for least, expected in ((best, True), (best + 1e-6, False)):
        monkeypatch.setattr(searching, "ANSWERABLE", least)

        answers = [searcher.search(replace(asked, limit=limit, offset=offset)) for limit, offset in ((1, 0), (5, 2))]

        assert [answer.answerable for answer in answers] == [expected] * 2


def test_where_nothing_passes_the_filters_nothing_is_answerable(make_searcher: Make) -> None:
    answer = make_searcher(*SHIPS).search(Query(text="kapal feri", filters=Filters(sources=frozenset({"nobody"}))))

    assert (answer.total, answer.answerable) == (0, False)


def test_a_hit_counts_the_other_passages_of_its_article_that_probably_answer(
    make_searcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = make_searcher(*SHIPS)
    monkeypatch.setitem(calibration._FITTED, Mode.HYBRID, (0.5, 0.0))  # far from 0 and 1, where scores would be equal
    everything = searcher.search(Query(text="kapal feri", group=Group.NONE, limit=50))
    least = min(hit.score for hit in everything.hits if hit.article.id == "kapal")
    monkeypatch.setattr(grouping, "ANSWERABLE", np.nextafter(np.float32(least), np.float32(1)))

    grouped = searcher.search(Query(text="kapal feri", limit=50))
    likely = [hit.article.id for hit in everything.hits if hit.score > least]
    assert likely.count("kapal") >= 2
    assert {hit.article.id: hit.more_count for hit in grouped.hits} == {
        key: max(likely.count(key) - 1, 0) for key in ("kapal", "bus", "padi", "tol")
    }
    assert {hit.more_count for hit in everything.hits} == {0}


def test_a_question_can_be_asked_of_one_article_alone(make_searcher: Make) -> None:
    searcher = make_searcher(*SHIPS)
    alone = searcher.search(Query(text="kapal feri", group=Group.NONE, filters=Filters(article="bus")))

    assert {hit.article.id for hit in alone.hits} == {"bus"}
    assert len(alone.hits) == len(searcher.passages_of("bus"))
