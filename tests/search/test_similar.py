from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from search import BadQuery, Filters, Group, Query, Searcher, UnknownArticle
from search.ranking import Depth

if TYPE_CHECKING:
    from collections.abc import Callable

    from search import Hit

    Make = Callable[..., Searcher]

TAIL = "Warga menonton dari tepi. Petugas menutup jalan sampai air surut kembali. Tidak ada korban dalam peristiwa itu."
FLOOD = f"Banjir besar merendam pasar kota sejak pagi dan pedagang memindahkan barang ke lantai dua. {TAIL}"
FERRY = f"Kapal feri kandas dekat pulau kecil ketika membawa penumpang serta kendaraan menuju pelabuhan. {TAIL[::-1]}"
HARVEST = (
    "Panen padi tahun ini melimpah karena hujan turun teratur, kata petani di desa itu sambil menjemur gabah di "
    "halaman. Harga beras di pasar pun turun perlahan, dan pembeli datang dari kota tetangga dengan truk besar."
)


def article(key: str, text: str, **fields: str) -> dict[str, Any]:
    return {"id": key, "title": f"Judul {key}", "text": text, "lang": "id", **fields}


ROWS = (
    article("flood1", FLOOD, source="Muara", date="2026-01-01"),
    article("flood2", f"KOTA - {FLOOD}", source="Harian", date="2026-01-02"),
    article("flood3", FLOOD, source="Ladang", date="2026-01-03"),
    article("ferry1", FERRY, source="Muara"),
    article("ferry2", FERRY, source="Harian"),
    article("harvest", HARVEST, source="Muara"),
)


def ids(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.article.id for hit in hits]


def filtered(*sources: str) -> Filters:
    return Filters(sources=frozenset(sources))


def many() -> list[dict[str, Any]]:
    """Forty articles of twenty stories."""
    words = ["banjir", "pasar", "kota", "warga", "jalan", "kapal", "pulau", "padi", "desa", "truk"]
    rows = []
    for number in range(20):
        text = " ".join(
            f"{words[(number * 7 + place * place) % 10]} s{'abcdefghijklmnopqrst'[number]}q{'x' * (place % 5)}"
            for place in range(20)
        )
        rows += [article(f"{number:02}{copy}", f"{text}. {copy}") for copy in "ab"]
    return rows


def test_the_articles_of_a_story_are_one_hit_with_their_number(make_searcher: Make) -> None:
    answer = make_searcher(*ROWS).search(Query(text="banjir besar merendam"))

    assert len(answer.hits) == answer.total == 3
    assert answer.hits[0].article.id.startswith("flood")
    counts = {hit.article.id[:5]: hit.similar_count for hit in answer.hits}
    assert counts == {"flood": 2, "ferry": 1, "harve": 0}


def test_every_passage_of_every_article_is_a_hit_when_asked_for(make_searcher: Make) -> None:
    answer = make_searcher(*ROWS).search(Query(text="banjir besar merendam", group=Group.NONE, limit=100))

    assert set(ids(answer.hits)) == {row["id"] for row in ROWS}
    assert len({hit.passage.id for hit in answer.hits}) == answer.total == len(answer.hits)


def test_a_filter_that_excludes_the_best_ranked_article_shows_another_of_the_story(make_searcher: Make) -> None:
    searcher = make_searcher(*ROWS)
    best = searcher.search(Query(text="banjir besar merendam")).hits[0]
    others = {"Muara", "Harian", "Ladang"} - {best.article.source}

    hit = searcher.search(Query(text="banjir besar merendam", filters=filtered(*others))).hits[0]

    assert hit.article.id.startswith("flood")
    assert hit.article.id != best.article.id
    assert (best.similar_count, hit.similar_count) == (2, 1)


def test_similar_articles_outside_the_ranked_depth_are_counted(
    make_searcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = make_searcher(*ROWS)
    monkeypatch.setattr("search.ranking.MAX_DEPTH", 1)
    monkeypatch.setattr(searcher._ranker, "_depth", Depth(nearest=1, sharing=1))

    assert searcher.search(Query(text="banjir besar merendam", limit=1)).hits[0].similar_count == 2


@pytest.mark.parametrize("size", range(1, 11))
def test_pages_of_stories_put_together_are_the_whole_ranking(make_searcher: Make, size: int) -> None:
    searcher = make_searcher(*many())
    whole = searcher.search(Query(text="banjir kapal padi", limit=100))
    pages = [searcher.search(Query(text="banjir kapal padi", limit=size, offset=at)) for at in range(0, 20, size)]

    assert whole.total == len(whole.hits) == 20
    assert tuple(hit for page in pages for hit in page.hits) == whole.hits
    assert {page.total for page in pages} == {20}


def test_similar_articles_begin_with_the_same_story_and_never_hold_the_article(make_searcher: Make) -> None:
    similar = make_searcher(*ROWS).similar("flood2")

    assert similar.article.id == "flood2"
    assert set(ids(similar.hits[:2])) == {"flood1", "flood3"}
    assert (similar.same_story, similar.total) == (2, 4)
    assert {key[:5] for key in ids(similar.hits[2:])} == {"ferry", "harve"}
    assert [hit.rank for hit in similar.hits] == [1, 2, 3, 4]
    scores = [hit.score for hit in similar.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(hit.scores.dense is not None and hit.scores.late is hit.scores.lexical is None for hit in similar.hits)
    assert all(hit.highlights == () for hit in similar.hits)
    assert similar.facets["source"] == {"Muara": 3, "Harian": 1, "Ladang": 1}


def test_similar_articles_pass_the_filters(make_searcher: Make) -> None:
    similar = make_searcher(*ROWS).similar("flood2", filters=filtered("Harian", "Ladang"))

    assert ids(similar.hits) == ["flood3", "ferry2"]
    assert similar.same_story == 1


def test_nothing_is_similar_to_the_only_article(make_searcher: Make) -> None:
    similar = make_searcher(ROWS[0]).similar("flood1")

    assert (similar.hits, similar.total, similar.same_story) == ((), 0, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_of_similar_articles_put_together_are_all(make_searcher: Make, size: int) -> None:
    searcher = make_searcher(*many())
    whole = searcher.similar("07a", limit=100)
    pages = [searcher.similar("07a", limit=size, offset=at) for at in range(0, 20, size)]

    assert tuple(hit for page in pages for hit in page.hits) == whole.hits
    assert ids(whole.hits)[0] == "07b"
    assert whole.total == 20


def test_similar_articles_are_found_without_embedding_anything(
    make_searcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = make_searcher(*ROWS)
    monkeypatch.setattr("indexer.HashingEncoder.embed_queries", None)
    monkeypatch.setattr("indexer.HashingEncoder.embed_passages", None)

    assert searcher.similar("harvest").total == 2


def test_an_unknown_article_and_a_page_out_of_range_are_refused(make_searcher: Make) -> None:
    searcher = make_searcher(*ROWS)

    with pytest.raises(UnknownArticle, match="no article of the id 'absent'"):
        searcher.similar("absent")
    with pytest.raises(BadQuery, match="limit 0 and offset 0 are out of range"):
        searcher.similar("flood1", limit=0)
