"""The commands that read an index: search and eval."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime  # noqa: TC003 - typer reads it at run time
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer import EMBEDDED_MODEL, ChunkSettings, build, open_encoder, prepare_model
from indexer.command import (
    IndexOption,
    JsonOption,
    ModelCacheOption,
    ProgressBars,
    ThreadsOption,
    put_json,
    say,
)

from .evaluation import Evaluation, evaluate, read_evaluation_set
from .query import Filters, Group, Mode, Query
from .searcher import open_searcher

if TYPE_CHECKING:
    from datetime import date

    from .hit import Hit

_DAY = ["%Y-%m-%d"]
_INDENT = 4


def register(app: typer.Typer) -> None:
    """Add this package's commands to the root command."""
    app.command("search")(search_command)
    app.command("eval")(eval_command)


def search_command(
    question: Annotated[str, typer.Argument(help="In Indonesian or English.", show_default=False)],
    *,
    index: IndexOption,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Hits to show.")] = 5,
    offset: Annotated[int, typer.Option(min=0, help="Hits to skip.")] = 0,
    lang: Annotated[list[str] | None, typer.Option(help="Only articles in this language; repeatable.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only articles of this outlet; repeatable.")] = None,
    published_from: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="First day.")] = None,
    published_to: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="Last day.")] = None,
    mode: Annotated[Mode, typer.Option(help="Which evidence ranks.")] = Mode.HYBRID,
    group: Annotated[Group, typer.Option(help="One hit an article, or every passage.")] = Group.ARTICLE,
    model_cache: ModelCacheOption,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that answer a question."""
    query = Query(
        text=question,
        limit=limit,
        offset=offset,
        mode=mode,
        group=group,
        filters=Filters(
            languages=frozenset(lang or ()),
            sources=frozenset(source or ()),
            published_from=_day(published_from),
            published_to=_day(published_to),
        ),
    )
    searcher = open_searcher(index, model_cache=model_cache, threads=threads, progress=say)
    answer = searcher.search(query)
    if as_json:
        put_json({"generation": searcher.info.generation, **dataclasses.asdict(answer)} | {"hits": _plain(answer.hits)})
        return
    if not answer.hits:
        say("no article passes these filters")
        return
    console = Console(highlight=False)
    for hit in answer.hits:
        console.print(_shown(hit, console=console))


def eval_command(
    folders: Annotated[list[Path], typer.Argument(help="Evaluation sets in BEIR layout.", show_default=False)],
    *,
    mode: Annotated[Mode, typer.Option(help="Which evidence ranks.")] = Mode.HYBRID,
    model: Annotated[
        str, typer.Option(help="A folder, a hub id, or the embedded default.", envvar="CARI_MODEL")
    ] = EMBEDDED_MODEL,
    model_cache: ModelCacheOption,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the ranking on sets of judged questions.

    A folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv. Their indexes are kept beside the prepared
    models, so that a second run embeds only the questions.
    """
    sets = [read_evaluation_set(folder) for folder in folders]
    encoder = open_encoder(prepare_model(model, cache=model_cache, progress=say), threads=threads)
    evaluations: list[Evaluation] = []
    for questions in sets:
        with questions.corpus.open("rb") as stream:
            corpus = hashlib.file_digest(stream, "sha256").hexdigest()
        index = model_cache / "eval" / f"{corpus[:16]}-{encoder.card.fingerprint[:8]}"
        with ProgressBars() as progress:
            build([questions.corpus], index=index, encoder=encoder, settings=ChunkSettings(), progress=progress, keep=0)
        searcher = open_searcher(index, model_cache=model_cache, threads=threads)
        say(f"asking {len(questions.queries)} questions of {questions.name}")
        evaluations.append(evaluate(searcher, questions, mode=mode))
    if as_json:
        put_json({"model": model, "evaluations": [dataclasses.asdict(evaluation) for evaluation in evaluations]})
    else:
        _table(evaluations)


def _table(evaluations: list[Evaluation]) -> None:
    measures = list(evaluations[0].measures)
    table = Table(box=None, pad_edge=False)
    table.add_column("set")
    for name in ("mode", "questions", "articles", *measures):
        table.add_column(name, justify="right")
    for evaluation in evaluations:
        figures = (f"{evaluation.measures[name]:.3f}" for name in measures)
        table.add_row(
            evaluation.name, evaluation.mode.value, str(evaluation.queries), str(evaluation.articles), *figures
        )
    Console(highlight=False).print(table)


def _shown(hit: Hit, *, console: Console) -> Text:
    """A hit as a person reads it: title, where from, and the passage with its best sentence in bold."""
    article = hit.article
    where = [article.source, article.published.isoformat() if article.published else None, article.language]
    text = Text(f"{hit.rank:>2}. ", style="dim")
    text.append(article.title or article.id, style="bold cyan")
    text.append(f"\n    {' · '.join(part for part in where if part)}  {hit.score:.3f}\n", style="dim")
    passage = Text(hit.passage.text)
    for highlight in hit.highlights:
        style = "bold yellow" if highlight.kind == "sentence" else "underline"
        passage.stylize(style, highlight.start, highlight.end)
    for line in passage.wrap(console, console.width - _INDENT):
        if line.plain.strip():
            text.append(" " * _INDENT)
            line.rstrip()
            text.append_text(line)
            text.append("\n")
    return text


def _plain(hits: tuple[Hit, ...]) -> list[dict[str, Any]]:
    plain = []
    for hit in hits:
        content = dataclasses.asdict(hit)
        published = hit.article.published
        content["article"] |= {"published": published.isoformat() if published else None}
        plain.append(content)
    return plain


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
