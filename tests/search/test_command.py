from __future__ import annotations

import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from indexer import BuildReport, HashingEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = (
    {
        "id": "kapal",
        "title": "Kapal kandas",
        "text": "Air surut sejak pagi 🌊. Sebuah kapal besar kandas di muara. Warga menonton dari tepi.",
        "source": "Harian Muara",
        "published": "2026-01-08",
        "language": "id",
    },
    {"id": "ferry", "title": "", "text": "A ferry left the harbour. Nobody was on board.", "language": "en"},
)


@pytest.fixture
def index(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
) -> Path:
    """An index whose model is the hashing encoder, which the commands find as if it were prepared."""
    opening, search = import_module("search.opening"), import_module("search.eval_command")
    monkeypatch.setattr(opening, "find_prepared", lambda *_, **__: tmp_path)
    monkeypatch.setattr(search, "prepare_model", lambda *_, **__: tmp_path)
    for module in (opening, search):
        monkeypatch.setattr(module, "open_encoder", lambda *_, **__: HashingEncoder())
    build_quietly(write_rows(tmp_path / "articles.jsonl", ROWS), index=tmp_path / "index")
    return tmp_path / "index"


def test_a_hit_is_shown_with_title_source_date_and_passage(index: Path, cari: Callable[..., Any]) -> None:
    done = cari("search", "kapal kandas", "--index", index, "--limit", "1")

    assert (done.status, done.err) == (0, "")
    first, where, *passage = done.out.splitlines()
    assert first == " 1. Kapal kandas"
    assert re.fullmatch(r"    Harian Muara · 2026-01-08 · id  [01]\.\d{3}", where)
    assert " ".join(" ".join(passage).split()) == ROWS[0]["text"]


def test_an_article_without_a_title_is_shown_by_its_id(index: Path, cari: Callable[..., Any]) -> None:
    assert " 1. ferry\n" in cari("search", "ferry harbour", "--index", index).out


def test_json_holds_the_whole_answer(index: Path, cari: Callable[..., Any]) -> None:
    done = cari("search", "kapal kandas", "--index", index, "--json")

    answer = json.loads(done.out)
    hit = answer["hits"][0]
    assert (answer["total"], answer["language"], answer["degraded"]) == (2, "id", None)
    assert (hit["rank"], hit["article"]["id"], hit["article"]["published"]) == (1, "kapal", "2026-01-08")
    mark = hit["highlights"][0]
    assert hit["passage"]["text"][mark["start"] : mark["end"]] == "Sebuah kapal besar kandas di muara."
    assert answer["hits"][1]["article"]["published"] is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--lang", "en"), ["ferry"]),
        (("--lang", "en", "--lang", "id"), ["kapal", "ferry"]),
        (("--source", "Harian Muara"), ["kapal"]),
        (("--from", "2026-01-08", "--to", "2026-01-08"), ["kapal"]),
        (("--from", "2026-01-09"), []),
        (("--offset", "1"), ["ferry"]),
        (("--limit", "1", "--group", "none"), ["kapal"]),
    ],
)
def test_options_narrow_the_answer(
    index: Path, cari: Callable[..., Any], options: tuple[str, ...], expected: list[str]
) -> None:
    done = cari("search", "kapal kandas", "--index", index, "--json", *options)

    assert [hit["article"]["id"] for hit in json.loads(done.out)["hits"]] == expected


def test_an_empty_answer_says_so_on_stderr(index: Path, cari: Callable[..., Any]) -> None:
    done = cari("search", "kapal", "--index", index, "--lang", "fr")

    assert (done.status, done.out, done.err) == (0, "", "no article passes these filters\n")


def test_a_question_that_cannot_be_answered_is_one_line(index: Path, cari: Callable[..., Any]) -> None:
    done = cari("search", " ", "--index", index)

    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "the question is empty" in done.err


def test_eval_prints_the_measures_and_reuses_its_index(index: Path, tmp_path: Path, cari: Callable[..., Any]) -> None:
    folder = tmp_path / "toy" / "id-id"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_bytes((tmp_path / "articles.jsonl").read_bytes())
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "kapal besar kandas"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tkapal\t1\n")
    assert index.is_dir()

    cache = ("--model-cache", tmp_path / "models")
    done = cari("eval", folder, "--mode", "dense", "--json", *cache)
    table = cari("eval", folder, "--mode", "dense", *cache)

    (result,) = json.loads(done.out)["evaluations"]
    assert (result["name"], result["mode"], result["queries"], result["articles"]) == ("toy/id-id", "dense", 1, 2)
    assert result["measures"] == {"ndcg@10": 1.0, "recall@10": 1.0, "recall@100": 1.0, "mrr@10": 1.0}
    assert "toy/id-id" in table.out
    assert "1.000" in table.out
    assert len(list((tmp_path / "models" / "eval").iterdir())) == 1


def test_eval_of_a_folder_that_is_no_set_names_what_is_missing(tmp_path: Path, cari: Callable[..., Any]) -> None:
    done = cari("eval", tmp_path)

    assert (done.status, done.out) == (1, "")
    assert "holds no corpus.jsonl; expected BEIR layout" in done.err


def test_similar_articles_are_listed_for_people_and_as_json(index: Path, cari: Callable[..., Any]) -> None:
    shown = cari("similar", "ferry", "--index", index)
    done = cari("similar", "ferry", "--index", index, "--json", "--limit", "1")

    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith(" 1. Kapal kandas\n")
    answer = json.loads(done.out)
    assert (answer["article"]["id"], answer["hits"][0]["article"]["published"]) == ("ferry", "2026-01-08")
    assert (answer["total"], answer["same_story"]) == (1, 0)


def test_similar_articles_of_an_unknown_id_are_refused(index: Path, cari: Callable[..., Any]) -> None:
    done = cari("similar", "absent", "--index", index)

    assert done.status == 1
    assert "the index has no article of the id 'absent'" in done.err
