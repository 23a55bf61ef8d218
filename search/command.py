"""The commands of this package: search, here, and eval."""

from __future__ import annotations

import dataclasses
import shlex
from datetime import datetime  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from indexer.command import (
    IndexOption,
    JsonOption,
    ModelCacheOption,
    ThreadsOption,
    put_json,
    say,
)

from .eval_command import eval_command
from .opening import open_searcher
from .query import Filters, Group, Mode, Query

if TYPE_CHECKING:
    from datetime import date

    from .hit import Hit

_DAY = ["%Y-%m-%d"]
_INDENT = 4


def register(app: typer.Typer) -> None:
    """Add this package's commands to the root command."""
    app.command("search")(search_command)
    app.command("similar")(similar_command)
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
    group: Annotated[Group, typer.Option(help="One hit a story, or every passage.")] = Group.ARTICLE,
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
        content = dataclasses.asdict(answer) | {"hits": _plain(answer.hits)}
        del content["timings"]  # equal searches print equal text
        put_json({"generation": searcher.info.generation, **content})
        return
    if answer.degraded:
        say(answer.degraded)
    if not answer.hits:
        say("no article passes these filters")
        return
    _print(answer.hits)


def similar_command(
    article_id: Annotated[str, typer.Argument(help="As a search with --json names it.", show_default=False)],
    *,
    index: IndexOption,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Articles to show.")] = 5,
    offset: Annotated[int, typer.Option(min=0, help="Articles to skip.")] = 0,
    model_cache: ModelCacheOption,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the articles like one: those of the same story, then those near it in meaning."""
    searcher = open_searcher(index, model_cache=model_cache, threads=threads, progress=say)
    similar = searcher.similar(article_id, limit=limit, offset=offset)
    if as_json:
        article = _plain_article(dataclasses.asdict(similar.article))
        content = {"generation": searcher.info.generation, **dataclasses.asdict(similar)}
        put_json(content | {"article": article, "hits": _plain(similar.hits)})
        return
    if not similar.hits:
        say("no other article is there")
        return
    _print(similar.hits)


def _print(hits: tuple[Hit, ...]) -> None:
    console = Console(highlight=False)
    for hit in hits:
        console.print(_shown(hit, console=console))


def _shown(hit: Hit, *, console: Console) -> Text:
    """A hit as a person reads it: title, where from, and the passage with its best sentence in bold."""
    article = hit.article
    where = [article.source, article.published.isoformat() if article.published else None, article.language]
    text = Text(f"{hit.rank:>2}. ", style="dim")
    text.append(article.title or article.id, style="bold cyan")
    text.append(f"\n    {' · '.join(part for part in where if part)}  {hit.score:.3f}", style="dim")
    if hit.similar_count:
        text.append(f"  +{hit.similar_count} similar: cari similar {shlex.quote(article.id)}", style="dim")
    text.append("\n")
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
        content["article"] = _plain_article(content["article"])
        del content["explanation"]  # neither a search nor a list of similar articles by command asks for one
        plain.append(content)
    return plain


def _plain_article(content: dict[str, Any]) -> dict[str, Any]:
    published = content["published"]
    return content | {"published": published.isoformat() if published else None}


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
