# An index whose token vectors were left out.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer import BuildReport, HashingEncoder, Passage, open_current
from search import Mode, Query, Searcher
from search.fusion import fused
from search.highlight import best_sentence_by_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = (
    {
        "id": "kapal",
        "title": "",
        "text": "Air surut sejak pagi. Sebuah kapal besar kandas di muara. Warga menonton dari tepi.",
        "language": "id",
    },
    {"id": "bus", "title": "", "text": "Bus listrik melayani jalur timur. Tarifnya tetap.", "language": "id"},
    *({"id": f"tol{n}", "title": "", "text": f"Jalan tol nomor {n} dibuka.", "language": "id"} for n in range(4)),
    {"id": "ferry", "title": "", "text": "A ferry left the harbour. Nobody was on board.", "language": "en"},
)


@pytest.fixture
def articles(tmp_path: Path, write_rows: Callable[..., Path]) -> Path:
    return write_rows(tmp_path / "articles.jsonl", ROWS)


@pytest.fixture
def searcher(tmp_path: Path, articles: Path, build_quietly: Callable[..., BuildReport]) -> Searcher:
    build_quietly(articles, index=tmp_path / "index", late=False)
    return Searcher(open_current(tmp_path / "index"), encoder=HashingEncoder())


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_answers_and_late_scores_are_none(searcher: Searcher, mode: Mode) -> None:
    answer = searcher.search(Query(text="kapal besar kandas", mode=mode, explain=True))

    assert answer.hits[0].article.id == "kapal"
    for hit in answer.hits:
        assert hit.scores.late is None
        assert hit.explanation is not None
        assert hit.explanation.late is None


def test_the_sentence_with_most_of_the_questions_words_is_marked(searcher: Searcher) -> None:
    hit = searcher.search(Query(text="kapal kandas")).hits[0]

    marks = [hit.passage.text[mark.start : mark.end] for mark in hit.highlights if mark.kind == "sentence"]
    assert marks == ["Sebuah kapal besar kandas di muara."]


def body(text: str) -> Passage:
    return Passage("a#0", "a", text, 0, len(text))


@pytest.mark.parametrize(
    ("text", "weights", "expected"),
    [
        ("Hujan turun. Kapal itu kandas. Kapal lain tidak.", {"kapal": 2.0, "kandas": 3.0}, ["Kapal itu kandas."]),
        ("Kapal itu besar. Kapal ini kecil.", {"kapal": 2.0}, ["Kapal itu besar."]),  # of equals the first
        (
            "Mengapa kapal kandas? Kapal itu tua.",
            {"kapal": 2.0, "kandas": 3.0},
            ["Kapal itu tua."],
        ),  # asking is no answer
        ("Hujan turun. Kapal itu kandas.", {"pesawat": 4.0}, []),  # no word is shared
        ("Hujan turun. Kapal itu kandas.", {"kapal": 0.5}, []),  # nearly every passage has it
        ("Kapal itu kandas.", {"kapal": 2.0}, []),  # one sentence needs no mark
        ("", {"kapal": 2.0}, []),
    ],
)
def test_words_choose_the_sentence(text: str, weights: dict[str, float], expected: list[str]) -> None:
    marks = best_sentence_by_words(body(text), weights, language="id")

    assert [text[mark.start : mark.end] for mark in marks] == expected


def test_without_late_the_dense_vectors_share_out_the_places() -> None:
    found = fused(
        dense=np.array([0.90, 0.88, 0.80], np.float32),
        late=None,
        lexical=np.array([0, 0, 1], np.float32),
        languages=np.array(["en", "id", "id"]),
    )

    # Within id .80 + .15 is more than .88: the two exchange their places; the English passage keeps its own.
    np.testing.assert_allclose(found, [0.90, 0.80, 0.88])


def test_the_generation_holds_no_token_file(tmp_path: Path, searcher: Searcher) -> None:
    assert searcher.info.passages > 0
    assert not list((tmp_path / "index" / "generations").rglob("token*"))


def test_a_build_that_only_adds_or_drops_the_tokens_embeds_nothing(
    tmp_path: Path, articles: Path, build_quietly: Callable[..., BuildReport]
) -> None:
    runs = [build_quietly(articles, index=tmp_path / "index", late=late) for late in (True, False, False, True)]

    assert [run.published for run in runs] == [True, True, False, True]
    assert [run.embedded > 0 for run in runs] == [True, False, False, False]


def test_with_tokens_hybrid_without_late_ranks_as_an_index_without_them(
    tmp_path: Path, articles: Path, searcher: Searcher, build_quietly: Callable[..., BuildReport]
) -> None:
    build_quietly(articles, index=tmp_path / "with")
    whole = Searcher(open_current(tmp_path / "with"), encoder=HashingEncoder())
    query = Query(text="kapal listrik")

    left_out, not_used = searcher.rank(query), whole.rank(query, late=False)

    assert left_out.rows.tolist() == not_used.rows.tolist()
    assert left_out.scores.tolist() == not_used.scores.tolist()


def test_the_commands_build_and_describe_it(tmp_path: Path, articles: Path, cari: Callable[..., Any]) -> None:
    done = cari("build", articles, "--index", tmp_path / "index", "--no-late")
    told = cari("info", "--index", tmp_path / "index")

    assert (done.status, told.status) == (0, 0)
    assert "late        no: token vectors were left out (--no-late)" in told.out
    assert cari("build", articles, "--index", tmp_path / "index").status == 0
    assert "late        yes" in cari("info", "--index", tmp_path / "index").out
