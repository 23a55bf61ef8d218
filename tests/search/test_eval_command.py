from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from indexer import HashingEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CORPUS = (
    {"_id": "kapal", "title": "", "text": "Kapal feri kandas di muara.", "lang": "id"},
    {"_id": "bus", "title": "", "text": "Bus listrik melayani jalur timur.", "lang": "id"},
    {"_id": "ferry", "title": "", "text": "A ferry left the harbour.", "lang": "en"},
)
QUERIES = ({"_id": "q-1", "text": "kapal kandas"}, {"_id": "q-2", "text": "bus listrik"})


@pytest.fixture
def evaluation_set(tmp_path: Path, write_rows: Callable[..., Path]) -> Path:
    folder = tmp_path / "toy" / "id-id"
    write_rows(folder / "corpus.jsonl", CORPUS)
    write_rows(folder / "queries.jsonl", QUERIES)
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq-1\tkapal\t1\nq-2\tbus\t1\n")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cari: Callable[..., Any]) -> Callable[..., Any]:
    command = import_module("search.eval_command")
    monkeypatch.setattr(command, "prepare_model", lambda *_, **__: tmp_path)
    monkeypatch.setattr(command, "open_encoder", lambda *_, **__: HashingEncoder())
    return lambda *arguments: cari("eval", *arguments, "--model-cache", tmp_path / "models")


def test_a_comparison_fits_eighty_columns_and_shows_every_arm(evaluation_set: Path, run: Callable[..., Any]) -> None:
    done = run(evaluation_set, "--compare")

    assert done.status == 0
    lines = done.out.splitlines()
    assert max(len(line) for line in lines) <= 80
    rows = [line for line in lines if "1.000" in line]
    assert [row.startswith(first) for row, first in zip(rows, ("toy/id-id", "  2 q", "  3 a", " "), strict=True)]
    assert [arm in row for row, arm in zip(rows, ("dense", "lexical", "hybrid", "hybrid+late"), strict=True)]
    assert "+0.000 (+0.000 to +0.000)" in rows[0]
    assert "2,000 resamples, seed 0" in " ".join(done.out.split())


def test_the_json_of_a_comparison_holds_everything(evaluation_set: Path, run: Callable[..., Any]) -> None:
    (found,) = json.loads(run(evaluation_set, "--compare", "--json").out)["comparisons"]

    assert (found["name"], found["queries"], found["articles"], found["holds"]) == ("toy/id-id", 2, 3, True)
    assert [arm["arm"] for arm in found["arms"]] == ["dense", "lexical", "hybrid", "hybrid+late"]
    assert found["arms"][0]["measures"] == {"ndcg@10": 1.0, "recall@100": 1.0, "mrr@10": 1.0}
    assert found["arms"][3]["ndcg_by_query"] == {"q-1": 1.0, "q-2": 1.0}
    assert [gain["over"] for gain in found["gains"]] == ["dense", "lexical", "hybrid"]
    assert (found["resamples"], found["seed"]) == (2000, 0)


def test_a_comparison_is_written_as_a_markdown_table(
    evaluation_set: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    file = tmp_path / "comparison.md"

    assert run(evaluation_set, "--compare", "--markdown", file).status == 0

    lines = file.read_text(encoding="utf-8").splitlines()
    assert len({line.count("|") for line in lines[:6]}) == 1
    assert lines[2].startswith(r"| toy/id-id | 2 | 3 | dense \* | 1.000 | 1.000 | 1.000 | 1.000 to 1.000 | +0.000")


def test_a_comparison_is_drawn(evaluation_set: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "comparison.png"

    assert run(evaluation_set, "--compare", "--plot", file).status == 0

    content = file.read_bytes()
    assert content.startswith(b"\x89PNG\r\n")
    assert len(content) > 5_000


def test_without_matplotlib_a_plot_is_refused_at_once_with_the_command_to_run(
    evaluation_set: Path, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    done = run(evaluation_set, "--compare", "--plot", tmp_path / "comparison.png")

    assert done.status == 1
    assert "pip install 'cari[plot]'" in done.err
    assert not (tmp_path / "models").exists()


def test_a_file_that_cannot_be_written_is_one_line(evaluation_set: Path, run: Callable[..., Any]) -> None:
    done = run(evaluation_set, "--compare", "--markdown", evaluation_set / "absent" / "comparison.md")

    assert done.status == 1
    assert "the comparison cannot be written" in done.err


def test_a_question_is_explained_with_its_words_and_pieces(evaluation_set: Path, run: Callable[..., Any]) -> None:
    done = run(evaluation_set, "--explain", "q-1")

    assert done.status == 0
    assert done.out.startswith("kapal kandas\ntoy/id-id q-1 · id ")
    first = next(line for line in done.out.splitlines() if line.startswith("*   1"))
    assert first.endswith("kapal (id)")
    assert "words   Kapal 0.7, kandas 0.7" in done.out
    # The language's offset is removed, so that equal pieces are near, not equal.
    assert re.search(r"kandas>kandas 0\.\d\dx0\.\d\d", done.out)


def test_the_json_of_an_explanation_says_which_articles_are_relevant(
    evaluation_set: Path, run: Callable[..., Any]
) -> None:
    content = json.loads(run(evaluation_set, "--explain", "q-1", "--json").out)

    assert (content["id"], content["text"], content["mode"], content["absent"]) == ("q-1", "kapal kandas", "hybrid", [])
    assert [(one["rank"], one["relevance"]) for one in content["placed"]] == [(1, 1), (2, 0), (3, 0)]
    first = content["placed"][0]
    assert first["article"] == {"id": "kapal", "title": "", "language": "id"}
    assert set(first["explanation"]) == {"language", "dense", "lexical", "late", "lifted"}


def test_an_unknown_question_is_refused_with_the_nearest_ids(evaluation_set: Path, run: Callable[..., Any]) -> None:
    done = run(evaluation_set, "--explain", "q1")

    assert (done.status, done.out) == (1, "")
    assert "toy/id-id has no judged question 'q1'" in done.err
    assert "q-1" in done.err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--explain", "q-1", "--compare"), "without"),
        (("--markdown", "x.md"), "--compare"),
        (("--plot", "x.png"), "--compare"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    evaluation_set: Path, run: Callable[..., Any], options: tuple[str, ...], word: str
) -> None:
    done = run(evaluation_set, *options)

    assert (done.status, done.out) == (2, "")
    assert word in done.err
