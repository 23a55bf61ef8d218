# What is answered when the model fails, and what never needs it.

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer import EncoderFailed, HashingEncoder, IndexDamaged, ModelError
from search import Filters, Mode, Opener, Query, Searcher, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import Encoder
    from indexer.encoder import Embedding

ROWS = (
    {
        "id": "kapal",
        "title": "Kapal kandas",
        "text": "Air surut sejak pagi. Sebuah kapal kandas di muara. Warga menonton.",
        "source": "Muara",
        "date": "2026-01-08",
        "lang": "id",
    },
    {"id": "bus", "title": "Bus listrik", "text": "Bus listrik mulai berjalan.", "source": "Kota", "lang": "id"},
    {"id": "padi", "title": "Panen padi", "text": "Padi dipanen di ladang.", "source": "Kota", "lang": "id"},
    {"id": "tol", "title": "Jalan tol", "text": "Jalan tol baru dibuka.", "source": "Kota", "lang": "id"},
    {"id": "batik", "title": "Batik tulis", "text": "Perajin membatik kain.", "source": "Kota", "lang": "id"},
    {"id": "ship", "title": "", "text": "A ship ran aground. Nobody was hurt.", "source": "Harbour", "lang": "en"},
)


class Failing(HashingEncoder):
    """Makes passages' vectors, and fails at every question."""

    def embed_queries(self, _: Sequence[str]) -> Embedding:
        raise EncoderFailed("the model failed (out of memory)")


@pytest.fixture
def failing(make_searcher: Callable[..., Searcher]) -> Searcher:
    return make_searcher(*ROWS, encoder=Failing())


@pytest.mark.parametrize("mode", [Mode.HYBRID, Mode.DENSE])
def test_without_the_model_a_search_is_answered_by_words_and_says_so(failing: Searcher, mode: Mode) -> None:
    query = Query(text="kapal kandas", mode=mode)
    answer = failing.search(query)
    by_words = failing.search(replace(query, mode=Mode.LEXICAL))

    assert answer.degraded is not None
    assert "words" in answer.degraded
    assert replace(answer, degraded=None) == by_words
    assert [hit.article.id for hit in answer.hits] == ["kapal"]


def test_a_degraded_answer_has_all_that_words_can_give(failing: Searcher) -> None:
    answer = failing.search(Query(text="kapal kandas", filters=Filters(languages=frozenset({"id"})), explain=True))

    hit = answer.hits[0]
    marked = {(one.kind, hit.passage.text[one.start : one.end]) for one in hit.highlights}
    assert ("sentence", "Sebuah kapal kandas di muara.") in marked
    assert {("term", "kapal"), ("term", "kandas")} <= marked
    assert (hit.scores.dense, hit.scores.late) == (None, None)
    assert hit.scores.lexical is not None
    assert hit.explanation is not None
    assert hit.explanation.dense is None
    assert answer.facets["source"] == {"Kota": 4, "Muara": 1}
    assert answer.answerable
    assert not failing.search(Query(text="gempa bumi")).answerable


def test_a_lexical_search_asks_no_model_and_is_not_degraded(failing: Searcher) -> None:
    answer = failing.search(Query(text="kapal " * 600 + "kandas", mode=Mode.LEXICAL, explain=True))

    assert answer.degraded is None
    assert not answer.truncated
    assert answer.hits[0].article.id == "kapal"
    assert Stage.ENCODE not in answer.timings.ms


def test_similar_articles_and_articles_need_no_model(failing: Searcher) -> None:
    assert {hit.article.id for hit in failing.similar("kapal").hits} == {"bus", "padi", "tol", "batik", "ship"}
    assert failing.article("kapal") is not None


@pytest.fixture
def openable(
    tmp_path: Path,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Path, list[Encoder], dict[str, Exception]]:
    """An index, the encoders that were opened over it, and what opening one raises."""
    index, opened, failures = tmp_path / "index", [], {}
    build_quietly(write_rows(tmp_path / "articles.jsonl", ROWS), index=index)

    def open_encoder(_: Path, **__: object) -> Encoder:
        if "open" in failures:
            raise failures["open"]
        opened.append(HashingEncoder())
        return opened[-1]

    monkeypatch.setattr("search.opening.find_prepared", lambda *_, **__: tmp_path)
    monkeypatch.setattr("search.opening.open_encoder", open_encoder)
    return index, opened, failures


def test_a_model_that_is_open_serves_the_next_generation_too(
    openable: tuple[Path, list[Encoder], dict[str, Exception]], tmp_path: Path
) -> None:
    index, opened, _ = openable
    opener = Opener(index, model_cache=tmp_path)

    assert opener().search(Query(text="kapal")).degraded is None
    assert opener().search(Query(text="kapal")).degraded is None
    assert len(opened) == 1


def test_a_question_is_remembered_over_generations_as_long_as_the_model_is_the_same(
    openable: tuple[Path, list[Encoder], dict[str, Exception]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, opened, _ = openable
    opener = Opener(index, model_cache=tmp_path)
    query = Query(text="kapal")

    assert [opener().search(query).remembered for _ in range(2)] == [False, True]
    assert not Opener(index, model_cache=tmp_path, questions=0)().search(query).remembered
    other = replace(opened[0].card, name="other")
    monkeypatch.setattr(opener._encoder._encoder, "_card", other)
    assert not opener().search(query).remembered


def test_an_index_whose_model_does_not_open_is_searched_by_words(
    openable: tuple[Path, list[Encoder], dict[str, Exception]], tmp_path: Path
) -> None:
    index, _, failures = openable
    failures["open"] = ModelError("graph.bin is short")
    answer = Opener(index, model_cache=tmp_path)().search(Query(text="kapal", explain=True))

    assert answer.degraded is not None
    assert answer.hits[0].article.id == "kapal"


def test_a_damaged_index_is_refused_whatever_the_model_does(
    openable: tuple[Path, list[Encoder], dict[str, Exception]], tmp_path: Path
) -> None:
    index, _, failures = openable
    failures["open"] = ModelError("graph.bin is short")
    next(index.glob("generations/*/vectors.faiss")).write_bytes(b"short")

    with pytest.raises(IndexDamaged, match="vectors"):
        Opener(index, model_cache=tmp_path)()
